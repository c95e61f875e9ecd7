"""The engine's figures.

Run: python -m benchmarks.engine [--quick | --short] [--only PART ...] [--json] [--out docs/benchmarks] | --peers-setup
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from benchmarks.engine import peers
from benchmarks.engine.curves import PARTS, SHORT, Scale, full


def main() -> int:
    words = argparse.ArgumentParser(prog="python -m benchmarks.engine", description=__doc__)
    words.add_argument("--quick", action="store_true", help="the figures of the issue in under a minute")
    words.add_argument(
        "--short", action="store_true", help="the full run up to 100,000 strategies, customers and 1,000 rules"
    )
    words.add_argument(
        "--only",
        nargs="+",
        metavar="PART",
        choices=PARTS,
        help="measure these again, one or more of " + ", ".join(PARTS),
    )
    words.add_argument("--json", action="store_true", help="end with one line of JSON")
    words.add_argument("--peers-setup", action="store_true", help="install the rule engines compared with in var/peers")
    words.add_argument("--out", type=Path, default=Path("docs/benchmarks"), help="where a full run writes")
    said = words.parse_args()
    if said.peers_setup:
        failed = peers.ENVIRONMENT.set_up()
        print("\n".join(failed) or f"the peers are in {peers.ENVIRONMENT.place}", file=sys.stderr)
        return int(bool(failed))
    if said.quick:
        from benchmarks.engine.quick import quick

        found = quick()
        print("\n".join(f"{name}: {value}" for name, value in found.items()) if not said.json else json.dumps(found))
        return 0
    from benchmarks.engine.report import write

    kept = said.out / "engine.json"
    before = json.loads(kept.read_text(encoding="utf-8")) if said.only and kept.exists() else None
    scale = SHORT if said.short else Scale()
    found = full(lambda so_far: kept.write_text(json.dumps(so_far), encoding="utf-8"), scale, said.only or (), before)
    write(found, said.out)
    print(json.dumps(found["figures"]) if said.json else f"written to {said.out}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
