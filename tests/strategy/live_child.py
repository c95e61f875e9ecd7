"""A hub in a process of its own, to be killed: reads numbered batches from standard input, one JSON object a line,
takes several at a time, and acknowledges each with a line once `accept_events` has returned. A batch of nothing means:
drain, stop, exit."""

from __future__ import annotations

import json
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from core.clock import SystemClock
from core.times import MINUTE
from tests.backends import BACKENDS
from tests.strategy.livehub import CTX, LiveHub

SENDERS = 3
LATENESS = 10 * MINUTE


def main(folder: str, backend: str, snapshot_every: str) -> None:
    hub = LiveHub(
        Path(folder),
        SystemClock(),
        lateness=LATENESS,
        snapshot_every=int(snapshot_every),
        backend=BACKENDS[backend],
    )
    hub.live.start()
    lock = threading.Lock()

    def say(answer: dict[str, Any]) -> None:
        with lock:
            sys.stdout.write(json.dumps(answer) + "\n")
            sys.stdout.flush()

    def take(n: int, batch: list[dict[str, Any]]) -> None:
        receipt = hub.live.accept_events(CTX, batch)
        say({"n": n, "taken": receipt.accepted + receipt.duplicates})

    say({"ready": True})
    with ThreadPoolExecutor(SENDERS) as pool:
        for line in sys.stdin:
            sent = json.loads(line)
            if not sent["batch"]:
                break
            pool.submit(take, sent["n"], sent["batch"])
    hub.live.settle()
    hub.live.stop()
    say({"done": True})


if __name__ == "__main__":
    main(*sys.argv[1:])
