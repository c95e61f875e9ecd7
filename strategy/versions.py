"""Versions of strategies as they are looked at: the document with its state, and which of several stands for its
strategy. How they come about and change is in service.py."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from core.errors import NotFound
from core.text import Text
from core.times import Micros
from knowledge.catalog import nearest
from strategy.document import Strategy
from strategy.repository import StrategyRepository
from strategy.tables import RUNNING, State, StateRow, VersionRow

Pairs = list[tuple[VersionRow, StateRow]]
STATE_NAMES = {
    State.DRAFT: Text("草稿", "draft"),
    State.APPROVED: Text("已批准", "approved"),
    State.CANARY: Text("灰度中", "canary"),
    State.LIVE: Text("全量", "live"),
    State.PAUSED: Text("已暂停", "paused"),
    State.RETIRED: Text("已下线", "retired"),
}
"""What people call the states."""


@dataclass(frozen=True, slots=True)
class StrategyVersion:
    """One version with its state. `percent` is the share of customers it runs (or, paused, ran) for; `newest` the
    newest version's number; `revision` counts the state's changes, for optimistic locking."""

    name: str
    version: int
    newest: int
    state: State
    percent: float
    revision: int
    strategy: Strategy
    readback: Text
    warnings: tuple[Text, ...]
    sentence: str | None
    read_by: str
    created_by: str
    created_at: Micros
    updated_at: Micros

    @property
    def effective(self) -> Strategy:
        """The document with the share it really runs for, as decisions need it."""
        rollout = self.strategy.rollout.model_copy(update={"percent": self.percent})
        return self.strategy.model_copy(update={"rollout": rollout})


@dataclass(frozen=True, slots=True)
class Change:
    """A version went from one state to another (None: it was just drafted)."""

    name: str
    version: int
    before: State | None
    after: State


def running(repository: StrategyRepository) -> list[StrategyVersion]:
    """The versions in canary or live, in the order in which they were made: what the engine is to run."""
    return [view(row, state, row.version) for row, state in repository.in_state(RUNNING)]


def version_of(repository: StrategyRepository, name: str, version: int) -> StrategyVersion | None:
    """One version in the caller's session, or None."""
    pair = repository.one(name, version)
    return view(*pair, version) if pair else None


def versions_of(repository: StrategyRepository, name: str) -> Pairs:
    """Every version of a strategy, oldest first.

    Raises:
        NotFound: no such strategy.
    """
    pairs = repository.of_name(name)
    if not pairs:
        raise NotFound(
            Text(f"没有名为 {name!r} 的策略", f"there is no strategy named {name!r}"),
            nearest=nearest(name, repository.names()),
        )
    return pairs


def view(row: VersionRow, state: StateRow, newest: int) -> StrategyVersion:
    return StrategyVersion(
        name=row.name,
        version=row.version,
        newest=newest,
        state=State(state.state),
        percent=state.percent,
        revision=state.revision,
        strategy=Strategy.model_validate(row.document),
        readback=Text(row.readback_zh, row.readback_en),
        warnings=tuple(Text(zh, en) for zh, en in row.warnings),
        sentence=row.sentence,
        read_by=row.read_by,
        created_by=row.created_by,
        created_at=Micros(row.created_at),
        updated_at=Micros(state.updated_at),
    )


def head(pairs: Pairs) -> StrategyVersion:
    """The version that runs or is paused, else the newest."""
    newest = pairs[-1][0].version
    for row, state in reversed(pairs):
        if state.state in (State.CANARY, State.LIVE, State.PAUSED):
            return view(row, state, newest)
    return view(*pairs[-1], newest)


def by_name(pairs: Iterable[tuple[VersionRow, StateRow]]) -> list[Pairs]:
    """The versions of each strategy together, strategies by name."""
    groups: dict[str, Pairs] = {}
    for pair in pairs:
        groups.setdefault(pair[0].name, []).append(pair)
    return [groups[name] for name in sorted(groups)]


def pick(pairs: Pairs, name: str, version: int) -> tuple[VersionRow, StateRow]:
    """The version of a number.

    Raises:
        NotFound: there is none.
    """
    for pair in pairs:
        if pair[0].version == version:
            return pair
    raise NotFound(
        Text(f"策略 {name!r} 没有第 {version} 版", f"strategy {name!r} has no version {version}"),
        nearest=[str(row.version) for row, _ in pairs[-3:]],
    )
