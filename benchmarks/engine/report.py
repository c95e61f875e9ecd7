"""The full run as the page docs/benchmarks/engine.md: figures, curves and pictures between its two marks; the words
around them are written by hand."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from benchmarks.engine.plots import BE_TREE, NAMES, PICTURES, draw
from benchmarks.page import put, shown, table

COMMAND = "python -m benchmarks.engine"
CURVES = {
    "strategies": (
        "Matching alone, by number of stateless strategies",
        ("strategies", "events a CPU second", "events a second", "matches an event"),
    ),
    "wider": (
        "Matching alone, 1,000 strategies whose filters pass more",
        ("times as many events", "events a CPU second", "events a second", "matches an event"),
    ),
    "decisions": (
        "JSON in → decision, by number of mixed strategies",
        ("strategies", "events a CPU second", "events a second", "firings an event"),
    ),
    "customers": (
        "JSON in → decision, by customers that have state; 1,000 mixed strategies",
        ("customers", "events a CPU second", "events a second", "resident, MiB"),
    ),
    "batch": (
        "JSON in → decision, by size of batch; 1,000 mixed strategies",
        ("events a batch", "events a CPU second", "events a second", "firings an event"),
    ),
    "memory": ("Memory of a count ≥ 3 in 7 days, 20 a customer", ("customers", "bytes a (customer, count)")),
    "single": ("One event a call", ("mixed strategies", "p50, ms", "p99, ms", "events a call")),
    "pace": (
        "Arrival to decision, 1,000 mixed strategies, what is queued is taken",
        ("arrivals a second", "p50, ms", "p99, ms", "events a call"),
    ),
    "recovery": (
        "After a crash: a snapshot, and as many journal events as the run takes a stretch",
        ("customers", "write, s", "read, s", "replay, s", "snapshot, MiB"),
    ),
}


def write(found: dict[str, Any], folder: Path) -> None:
    """The page's figures, its pictures, and the raw figures as engine.json."""
    folder.mkdir(parents=True, exist_ok=True)
    pictures = draw(found, folder)
    (folder / "engine.json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    put(folder / "engine.md", COMMAND, "The engine, measured", body(found, pictures))


def body(found: dict[str, Any], pictures: list[str]) -> str:
    parts = [" · ".join(f"{name}: {value}" for name, value in found["machine"].items())]
    parts.append(table(("figure", "value"), [[f"`{k}`", shown(v)] for k, v in found["figures"].items()]))
    parts.append("### Peers, 1,000 rules\n\n" + _peers(found))
    for curve, (title, head) in CURVES.items():
        if not any(found.get(name, {}).get(curve) for name in NAMES):
            continue
        parts.append(f"### {title}")
        for name in [name for name in NAMES if found.get(name, {}).get(curve)]:
            rows = [[shown(cell) for cell in _units(curve, row)] for row in found[name][curve]]
            left_out = found[name].get("left_out", "nothing")
            parts.append(f"{NAMES[name].capitalize()} (left out: {left_out}):\n\n{table(head, rows)}")
        parts += [f"![{PICTURES[p].title}](engine-{p}.png)" for p in _pictured(curve) if f"engine-{p}.png" in pictures]
    return "\n\n".join(parts)


def _pictured(curve: str) -> tuple[str, ...]:
    return {"strategies": ("match",), "customers": ("customers", "resident")}.get(curve, (curve,))


def _units(curve: str, row: list[float]) -> list[float]:
    """Bytes of snapshots and processes in MiB."""
    return [*row[:-1], row[-1] / 2**20] if curve in ("customers", "recovery") else row


def _peers(found: dict[str, Any]) -> str:
    ours = {name: r[1] for name in NAMES if name in found for r in found[name]["strategies"] if r[0] == 1_000}
    rows = []
    for peer in (p for p in found["peers"] if p["rules"] == 1_000):
        if not peer["match_us"]:
            rows.append([peer["peer"], peer["form"], peer["why"], *["–"] * (len(ours) + 1)])
            continue
        eps = 1e6 / peer["match_us"]
        times = [f"{rate / eps:,.0f}×" for rate in ours.values()]
        rows.append([peer["peer"], peer["form"], shown(eps), *times, f"{peer['build_s']:.2f}"])
    rows.append(
        [
            "be-tree (C)",
            "quoted, not measured here",
            shown(BE_TREE),
            *(f"{r / BE_TREE:,.0f}×" for r in ours.values()),
            "–",
        ]
    )
    return table(("peer", "form", "events a CPU second", *(f"{NAMES[n]} to it" for n in ours), "set up, CPU s"), rows)
