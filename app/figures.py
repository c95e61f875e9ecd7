"""Counts over several rooms' tables, for the start page and Prometheus: nothing that tells of one customer."""

from __future__ import annotations

from sqlmodel import col, func, select

from agents.tables import Approval, ApprovalState
from app.tickets import TicketRow
from core.context import RequestContext
from core.db import Database
from strategy.delivery.tables import Decision, OutboxRow, SendState
from strategy.tables import JournalRow


def waiting(database: Database) -> int:
    """Messages of all tenants that have not gone out yet."""
    with database.reading() as session:
        query = select(func.count()).select_from(OutboxRow).where(OutboxRow.state == SendState.PENDING.value)
        return session.exec(query).one()


def all_decisions(database: Database) -> dict[str, float]:
    """Decisions of all tenants by verdict."""
    with database.reading() as session:
        return dict(session.exec(select(Decision.verdict, func.count()).group_by(col(Decision.verdict))).all())


def all_firings(database: Database) -> dict[str, float]:
    """Decided firings of all tenants by strategy."""
    with database.reading() as session:
        return dict(session.exec(select(Decision.strategy, func.count()).group_by(col(Decision.strategy))).all())


def recorded(database: Database, ctx: RequestContext) -> int:
    """Events, facts and relations in the journal."""
    with database.reading() as session:
        return session.exec(select(func.count()).select_from(JournalRow).where(JournalRow.tenant == ctx.tenant)).one()


def outbox(database: Database, ctx: RequestContext) -> dict[str, int]:
    """Messages by state."""
    with database.reading() as session:
        query = select(OutboxRow.state, func.count()).where(OutboxRow.tenant == ctx.tenant)
        return dict(session.exec(query.group_by(col(OutboxRow.state))).all())


def decisions(database: Database, ctx: RequestContext) -> dict[str, int]:
    """Decisions by verdict."""
    with database.reading() as session:
        query = select(Decision.verdict, func.count()).where(Decision.tenant == ctx.tenant)
        return dict(session.exec(query.group_by(col(Decision.verdict))).all())


def firings(database: Database, ctx: RequestContext) -> dict[str, int]:
    """Decided firings by strategy."""
    with database.reading() as session:
        query = select(Decision.strategy, func.count()).where(Decision.tenant == ctx.tenant)
        return dict(session.exec(query.group_by(col(Decision.strategy))).all())


def tickets(database: Database, ctx: RequestContext) -> int:
    with database.reading() as session:
        return session.exec(select(func.count()).select_from(TicketRow).where(TicketRow.tenant == ctx.tenant)).one()


def approvals(database: Database, ctx: RequestContext) -> int:
    """Approvals that wait for a person."""
    with database.reading() as session:
        waiting_ones = select(func.count()).select_from(Approval)
        return session.exec(
            waiting_ones.where(Approval.tenant == ctx.tenant, Approval.state == ApprovalState.PENDING.value)
        ).one()
