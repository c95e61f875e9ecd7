"""How the benchmarks' pictures look: one small PNG file each. What is drawn is a benchmark's own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import matplotlib as mpl

mpl.use("agg")
import matplotlib.pyplot as plt
from matplotlib.axes import Axes


class Picture(NamedTuple):
    """`draw` puts the figures into the axes, or nothing when it has none."""

    title: str
    across: str
    up: str
    draw: Callable[[Axes, dict[str, Any]], None]


def save(pictures: Mapping[str, Picture], found: dict[str, Any], folder: Path, prefix: str) -> list[str]:
    """Every picture that there are figures for, as `prefix-name.png`; returns the file names."""
    saved = []
    for name, picture in pictures.items():
        figure, axes = plt.subplots(figsize=(6.4, 3.8), layout="constrained")
        picture.draw(axes, found)
        labelled = bool(axes.get_legend_handles_labels()[0])
        if axes.patches or labelled:
            axes.set(title=picture.title, xlabel=picture.across, ylabel=picture.up)
            axes.grid(True, which="major", linewidth=0.4, alpha=0.6)
            axes.spines[["top", "right"]].set_visible(False)
            if labelled:
                axes.legend(frameon=False, fontsize=8)
            saved.append(f"{prefix}-{name}.png")
            figure.savefig(folder / saved[-1], dpi=100, metadata={"Software": None})
        plt.close(figure)
    return saved
