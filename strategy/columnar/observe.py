"""What compiled code recorded of a condition → the observation that explains it, as the Python matcher gives it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any

from core.times import Micros
from strategy.columnar import codes as c
from strategy.columnar.plan import Leaf
from strategy.document import All, Any_, Condition, Not
from strategy.engine.nodes import TRUTHS
from strategy.engine.port import Note, Observation


def observation(leaf: Leaf, path: str, row: Sequence[int], ids: tuple[str, ...], at: Micros, value: Any) -> Observation:
    """Args:
    row: what was recorded (codes.O_*). ids: the evidence. value: bits → value, for what holds values.
    """
    condition: Any = leaf.condition
    kind, truth, short = condition.kind, row[c.O_TRUTH], row[c.O_SHORT] == 1
    said: dict[str, Any] = {}
    note: Note | None = None
    if kind == "event":
        said = {"observed": row[c.O_A]}
    elif kind == "streak":
        said = {"observed": row[c.O_A], "op": ">=", "threshold": condition.times}
    elif kind == "sequence":
        begun = row[c.O_B]
        present = sum(1 for step in condition.steps if not step.absent)
        window = None if begun == c.NEVER else (Micros(begun - 1), at)
        said = {"observed": row[c.O_A], "op": "==", "threshold": present, "window": window}
    elif kind == "aggregate":
        over = condition.window.over
        window = None if over is None else (Micros(at - over), at)
        seen = _aggregate(condition.function, row, value)
        said = {"observed": seen, "op": condition.op, "threshold": condition.value, "window": window}
        note = "short_history" if short else "no_data"
    elif kind == "change":
        said = _change(condition, row, at)
        note = "short_history" if short else "nothing_to_divide"
    else:
        over, of, per = condition.window.over, row[c.O_A], row[c.O_B]
        window = None if over is None else (Micros(at - over), at)
        factor = row[c.O_C]
        said = {"observed": factor * of / per if per else None, "op": condition.op, "threshold": condition.value}
        said["window"] = window
        note = "nothing_to_divide" if per == 0 and not short else "short_history"
    return Observation(path, kind, TRUTHS[truth], evidence=ids, note=note if truth == c.UNKNOWN else None, **said)


def _aggregate(function: str, row: Sequence[int], value: Any) -> Any:
    if function in ("count", "distinct"):
        return row[c.O_A]
    if function == "sum":
        return _plain(row[c.O_A])
    if row[c.O_B] == 0:
        return None
    if function == "avg":
        return float(Decimal(row[c.O_A]) / c.SCALE) / row[c.O_B]
    return value(row[c.O_A])


def _plain(millionths: int) -> float | int:
    whole, rest = divmod(millionths, c.SCALE)
    return whole if rest == 0 else float(Decimal(millionths) / c.SCALE)


def _change(condition: Any, row: Sequence[int], at: Micros) -> dict[str, Any]:
    now, before = (_period(condition.function, row[k], row[n]) for k, n in ((c.O_A, c.O_C), (c.O_B, c.O_D)))
    percent = None
    if now is not None and before is not None and before > 0:
        percent = 100 * (now - before) / before
    rise = condition.direction == "rise"
    return {
        "observed": {"current": now, "previous": before, "percent": percent},
        "op": ">=" if rise else "<=",
        "threshold": condition.percent if rise else -condition.percent,
        "window": (Micros(at - 2 * condition.window), at),
    }


def _period(function: str, total: int, n: int) -> float | int | None:
    if function == "count":
        return total
    if function == "avg":
        return float(Decimal(total) / c.SCALE) / n if n else None
    return _plain(total)


def tree(condition: Condition, path: str, leaves: Iterator[Observation]) -> Observation:
    """The observation of a tree, from those of its conditions in order."""
    if isinstance(condition, All | Any_):
        parts = tuple(tree(part, f"{path}.of.{i}", leaves) for i, part in enumerate(condition.of))
        ranks = [TRUTHS.index(part.truth) for part in parts]
        worth = min(ranks) if isinstance(condition, All) else max(ranks)
        return Observation(path, condition.kind, TRUTHS[worth], children=parts)
    if isinstance(condition, Not):
        part = tree(condition.of, f"{path}.of", leaves)
        return Observation(path, "not", TRUTHS[2 - TRUTHS.index(part.truth)], children=(part,))
    return next(leaves)
