"""All SQL of the strategy room's own tables. A repository is bound to a session and a tenant, and never commits."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from sqlalchemy import CursorResult, Select, delete, exists, func, insert, tuple_, update
from sqlalchemy import select as sql_select
from sqlalchemy.orm import aliased
from sqlmodel import Session, SQLModel, col, select

from core.ids import TenantId
from strategy.tables import (
    JournalRow,
    Kind,
    PositionRow,
    ReplayJobRow,
    SetAsideRow,
    SnapshotRow,
    StateRow,
    VersionRow,
)

_PAGE = 1_000
_JOURNAL, _SET_ASIDE = SQLModel.metadata.tables["journal"], SQLModel.metadata.tables["set_aside"]
"""The bare tables: inserts of many rows that need no objects."""


class JournalEntry(NamedTuple):
    """What reading the journal gives: the columns of JournalRow that replay needs."""

    seq: int
    kind: str
    source: str | None
    id: str | None
    type: str
    subject: str
    time: int
    body: dict[str, Any]
    backfill: bool


_ENTRY = [col(getattr(JournalRow, name)) for name in JournalEntry._fields]


class StrategyRepository:
    """Strategies, their versions and states."""

    def __init__(self, session: Session, tenant: TenantId) -> None:
        self._session = session
        self._tenant = tenant

    def add(self, version: VersionRow, state: StateRow) -> None:
        self._session.add(version)
        self._session.add(state)
        self._session.flush()

    def all(self) -> list[tuple[VersionRow, StateRow]]:
        """Every version of every strategy, by name and version."""
        return self._pairs()

    def of_name(self, name: str) -> list[tuple[VersionRow, StateRow]]:
        """The versions of one strategy, oldest first."""
        return self._pairs(VersionRow.name == name)

    def one(self, name: str, version: int) -> tuple[VersionRow, StateRow] | None:
        found = self._pairs(VersionRow.name == name, VersionRow.version == version)
        return found[0] if found else None

    def names(self) -> list[str]:
        query = select(VersionRow.name).where(VersionRow.tenant == self._tenant).distinct()
        return sorted(self._session.exec(query))

    def in_state(self, states: Iterable[str]) -> list[tuple[VersionRow, StateRow]]:
        """Versions in any of these states, in the order in which they were made."""
        found = self._pairs(col(StateRow.state).in_([str(s) for s in states]))
        return sorted(found, key=lambda pair: (pair[0].created_at, pair[0].name))

    def numbers(self, states: Iterable[str]) -> dict[str, int]:
        """Name → version of those in any of these states, in the order in which they were made."""
        query = (
            select(VersionRow.name, VersionRow.version)
            .join(StateRow, (col(StateRow.name) == VersionRow.name) & (col(StateRow.version) == VersionRow.version))
            .where(VersionRow.tenant == self._tenant, StateRow.tenant == self._tenant)
            .where(col(StateRow.state).in_([str(s) for s in states]))
            .order_by(col(VersionRow.created_at), col(VersionRow.name), col(VersionRow.version))
        )
        return {row[0]: row[1] for row in self._session.exec(query)}

    def change(self, row: StateRow, state: str, percent: float, now: int) -> bool:
        """Set a version's state if nobody changed it since `row` was read; False if somebody did."""
        done: CursorResult[Any] = self._session.execute(  # type: ignore[assignment]  # an UPDATE gives a cursor result
            update(StateRow)
            .where(
                col(StateRow.tenant) == self._tenant,
                col(StateRow.name) == row.name,
                col(StateRow.version) == row.version,
                col(StateRow.revision) == row.revision,
            )
            .values(state=state, percent=percent, revision=row.revision + 1, updated_at=now)
            .execution_options(synchronize_session=False)
        )
        if done.rowcount == 1:
            self._session.refresh(row)
        return done.rowcount == 1

    def _pairs(self, *conditions: Any) -> list[tuple[VersionRow, StateRow]]:
        query = (
            select(VersionRow, StateRow)
            .where(
                VersionRow.tenant == self._tenant,
                StateRow.tenant == self._tenant,
                StateRow.name == VersionRow.name,
                StateRow.version == VersionRow.version,
                *conditions,
            )
            .order_by(col(VersionRow.name), col(VersionRow.version))
        )
        return [(v, s) for v, s in self._session.exec(query)]


class JournalRepository:
    """The journal, what was set aside, the engine's position and its snapshot."""

    def __init__(self, session: Session, tenant: TenantId) -> None:
        self._session = session
        self._tenant = tenant

    def known(self, identities: Sequence[tuple[str, str]]) -> set[tuple[str, str]]:
        """Those of the (source, id) pairs that the journal has already."""
        by_source: dict[str, list[str]] = {}
        for source, key in identities:
            by_source.setdefault(source, []).append(key)
        found: set[tuple[str, str]] = set()
        for source, keys in by_source.items():
            for start in range(0, len(keys), _PAGE):
                query = select(JournalRow.id).where(
                    JournalRow.tenant == self._tenant,
                    JournalRow.source == source,
                    col(JournalRow.id).in_(keys[start : start + _PAGE]),
                )
                found.update((source, key) for key in self._session.exec(query) if key is not None)
        return found

    def append(self, rows: Sequence[dict[str, Any]]) -> None:
        """Write rows (columns of JournalRow without seq and tenant) at the end, in order."""
        if rows:
            self._session.execute(insert(_JOURNAL), [{**row, "tenant": self._tenant} for row in rows])

    def after(self, seq: int, limit: int) -> list[JournalEntry]:
        """The next rows after `seq`, in order."""
        query = sql_select(*_ENTRY).where(col(JournalRow.tenant) == self._tenant, col(JournalRow.seq) > seq)
        return self._entries(query.order_by(col(JournalRow.seq)).limit(limit))

    def between(self, seq: int, before_seq: int, limit: int) -> list[JournalEntry]:
        """The next rows after `seq` and before another, in order."""
        mine = (col(JournalRow.tenant) == self._tenant, col(JournalRow.seq) > seq, col(JournalRow.seq) < before_seq)
        return self._entries(sql_select(*_ENTRY).where(*mine).order_by(col(JournalRow.seq)).limit(limit))

    def inputs_at(self, time: int, before_seq: int) -> list[JournalEntry]:
        """The inputs of an instant that were journalled before a row, in order."""
        mine = (col(JournalRow.tenant) == self._tenant, col(JournalRow.time) == time, col(JournalRow.seq) < before_seq)
        kinds = col(JournalRow.kind).in_([Kind.EVENT, Kind.FACT, Kind.RELATION])
        return self._entries(sql_select(*_ENTRY).where(*mine, kinds).order_by(col(JournalRow.seq)))

    def last_seq(self) -> int:
        query = select(func.max(col(JournalRow.seq))).where(JournalRow.tenant == self._tenant)
        return self._session.exec(query).one() or 0

    def count_after(self, seq: int) -> int:
        """How many rows come after `seq`."""
        mine = (JournalRow.tenant == self._tenant, col(JournalRow.seq) > seq)
        return self._session.exec(select(func.count()).select_from(JournalRow).where(*mine)).one()

    def newest(self) -> tuple[int | None, int | None, int | None]:
        """The largest event time, the newest tick, and the smallest lag (time − received_at) of recent live events."""
        mine = JournalRow.tenant == self._tenant
        times = [
            self._session.exec(
                select(JournalRow.time)
                .where(mine, JournalRow.kind == kind)
                .order_by(col(JournalRow.time).desc())
                .limit(1)
            ).first()
            for kind in (Kind.EVENT, Kind.TICK)
        ]
        recent = (
            select((col(JournalRow.time) - col(JournalRow.received_at)).label("lag"))
            .where(mine, JournalRow.kind == Kind.EVENT, col(JournalRow.backfill).is_(False))
            .order_by(col(JournalRow.seq).desc())
            .limit(_PAGE)
            .subquery()
        )
        return times[0], times[1], self._session.exec(select(func.max(recent.c.lag))).one()

    def history(self, before_seq: int, until: int, types: Collection[str]) -> Iterator[JournalEntry]:
        """Events of these types journalled before a row, with time ≤ `until`, by time (then seq), page by page. The
        earliest event of any type comes first, as the witness of how far history reaches back."""
        order = (col(JournalRow.time), col(JournalRow.seq))
        events = sql_select(*_ENTRY).where(
            col(JournalRow.tenant) == self._tenant,
            col(JournalRow.kind) == Kind.EVENT,
            col(JournalRow.seq) < before_seq,
            col(JournalRow.time) <= until,
        )
        page = self._entries(events.order_by(*order).limit(1))
        yield from page
        while page:
            after = tuple_(*order) > tuple_(page[-1].time, page[-1].seq)
            page = self._entries(events.where(after, col(JournalRow.type).in_(types)).order_by(*order).limit(_PAGE))
            yield from page

    def recorded(self, kinds: Sequence[str], after: tuple[int, int] | None, last_seq: int) -> list[JournalEntry]:
        """A page of the inputs of these kinds up to row `last_seq`, by (time, seq), after such a pair."""
        order = (col(JournalRow.time), col(JournalRow.seq))
        mine = sql_select(*_ENTRY).where(
            col(JournalRow.tenant) == self._tenant,
            col(JournalRow.kind).in_(kinds),
            col(JournalRow.seq) <= last_seq,
        )
        if after is not None:
            mine = mine.where(tuple_(*order) > tuple_(*after))
        return self._entries(mine.order_by(*order).limit(_PAGE))

    def earliest_event(self) -> int | None:
        """When the tenant's history begins, or began where its earliest events are no longer kept."""
        if (since := self.history_from()) is not None:
            return since
        query = select(JournalRow.time).where(JournalRow.tenant == self._tenant, JournalRow.kind == Kind.EVENT)
        return self._session.exec(query.order_by(col(JournalRow.time)).limit(1)).first()

    def about(self, subjects: Collection[str], types: Collection[str], until: int, limit: int) -> list[JournalEntry]:
        """At most so many inputs of these subjects and types (of events, properties, relations) with time ≤ `until`."""
        found: list[JournalEntry] = []
        for part in _parts(subjects):
            query = self._inputs(until).where(col(JournalRow.subject).in_(part), col(JournalRow.type).in_(types))
            found += self._entries(query.limit(limit - len(found)))
        return found

    def leading_to(self, objects: Collection[str], relations: Collection[str], until: int) -> list[JournalEntry]:
        """Relations of these kinds to any of these objects with time ≤ `until`."""
        found: list[JournalEntry] = []
        for part in _parts(objects):
            query = self._inputs(until).where(col(JournalRow.object).in_(part), col(JournalRow.type).in_(relations))
            found += self._entries(query)
        return found

    def events_back(self, types: Collection[str], after: int | None, until: int) -> Iterator[list[JournalEntry]]:
        """Events of these types with `after` < time ≤ `until`, newest first, in pages."""
        order = (col(JournalRow.time), col(JournalRow.seq))
        query = self._inputs(until).where(col(JournalRow.kind) == Kind.EVENT, col(JournalRow.type).in_(types))
        if after is not None:
            query = query.where(col(JournalRow.time) > after)
        query = query.order_by(*(each.desc() for each in order)).limit(_PAGE)
        while page := self._entries(query):
            yield page
            query = query.where(tuple_(*order) < tuple_(page[-1].time, page[-1].seq))

    def by_ids(self, subject: str, ids: Collection[str], until: int) -> list[JournalEntry]:
        """A subject's events of these ids with time ≤ `until`, by time."""
        query = self._inputs(until).where(
            col(JournalRow.kind) == Kind.EVENT, col(JournalRow.subject) == subject, col(JournalRow.id).in_(ids)
        )
        return self._entries(query.order_by(col(JournalRow.time), col(JournalRow.seq)))

    def deployments(self, name: str) -> list[JournalEntry]:
        """When a strategy's versions began to run and when it was taken off, in order."""
        query = sql_select(*_ENTRY).where(
            col(JournalRow.tenant) == self._tenant,
            col(JournalRow.subject) == f"strategy/{name}",
            col(JournalRow.kind).in_([Kind.DEPLOY, Kind.RETIRE]),
        )
        return self._entries(query.order_by(col(JournalRow.seq)))

    def _inputs(self, until: int) -> Select[Any]:
        return sql_select(*_ENTRY).where(
            col(JournalRow.tenant) == self._tenant,
            col(JournalRow.kind).in_([Kind.EVENT, Kind.FACT, Kind.RELATION]),
            col(JournalRow.time) <= until,
        )

    def newest_events(self, limit: int) -> list[JournalEntry]:
        """The events journalled last, newest first."""
        mine = sql_select(*_ENTRY).where(col(JournalRow.tenant) == self._tenant, col(JournalRow.kind) == Kind.EVENT)
        return self._entries(mine.order_by(col(JournalRow.seq).desc()).limit(limit))

    def latest(self, kinds: Sequence[str]) -> int | None:
        """The largest time of an input of these kinds."""
        query = select(JournalRow.time).where(JournalRow.tenant == self._tenant, col(JournalRow.kind).in_(kinds))
        return self._session.exec(query.order_by(col(JournalRow.time).desc()).limit(1)).first()

    def _entries(self, query: Select[Any]) -> list[JournalEntry]:
        return [JournalEntry._make(row) for row in self._session.execute(query)]

    def set_aside(self, rows: Sequence[dict[str, Any]]) -> None:
        """Keep what was not taken (columns of SetAsideRow without seq and tenant)."""
        if rows:
            self._session.execute(insert(_SET_ASIDE), [{**row, "tenant": self._tenant} for row in rows])

    def aside(self, before: int | None, limit: int, reason: str | None) -> list[SetAsideRow]:
        """What was set aside, newest first."""
        query = select(SetAsideRow).where(SetAsideRow.tenant == self._tenant)
        if before is not None:
            query = query.where(col(SetAsideRow.seq) < before)
        if reason is not None:
            query = query.where(SetAsideRow.reason == reason)
        return list(self._session.exec(query.order_by(col(SetAsideRow.seq).desc()).limit(limit)))

    def left_out(self) -> set[int]:
        """The records that were set aside because the engine broke on them."""
        query = select(SetAsideRow.error).where(SetAsideRow.tenant == self._tenant, SetAsideRow.reason == "undecided")
        found = (error["en"].get("where", {}).get("record") for error in self._session.exec(query))
        return {seq for seq in found if seq is not None}

    def history_from(self) -> int | None:
        """When history began, if events were let go of since."""
        query = select(PositionRow.history_from).where(PositionRow.tenant == self._tenant)
        return self._session.exec(query).first()

    def drop_events(self, name: str, before: int, until_seq: int | None) -> int:
        """Let go of events of a type with time < `before`, up to a row; None: only count."""
        return self._drop(
            until_seq, JournalRow.kind == Kind.EVENT, JournalRow.type == name, col(JournalRow.time) < before
        )

    def drop_replaced(self, kind: str, name: str, before: int, until_seq: int | None) -> int:
        """Let go of values of a property of subjects of a type that another replaced before a moment."""
        newer = aliased(JournalRow)
        later = tuple_(col(newer.time), col(newer.seq)) > tuple_(col(JournalRow.time), col(JournalRow.seq))
        replaced = exists().where(
            col(newer.tenant) == self._tenant,
            col(newer.subject) == JournalRow.subject,
            col(newer.kind) == Kind.FACT,
            col(newer.type) == name,
            col(newer.time) < before,
            later,
        )
        mine = (JournalRow.kind == Kind.FACT, JournalRow.type == name, col(JournalRow.time) < before)
        return self._drop(until_seq, *mine, col(JournalRow.subject).startswith(f"{kind}/"), replaced)

    def drop_aside(self, before: int, dry_run: bool) -> int:
        """Let go of what was set aside before a moment; what the engine broke on stays, so that it does not again."""
        mine = (
            col(SetAsideRow.tenant) == self._tenant,
            col(SetAsideRow.received_at) < before,
            col(SetAsideRow.reason) != "undecided",
        )
        if dry_run:
            return self._session.exec(select(func.count()).select_from(SetAsideRow).where(*mine)).one()
        return self._session.connection().execute(delete(SetAsideRow).where(*mine)).rowcount

    def _drop(self, until_seq: int | None, *which: Any) -> int:
        mine = (JournalRow.tenant == self._tenant, *which)
        if until_seq is None:
            return self._session.exec(select(func.count()).select_from(JournalRow).where(*mine)).one()
        rows = delete(JournalRow).where(*mine, col(JournalRow.seq) <= until_seq)
        return self._session.connection().execute(rows).rowcount

    def position(self) -> PositionRow:
        """How far decisions and sinks have come; a new row at zero for a new tenant."""
        row = self._session.get(PositionRow, self._tenant)
        if row is None:
            row = PositionRow(tenant=self._tenant)
            self._session.add(row)
        return row

    def snapshot(self) -> SnapshotRow | None:
        return self._session.get(SnapshotRow, self._tenant)

    def some_subject(self, begins: str) -> str | None:
        """The subject of the newest input whose name begins so."""
        query = select(JournalRow.subject).where(JournalRow.tenant == self._tenant)
        found = query.where(col(JournalRow.subject).startswith(begins)).order_by(col(JournalRow.seq).desc())
        return self._session.exec(found.limit(1)).first()

    def drop_snapshot(self) -> None:
        if (row := self.snapshot()) is not None:
            self._session.delete(row)

    def save_snapshot(self, row: SnapshotRow) -> None:
        self._session.merge(row)


class ReplayJobRepository:
    """Replays that were asked for, and what came of them."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def add(self, row: ReplayJobRow) -> None:
        self._session.add(row)
        self._session.flush()

    def one(self, tenant: TenantId, job: str) -> ReplayJobRow | None:
        row = self._session.get(ReplayJobRow, job)
        return row if row is not None and row.tenant == tenant else None

    def all(self, tenant: TenantId) -> list[ReplayJobRow]:
        """Newest first."""
        query = select(ReplayJobRow).where(ReplayJobRow.tenant == tenant)
        return list(
            self._session.exec(query.order_by(col(ReplayJobRow.created_at).desc(), col(ReplayJobRow.id).desc()))
        )

    def remove(self, tenant: TenantId, job: str) -> None:
        if (row := self.one(tenant, job)) is not None:
            self._session.delete(row)

    def forget(self, tenant: TenantId, keep: int) -> None:
        """Remove all but the newest so many."""
        for row in self.all(tenant)[keep:]:
            self._session.delete(row)

    def interrupt(self, states: Sequence[str], error: dict[str, Any], now: int) -> None:
        """Those in any of these states have failed."""
        for row in self._session.exec(select(ReplayJobRow).where(col(ReplayJobRow.state).in_(states))):
            row.state, row.error, row.ended_at = "failed", error, now


def _parts(names: Collection[str]) -> Iterator[list[str]]:
    ordered = sorted(names)
    return (ordered[start : start + _PAGE] for start in range(0, len(ordered), _PAGE))


def journalled_tenants(session: Session) -> list[TenantId]:
    """Every tenant whose engine has something to do: inputs in the journal or strategies of any state."""
    query = select(JournalRow.tenant).distinct().union(select(StateRow.tenant).distinct())
    return sorted(TenantId(tenant) for (tenant,) in session.execute(query))
