"""SQL of consents."""

from __future__ import annotations

from collections.abc import Sequence

from sqlmodel import Session, col, select

from core.context import RequestContext
from knowledge.governance.tables import Consent


def add(session: Session, consents: Sequence[Consent]) -> None:
    session.add_all(consents)
    session.flush()


def statements(session: Session, ctx: RequestContext, subject: str, purpose: str | None, until: int) -> list[Consent]:
    """What the subject had stated by `until` (inclusive), oldest first; all purposes when `purpose` is None."""
    query = select(Consent).where(Consent.tenant == ctx.tenant, Consent.subject == subject, Consent.at <= until)
    if purpose is not None:
        query = query.where(Consent.purpose == purpose)
    return list(session.exec(query.order_by(col(Consent.at), col(Consent.seq))))
