"""Strategies as their owners handle them: drafted, approved onto a share of customers, paused, retired, edited as new
versions. How a sentence is read is in writing.py; what the engine does with them is in live.py, which listens here."""

from __future__ import annotations

from collections.abc import Callable

from core import audit
from core.clock import Clock
from core.context import RequestContext
from core.db import Database
from core.errors import Conflict, InvalidInput
from core.telemetry import span
from core.text import Text
from strategy.budget import Budget
from strategy.document import Strategy
from strategy.engine.check import check_strategy
from strategy.engine.cost import StateCost
from strategy.naming import free_name
from strategy.phrases import NO_ANSWERS, Answers
from strategy.reading import SentenceReader
from strategy.rehearse import Rehearsal, rehearse
from strategy.repository import StrategyRepository
from strategy.tables import RUNNING, State, StateRow, VersionRow
from strategy.versions import (
    STATE_NAMES,
    Change,
    Pairs,
    StrategyVersion,
    by_name,
    head,
    pick,
    running,
    versions_of,
    view,
)
from strategy.writing import CatalogProvider, Writing

_LEADS = {
    "approve": (State.DRAFT, State.APPROVED, State.CANARY, State.LIVE),
    "pause": (State.CANARY, State.LIVE),
    "resume": (State.PAUSED,),
    "retire": (State.DRAFT, State.APPROVED, State.CANARY, State.LIVE, State.PAUSED),
}
"""Verb → the states it may start from. `approve` also changes the share of a version that already runs."""
_VERBS = {"approve": "批准", "pause": "暂停", "resume": "恢复", "retire": "下线"}
Versions = list[StrategyVersion]

Listener = Callable[[RequestContext, Change], None]
"""Called after the change is committed."""
Listeners = list[Listener]
Changes = list[Change]


class StrategyService:
    """Every change is one transaction with its audit row; listeners hear of it afterwards."""

    def __init__(
        self,
        db: Database,
        clock: Clock,
        catalog_provider: CatalogProvider,
        budget: Budget = Budget(),  # noqa: B008 - frozen
        reader: SentenceReader | None = None,
    ) -> None:
        self._db = db
        self._clock = clock
        self._catalog = catalog_provider
        self.budget = budget
        self._writing = Writing(db, clock, catalog_provider, budget, reader or SentenceReader())
        self.phrases = self._writing.phrases
        self.listeners: Listeners = []

    def draft(
        self,
        ctx: RequestContext,
        *,
        sentence: str | None = None,
        document: Strategy | dict[str, object] | None = None,
        name: str | None = None,
        answers: Answers = NO_ANSWERS,
        remember: bool = False,
    ) -> StrategyVersion:
        """Store a sentence or a document as version 1 of a new strategy, in state draft.

        Without `name` the strategy keeps the name it was read with, numbered when that name is taken. `answers` say
        what words stand for that would be a question; they hold for later sentences too if they are to be remembered.

        Raises:
            InvalidInput, UnknownName, NeedsAnswer, Refused: it cannot be read or can never fire.
            Conflict: the name that was asked for is taken.
        """
        with span("strategy.draft"):
            row = self._writing.row(ctx, sentence, document, name, answers)
            if remember:
                self.phrases.learn(ctx, answers)
            with self._db.transaction() as session:
                repository = StrategyRepository(session, ctx.tenant)
                taken = repository.names()
                if name is not None and name in taken:
                    raise Conflict(
                        Text(f"已有名为 {name!r} 的策略", f"there is a strategy named {name!r} already"),
                        hint=Text(
                            "换个名字，或编辑它（成为新版本）", "Choose another name, or edit it (a new version)"
                        ),
                    )
                _rename(row, free_name(row.name, taken))
                found = self._store(repository, row, 1)
                audit.record(session, ctx, self._clock, "strategy.draft", _target(found), {"read_by": found.read_by})
        self._tell(ctx, Change(found.name, 1, None, State.DRAFT))
        return found

    def sketch(
        self,
        ctx: RequestContext,
        sentence: str | None,
        document: Strategy | dict[str, object] | None,
        name: str | None = None,
        answers: Answers = NO_ANSWERS,
    ) -> StrategyVersion:
        """What `draft` would store, in state draft, without storing it. Raises as it does."""
        row = self._writing.row(ctx, sentence, document, name, answers)
        return view(row, StateRow(tenant=row.tenant, name=row.name, version=0, updated_at=row.created_at), 0)

    def edit(
        self,
        ctx: RequestContext,
        name: str,
        *,
        sentence: str | None = None,
        document: Strategy | dict[str, object] | None = None,
        base_version: int | None = None,
    ) -> StrategyVersion:
        """Store a changed sentence or document as the next version, in state draft; what runs goes on running.

        Raises:
            Conflict: `base_version` is given and no longer the newest. NotFound: no such strategy. Else as `draft`.
        """
        row = self._writing.row(ctx, sentence, document, name)
        with self._db.transaction() as session:
            repository = StrategyRepository(session, ctx.tenant)
            newest = versions_of(repository, name)[-1][0].version
            if base_version is not None and base_version != newest:
                raise Conflict(
                    Text(
                        f"策略 {name!r} 已有第 {newest} 版，这次修改基于第 {base_version} 版",
                        f"strategy {name!r} is at version {newest}; this edit is based on version {base_version}",
                    ),
                    hint=Text(f"请在第 {newest} 版上修改", f"Edit version {newest}"),
                )
            _rename(row, name)
            found = self._store(repository, row, newest + 1)
            audit.record(session, ctx, self._clock, "strategy.edit", _target(found), {"read_by": found.read_by})
        self._tell(ctx, Change(name, found.version, None, State.DRAFT))
        return found

    def list(self, ctx: RequestContext) -> Versions:
        """One version a strategy, by name: the one that runs or is paused, else the newest."""
        with self._db.reading() as session:
            pairs = StrategyRepository(session, ctx.tenant).all()
        return [head(versions) for versions in by_name(pairs)]

    def versions(self, ctx: RequestContext, name: str) -> Versions:
        """Every version of a strategy, oldest first."""
        with self._db.reading() as session:
            pairs = versions_of(StrategyRepository(session, ctx.tenant), name)
        return [view(v, s, pairs[-1][0].version) for v, s in pairs]

    def show(self, ctx: RequestContext, name: str, version: int | None = None) -> StrategyVersion:
        """A version; without a number the one that runs or is paused, else the newest."""
        with self._db.reading() as session:
            pairs = versions_of(StrategyRepository(session, ctx.tenant), name)
        if version is None:
            return head(pairs)
        return view(*pick(pairs, name, version), pairs[-1][0].version)

    def standing(self, ctx: RequestContext) -> dict[str, int]:
        """Name → version of the strategies that others are to get along with: approved, running or paused. Where one is
        approved while another runs, the latter."""
        with self._db.reading() as session:
            repository = StrategyRepository(session, ctx.tenant)
            return repository.numbers([State.APPROVED]) | repository.numbers([*RUNNING, State.PAUSED])

    def approve(
        self, ctx: RequestContext, name: str, version: int, percent: float | None = None, revision: int | None = None
    ) -> StrategyVersion:
        """Start a version on a share of customers, or change the share of one that runs.

        `percent` defaults to the document's rollout (1% unless it says otherwise): 0 only approves, below 100 is a
        canary, 100 is live. A running version it follows is retired in the same transaction.

        Raises:
            Conflict: its state does not allow it, or it changed since `revision`. NotFound: no such version.
            InvalidInput, UnknownName, Refused: the catalog changed so that it can no longer run, or what runs would
                keep more state than the budget.
        """
        found = self.show(ctx, name, version)
        share = found.strategy.rollout.percent if percent is None else percent
        if not 0 <= share <= 100:
            raise InvalidInput(
                Text(f"比例 {share} 不在 0 与 100 之间", f"percent {share} is not between 0 and 100"),
                where={"field": "percent"},
            )
        check_strategy(found.strategy, self._catalog(ctx))
        if share > 0:
            self._check_budget(ctx, found.strategy)
        state = State.APPROVED if share == 0 else State.CANARY if share < 100 else State.LIVE
        return self._change(ctx, "approve", name, version, state, share, revision)

    def pause(self, ctx: RequestContext, name: str, revision: int | None = None) -> StrategyVersion:
        """Stop the running version; its share is kept for `resume`."""
        return self._change(ctx, "pause", name, None, State.PAUSED, None, revision)

    def resume(self, ctx: RequestContext, name: str, revision: int | None = None) -> StrategyVersion:
        """Run the paused version again on its share. Its state is warmed from history; nothing missed is fired."""
        self._check_budget(ctx, self.show(ctx, name).strategy)
        return self._change(ctx, "resume", name, None, None, None, revision)

    def retire(
        self, ctx: RequestContext, name: str, version: int | None = None, revision: int | None = None
    ) -> StrategyVersion:
        """End a version for good (without a number: the one that runs or is paused, else the newest)."""
        return self._change(ctx, "retire", name, version, State.RETIRED, None, revision)

    def running(self, ctx: RequestContext) -> Versions:
        """The versions in canary or live, in the order in which they were made: what the engine is to run."""
        with self._db.reading() as session:
            return running(StrategyRepository(session, ctx.tenant))

    def rehearse(self, ctx: RequestContext, name: str, version: int | None = None) -> Rehearsal:
        """What a version would have done over everything recorded so far; nothing is stored or sent."""
        found = self.show(ctx, name, version)
        return rehearse(self._db, self._clock, ctx, self._catalog(ctx), found.strategy)

    def state_cost(self, ctx: RequestContext, strategy: Strategy) -> StateCost:
        """What a strategy would keep in memory, by what the journal shows of the stream."""
        with self._db.reading() as session:
            return self.budget.cost(session, ctx, self._catalog(ctx), strategy)

    def _check_budget(self, ctx: RequestContext, strategy: Strategy) -> None:
        with self._db.reading() as session:
            self.budget.check(session, ctx, self._catalog(ctx), strategy)

    def _change(
        self,
        ctx: RequestContext,
        verb: str,
        name: str,
        version: int | None,
        to: State | None,
        percent: float | None,
        revision: int | None,
    ) -> StrategyVersion:
        changes: Changes = []
        with span(f"strategy.{verb}"), self._db.transaction() as session:
            repository = StrategyRepository(session, ctx.tenant)
            pairs = versions_of(repository, name)
            current = head(pairs)
            row, state = pick(pairs, name, current.version if version is None else version)
            before = State(state.state)
            if before not in _LEADS[verb]:
                raise _not_allowed(verb, row, before)
            share = state.percent if percent is None else percent
            after = to or (State.LIVE if share >= 100 else State.CANARY)
            if revision not in (None, state.revision) or not self._set(repository, state, after, share):
                raise Conflict(
                    Text(f"策略 {name!r} 刚被别人改动", f"strategy {name!r} was changed by someone else meanwhile"),
                    hint=Text("重新查看后再试", "Look at it again, then retry"),
                )
            changes.append(Change(name, row.version, before, after))
            if after in RUNNING:
                changes += self._supersede(repository, pairs, row.version)
            found = view(row, state, pairs[-1][0].version)
            detail = {"from": before, "to": after, "percent": share}
            audit.record(session, ctx, self._clock, f"strategy.{verb}", _target(found), detail)
        for change in changes:
            self._tell(ctx, change)
        return found

    def _supersede(self, repository: StrategyRepository, pairs: Pairs, version: int) -> Changes:
        changes: Changes = []
        for row, state in pairs:
            before = State(state.state)
            if row.version != version and before in (State.APPROVED, State.CANARY, State.LIVE, State.PAUSED):
                self._set(repository, state, State.RETIRED, state.percent)
                changes.append(Change(row.name, row.version, before, State.RETIRED))
        return changes

    def _set(self, repository: StrategyRepository, state: StateRow, to: State, percent: float) -> bool:
        return repository.change(state, to, percent, self._clock.now())

    def _store(self, repository: StrategyRepository, row: VersionRow, version: int) -> StrategyVersion:
        row.version = version
        state = StateRow(tenant=row.tenant, name=row.name, version=version, updated_at=row.created_at)
        repository.add(row, state)
        return view(row, state, version)

    def _tell(self, ctx: RequestContext, change: Change) -> None:
        for listener in self.listeners:
            listener(ctx, change)


def _not_allowed(verb: str, row: VersionRow, state: State) -> Conflict:
    allowed = [v for v, states in _LEADS.items() if state in states]
    return Conflict(
        Text(
            f"策略 {row.name!r} 第 {row.version} 版是{STATE_NAMES[state].zh}，不能{_VERBS[verb]}",
            f"strategy {row.name!r} version {row.version} is {state}; it cannot {verb}",
        ),
        hint=Text(
            f"可以：{'、'.join(_VERBS[v] for v in allowed)}" if allowed else "编辑它会得到新版本",
            f"It can: {', '.join(allowed)}" if allowed else "Editing it makes a new version",
        ),
    )


def _rename(row: VersionRow, name: str) -> None:
    row.name = name
    row.document = {**row.document, "name": name}


def _target(found: StrategyVersion) -> str:
    return f"strategy/{found.name}@{found.version}"
