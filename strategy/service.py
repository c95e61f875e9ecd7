"""Strategies as their owners handle them: drafted, approved onto a share of customers, paused, retired, edited as new
versions. What the engine does with them is in strategy.live, which listens here."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from core import audit
from core.clock import Clock
from core.context import RequestContext
from core.db import Database
from core.errors import Conflict, InvalidInput, NotFound
from core.telemetry import span
from core.text import Text
from core.times import Micros
from knowledge.catalog import Catalog, nearest
from strategy.budget import Budget
from strategy.document import Strategy
from strategy.engine.check import check_strategy
from strategy.engine.cost import StateCost
from strategy.files import as_strategy
from strategy.language import readback
from strategy.naming import check_name, free_name
from strategy.phrases import NO_ANSWERS, Answers, PhraseBook
from strategy.reading import SentenceReader
from strategy.rehearse import Rehearsal, rehearse
from strategy.repository import StrategyRepository
from strategy.tables import RUNNING, State, StateRow, VersionRow

CatalogProvider = Callable[[RequestContext], Catalog]
"""The tenant's catalog as it is now."""

_LEADS = {
    "approve": (State.DRAFT, State.APPROVED, State.CANARY, State.LIVE),
    "pause": (State.CANARY, State.LIVE),
    "resume": (State.PAUSED,),
    "retire": (State.DRAFT, State.APPROVED, State.CANARY, State.LIVE, State.PAUSED),
}
"""Verb → the states it may start from. `approve` also changes the share of a version that already runs."""
_VERBS = {"approve": "批准", "pause": "暂停", "resume": "恢复", "retire": "下线"}
STATE_NAMES = {
    State.DRAFT: "草稿",
    State.APPROVED: "已批准",
    State.CANARY: "灰度",
    State.LIVE: "全量",
    State.PAUSED: "已暂停",
    State.RETIRED: "已下线",
}
"""What the states are called in Chinese; in English they go by their own names."""


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


Pairs = list[tuple[VersionRow, StateRow]]
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
        self.phrases = PhraseBook(db, clock, catalog_provider)
        self.budget = budget
        self._reader = reader or SentenceReader()
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
            row = self._read(ctx, sentence, document, name, answers)
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
        row = self._read(ctx, sentence, document, name)
        with self._db.transaction() as session:
            repository = StrategyRepository(session, ctx.tenant)
            newest = self._versions(repository, name)[-1][0].version
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
        return [_head(versions) for versions in _by_name(pairs)]

    def versions(self, ctx: RequestContext, name: str) -> Versions:
        """Every version of a strategy, oldest first."""
        with self._db.reading() as session:
            pairs = self._versions(StrategyRepository(session, ctx.tenant), name)
        return [_view(v, s, pairs[-1][0].version) for v, s in pairs]

    def show(self, ctx: RequestContext, name: str, version: int | None = None) -> StrategyVersion:
        """A version; without a number the one that runs or is paused, else the newest."""
        with self._db.reading() as session:
            pairs = self._versions(StrategyRepository(session, ctx.tenant), name)
        if version is None:
            return _head(pairs)
        return _view(*_pick(pairs, name, version), pairs[-1][0].version)

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
            pairs = self._versions(repository, name)
            head = _head(pairs)
            row, state = _pick(pairs, name, head.version if version is None else version)
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
            found = _view(row, state, pairs[-1][0].version)
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

    def _versions(self, repository: StrategyRepository, name: str) -> Pairs:
        pairs = repository.of_name(name)
        if not pairs:
            raise NotFound(
                Text(f"没有名为 {name!r} 的策略", f"there is no strategy named {name!r}"),
                nearest=nearest(name, repository.names()),
            )
        return pairs

    def _read(
        self,
        ctx: RequestContext,
        sentence: str | None,
        document: Strategy | dict[str, object] | None,
        name: str | None,
        answers: Answers = NO_ANSWERS,
    ) -> VersionRow:
        """The sentence or document as a row that still lacks its number; checked against the catalog."""
        catalog = self._catalog(ctx)
        if (sentence is None) == (document is None):
            raise InvalidInput(Text("给出一句话或一个文档，二者取一", "give either a sentence or a document"))
        warnings: tuple[Text, ...] = ()
        lang, read_by = ctx.lang, "document"
        if sentence is not None:
            reading = self._reader.read(sentence, catalog, name=name, phrases=self.phrases.known(ctx, answers))
            strategy, lang, read_by, warnings = reading.document, reading.lang, reading.read_by, reading.warnings
        else:
            strategy = document if isinstance(document, Strategy) else as_strategy(document)
        check_name(name or strategy.name)
        warnings += tuple(w for w in check_strategy(strategy, catalog) if w not in warnings)
        with self._db.reading() as session:
            warnings += tuple(self.budget.warnings(session, ctx, catalog, strategy))
        return VersionRow(
            tenant=ctx.tenant,
            name=name or strategy.name,
            version=0,
            document=strategy.model_dump(mode="json", exclude_none=True),
            sentence=sentence,
            lang=lang,
            read_by=read_by,
            readback_zh=readback(strategy, catalog, "zh"),
            readback_en=readback(strategy, catalog, "en"),
            warnings=[[w.zh, w.en] for w in warnings],
            created_by=ctx.actor,
            created_at=self._clock.now(),
        )

    def _store(self, repository: StrategyRepository, row: VersionRow, version: int) -> StrategyVersion:
        row.version = version
        state = StateRow(tenant=row.tenant, name=row.name, version=version, updated_at=row.created_at)
        repository.add(row, state)
        return _view(row, state, version)

    def _tell(self, ctx: RequestContext, change: Change) -> None:
        for listener in self.listeners:
            listener(ctx, change)


def running(repository: StrategyRepository) -> list[StrategyVersion]:
    """As `StrategyService.running`, in the caller's session."""
    return [_view(row, state, row.version) for row, state in repository.in_state(RUNNING)]


def version_of(repository: StrategyRepository, name: str, version: int) -> StrategyVersion | None:
    """One version in the caller's session, or None."""
    pair = repository.one(name, version)
    return _view(*pair, version) if pair else None


def _view(row: VersionRow, state: StateRow, newest: int) -> StrategyVersion:
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


def _head(pairs: Pairs) -> StrategyVersion:
    newest = pairs[-1][0].version
    for row, state in reversed(pairs):
        if state.state in (State.CANARY, State.LIVE, State.PAUSED):
            return _view(row, state, newest)
    return _view(*pairs[-1], newest)


def _by_name(pairs: Iterable[tuple[VersionRow, StateRow]]) -> list[Pairs]:
    groups: dict[str, Pairs] = {}
    for pair in pairs:
        groups.setdefault(pair[0].name, []).append(pair)
    return [groups[name] for name in sorted(groups)]


def _pick(pairs: Pairs, name: str, version: int) -> tuple[VersionRow, StateRow]:
    for pair in pairs:
        if pair[0].version == version:
            return pair
    raise NotFound(
        Text(f"策略 {name!r} 没有第 {version} 版", f"strategy {name!r} has no version {version}"),
        nearest=[str(row.version) for row, _ in pairs[-3:]],
    )


def _not_allowed(verb: str, row: VersionRow, state: State) -> Conflict:
    allowed = [v for v, states in _LEADS.items() if state in states]
    return Conflict(
        Text(
            f"策略 {row.name!r} 第 {row.version} 版是{STATE_NAMES[state]}，不能{_VERBS[verb]}",
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
