"""All SQL of the agents' own tables. Takes the caller's session and never commits."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import or_, update
from sqlmodel import Session, col, select
from sqlmodel.sql.expression import SelectOfScalar

from agents.tables import Approval, ApprovalState


class ApprovalRepository:
    """One tenant's approvals."""

    def __init__(self, session: Session, tenant: str) -> None:
        self._session = session
        self._tenant = tenant

    def get(self, approval_id: str) -> Approval | None:
        return self._session.exec(self._mine().where(col(Approval.id) == approval_id)).first()

    def add(self, approval: Approval) -> None:
        self._session.add(approval)
        self._session.flush()

    def listed(self, states: Sequence[str], limit: int = 100) -> list[Approval]:
        """Newest first."""
        query = self._mine().where(col(Approval.state).in_(states)).order_by(col(Approval.requested_at).desc())
        return list(self._session.exec(query.limit(limit)).all())

    def unfinished(self, now: int) -> list[Approval]:
        """Decided but not gone on with (a crash came between), or pending and past their time."""
        query = self._mine().where(
            col(Approval.resumed_at).is_(None),
            or_(col(Approval.state) != ApprovalState.PENDING, col(Approval.expires_at) <= now),
        )
        return list(self._session.exec(query.order_by(col(Approval.requested_at))).all())

    def decide(self, approval_id: str, state: ApprovalState, now: int, **values: Any) -> bool:
        """Answer a pending approval; False when someone else already did."""
        done = self._session.execute(
            update(Approval)
            .where(
                col(Approval.tenant) == self._tenant,
                col(Approval.id) == approval_id,
                col(Approval.state) == ApprovalState.PENDING,
            )
            .values(state=state, decided_at=now, **values)
        )
        return bool(getattr(done, "rowcount", 0))

    def resumed(self, approval_id: str, now: int) -> None:
        self._session.execute(
            update(Approval)
            .where(col(Approval.tenant) == self._tenant, col(Approval.id) == approval_id)
            .values(resumed_at=now)
        )

    def _mine(self) -> SelectOfScalar[Approval]:
        return select(Approval).where(col(Approval.tenant) == self._tenant)
