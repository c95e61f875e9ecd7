"""`make bench`: every measurement in turn, each in a process of its own, under one head with the machine's facts.

Run: python -m benchmarks [name ...]
"""

from __future__ import annotations

import subprocess
import sys

from benchmarks.machine import machine_facts

ALL = (
    "engine",
    "decode",
    "live",
    "language",
    "corpus",
    "conflicts",
    "parse",
    "agents",
    "graph",
    "identity",
    "retrieval",
    "retrieval_choices",
    "start",
)
SHORTER = {"engine": ["--quick"], "graph": ["--quick"]}
"""What makes a measurement that can take an hour take its share of these."""


def main() -> int:
    chosen = sys.argv[1:] or list(ALL)
    if unknown := [name for name in chosen if name not in ALL]:
        print(f"no measurement {unknown[0]!r}; there are: {', '.join(ALL)}", file=sys.stderr)
        return 2
    print("  ".join(f"{name}: {value}" for name, value in machine_facts().items()), flush=True)
    failed = []
    for name in chosen:
        print(f"\n== {name}", flush=True)
        if subprocess.run([sys.executable, "-m", f"benchmarks.{name}", *SHORTER.get(name, ())], check=False).returncode:
            failed.append(name)
    if failed:
        print(f"\ndid not finish: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
