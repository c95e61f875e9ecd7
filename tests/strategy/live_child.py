"""A hub in a process of its own, to be killed: reads batches of events from standard input, one JSON list a line, and
acknowledges each with a line once `accept_events` has returned. An empty list means: drain, stop, exit."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from core.clock import SystemClock
from core.times import MINUTE
from tests.strategy.livehub import CTX, LiveHub


def main(folder: str) -> None:
    hub = LiveHub(Path(folder), SystemClock(), lateness=10 * MINUTE, snapshot_every=40)
    hub.live.start()
    for line in sys.stdin:
        batch = json.loads(line)
        if not batch:
            hub.live.settle()
            hub.live.stop()
        receipt = hub.live.accept_events(CTX, batch) if batch else None
        answer = {"taken": receipt.accepted + receipt.duplicates if receipt else 0}
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1])
