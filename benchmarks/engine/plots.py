"""Pictures of the full run: what grows with what."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from matplotlib.axes import Axes

from benchmarks.plots import Picture, save

BE_TREE = 13_500
"""Events a second that adgear/be-tree (C) is quoted with, on 1,000 uniform expressions. Not measured here."""
NAMES = {"python": "pure Python", "columnar": "columnar", "sharded": "columnar, all cores"}
COLOURS = {"python": "#c4743a", "columnar": "#22668a", "sharded": "#0b3954"}
PEER, TUNED, QUOTED = "#8a8f98", "#c3c7cd", "#e9e2d0"


def draw(found: dict[str, Any], folder: Path) -> list[str]:
    """Every picture that the figures are there for; returns the file names."""
    return save(PICTURES, found, folder, "engine")


def _lines(
    axes: Axes, found: dict[str, Any], curve: str, column: int, scale: float = 1, style: str = "o-", note: str = ""
) -> None:
    """One column of a curve against its first, a line a matcher."""
    for name in [name for name in NAMES if name in found]:
        if rows := found[name].get(curve):
            label = f"{NAMES[name]}{note}"
            axes.plot([r[0] for r in rows], [r[column] * scale for r in rows], style, color=COLOURS[name], label=label)
    axes.set(xscale="log", yscale="log")


def _match(axes: Axes, found: dict[str, Any]) -> None:
    _lines(axes, found, "strategies", 1)
    for peer in sorted({p["peer"] for p in found["peers"]}):
        rows = sorted((p["rules"], p["match_us"]) for p in found["peers"] if p["peer"] == peer and p["match_us"])
        best = {rules: 1e6 / us for rules, us in sorted(rows, key=lambda row: -row[1])}
        axes.plot(list(best), list(best.values()), ".--", linewidth=0.8, label=f"{peer} (its fastest form)")


def _customers(axes: Axes, found: dict[str, Any]) -> None:
    _lines(axes, found, "customers", 1)


def _resident(axes: Axes, found: dict[str, Any]) -> None:
    _lines(axes, found, "customers", 3, 2**-30)


def _batch(axes: Axes, found: dict[str, Any]) -> None:
    _lines(axes, found, "batch", 1)


def _memory(axes: Axes, found: dict[str, Any]) -> None:
    _lines(axes, found, "memory", 1)
    axes.axhline(16, color="black", linewidth=0.6, linestyle=":")


def _single(axes: Axes, found: dict[str, Any]) -> None:
    _lines(axes, found, "single", 1, note=", p50")
    _lines(axes, found, "single", 2, style="^:", note=", p99")


def _pace(axes: Axes, found: dict[str, Any]) -> None:
    _lines(axes, found, "pace", 1, note=", p50")
    _lines(axes, found, "pace", 2, style="^:", note=", p99")


def _recovery(axes: Axes, found: dict[str, Any]) -> None:
    _lines(axes, found, "recovery", 2, note=", read the snapshot")
    _lines(axes, found, "recovery", 3, style="^:", note=", replay the journal")


def _peers(axes: Axes, found: dict[str, Any]) -> None:
    """Bars, from slow to fast, at 1,000 rules."""
    bars = [
        (
            f"{p['peer']}\n{p['form'].removeprefix('tuned: ')}",
            1e6 / p["match_us"],
            TUNED if "tuned" in p["form"] else PEER,
        )
        for p in found["peers"]
        if p["rules"] == 1_000 and p["match_us"]
    ]
    bars.append(("be-tree (C)\nquoted, not measured", BE_TREE, QUOTED))
    for name in [name for name in NAMES if name in found]:
        bars += [(f"Zhongshu\n{NAMES[name]}", r[1], COLOURS[name]) for r in found[name]["strategies"] if r[0] == 1_000]
    bars.sort(key=lambda bar: bar[1])
    axes.barh([b[0] for b in bars], [b[1] for b in bars], color=[b[2] for b in bars])
    axes.tick_params(axis="y", labelsize=6)
    axes.set(xscale="log")


_EPS = "events a CPU second"
PICTURES = {
    "match": Picture("Matching alone", "stateless strategies", _EPS, _match),
    "peers": Picture("1,000 rules, matching alone", _EPS, "", _peers),
    "customers": Picture("JSON → decision, 1,000 mixed strategies", "customers with state", _EPS, _customers),
    "resident": Picture(
        "Memory of the whole process, 1,000 mixed strategies", "customers with state", "GiB", _resident
    ),
    "batch": Picture("JSON → decision, 1,000 mixed strategies", "events a batch", _EPS, _batch),
    "memory": Picture("A count ≥ 3 in 7 days", "customers, with 20 counts each", "bytes a (customer, count)", _memory),
    "single": Picture("One event a call", "mixed strategies", "milliseconds", _single),
    "pace": Picture("Arrival to decision, 1,000 mixed strategies", "events a second arriving", "milliseconds", _pace),
    "recovery": Picture("After a crash", "customers with state", "seconds", _recovery),
}
