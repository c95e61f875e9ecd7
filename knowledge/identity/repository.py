"""All SQL of the pairs that people are asked about. Takes the caller's session and never commits."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import delete, or_, tuple_
from sqlmodel import Session, col, select
from sqlmodel.sql.expression import SelectOfScalar

from core.ids import stable_id
from knowledge.identity.tables import PairRow, PairState


class PairRepository:
    """One tenant's pairs."""

    def __init__(self, session: Session, tenant: str) -> None:
        self._session, self._tenant = session, tenant

    def id_of(self, one: str, other: str) -> str:
        """The pair's id; the order of its records does not matter."""
        return stable_id("pair", self._tenant, *sorted((one, other)))

    def get(self, pair_id: str) -> PairRow | None:
        return self._session.get(PairRow, (self._tenant, pair_id))

    def listed(self, state: PairState, before: tuple[int, str] | None, limit: int) -> list[PairRow]:
        """Newest first; of one moment, by id from the last."""
        query = self._mine().where(PairRow.state == state)
        if before is not None:
            query = query.where(tuple_(col(PairRow.found_at), col(PairRow.id)) < before)
        return list(
            self._session.exec(query.order_by(col(PairRow.found_at).desc(), col(PairRow.id).desc()).limit(limit))
        )

    def about(self, subjects: Collection[str]) -> list[PairRow]:
        """The pairs that any of the records is in, whatever their state."""
        theirs = or_(col(PairRow.left).in_(subjects), col(PairRow.right).in_(subjects))
        return list(self._session.exec(self._mine().where(theirs)))

    def put(self, row: PairRow) -> None:
        self._session.merge(row)
        self._session.flush()

    def drop(self, pair_ids: Collection[str]) -> None:
        self._session.execute(delete(PairRow).where(col(PairRow.tenant) == self._tenant, col(PairRow.id).in_(pair_ids)))

    def _mine(self) -> SelectOfScalar[PairRow]:
        return select(PairRow).where(PairRow.tenant == self._tenant)
