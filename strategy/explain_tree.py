"""An observed trigger or audience as data: every node with its truth, what was seen, what was asked, over which window,
from which events, and the same in words."""

from __future__ import annotations

from typing import Any

from core.text import Lang
from core.times import format_time
from knowledge.catalog import Catalog
from strategy.document import All, Any_, Condition, Not
from strategy.engine.port import Observation
from strategy.explain import say_leaf


def tree(
    seen: Observation,
    condition: Condition | None,
    catalog: Catalog,
    lang: Lang,
    *,
    subject: str = "customer",
    wanted: bool = True,
) -> dict[str, Any]:
    """A JSON object a node: `path` in the document, `kind`, `truth`, `observed`, `op`, `threshold`, `window` (from
    excluded, to included), `evidence` (event ids), `note`, `says` (conditions only), `of` (the nodes below it). Parts
    that a node does not have are left out; without a condition there are no words."""
    told: dict[str, Any] = {"path": seen.path, "kind": seen.kind, "truth": seen.truth.value}
    if seen.kind not in ("all", "any", "not"):
        told |= {"observed": seen.observed, "op": seen.op, "threshold": seen.threshold, "note": seen.note}
        if seen.window is not None:
            told["window"] = {"from": format_time(seen.window[0]), "to": format_time(seen.window[1])}
        told["evidence"] = list(seen.evidence)
        if condition is not None and not isinstance(condition, All | Any_ | Not):
            told["says"] = say_leaf(seen, condition, catalog, lang, subject=subject, wanted=wanted)
    parts = _parts(condition, len(seen.children))
    wants = wanted if seen.kind != "not" else not wanted
    told["of"] = [
        tree(child, part, catalog, lang, subject=subject, wanted=wants)
        for child, part in zip(seen.children, parts, strict=True)
    ]
    return {name: value for name, value in told.items() if value not in (None, [])}


def _parts(condition: Condition | None, count: int) -> tuple[Condition | None, ...]:
    """The conditions of the nodes below. Those of a leaf are the related objects it looked at: they have no words."""
    if isinstance(condition, All | Any_):
        return condition.of
    return (condition.of,) if isinstance(condition, Not) else (None,) * count
