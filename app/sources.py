"""Tables of other systems into the hub: rows that are new or changed since the last run go through the hub's ordinary
intake, and the ledger remembers which row every claim came from. Reading and mapping are in knowledge/sources."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

import orjson

from core import audit
from core.context import RequestContext
from core.errors import ZhongshuError
from core.events import Event, Fact, Input
from core.times import Micros
from knowledge.catalog import check_event, check_fact, check_relation
from knowledge.sources.ledger import claim_of, claim_of_fact, mapping_digest, row_digest, row_key
from knowledge.sources.mapping import map_rows
from knowledge.sources.places import Table
from knowledge.sources.plan import Plan, TablePlan
from knowledge.sources.repository import LedgerRepository
from knowledge.sources.rows import Row
from knowledge.sources.tables import LineageRow, SourceEntryRow, SourceTableRow
from strategy.stream import BadLine, GoodLine, Line, excerpt

if TYPE_CHECKING:
    from app.hub import Hub

_SHOWN = 50
"""Rejected rows of a table that the report names one by one; all of them are counted."""


@dataclass(slots=True)
class TableReport:
    """What became of one table's rows. `skipped`: its file is the one of the last run."""

    table: str
    file: str
    rows: int = 0
    added: int = 0
    unchanged: int = 0
    rejected: int = 0
    skipped: bool = False
    errors: list[dict[str, Any]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Report:
    """What became of a run; `accepted`, `duplicates` and `late` count inputs, as a receipt does."""

    tables: list[TableReport]
    accepted: int
    duplicates: int
    late: int

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(slots=True)
class _Taken:
    """One table in this run: what goes to the intake and what is then written down."""

    report: TableReport
    row: SourceTableRow
    lines: list[Line] = field(default_factory=list)
    entries: list[SourceEntryRow] = field(default_factory=list)
    lineage: list[LineageRow] = field(default_factory=list)


class Sources:
    """Ingestion by plan. One run at a time."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._turn = threading.Lock()

    def apply(self, ctx: RequestContext, plan: Plan, tables: Sequence[Table]) -> Report:
        """Take what is new or changed. All tables go to the intake together, so that their events are in order; the
        ledger is written after it, so that a run that breaks off is simply made again.

        Raises:
            InvalidInput: a table cannot be read. UnknownName: the plan names a column that a table does not have.
            Unavailable: the hub is starting or stopping.
        """
        engine, by_name = self._hub.running_engine(), {table.name: table for table in tables}
        with self._turn:
            found = [
                self._read(ctx, by_name[name], told, plan.tables[name].part)
                for name, told in plan.tables.items()
                if name in by_name and told.mapping is not None
            ]
            receipt = engine.accept_lines(ctx, [line for taken in found for line in taken.lines])
            report = Report([t.report for t in found], receipt.accepted, receipt.duplicates, receipt.late)
            with self._hub.database.transaction() as session:
                ledger = LedgerRepository(session, ctx.tenant)
                for taken in found:
                    ledger.keep(taken.row, taken.entries, taken.lineage)
                counts = {t.table: {"added": t.added, "rejected": t.rejected} for t in report.tables}
                audit.record(session, ctx, self._hub.clock, "sources.apply", "plan", counts)
        return report

    def taken(self, ctx: RequestContext) -> list[SourceTableRow]:
        """The tables that were taken, as of their last run."""
        with self._hub.database.reading() as session:
            return LedgerRepository(session, ctx.tenant).tables()

    def lineage(self, ctx: RequestContext, fact_id: str) -> tuple[LineageRow | None, dict[str, Any]]:
        """The row a fact comes from (None: it came another way), and how the fact stands.

        Raises:
            NotFound: there is no such fact. Forbidden: the purpose may not see it.
        """
        told = self._hub.graph.explain(ctx, fact_id)
        with self._hub.database.reading() as session:
            row = LedgerRepository(session, ctx.tenant).lineage(claim_of_fact(told.fact))
        return row, {"status": told.status, "says": told.says().say(ctx.lang)}

    def _read(self, ctx: RequestContext, table: Table, told: TablePlan, part: str | None) -> _Taken:
        assert told.mapping is not None
        source, applied, now = told.mapping.source, mapping_digest(told.mapping), self._hub.clock.now()
        with self._hub.database.reading() as session:
            ledger = LedgerRepository(session, ctx.tenant)
            last, known = ledger.table(source, table.name), ledger.entries(source, table.name)
        digest, report = table.digest(), TableReport(table.name, table.file)
        row = SourceTableRow(
            tenant=ctx.tenant, source=source, name=table.name, file=table.file, digest=digest, mapping=applied,
            rows=0, added=0, unchanged=0, rejected=0, watermark=last.watermark if last else None, taken_at=now,
        )  # fmt: skip
        taken = _Taken(report, row)
        if last and digest and (last.digest, last.mapping) == (digest, applied) and not last.rejected and known:
            report.rows = report.unchanged = last.rows
            report.skipped = True
        else:
            for each in table.rows():
                self._take(ctx, taken, each, told, part, known)
        for name in ("rows", "added", "unchanged", "rejected"):
            setattr(row, name, getattr(report, name))
        return taken

    def _take(
        self,
        ctx: RequestContext,
        taken: _Taken,
        row: Row,
        told: TablePlan,
        part: str | None,
        known: dict[str, tuple[str, bool]],
    ) -> None:
        assert told.mapping is not None
        report, table = taken.report, taken.row
        report.rows += 1
        key, digest = row_key(row, told.key), row_digest(row, table.mapping)
        before = known.get(key)
        if before == (digest, False):
            report.unchanged += 1
            return
        place = {"file": table.file, **({"part": part} if part else {}), "line": row.line}
        entry = SourceEntryRow(tenant=ctx.tenant, source=table.source, name=table.name, key=key, digest=digest)
        mapped = next(iter(map_rows([row], told.mapping, table.file, Micros(table.taken_at))))
        try:
            if mapped.error is not None:
                raise mapped.error
            inputs = [self._checked(item) for item in mapped.inputs]
        except ZhongshuError as error:
            report.rejected += 1
            entry.rejected = True
            if len(report.errors) < _SHOWN:
                report.errors.append({**place, "error": error.at(**place).as_dict(ctx.lang)})
            if before != (digest, True):  # said once, not in every run
                raw = excerpt(orjson.dumps(row.values, default=str))
                taken.lines.append(BadLine(row.line, error.at(**place), raw, "row"))
        else:
            report.added += 1
            entry.subject = inputs[0].subject if inputs else None
            taken.lines += [GoodLine(row.line, item, "row") for item in inputs]
            moments = [item.time for item in inputs]
            table.watermark = max(moments if table.watermark is None else [*moments, table.watermark], default=None)
            taken.lineage += [
                LineageRow(
                    tenant=ctx.tenant, claim=claim_of(item), subject=item.subject, source=table.source,
                    name=table.name, file=table.file, part=part, line=row.line, taken_at=table.taken_at,
                )
                for item in inputs
            ]  # fmt: skip
        known[key] = (digest, entry.rejected)
        taken.entries.append(entry)

    def _checked(self, item: Input) -> Input:
        """As the intake will check it: a row is taken whole or not at all."""
        catalog = self._hub.catalog
        if isinstance(item, Event):
            checked: Input = check_event(item, catalog)
        else:
            checked = check_fact(item, catalog) if isinstance(item, Fact) else check_relation(item, catalog)
        for line in self._hub.live.journal.screen([GoodLine(1, checked)]):
            if isinstance(line, BadLine):
                raise line.error
        return checked
