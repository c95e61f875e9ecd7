"""How soon the service answers: from starting `zhongshu serve` to the first /healthz, and to /readyz being ready, on an
empty data folder with the demo world and again on the same folder.

Run: python -m benchmarks.start
"""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def ask(port: int, path: str) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read()
    except OSError:
        return 0, b""
    finally:
        connection.close()


def start(folder: Path) -> tuple[float, float]:
    """Seconds to the first answer and to readiness (wall clock)."""
    port = free_port()
    begun = time.perf_counter()
    service = subprocess.Popen(
        [Path(sys.executable).with_name("zhongshu"), "serve", "--demo", "--port", str(port), "--data-dir", str(folder)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "ZHONGSHU_LOG_LEVEL": "error"},
    )
    try:
        answered = until(service, lambda: ask(port, "/healthz")[0] == 200, begun)
        ready = until(service, lambda: json.loads(ask(port, "/readyz")[1] or b"{}").get("status") == "ready", begun)
    finally:
        service.send_signal(signal.SIGTERM)
        service.wait(60)
    return answered, ready


def until(service: subprocess.Popen[bytes], holds: Callable[[], bool], begun: float) -> float:
    while service.poll() is None and time.perf_counter() - begun < 300:
        if holds():
            return time.perf_counter() - begun
        time.sleep(0.02)
    raise RuntimeError(f"the service did not get there (exit code {service.poll()})")


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        for name in ("first start, demo world loaded", "second start"):
            answered, ready = start(Path(folder))
            print(f"{name}: answers after {answered:.1f} s, ready after {ready:.1f} s")


if __name__ == "__main__":
    main()
