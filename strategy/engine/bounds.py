"""What a strategy's bounds imply before any event has come: which truths a condition can have at all, and what is odd
about it although it may be meant. Names and types are taken to be right (check.py)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from math import inf

from core.text import Text
from knowledge.catalog import Catalog, name_of
from strategy.document import (
    Aggregate,
    All,
    Any_,
    Change,
    Condition,
    Happens,
    MetricIs,
    Near,
    Not,
    Path,
    Ratio,
    Strategy,
    Streak,
)
from strategy.document import Sequence as Ordered
from strategy.engine.contradictions import Comparison, Domain, above, contradictory, covering, domain_of, limits
from strategy.engine.paths import reached
from strategy.engine.quantities import Compared, Quantities, Reason, includes, outside
from strategy.engine.values import FALSE, TRUE, UNKNOWN, bounded, exact

Places = Sequence[tuple[str, Condition]]

_ANYTHING = frozenset((FALSE, UNKNOWN, TRUE))
_KNOWN = frozenset((FALSE, TRUE))


@dataclass(frozen=True, slots=True)
class Verdict:
    """The truths a condition can have. `reason`: why TRUE is not among them."""

    possible: frozenset[int]
    reason: Reason | None = None

    @property
    def never(self) -> bool:
        return TRUE not in self.possible


class Bounds:
    """Judges conditions by themselves, and several that are to hold together by what they say of the same quantity."""

    def __init__(self, strategy: Strategy, catalog: Catalog) -> None:
        self._catalog = catalog
        self._about = Quantities(catalog, strategy.subject)
        self.warnings: list[Text] = []

    def verdict(self, condition: Condition, path: str) -> Verdict:
        if isinstance(condition, All):
            return self._all(condition, path)
        if isinstance(condition, Any_):
            return self._any(condition, path)
        if isinstance(condition, Not):
            return self._not(condition, path)
        return self._leaf(condition, path)

    # joined conditions

    def _all(self, condition: All, path: str) -> Verdict:
        parts = [self.verdict(part, f"{path}.of.{i}") for i, part in enumerate(condition.of)]
        possible = frozenset((TRUE,))
        for part in parts:
            possible = frozenset(min(a, b) for a in possible for b in part.possible)
        reason = next((part.reason for part in parts if part.never), None)
        if reason is None:
            reason = self.clash(list(conjuncts(condition, path)), path)
        return Verdict(possible, None) if reason is None else Verdict(possible - {TRUE} or frozenset((FALSE,)), reason)

    def _any(self, condition: Any_, path: str) -> Verdict:
        parts = [self.verdict(part, f"{path}.of.{i}") for i, part in enumerate(condition.of)]
        possible = frozenset((FALSE,))
        for part in parts:
            possible = frozenset(max(a, b) for a in possible for b in part.possible)
        reasons = [part.reason for part in parts if part.reason is not None and part.never]
        if TRUE not in possible:
            return Verdict(possible, reasons[0] if reasons else None)
        for why, place, cure in reasons:
            self.warnings.append(
                Text(
                    f"{place}：这一分支永远不成立（{why.zh}）；{cure.zh}，或删掉它",
                    f"{place}: this branch is never true ({why.en}); {cure.en}, or take it out",
                )
            )
        for group in self._quantities([(path, part) for part in condition.of]):
            if covering(_asked(group), self._about.domain(group[0])):
                possible = frozenset(truth for truth in possible if truth >= max(map(_without_value, group)))
        return Verdict(possible)

    def _not(self, condition: Not, path: str) -> Verdict:
        if isinstance(condition.of, Happens | Ordered):
            self.warnings.append(
                Text(
                    f"{path}：“没有这个事件”几乎每个时刻都成立；要表示一段时间内没有，请用次数 == 0",
                    f"{path}: an event is absent at almost every instant; to say that none came in a time, count to 0",
                )
            )
        possible = frozenset(TRUE - truth for truth in self.verdict(condition.of, f"{path}.of").possible)
        reason = Reason(
            Text("被否定的条件不可能为假", "the negated condition is never false"),
            f"{path}.of",
            Text("去掉 not，或改它的界限", "drop the not, or change its bounds"),
        )
        return Verdict(possible, reason if TRUE not in possible else None)

    def clash(self, parts: Places, path: str) -> Reason | None:
        """Why conditions that are to hold at one instant never do, if they do not."""
        happen = sorted({part.event for _, part in parts if isinstance(part, Happens)})
        if len(happen) > 1:
            zh, en = ([name_of(self._catalog.events[e], e, lang) for e in happen] for lang in ("zh", "en"))
            return Reason(
                Text(f"{'、'.join(zh)} 不会在同一时刻发生", f"{' and '.join(en)} do not happen at the same instant"),
                path,
                Text("用序列（先后）或次数", "use a sequence or counts"),
            )
        groups = self._quantities([*parts, *self._counted_now(parts)])
        if any(contradictory(_asked(group), self._about.domain(group[0])) for group in groups) or self._windows(groups):
            return Reason(
                Text("各条件互相矛盾", "its conditions contradict each other"),
                path,
                Text("改其中一个的界限，或用 any", "change the bounds of one of them, or use any"),
            )
        return None

    def _counted_now(self, parts: Places) -> Iterator[tuple[str, Condition]]:
        """What happens at the instant is counted in whatever window reaches up to it."""
        happen = [part for _, part in parts if isinstance(part, Happens)]
        for path, part in parts:
            if not isinstance(part, Aggregate) or (part.function, part.field) != ("count", None):
                continue
            if any(includes(part, happens) for happens in happen):
                yield path, part.model_copy(update={"op": ">=", "value": 1})

    def _quantities(self, parts: Places) -> list[list[Compared]]:
        """Comparisons grouped by what they compare."""
        groups: dict[str, list[Compared]] = {}
        for _, part in parts:
            if isinstance(part, Compared) and getattr(part, "via", None) is None:
                groups.setdefault(part.model_dump_json(exclude={"op", "value"}), []).append(part)
        return list(groups.values())

    def _windows(self, groups: Iterable[list[Compared]]) -> bool:
        """A longer window never holds less than a shorter one: do the groups say otherwise?"""
        series: dict[str, list[tuple[float, list[Compared]]]] = {}
        for group in groups:
            first = group[0]
            if isinstance(first, Aggregate) and first.window.last is None and self._about.grows(first):
                about = first.model_dump_json(exclude={"op", "value", "window"})
                series.setdefault(about, []).append((first.window.over or inf, group))
        for same in series.values():
            spans = [(over, limits(_asked(group), self._about.domain(group[0]))) for over, group in same]
            pairs = [(a[1], b[1]) for a in spans for b in spans if a[0] < b[0]]
            falls = same[0][1][0].function == "min"  # type: ignore[union-attr] # all are aggregates
            if any(above(longer, shorter) if falls else above(shorter, longer) for shorter, longer in pairs):
                return True
        return False

    # single conditions

    def _leaf(self, condition: Condition, path: str) -> Verdict:
        if isinstance(condition, Compared):
            return self._comparison(condition, path)
        if isinstance(condition, Ordered):
            return self._sequence(condition, path)
        if isinstance(condition, Path):
            return self._path(condition, path)
        if isinstance(condition, Happens | Streak | Change):
            reason = self._about.stopped(condition, path)
            if reason is None and isinstance(condition, Streak):
                reason = self._always_broken(condition, path)
            if reason is None and isinstance(condition, Change):
                reason = self._falls_too_far(condition, path)
            possible = _ANYTHING if isinstance(condition, Change) else _KNOWN
            return Verdict(possible) if reason is None else Verdict(possible - {TRUE}, reason)
        if isinstance(condition, Near) and not self._catalog.places[condition.place].points:
            cure = Text("在目录里给它坐标", "give it points in the catalog")
            reason = Reason(Text("这个地点没有坐标", "the place has no points"), f"{path}.place", cure)
            return Verdict(frozenset((UNKNOWN,)), reason)
        return Verdict(_ANYTHING)

    def _comparison(self, condition: Compared, path: str) -> Verdict:
        """A comparison of one quantity, whose values lie in a domain, and which may be lacking."""
        if isinstance(condition, Aggregate | MetricIs | Ratio):
            self._endless(condition, path)
            reason = self._nothing_counted(condition, path)
            if reason is not None:
                return Verdict(_ANYTHING - {TRUE}, reason)
        if condition.op in ("missing", "present"):
            return Verdict(_KNOWN if getattr(condition, "via", None) is None else _ANYTHING)
        domain, asked = self._about.domain(condition), _asked([condition])
        lacking = self._about.may_lack(condition) or _may_be_short(condition, domain)
        unknown = frozenset((UNKNOWN,)) if lacking else frozenset()
        if contradictory(asked, domain):
            return Verdict(unknown | {FALSE}, outside(condition, domain, path))
        return Verdict(unknown | (_KNOWN - {FALSE} if covering(asked, domain) else _KNOWN))

    def _nothing_counted(self, condition: Aggregate | MetricIs | Ratio, path: str) -> Reason | None:
        """Why there is never anything to judge by."""
        if isinstance(condition, Ratio):
            return self._about.stopped(condition.per, f"{path}.per")
        if isinstance(condition, Aggregate) and condition.function in ("avg", "min", "max", "last"):
            return self._about.stopped(condition, path)
        return None

    def _always_broken(self, condition: Streak, path: str) -> Reason | None:
        for i, without in enumerate(condition.without):
            if includes(without, condition):
                return Reason(
                    Text("每个计入的事件同时也会中断它", "every event that counts also breaks it"),
                    f"{path}.without.{i}",
                    Text("改 without 的过滤条件", "change the filters of without"),
                )
        return None

    def _falls_too_far(self, condition: Change, path: str) -> Reason | None:
        field = self._catalog.field(condition.event, condition.field) if condition.field else None
        signed = condition.function != "count" and (field is None or field.min is None or field.min < 0)
        if condition.direction == "rise" or condition.percent <= 100 or signed:
            return None
        return Reason(
            Text("不可能下降超过 100%", "nothing drops by more than 100 percent"),
            f"{path}.percent",
            Text("写不大于 100 的数", "write at most 100"),
        )

    def _sequence(self, condition: Ordered, path: str) -> Verdict:
        for i, step in enumerate(condition.steps):
            place = f"{path}.steps.{i}"
            if step.absent:
                continue
            if (reason := self._about.stopped(step, place)) is not None or (reason := _forbidden(condition, i, place)):
                return Verdict(frozenset((FALSE,)), reason)
            if i > 0 and step.within is None:
                self._warn_endless(
                    place,
                    Text("没有时限，无限期等待", "it waits without end"),
                    Text("加上 within: 7d", "add within: 7d"),
                )
        return Verdict(_KNOWN)

    def _path(self, condition: Path, path: str) -> Verdict:
        for i, step in enumerate(condition.steps):
            tests: dict[str, list[Comparison]] = {}
            for each in step.where:
                tests.setdefault(each.field, []).append((each.op, each.value))
            kind = reached(step, self._catalog)
            if any(contradictory(all_, domain_of(self._catalog.attribute(kind, n))) for n, all_ in tests.items()):
                place, cure = f"{path}.steps.{i}.where", Text("改它们的界限", "change their bounds")
                why = Text("没有对象能满足这一步", "no object passes this step")
                if not step.absent:
                    return Verdict(_ANYTHING - {TRUE}, Reason(why, place, cure))
                self.warnings.append(
                    Text(
                        f"{place}：{why.zh}，“没有”总是成立；{cure.zh}",
                        f"{place}: {why.en}, so there is always none; {cure.en}",
                    )
                )
                return Verdict(frozenset((TRUE,)) if i == 0 else _ANYTHING)
        return Verdict(_ANYTHING if any(step.where for step in condition.steps) else _KNOWN)

    def _endless(self, condition: Aggregate | MetricIs | Ratio, path: str) -> None:
        window = condition.window
        if window.over is None and window.last is None and getattr(condition, "function", "") != "last":
            why = Text("没有时间窗，回看全部历史", "it has no time window and looks at all history")
            self._warn_endless(f"{path}.window", why, Text("加上 window: {over: 30d}", "add window: {over: 30d}"))

    def _warn_endless(self, place: str, why: Text, cure: Text) -> None:
        self.warnings.append(Text(f"{place}：{why.zh}；{cure.zh}", f"{place}: {why.en}; {cure.en}"))


def conjuncts(condition: Condition, path: str) -> Iterator[tuple[str, Condition]]:
    """What must hold together for the condition to hold."""
    if isinstance(condition, All):
        for i, part in enumerate(condition.of):
            yield from conjuncts(part, f"{path}.of.{i}")
    else:
        yield path, condition


def _asked(parts: Iterable[Compared]) -> list[Comparison]:
    return [(part.op, part.value) for part in parts]


def _without_value(condition: Compared) -> int:
    """The truth of a comparison where there is no value, or not yet."""
    return {"missing": TRUE, "present": FALSE}.get(condition.op, UNKNOWN)


def _may_be_short(condition: Compared, domain: Domain) -> bool:
    """While history is short the answer may be open. It is not when the least there can be settles it."""
    if not isinstance(condition, Aggregate) or (condition.window.over is None and condition.window.last is None):
        return False
    least, value = domain.span[0], condition.value
    if least == -inf or isinstance(value, str):
        return True
    wanted = [exact(float(each)) for each in value] if isinstance(value, list) else exact(float(value))
    return bounded(condition.op, exact(least), wanted, "lower") == UNKNOWN


def _forbidden(condition: Ordered, place: int, path: str) -> Reason | None:
    """Why a present step is never reached: an absent step before it forbids the very events it waits for."""
    step = condition.steps[place]
    for before in reversed(condition.steps[:place]):
        if not before.absent:
            return None
        as_long = before.within is None or (step.within is not None and before.within >= step.within)
        if as_long and includes(before, step):
            return Reason(
                Text(
                    "前面的“未发生”排除了这一步等待的事件", "the absent step before it forbids the events it waits for"
                ),
                path,
                Text("改那一步的过滤条件", "change the filters of that step"),
            )
    return None
