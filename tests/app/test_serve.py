"""`zhongshu serve` as a process: first start, the key, a second hub, and a stop that loses nothing acknowledged."""

from __future__ import annotations

import gzip
import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from tests.app.hubclient import CATALOG, Client
from tests.app.test_cli import ROOT, START, run


@contextmanager
def serving(folder: Path, **more: str) -> Iterator[tuple[subprocess.Popen[str], str, list[str]]]:
    """A service process, its address, and what it has said so far; killed at the end if it still runs."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ZHONGSHU_")}
    environment = {
        **kept,
        "PYTHONPATH": os.pathsep.join([str(ROOT), kept.get("PYTHONPATH", "")]),
        "ZHONGSHU_DATA_DIR": str(folder / "var"),
        "ZHONGSHU_CATALOG": str(CATALOG),
        "ZHONGSHU_LANG": "en",
        "ZHONGSHU_LOG_FORMAT": "json",
        **more,
    }
    command = [sys.executable, "-c", START, "serve", "--port", "0"]
    process = subprocess.Popen(command, cwd=folder, env=environment, stderr=subprocess.PIPE, text=True)
    said: list[str] = []
    address, up = [""], threading.Event()

    def listen() -> None:
        assert process.stderr is not None
        for line in process.stderr:
            said.append(line)
            if found := re.search(r"http://127\.0\.0\.1:\d+", line):
                address[0] = found.group()
                up.set()
        up.set()

    thread = threading.Thread(target=listen)
    thread.start()
    try:
        assert up.wait(120)
        assert address[0], "".join(said)
        yield process, address[0], said
    finally:
        if process.poll() is None:
            process.kill()
        process.wait(60)
        thread.join(60)


def event(key: int) -> dict[str, str]:
    moment = datetime.now(UTC).isoformat()
    return {"id": f"e{key}", "source": "t", "type": "app.login", "time": moment, "subject": f"customer/k{key}"}


def stop(process: subprocess.Popen[str]) -> int:
    process.send_signal(signal.SIGTERM)
    return process.wait(60)


def test_the_first_start_prints_the_admin_key_once_and_leaves_it_for_its_owner_only(tmp_path: Path) -> None:
    with serving(tmp_path) as (process, address, said):
        key = (tmp_path / "var" / "admin.key").read_text(encoding="utf-8").strip()
        assert sum(key in line for line in said) == 1
        assert (tmp_path / "var" / "admin.key").stat().st_mode & 0o777 == 0o600
        assert Client(address, key)("GET", "/v1/me").body["role"] == "admin"

        second = run(tmp_path, "serve")
        assert second.returncode == 6
        assert str(process.pid) in second.stderr
        listed = run(tmp_path, "strategy", "list", "--json")
        assert json.loads(listed.stdout) == []
        assert stop(process) == 0
    with serving(tmp_path) as (process, address, said):
        assert not any(key in line for line in said)
        assert Client(address, key)("GET", "/v1/me").status == 200
        assert not any("13812345678" in line for line in said)
        assert stop(process) == 0


def test_what_was_acknowledged_before_a_stop_is_on_disk_and_known_after_it(tmp_path: Path) -> None:
    acknowledged: list[int] = []
    with serving(tmp_path) as (process, address, _):
        client = Client(address, (tmp_path / "var" / "admin.key").read_text(encoding="utf-8").strip())
        enough = threading.Event()

        def send() -> None:
            for number in range(100_000):
                try:
                    answer = client("POST", "/v1/events", event(number))
                except OSError:
                    return
                if answer.status != 202:
                    return
                acknowledged.append(number)
                if number == 25:
                    enough.set()

        sender = threading.Thread(target=send)
        sender.start()
        assert enough.wait(120)
        assert stop(process) == 0
        sender.join(60)
    store = sqlite3.connect(tmp_path / "var" / "zhongshu.db")
    kept = {key for (key,) in store.execute("select id from journal where kind = 'event'")}
    snapshot = store.execute("select max(seq) from engine_snapshot").fetchone()[0]
    last = store.execute("select max(seq) from journal").fetchone()[0]
    store.close()
    assert {f"e{number}" for number in acknowledged} <= kept
    assert snapshot == last, "the engine drained its journal and kept a snapshot"


def test_after_a_kill_the_next_start_goes_on_from_the_journal(tmp_path: Path) -> None:
    with serving(tmp_path) as (process, address, _):
        client = Client(address, (tmp_path / "var" / "admin.key").read_text(encoding="utf-8").strip())
        first = [event(number) for number in range(20)]
        assert client("POST", "/v1/events", first).body["accepted"] == 20
        process.kill()
    with serving(tmp_path) as (process, address, _):
        client = Client(address, client.key)
        assert client("POST", "/v1/events", first).body == {"accepted": 0, "duplicates": 20, "late": 0, "rejected": []}
        assert client("GET", "/v1/customers/k7").body["timeline"][0]["id"] == "e7"
        assert stop(process) == 0


def test_spans_go_to_the_collector_when_one_is_set(tmp_path: Path) -> None:
    with collector() as (endpoint, came), serving(tmp_path, ZHONGSHU_OTLP_ENDPOINT=endpoint) as (process, address, _):
        client = Client(address, (tmp_path / "var" / "admin.key").read_text(encoding="utf-8").strip())
        assert client("POST", "/v1/events", event(1)).status == 202
        assert stop(process) == 0
    spans = b"".join(body for path, body in came if path == "/v1/traces")
    for name in (b"POST /v1/events", b"engine.journal", b"governance.check"):
        assert name in spans, name
    assert b"customer/k1" not in spans.replace(b"/v1/events", b"")


@contextmanager
def collector() -> Iterator[tuple[str, list[tuple[str, bytes]]]]:
    """An OTLP receiver on loopback: its address, and what came as (path, body)."""
    came: list[tuple[str, bytes]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            came.append((self.path, gzip.decompress(body) if body[:2] == b"\x1f\x8b" else body))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}", came
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)
