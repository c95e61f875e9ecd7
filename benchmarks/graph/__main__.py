"""The graph's figures.

Run: python -m benchmarks.graph [--quick] [--json] [--customers 2000,20000,1000000] [--out docs/benchmarks]
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.graph.measure import absence, derived, grow, recursive
from benchmarks.identity import febrl3_f1, febrl4_f1
from benchmarks.machine import machine_facts
from tests.knowledge.graph.kill_rounds import kill_rounds

_QUICK = 10_000
_SHARE = 0.3
"""Of the people of febrl3 and febrl4, in a quick run; `python -m benchmarks.identity` takes all."""
_FULL = "2000,20000,200000,1000000,2000000"
_NAMES = ("two_hop_p50_ms", "two_hop_p99_ms", "facts_per_second_group_commit", "cpu_us_per_fact")


def quick() -> dict[str, Any]:
    """The figures in under a minute, at the scale they state."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        kills = kill_rounds(folder, 10)
        point = grow(_empty(folder, "graph"), [_QUICK], 300)[-1]
        found: dict[str, Any] = {n: point[n] for n in _NAMES}
        found |= dict(zip(("derived_p50_ms", "derived_p99_ms"), derived(folder), strict=True))
        found |= {"absence_ms_per_customer": absence(folder, 1_000), **recursive(folder, _QUICK)}
    found |= {
        "febrl4_f1_without_ssn": febrl4_f1(_SHARE),
        "febrl3_f1_without_ssn": febrl3_f1(_SHARE),
        "febrl_share": _SHARE,
    }
    lost = kills.lost + kills.failed_opens + kills.torn
    return {**found, "kill_rounds": kills.rounds, "facts_lost": lost, "customers": _QUICK, "facts": point["facts"]}


def full(sizes: list[int], out: Path) -> dict[str, Any]:
    """Growth, measured at each size and plotted."""
    with tempfile.TemporaryDirectory() as name:
        points = grow(Path(name), sizes)
    _plot(points, out / "graph-growth.png")
    return {"points": points, "machine": machine_facts()}


def _empty(folder: Path, name: str) -> Path:
    (folder / name).mkdir()
    return folder / name


def _plot(points: list[dict[str, Any]], file: Path) -> None:
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, (left, right) = pyplot.subplots(1, 2, figsize=(10, 4))
    facts = [p["facts"] for p in points]
    for name, label in (("two_hop_p50_ms", "p50"), ("two_hop_p99_ms", "p99")):
        left.plot(facts, [p[name] for p in points], marker="o", label=label)
    left.set(xscale="log", yscale="log", xlabel="facts", ylabel="ms", title="Two hops at a past moment")
    left.legend()
    right.plot(facts, [p["facts_per_second_group_commit"] for p in points], marker="o")
    right.set(xscale="log", xlabel="facts", ylabel="facts/s, fsynced", title="Group commit", ylim=(0, None))
    figure.tight_layout()
    figure.savefig(file, dpi=110)


def main() -> int:
    words = argparse.ArgumentParser(prog="python -m benchmarks.graph", description=__doc__)
    words.add_argument("--quick", action="store_true", help="the figures of the issue in under a minute")
    words.add_argument("--json", action="store_true", help="end with one line of JSON")
    words.add_argument("--customers", default=_FULL, help="sizes to grow to, by comma; five facts a customer")
    words.add_argument("--out", type=Path, default=Path("docs/benchmarks"), help="where a full run draws")
    said = words.parse_args()
    found = quick() if said.quick else full([int(n) for n in said.customers.split(",")], said.out)
    if said.json:
        print(json.dumps(found))
    else:
        print("\n".join(f"{name}: {value}" for name, value in found.items()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
