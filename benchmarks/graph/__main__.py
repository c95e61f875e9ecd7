"""The graph's figures.

Run: python -m benchmarks.graph [--quick] [--json] [--customers 2000,1000000] [--alone] [--out docs/benchmarks]
     python -m benchmarks.graph --peers-setup
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from benchmarks.graph.peers import ENVIRONMENT


def main() -> int:
    words = argparse.ArgumentParser(prog="python -m benchmarks.graph", description=__doc__)
    words.add_argument("--quick", action="store_true", help="the figures of the issue in under a minute")
    words.add_argument("--json", action="store_true", help="end with one line of JSON")
    words.add_argument("--customers", help="sizes to grow to, by comma; five facts a customer")
    words.add_argument("--alone", action="store_true", help="without the others, of whom the last run's figures stay")
    words.add_argument("--peers-setup", action="store_true", help="install what it is compared with in var/graph-peers")
    words.add_argument("--out", type=Path, default=Path("docs/benchmarks"), help="where a full run writes")
    said = words.parse_args()
    if said.peers_setup:
        failed = ENVIRONMENT.set_up()
        print("\n".join(failed) or f"the peers are in {ENVIRONMENT.place}", file=sys.stderr)
        return int(bool(failed))
    if said.quick:
        from benchmarks.graph.quick import quick

        found = quick()
        print(json.dumps(found) if said.json else "\n".join(f"{name}: {value}" for name, value in found.items()))
        return 0
    from benchmarks.graph.growth import SIZES, full
    from benchmarks.graph.report import write

    sizes = [int(n) for n in said.customers.split(",")] if said.customers else SIZES
    kept = said.out / "graph.json"
    before = json.loads(kept.read_text(encoding="utf-8")) if said.alone else {}
    stays = {"beside": before.get("beside", before)} if before else {}
    found = full(
        lambda so_far: kept.write_text(json.dumps(so_far | stays), encoding="utf-8"), sizes, () if said.alone else None
    )
    found |= stays
    write(found, said.out)
    print(json.dumps(found) if said.json else f"written to {said.out}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
