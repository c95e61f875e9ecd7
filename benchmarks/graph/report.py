"""The full run as the page docs/benchmarks/graph.md, its pictures, and the raw figures as graph.json."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes

from benchmarks.page import put, shown, table
from benchmarks.plots import Picture, save

READS = {
    "two_hop": "two hops as of a past moment",
    "two_hop_beside_writer": "the same while another process writes as fast as it can",
    "two_hop_known_at": "two hops as of a past moment, as known then",
    "profile": "a customer's values as of a moment",
    "profile_known_at": "the same, as known then",
    "series": "a value as a curve",
    "absence": "check-up, then no visit within 30 days: one customer",
    "weight": "a decaying weight: one customer",
}


def write(found: dict[str, Any], folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    pictures = save(PICTURES, found, folder, "graph")
    (folder / "graph.json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    body = "\n\n".join(_parts(found, pictures))
    put(folder / "graph.md", "python -m benchmarks.graph", "The customer graph, measured", body)


def _parts(found: dict[str, Any], pictures: list[str]) -> list[str]:
    points, others = found["points"], found.get("beside", found)
    last = next((p for p in points if p["facts"] == 5_000_000), points[-1])
    reads = [
        [what, *(shown(last[name][k]) for k in ("cpu_p50", "cpu_p99", "p50", "p99"))] for name, what in READS.items()
    ]
    return [
        _machine(found),
        f"### Reads at {last['customers']:,} customers, {last['facts']:,} facts; milliseconds",
        table(("read", "CPU p50", "CPU p99", "wall p50", "wall p99"), reads),
        "### Growth",
        table(("facts", "load, facts a CPU second", "load, facts a second", "disk, MB", "resident, MB",
               "open after a kill, CPU ms", "the same, wall ms"), [_grown(p) for p in points]),
        "### Beside others, two hops as of a past moment",
        *([f"An earlier run, of all together: {_machine(others)}"] if others is not found else []),
        table(("customers", "what", "load, CPU s", "disk, MB", "CPU p50, ms", "CPU p99, ms", "its p50 to ours"),
              _beside(others)),
        *(f"![{PICTURES[n].title}](graph-{n}.png)" for n in PICTURES if f"graph-{n}.png" in pictures),
    ]  # fmt: skip


def _machine(found: dict[str, Any]) -> str:
    return " · ".join(f"{name}: {value}" for name, value in found["machine"].items())


def _grown(p: dict[str, Any]) -> list[str]:
    rates = (p["added"] / p["load_cpu_s"], p["added"] / p["load_s"])
    opened = (p["open"]["cpu"] * 1e3, p["open"]["wall"] * 1e3)
    return [shown(v) for v in (p["facts"], *rates, p["disk_after_load_mb"], p["resident_mb"], *opened)]


def _beside(found: dict[str, Any]) -> list[list[str]]:
    rows, loaded = [], 0.0
    for p in found["points"]:
        loaded += p["load_cpu_s"]
        two = p["two_hop"]
        mine = (loaded, p["disk_after_load_mb"], two["cpu_p50"], two["cpu_p99"])
        rows.append([shown(p["customers"]), "Zhongshu", *map(shown, mine), "1"])
        for peer in (q for q in found["peers"] if q["customers"] == p["customers"]):
            name = f"{peer['peer']}: {peer['form']}"
            if "why" in peer:
                rows.append(["", name, peer["why"], "–", "–", "–", "–"])
                continue
            theirs = (peer["load_cpu_s"], peer["disk_mb"], peer["cpu_p50"], peer["cpu_p99"])
            rows.append(["", name, *map(shown, theirs), f"{shown(peer['cpu_p50'] / two['cpu_p50'])}×"])
    return rows


def _two_hops(axes: Axes, found: dict[str, Any]) -> None:
    for column, style in (("cpu_p50", "o-"), ("cpu_p99", "^:")):
        label = f"Zhongshu, {column.removeprefix('cpu_')}"
        facts, measured = _line(found, lambda p: p["two_hop"])
        axes.plot(facts, [each[column] for each in measured], style, color="#22668a", label=label)
    timed = [p for p in found.get("beside", found)["peers"] if "why" not in p]
    for name in dict.fromkeys((p["peer"], p["form"]) for p in timed):
        rows = [p for p in timed if (p["peer"], p["form"]) == name]
        facts = [5 * p["customers"] for p in rows]
        axes.plot(facts, [p["cpu_p50"] for p in rows], ".--", linewidth=0.8, label=f"{name[0]} ({name[1]}), p50")
    axes.set(xscale="log", yscale="log")


def _line(found: dict[str, Any], value: Callable[[dict[str, Any]], Any]) -> tuple[list[int], list[Any]]:
    return [p["facts"] for p in found["points"]], [value(p) for p in found["points"]]


def _curve(value: Callable[[dict[str, Any]], float], label: str) -> Callable[[Axes, dict[str, Any]], None]:
    def draw(axes: Axes, found: dict[str, Any]) -> None:
        axes.plot(*_line(found, value), "o-", color="#22668a", label=label)
        axes.set(xscale="log", ylim=(0, None))

    return draw


_FACTS = "facts in the store"
PICTURES = {
    "growth": Picture("Two hops as of a past moment", _FACTS, "CPU milliseconds", _two_hops),
    "load": Picture("Taking facts, each batch on disk", _FACTS, "facts a CPU second",
                    _curve(lambda p: p["added"] / p["load_cpu_s"], "since the size before")),
    "disk": Picture("Disk", _FACTS, "bytes a fact, with all indexes",
                    _curve(lambda p: p["disk_after_load_mb"] * 1e6 / p["facts"], "SQLite")),
}  # fmt: skip
