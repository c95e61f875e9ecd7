"""The strategy card: everything somebody should see of a strategy before it runs, on one page. How it is printed is in
app/cli/card.py."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from core.clock import Clock
from core.text import Lang, Text
from core.times import Micros
from knowledge.catalog import Catalog
from strategy.conflicts import Clash, conflicts_of
from strategy.conflicts.happened import Meetings
from strategy.differences import differences
from strategy.document import All, Any_, Condition, Not, Strategy
from strategy.engine.check import check_strategy
from strategy.engine.cost import Load, StateCost, state_cost
from strategy.experiment import Arm, wilson
from strategy.language import condition_in_words, readback
from strategy.replay import Fired, Replay
from strategy.replay_report import Report
from strategy.stream import Line

CONFIDENCE = 0.95


@dataclass(frozen=True, slots=True)
class Node:
    """A part of a trigger or an audience: how its parts are joined, or in words what it asks."""

    path: str
    kind: str
    says: Text | None = None
    of: tuple[Node, ...] = ()

    def as_dict(self, lang: Lang) -> dict[str, Any]:
        told: dict[str, Any] = {"path": self.path, "kind": self.kind}
        if self.says is not None:
            told["says"] = self.says.say(lang)
        if self.of:
            told["of"] = [part.as_dict(lang) for part in self.of]
        return told


@dataclass(frozen=True, slots=True)
class Reach:
    """How many subjects a strategy is to be expected to reach in as many days as were recorded.

    Of `known` subjects `reached` were, over `days`; `share` is that share with its Wilson interval at 95%. `expected`:
    the same for those the rollout lets through and the holdout leaves, as (low, middle, high) numbers of subjects. It
    takes the days to come for ones like those recorded, and the known subjects for those that there will be.
    """

    days: int
    known: int
    reached: int
    share: tuple[float, float, float]
    expected: tuple[float, float, float]
    percent: float
    holdout: float

    @staticmethod
    def of(reached: int, known: int, days: int, strategy: Strategy) -> Reach | None:
        if known == 0 or days == 0:
            return None
        low, high = wilson(Arm(known, reached))
        share = (low, reached / known, high)
        let = strategy.rollout.percent / 100 * (1 - strategy.rollout.holdout / 100)
        low, middle, high = (known * part * let for part in share)
        return Reach(
            days, known, reached, share, (low, middle, high), strategy.rollout.percent, strategy.rollout.holdout
        )

    @property
    def said(self) -> Text:
        low, middle, high = (f"{number:.3g}" for number in self.expected)
        return Text(
            f"预计每 {self.days} 天触达 {middle} 个对象（95% 区间 {low}–{high}）：记录中 {self.known} 个对象里有"
            f" {self.reached} 个触发过，按 {self.percent:g}% 投放、{self.holdout:g}% 对照计算",
            f"expected to reach {middle} subjects in {self.days} days (95% interval {low} to {high}): of {self.known}"
            f" on record it fired for {self.reached}, at a share of {self.percent:g}% and a holdout of"
            f" {self.holdout:g}%",
        )

    def as_dict(self, lang: Lang) -> dict[str, Any]:
        names = ("low", "expected", "high")
        return {
            "days": self.days,
            "known_subjects": self.known,
            "reached": self.reached,
            "share": dict(zip(names, (round(each, 6) for each in self.share), strict=True)),
            "subjects": dict(zip(names, (round(each, 4) for each in self.expected), strict=True)),
            "percent": self.percent,
            "holdout": self.holdout,
            "confidence": CONFIDENCE,
            "said": self.said.say(lang),
        }


@dataclass(frozen=True, slots=True)
class Recorded:
    """Recorded history to replay over: facts and events, each to be iterated over once; time goes on to `until`."""

    facts: Iterable[Line] = ()
    events: Iterable[Line] = ()
    lateness: int = 0
    until: Micros | None = None
    clock: Clock | None = None
    watch: Any = None


@dataclass(frozen=True, slots=True)
class Card:
    """`previous` and `changes` are of the version before, `replay` (as `Report.as_dict` tells one strategy) and `reach`
    of history, where there are any. `path`: what read the sentence."""

    strategy: Strategy
    readback: Text
    trigger: Node
    audience: Node | None
    warnings: tuple[Text, ...]
    conflicts: tuple[Clash, ...]
    cost: StateCost
    catalog: Catalog = field(repr=False)
    sentence: str | None = None
    path: str = "document"
    previous: int | None = None
    changes: tuple[Text, ...] = ()
    reach: Reach | None = None
    report: Report | None = field(default=None, repr=False)

    def as_dict(self, lang: Lang) -> dict[str, Any]:
        """As JSON, words in one language and the readback in both."""
        report = None if self.report is None else self.report.as_dict(lang)
        return {
            "name": self.strategy.name,
            "sentence": self.sentence,
            "path": self.path,
            "document": self.strategy.model_dump(mode="json", exclude_none=True),
            "readback": {"zh": self.readback.zh, "en": self.readback.en},
            "trigger": self.trigger.as_dict(lang),
            "audience": None if self.audience is None else self.audience.as_dict(lang),
            "replay": report,
            "reach": None if self.reach is None else self.reach.as_dict(lang),
            "conflicts": [clash.as_dict(lang, self.catalog) for clash in self.conflicts],
            "warnings": [warning.say(lang) for warning in self.warnings],
            "cost": {
                "per_subject": self.cost.each,
                "subjects": self.cost.subjects,
                "total": self.cost.total,
                "said": self.cost.said.say(lang),
            },
            "previous": self.previous,
            "changes": [change.say(lang) for change in self.changes],
        }


def card_of(
    strategy: Strategy,
    catalog: Catalog,
    *,
    others: Sequence[Strategy] = (),
    conflicts: Sequence[Clash] | None = None,
    previous: tuple[int, Strategy] | None = None,
    history: Recorded | None = None,
    load: Load = Load(),  # noqa: B008 - frozen
    sentence: str | None = None,
    path: str = "document",
    warnings: Sequence[Text] = (),
) -> Card:
    """Make the card of a strategy.

    Args:
        others: strategies that are to run beside it. conflicts: with them, where they have been looked for already.
        previous: the version before, by its number. history: replayed for it and for those it clashes with.
        load: how often events come and for how many subjects, for the cost of state.
        warnings: of the reading; those of the check are added.

    Raises:
        InvalidInput, UnknownName, Refused: the strategy does not fit the catalog or can never fire.
    """
    checked = [*warnings, *(w for w in check_strategy(strategy, catalog) if w not in warnings)]
    clashes = conflicts_of(strategy, others, catalog) if conflicts is None else list(conflicts)
    report, reach = None, None
    if history is not None:
        named = {name for clash in clashes for name in clash.strategies} - {strategy.name}
        clashing = [other for other in others if other.name in named]
        report, clashes = _replayed(strategy, clashing, clashes, catalog, history)
        tally = report.tallies[strategy.name]
        reach = Reach.of(len(tally.subjects), tally.known, report.days, strategy)
    return Card(
        strategy=strategy,
        readback=Text(readback(strategy, catalog, "zh"), readback(strategy, catalog, "en")),
        trigger=outline(strategy.trigger, strategy, catalog, "trigger"),
        audience=None if strategy.audience is None else outline(strategy.audience, strategy, catalog, "audience"),
        warnings=tuple(checked),
        conflicts=tuple(clashes),
        cost=state_cost(strategy, catalog, load),
        catalog=catalog,
        sentence=sentence,
        path=path,
        previous=None if previous is None else previous[0],
        changes=() if previous is None else tuple(differences(previous[1], strategy, catalog)),
        reach=reach,
        report=report,
    )


def met(strategies: Sequence[Strategy], catalog: Catalog, history: Recorded) -> Meetings:
    """When strategies would have fired over history, to count how often they met."""
    meetings = Meetings()
    if strategies:
        for item in _replay(strategies, catalog, history).run(history.facts, history.events):
            if isinstance(item, Fired):
                meetings.add(item.strategy.name, item.firing.subject, item.firing.at)
    return meetings


def outline(condition: Condition, strategy: Strategy, catalog: Catalog, path: str) -> Node:
    """A condition as a tree, its leaves in words."""
    if isinstance(condition, All | Any_):
        parts = (outline(part, strategy, catalog, f"{path}.of.{i}") for i, part in enumerate(condition.of))
        return Node(path, condition.kind, of=tuple(parts))
    if isinstance(condition, Not):
        return Node(path, "not", of=(outline(condition.of, strategy, catalog, f"{path}.of"),))
    says = Text(*(condition_in_words(condition, strategy, catalog, lang) for lang in ("zh", "en")))
    return Node(path, condition.kind, says)


def _replayed(
    strategy: Strategy, clashing: Sequence[Strategy], clashes: Sequence[Clash], catalog: Catalog, history: Recorded
) -> tuple[Report, list[Clash]]:
    """The strategy's report over history, and its clashes with how often they happened there."""
    replay = _replay([strategy, *clashing], catalog, history)
    report, meetings = Report(catalog, [strategy]), Meetings()
    for item in report.follow(replay, history.facts, history.events):
        if isinstance(item, Fired):
            meetings.add(item.strategy.name, item.firing.subject, item.firing.at)
    return report, [replace(clash, happened=meetings.of(clash)) for clash in clashes]


def _replay(strategies: Sequence[Strategy], catalog: Catalog, history: Recorded) -> Replay:
    return Replay(
        catalog,
        strategies,
        lateness=history.lateness,
        until=history.until,
        clock=history.clock,
        watch=history.watch,
    )
