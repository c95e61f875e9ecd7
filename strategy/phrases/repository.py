"""SQL of the phrase book."""

from __future__ import annotations

from sqlmodel import Session, col, select

from strategy.phrases.tables import PhraseRow


class PhraseRepository:
    """The learned phrases of one tenant."""

    def __init__(self, session: Session, tenant: str) -> None:
        self._session = session
        self._tenant = tenant

    def all(self) -> list[PhraseRow]:
        """In order of the words."""
        query = select(PhraseRow).where(PhraseRow.tenant == self._tenant).order_by(col(PhraseRow.key))
        return list(self._session.exec(query))

    def get(self, key: str) -> PhraseRow | None:
        return self._session.get(PhraseRow, (self._tenant, key))

    def put(self, row: PhraseRow) -> None:
        """Add it, or take the place of what the same words stood for."""
        self._session.merge(row)
        self._session.flush()

    def remove(self, row: PhraseRow) -> None:
        self._session.delete(row)
        self._session.flush()
