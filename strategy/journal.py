"""Journal before acknowledgement: inputs are checked, told apart from duplicates and late ones, and committed in one
transaction before the sender hears of it. What cannot be taken is kept aside for inspection."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import orjson
from sqlmodel import Session

from core.clock import Clock
from core.context import RequestContext
from core.db import Database
from core.errors import InvalidInput, ZhongshuError
from core.events import Event, Fact, Input, Relation
from core.ids import TenantId
from core.telemetry import span
from core.text import Text
from core.times import HOUR, Micros, format_time
from core.together import Together
from knowledge.catalog import Catalog
from strategy.repository import JournalEntry, JournalRepository
from strategy.stream import MAX_RAW, AbsurdClock, BadLine, GoodLine, Line, Receipt, excerpt, input_of, read_json
from strategy.tables import Kind, SetAsideRow

Done = TypeVar("Done")
MAX_AHEAD = 24 * HOUR
"""An event that claims to come from further ahead than this was sent by a wrong clock."""


_MOST_TOGETHER = 20_000
"""Lines committed at a time."""


@dataclass(frozen=True, slots=True)
class _End:
    """The end of one tenant's journal. `opened`: the first moment that still takes events once the engine has read
    everything; `lag`: how far the most current live event stood from the hub's clock when it came (0 or less; None:
    there was none); `seq`: the last row with an input (after a restart: the last row)."""

    opened: Micros | None
    lag: int | None
    seq: int


@dataclass(frozen=True, slots=True)
class Taken:
    """One committed batch: the receipt, the inputs in their new order, and the journal's end before and after it."""

    receipt: Receipt
    inputs: tuple[Input, ...]
    before_seq: int
    last_seq: int


@dataclass(frozen=True, slots=True)
class _Batch:
    """What one sender sent, as it came at `now`: good lines in the order in which they will be journalled."""

    tenant: TenantId
    good: Sequence[GoodLine]
    bad: tuple[BadLine, ...]
    now: Micros
    backfill: bool


class Journal:
    """The one writer of the journal in this process; appends are strictly ordered. Batches that come while a commit is
    under way are committed together after it.

    Args:
        lateness: how far behind the newest event (or the clock) an event may lie and still count, in microseconds.
    """

    def __init__(self, db: Database, clock: Clock, lateness: int) -> None:
        self._db = db
        self._clock = clock
        self.lateness = lateness
        self._lock = threading.Lock()
        self._together = Together(self._commit, _MOST_TOGETHER)
        self._ends: dict[TenantId, _End] = {}

    def read(self, items: Iterable[object], catalog: Catalog) -> Iterator[Line]:
        """Items (JSON text, or objects already parsed) as checked inputs or bad lines, numbered from 1.

        Live inputs have one rule more: an event from more than a day ahead of the hub's clock is refused.
        """
        now = self._clock.now()
        for number, item in enumerate(items, 1):
            try:
                found = input_of(read_json(item) if isinstance(item, bytes | str) else item, catalog)
                if isinstance(found, Event) and found.time > now + MAX_AHEAD:
                    raise _ahead(found.time, now)
                yield GoodLine(number, found)
            except ZhongshuError as error:
                yield BadLine(
                    number, error.at(line=number), excerpt(item if isinstance(item, bytes | str) else _json(item))
                )

    def screen(self, lines: Iterable[Line]) -> Iterator[Line]:
        """Lines that were read elsewhere, with the rule that live inputs have more."""
        now = self._clock.now()
        for line in lines:
            if isinstance(line, GoodLine) and isinstance(line.input, Event) and line.input.time > now + MAX_AHEAD:
                error = _ahead(line.input.time, now).at(**{line.place: line.line})
                yield BadLine(line.line, error, excerpt(_json(line.input)), line.place)
            else:
                yield line

    def take(self, ctx: RequestContext, lines: Iterable[Line], *, backfill: bool = False) -> Taken:
        """Commit a batch and say what became of each line. Within a batch the order of lines does not matter.

        `backfill` inputs are history: they warm the engine, and what they make true is not acted on.
        """
        read = list(lines)
        good = sorted((line for line in read if isinstance(line, GoodLine)), key=order_of)
        bad = tuple(line for line in read if isinstance(line, BadLine))
        batch = _Batch(ctx.tenant, good, bad, self._clock.now(), backfill)
        return self._together(batch, len(read))

    def _commit(self, batches: Sequence[_Batch]) -> list[Taken]:
        """Batches of several senders in one transaction, with the same outcome as one after another."""
        ends, found = dict[TenantId, _End](), dict[int, Taken]()
        with self._lock:
            with span("engine.journal", batches=len(batches)), self._db.transaction() as session:
                for tenant in dict.fromkeys(batch.tenant for batch in batches):
                    repository = JournalRepository(session, tenant)
                    mine = {n: batch for n, batch in enumerate(batches) if batch.tenant == tenant}
                    end = self._end(repository, tenant)
                    taken, ends[tenant] = self._append(repository, end, [*mine.values()])
                    found.update(zip(mine, taken, strict=True))
            self._ends.update(ends)
        return [found[n] for n in range(len(batches))]

    def _append(self, repository: JournalRepository, end: _End, batches: Sequence[_Batch]) -> tuple[list[Taken], _End]:
        """One tenant's batches at the end of its journal, and where that is then."""
        lines = [line.input for batch in batches for line in batch.good]
        known = repository.known([(found.source, found.id) for found in lines if isinstance(found, Event)])
        sieves, opened, lag = [], end.opened, end.lag
        for batch in batches:
            sieves.append(sieve := _Sieve(known, batch.good, opened, self.lateness))
            opened = sieve.opened
            lag = lag if batch.backfill else _lag(lag, sieve.inputs, batch.now)
        pairs = [*zip(batches, sieves, strict=True)]
        rows = [_row(line.input, at, batch.now, batch.backfill) for batch, sieve in pairs for line, at in sieve.taken]
        repository.append(rows)
        last = repository.last_seq() if rows else end.seq
        for batch, sieve in pairs:
            repository.set_aside([_aside(b, "rejected", batch.now) for b in batch.bad])
            repository.set_aside([_aside(b, "late", batch.now) for b in sieve.late])
        # Where another process writes too, numbers may have gaps; the sinks then read the journal instead.
        placed = last - len(rows)
        gaps = len(batches) > 1 and bool(rows) and repository.count_after(placed) != len(rows)
        told, seq = [], last if gaps else end.seq
        for batch, sieve in pairs:
            placed += len(sieve.taken)
            until = seq if not sieve.taken else last if gaps else placed
            receipt = Receipt(len(sieve.taken), sieve.duplicates, len(sieve.late), batch.bad)
            told.append(Taken(receipt, sieve.inputs, seq, until))
            seq = until
        return told, _End(opened, lag, last)

    def control(
        self, tenant: TenantId, kind: Kind, name: str, time: Micros, body: dict[str, Any], *, backfill: bool = False
    ) -> None:
        """Commit a step of the engine (tick, deploy, retire) at its place among the inputs."""
        with self._lock:
            with self._db.transaction() as session:
                repository = JournalRepository(session, tenant)
                end = self._end(repository, tenant)
                if kind is not Kind.TICK:
                    body = {**body, "opened": end.opened}
                subject = f"strategy/{name}" if name else ""
                repository.append([_columns(kind, name, subject, time, body, self._clock.now(), backfill)])
            opened = _later(end.opened, time + 1) if kind is Kind.TICK else end.opened
            self._ends[tenant] = _End(opened, end.lag, end.seq)

    def forget(self, tenant: TenantId, work: Callable[[Session], Done]) -> Done:
        """Let `work` take rows out, in one transaction with the engine's snapshot, which holds them too. A tick at the
        end keeps event time where it was, although the newest event may be gone."""
        with self._lock:
            with self._db.transaction() as session:
                repository = JournalRepository(session, tenant)
                done = self._without(repository, tenant, lambda: work(session))
                repository.drop_snapshot()
            self._ends.pop(tenant, None)
        return done

    def trim(self, tenant: TenantId, work: Callable[[Session], Done]) -> Done:
        """Let `work` take rows out that nobody reads any more: the snapshot stays. History goes on to have begun when
        it began."""
        with self._lock:
            with self._db.transaction() as session:
                repository = JournalRepository(session, tenant)
                repository.position().history_from = repository.earliest_event()
                done = self._without(repository, tenant, lambda: work(session))
            self._ends.pop(tenant, None)
        return done

    def _without(self, repository: JournalRepository, tenant: TenantId, work: Callable[[], Done]) -> Done:
        opened = self._end(repository, tenant).opened
        done = work()
        if opened is not None:
            repository.append([_columns(Kind.TICK, "", "", Micros(opened - 1), {}, self._clock.now(), True)])
        return done

    def busy(self) -> threading.Lock:
        """Held, it keeps everybody from writing."""
        return self._lock

    @property
    def pending(self) -> int:
        """Batches that are not committed yet."""
        return self._together.pending

    def event_clock(self, tenant: TenantId, now: Micros | None = None) -> Micros:
        """The moment event time has reached by itself: the hub's clock (or `now`), held back when even the most
        current events come with a lag (recorded streams played into the hub, devices that upload in bulk), less the
        lateness."""
        end = self.end(tenant)
        return Micros((self._clock.now() if now is None else now) + min(0, end.lag or 0) - self.lateness)

    def end(self, tenant: TenantId) -> _End:
        with self._lock, self._db.reading() as session:
            return self._end(JournalRepository(session, tenant), tenant)

    def aside(
        self, ctx: RequestContext, *, before: int | None = None, limit: int = 100, reason: str | None = None
    ) -> list[SetAsideRow]:
        """What was set aside, newest first; `before` (a row's seq) pages on."""
        with self._db.reading() as session:
            return JournalRepository(session, ctx.tenant).aside(before, min(limit, 1_000), reason)

    def _end(self, repository: JournalRepository, tenant: TenantId) -> _End:
        if tenant not in self._ends:
            event, tick, lag = repository.newest()
            opened = None if event is None else Micros(event - self.lateness)
            opened = opened if tick is None else _later(opened, tick + 1)
            self._ends[tenant] = _End(opened, None if lag is None else min(0, lag), repository.last_seq())
        return self._ends[tenant]


class _Sieve:
    """Tells new inputs from duplicates and late ones exactly as the engine will when it reads them in this order. What
    it takes becomes `known`."""

    def __init__(
        self, known: set[tuple[str, str]], good: Sequence[GoodLine], opened: Micros | None, lateness: int
    ) -> None:
        self.taken: list[tuple[GoodLine, Micros | None]] = []
        """With the first moment that is still open when each is applied."""
        self.late: list[BadLine] = []
        self.duplicates = 0
        self.opened = opened
        for line in good:
            found = line.input
            if isinstance(found, Event):
                if (found.source, found.id) in known:
                    self.duplicates += 1
                    continue
                if self.opened is not None and found.time < self.opened:
                    error = _late(found, self.opened).at(**{line.place: line.line})
                    self.late.append(BadLine(line.line, error, excerpt(_json(found)), line.place))
                    continue
                known.add((found.source, found.id))
                self.opened = _later(self.opened, found.time - lateness)
            self.taken.append((line, self.opened))

    @property
    def inputs(self) -> tuple[Input, ...]:
        return tuple(line.input for line, _ in self.taken)


def _later(opened: Micros | None, moment: int) -> Micros:
    return Micros(moment if opened is None else max(opened, moment))


def input_from(row: JournalEntry) -> Input:
    """The input that a journal row holds."""
    time = Micros(row.time)
    if row.kind == Kind.EVENT:
        return Event(row.id or "", row.type, time, row.subject, row.body, row.source or "")
    if row.kind == Kind.FACT:
        return Fact(row.subject, row.type, row.body["value"], time, row.source or "")
    return Relation(row.subject, row.type, row.body["object"], time, row.body["ended"], row.source or "")


def _row(found: Input, opened: Micros | None, now: Micros, backfill: bool) -> dict[str, Any]:
    if isinstance(found, Event):
        row = _columns(Kind.EVENT, found.type, found.subject, found.time, dict(found.data), now, backfill)
        return {**row, "source": found.source, "id": found.id}
    late = {} if opened is None or found.time >= opened else {"opened": opened}
    if isinstance(found, Fact):
        body: dict[str, Any] = {"value": found.value, **late}
        row = _columns(Kind.FACT, found.property, found.subject, found.time, body, now, backfill)
        return {**row, "source": found.source or None}
    body = {"object": found.object, "ended": found.ended, **late}
    row = _columns(Kind.RELATION, found.relation, found.subject, found.time, body, now, backfill)
    return {**row, "object": found.object, "source": found.source or None}


def _columns(
    kind: Kind, name: str, subject: str, time: Micros, body: dict[str, Any], now: Micros, backfill: bool
) -> dict[str, Any]:
    return {
        "kind": kind.value,
        "source": None,
        "id": None,
        "type": name,
        "subject": subject,
        "object": None,
        "time": time,
        "body": body,
        "backfill": backfill,
        "received_at": now,
    }


def aside_row(reason: str, error: ZhongshuError, what: object, now: Micros) -> dict[str, Any]:
    """The row of something set aside after it was taken: an input, a firing, a journal row."""
    raw = _json(what).decode()[:MAX_RAW]
    texts = {"zh": error.as_dict("zh"), "en": error.as_dict("en")}
    return {"reason": reason, "line": None, "error": texts, "raw": raw, "received_at": now}


def _aside(bad: BadLine, reason: str, now: Micros) -> dict[str, Any]:
    error = {"zh": bad.error.as_dict("zh"), "en": bad.error.as_dict("en")}
    return {"reason": reason, "line": bad.line, "error": error, "raw": bad.raw, "received_at": now}


def order_of(line: GoodLine) -> tuple[int, bool, str, str]:
    """The order of inputs that came together: by time, facts and relations before events."""
    found = line.input
    if isinstance(found, Event):
        return (found.time, True, found.id, found.source)
    return (found.time, False, found.subject, "")


def _lag(lag: int | None, taken: Sequence[Input], now: Micros) -> int | None:
    seen = [found.time - now for found in taken if isinstance(found, Event)]
    return min(0, max([*seen, *([] if lag is None else [lag])])) if seen else lag


def _json(item: object) -> bytes:
    """For what is kept aside; whatever JSON cannot hold is shown as Python writes it."""
    try:
        return orjson.dumps(item, default=str)
    except TypeError:
        return repr(item).encode("utf-8", "replace")


def _ahead(time: Micros, now: Micros) -> AbsurdClock:
    return AbsurdClock(
        Text(
            f"时间 {format_time(time)} 比本机时钟 {format_time(now)} 快一天以上",
            f"time {format_time(time)} is more than a day ahead of the hub's clock, {format_time(now)}",
        ),
        where={"field": "time"},
        hint=Text("请检查发送方的时钟", "Check the sender's clock"),
    )


def _late(event: Event, opened: Micros) -> InvalidInput:
    what, at, mark = f"{event.type} {event.id}", format_time(event.time), format_time(opened)
    return InvalidInput(
        Text(f"事件 {what}（{at}）迟到：水位已到 {mark}", f"event {what} ({at}) is late: the watermark is {mark}"),
        where={"field": "time"},
    )
