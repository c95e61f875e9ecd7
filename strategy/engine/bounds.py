"""What a strategy's bounds imply before any event has come: conditions that can never be true, that are always true, or
that need the whole past."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from math import inf

from core.text import Text
from knowledge.catalog import Catalog, name_of
from knowledge.catalog.model import Attribute
from knowledge.catalog.units import canonical
from strategy.document import (
    Aggregate,
    All,
    Any_,
    AttributeIs,
    Change,
    Condition,
    EventFilter,
    Filter,
    FilterOp,
    ForecastIs,
    Happens,
    MetricIs,
    Near,
    Not,
    Op,
    Ratio,
    Sequence,
    Strategy,
    Streak,
    Value,
)

NEVER, MAYBE, ALWAYS = -1, 0, 1

Range = tuple[float, float]


class Bounds:
    """Judges conditions by themselves and `all` of several by what they say of the same quantity. `reason` is why the
    last verdict was NEVER, with the place; `warnings` collects what is odd but may be meant."""

    def __init__(self, strategy: Strategy, catalog: Catalog) -> None:
        self._strategy = strategy
        self._catalog = catalog
        self.reason: tuple[Text, str] = (Text("", ""), "")
        self.warnings: list[Text] = []

    def verdict(self, condition: Condition, path: str) -> int:
        if isinstance(condition, All):
            return self._all(condition, path)
        if isinstance(condition, Any_):
            found = [self.verdict(part, f"{path}.of.{i}") for i, part in enumerate(condition.of)]
            if NEVER in found and max(found) > NEVER:
                why, place = self.reason
                self.warnings.append(
                    Text(f"{place}：这一分支永远不成立（{why.zh}）", f"{place}: this branch is never true ({why.en})")
                )
            return max(found)
        if isinstance(condition, Not):
            return self._not(condition, path)
        return self._leaf(condition, path)

    def _not(self, condition: Not, path: str) -> int:
        if isinstance(condition.of, Happens | Sequence):
            self.warnings.append(
                Text(
                    f"{path}：“没有这个事件”几乎每个时刻都成立；要表示一段时间内没有，请用次数 == 0",
                    f"{path}: an event is absent at almost every instant; to say that none came in a time, count to 0",
                )
            )
        found = self.verdict(condition.of, f"{path}.of")
        if found == ALWAYS:
            self._never(Text("被否定的条件总是成立", "the negated condition is always true"), f"{path}.of")
        return -found

    def _never(self, why: Text, path: str) -> int:
        self.reason = (why, path)
        return NEVER

    def _all(self, condition: All, path: str) -> int:
        found = [self.verdict(part, f"{path}.of.{i}") for i, part in enumerate(condition.of)]
        if NEVER in found:
            return NEVER
        happen = {part.event for part in condition.of if isinstance(part, Happens)}
        if len(happen) > 1:
            names = [name_of(self._catalog.events[e], e, "zh") for e in sorted(happen)]
            names_en = [name_of(self._catalog.events[e], e, "en") for e in sorted(happen)]
            return self._never(
                Text(
                    f"{'、'.join(names)} 不会在同一时刻发生；请用序列（先后）或次数",
                    f"{' and '.join(names_en)} do not happen at the same instant; use a sequence or counts",
                ),
                path,
            )
        groups: dict[str, list[tuple[FilterOp, Value | None]]] = {}
        for part in condition.of:
            if isinstance(part, AttributeIs | Aggregate | MetricIs | ForecastIs) and getattr(part, "via", None) is None:
                about = part.model_dump_json(exclude={"op", "value"})
                groups.setdefault(about, []).append((part.op, part.value))
        if any(contradictory(each) for each in groups.values()):
            return self._never(Text("各条件互相矛盾", "its conditions contradict each other"), path)
        return min(found)

    def _leaf(self, condition: Condition, path: str) -> int:
        if isinstance(condition, AttributeIs):
            return self._compared(condition.op, condition.value, self._range_of(condition), path, unknown=True)
        if isinstance(condition, ForecastIs):
            unit = self._catalog.forecasts[condition.forecast].unit
            span = (0.0, 100.0) if unit is not None and canonical(unit) == "percent" else (-inf, inf)
            return self._compared(condition.op, condition.value, span, path, unknown=True)
        if isinstance(condition, MetricIs):
            self._endless(condition.window.over, condition.window.last, path)
            return self._compared(condition.op, condition.value, (0, inf), path, unknown=True)
        if isinstance(condition, Ratio):
            self._endless(condition.window.over, condition.window.last, path)
            if not self._can_pass(condition.per, f"{path}.per"):
                return NEVER
            return self._compared(condition.op, condition.value, (0, inf), path, unknown=True)
        if isinstance(condition, Aggregate):
            return self._aggregate(condition, path)
        if isinstance(condition, Sequence):
            return self._sequence(condition, path)
        if isinstance(condition, Near) and not self._catalog.places[condition.place].points:
            return self._never(Text("这个地点没有坐标", "the place has no points"), f"{path}.place")
        if isinstance(condition, Happens | Streak | Change) and not self._can_pass(condition, path):
            return NEVER
        if isinstance(condition, Change) and condition.direction == "drop" and condition.percent > 100:
            return self._never(Text("不可能下降超过 100%", "nothing drops by more than 100 percent"), f"{path}.percent")
        return MAYBE

    def _range_of(self, condition: AttributeIs) -> Range:
        owner = self._strategy.subject
        if condition.via is not None:
            owner = self._catalog.relations[condition.via].target
        return _range(self._catalog.attribute(owner, condition.name))

    def _aggregate(self, condition: Aggregate, path: str) -> int:
        window = condition.window
        self._endless(window.over, window.last, path)
        possible = self._can_pass(condition, path)
        field = self._catalog.field(condition.event, condition.field) if condition.field else None
        low, high = _range(field)
        function = condition.function
        if function in ("count", "distinct"):
            top = (inf if window.last is None else float(window.last)) if possible else 0.0
            return self._compared(condition.op, condition.value, (0, top), path)
        if not possible and function != "sum":
            return NEVER
        if function == "sum":
            low, high = (0.0 if low >= 0 else -inf), (0.0 if high <= 0 else inf)
            return self._compared(condition.op, condition.value, (low, high), path)
        return self._compared(condition.op, condition.value, (low, high), path, unknown=True)

    def _compared(self, op: FilterOp, value: Value | None, span: Range, path: str, unknown: bool = False) -> int:
        """A comparison of a number that lies in `span`; with `unknown`, there may be no number at all."""
        found = _against(op, value, span)
        if found == NEVER:
            low, high = ("-∞" if span[0] == -inf else f"{span[0]:g}"), ("∞" if span[1] == inf else f"{span[1]:g}")
            return self._never(
                Text(
                    f"取值在 {low} 与 {high} 之间，不可能 {op} {value}", f"it lies in {low}..{high}, never {op} {value}"
                ),
                path,
            )
        return MAYBE if found == ALWAYS and unknown else found

    def _can_pass(self, found: EventFilter, path: str) -> bool:
        for i, each in enumerate(found.where):
            span = _range(self._catalog.field(found.event, each.field))
            if self._compared(each.op, each.value, span, f"{path}.where.{i}") == NEVER:
                return False
        if contradictory_filters(found.where):
            self._never(Text("事件的过滤条件互相矛盾", "the event's filters contradict each other"), f"{path}.where")
            return False
        return True

    def _sequence(self, condition: Sequence, path: str) -> int:
        waits = False
        for i, step in enumerate(condition.steps):
            if not step.absent and not self._can_pass(step, f"{path}.steps.{i}"):
                return NEVER
            waits |= i > 0 and not step.absent and step.within is None
        if waits:
            self._endless(None, None, path)
        return MAYBE

    def _endless(self, over: int | None, last: int | None, path: str) -> None:
        if over is None and last is None:
            self.warnings.append(
                Text(f"{path}：没有时间窗，回看全部历史", f"{path}: it has no time window and looks at all history")
            )


def _range(attribute: Attribute | None) -> Range:
    if attribute is None or attribute.type != "number":
        return (-inf, inf)
    return (
        -inf if attribute.min is None else attribute.min,
        inf if attribute.max is None else attribute.max,
    )


def _against(op: FilterOp, value: Value | None, span: Range) -> int:
    """How `x op value` stands for every x in the closed span."""
    low, high = span
    if op == "between" and isinstance(value, list):
        least, most = value
        if isinstance(least, str) or isinstance(most, str):
            return NEVER if str(least)[:10] > str(most)[:10] else MAYBE
        inside = ALWAYS if least <= low and high <= most else MAYBE
        return NEVER if least > most or least > high or most < low else inside
    if isinstance(value, list):
        if op == "in":
            return NEVER if all(_against("==", v, span) == NEVER for v in value) else MAYBE
        return ALWAYS if all(_against("!=", v, span) == ALWAYS for v in value) else MAYBE
    if value is None or isinstance(value, bool | str):
        return MAYBE
    match op:
        case "<":
            return ALWAYS if high < value else NEVER if low >= value else MAYBE
        case "<=":
            return ALWAYS if high <= value else NEVER if low > value else MAYBE
        case ">" | ">=":
            return -_against("<=" if op == ">" else "<", value, span)
        case "==":
            return NEVER if not low <= value <= high else ALWAYS if low == high else MAYBE
        case _:
            return -_against("==", value, span)


def contradictory_filters(filters: Iterable[Filter]) -> bool:
    groups: dict[str, list[tuple[FilterOp, Value | None]]] = {}
    for each in filters:
        groups.setdefault(each.field, []).append((each.op, each.value))
    return any(contradictory(each) for each in groups.values())


def contradictory(comparisons: list[tuple[FilterOp, Value | None]]) -> bool:
    """True when no single value can pass all of them."""
    allowed: set[object] | None = None
    low, high, low_open, high_open = -inf, inf, False, False
    for op, value in _plain(comparisons):
        if op in ("==", "in"):
            values: set[object] = set(value) if isinstance(value, list) else {value}
            allowed = values if allowed is None else allowed & values
        elif isinstance(value, int | float):
            if op in (">", ">=") and (value > low or (value == low and op == ">")):
                low, low_open = value, op == ">"
            if op in ("<", "<=") and (value < high or (value == high and op == "<")):
                high, high_open = value, op == "<"
    if allowed is not None:
        return not any(all(_passes(v, op, value) for op, value in _plain(comparisons)) for v in allowed)
    return low > high or (low == high and (low_open or high_open))


def _plain(comparisons: list[tuple[FilterOp, Value | None]]) -> Iterator[tuple[Op, Value]]:
    """`between` as two comparisons; what says nothing of order and equality is left out."""
    for op, value in comparisons:
        if op == "between" and isinstance(value, list):
            yield ">=", value[0]
            yield "<=", value[1]
        elif value is not None and op in ("==", "!=", "<", "<=", ">", ">=", "in", "not_in"):
            yield op, value


def _passes(seen: object, op: Op, value: Value) -> bool:
    if isinstance(value, list):
        return (seen in value) is (op == "in")
    if op in ("==", "!="):
        return (seen == value) is (op == "==")
    if isinstance(seen, str) != isinstance(value, str):
        return True
    a, b = (seen, value) if isinstance(seen, str) else (float(seen), float(value))  # type: ignore[arg-type] # numbers
    return {"<": a < b, "<=": a <= b, ">": a > b, ">=": a >= b}[op]  # type: ignore[operator] # both of one kind
