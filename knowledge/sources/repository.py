"""All SQL of the ledger of ingestion. Bound to a session and a tenant; never commits."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeVar

from sqlalchemy import delete, insert
from sqlmodel import Session, SQLModel, col, select

from core.ids import TenantId
from knowledge.sources.tables import LineageRow, SourceEntryRow, SourceTableRow

_TOGETHER = 500
_Row = TypeVar("_Row", bound=SQLModel)


class LedgerRepository:
    def __init__(self, session: Session, tenant: TenantId) -> None:
        self._session, self._tenant = session, tenant

    def table(self, source: str, name: str) -> SourceTableRow | None:
        return self._session.get(SourceTableRow, (self._tenant, source, name))

    def tables(self) -> list[SourceTableRow]:
        """Of all sources, by name."""
        query = select(SourceTableRow).where(SourceTableRow.tenant == self._tenant)
        return list(self._session.exec(query.order_by(SourceTableRow.source, SourceTableRow.name)))

    def entries(self, source: str, name: str) -> dict[str, tuple[str, bool]]:
        """Key → digest of the row as it was last seen, and whether it was rejected."""
        query = select(SourceEntryRow.key, SourceEntryRow.digest, SourceEntryRow.rejected).where(
            SourceEntryRow.tenant == self._tenant, SourceEntryRow.source == source, SourceEntryRow.name == name
        )
        return {key: (digest, rejected) for key, digest, rejected in self._session.exec(query)}

    def lineage(self, claim: str) -> LineageRow | None:
        return self._session.get(LineageRow, (self._tenant, claim))

    def keep(self, table: SourceTableRow, entries: Sequence[SourceEntryRow], lineage: Sequence[LineageRow]) -> None:
        """What one run took from a table; it replaces what was known of the same rows and claims."""
        self._session.merge(table)
        for part in _parts(list({row.key: row for row in entries}.values())):
            self._session.execute(
                delete(SourceEntryRow).where(
                    col(SourceEntryRow.tenant) == self._tenant,
                    col(SourceEntryRow.source) == table.source,
                    col(SourceEntryRow.name) == table.name,
                    col(SourceEntryRow.key).in_([row.key for row in part]),
                )
            )
            self._session.execute(insert(SourceEntryRow), [row.model_dump() for row in part])
        for claims in _parts(list({row.claim: row for row in lineage}.values())):
            self._session.execute(
                delete(LineageRow).where(
                    col(LineageRow.tenant) == self._tenant, col(LineageRow.claim).in_([row.claim for row in claims])
                )
            )
            self._session.execute(insert(LineageRow), [row.model_dump() for row in claims])


def _parts(rows: list[_Row]) -> Iterator[list[_Row]]:
    return (rows[start : start + _TOGETHER] for start in range(0, len(rows), _TOGETHER))
