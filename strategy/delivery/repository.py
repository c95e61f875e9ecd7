"""SQL of decisions, outbox and inbox."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from sqlalchemy import tuple_, update
from sqlmodel import Session, SQLModel, col, func, select

from core.context import RequestContext
from strategy.delivery.decide import Outcome, Reason
from strategy.delivery.tables import Decision, InboxRow, OutboxRow, SendState
from strategy.experiment import Exposure

_WENT_OUT = (Outcome.DELIVERED.value, Outcome.DEFERRED.value)
_AFTER_HOLDOUT = (Reason.CAP.value, Reason.QUIET_HOURS.value, Reason.BUDGET.value)


def add(session: Session, rows: Sequence[SQLModel]) -> None:
    session.add_all(rows)
    session.flush()


def decision(session: Session, ctx: RequestContext, decision_id: str) -> Decision | None:
    found = session.get(Decision, decision_id)
    return found if found and found.tenant == ctx.tenant else None


def decisions(
    session: Session,
    ctx: RequestContext,
    *,
    strategy: str | None = None,
    subject: str | None = None,
    verdict: str | None = None,
    before: tuple[int, str] | None = None,
    limit: int = 50,
) -> list[Decision]:
    """Newest first; `before` is the (at, id) of the last one on the page before."""
    query = select(Decision).where(Decision.tenant == ctx.tenant)
    if strategy is not None:
        query = query.where(Decision.strategy == strategy)
    if subject is not None:
        query = query.where(Decision.subject == subject)
    if verdict is not None:
        query = query.where(Decision.verdict == verdict)
    if before is not None:
        at, key = before
        query = query.where((col(Decision.at) < at) | ((col(Decision.at) == at) & (col(Decision.id) < key)))
    return list(session.exec(query.order_by(col(Decision.at).desc(), col(Decision.id).desc()).limit(limit)))


def last_decision(session: Session, ctx: RequestContext, strategy: str, subject: str, until: int) -> Decision | None:
    """The newest decision on a strategy (any version) for a subject with `at` up to a moment."""
    query = select(Decision).where(
        Decision.tenant == ctx.tenant,
        Decision.subject == subject,
        Decision.strategy == strategy,
        col(Decision.at) <= until,
    )
    return session.exec(query.order_by(col(Decision.at).desc(), col(Decision.id).desc()).limit(1)).first()


def counts(session: Session, ctx: RequestContext, strategy: str | None = None) -> dict[str, int]:
    """Decisions by verdict, drops as `dropped:<reason>`."""
    query = select(Decision.verdict, Decision.reason, func.count()).where(Decision.tenant == ctx.tenant)
    if strategy is not None:
        query = query.where(Decision.strategy == strategy)
    rows = session.exec(query.group_by(col(Decision.verdict), col(Decision.reason)))
    return {f"{v}:{r}" if v == Outcome.DROPPED else v: n for v, r, n in rows}


def reached(session: Session, ctx: RequestContext, strategy: str) -> int:
    """Subjects to whom a strategy (any version) delivered or is about to."""
    query = select(func.count(func.distinct(Decision.subject))).where(
        Decision.tenant == ctx.tenant, Decision.strategy == strategy, col(Decision.verdict).in_(_WENT_OUT)
    )
    return session.exec(query).one()


def messages(session: Session, ctx: RequestContext, strategy: str) -> dict[str, int]:
    """A strategy's messages by state."""
    query = select(OutboxRow.state, func.count()).where(OutboxRow.tenant == ctx.tenant, OutboxRow.strategy == strategy)
    return dict(session.exec(query.group_by(col(OutboxRow.state))).all())


def recent_deliveries(session: Session, ctx: RequestContext, strategy: str, subject: str, after: int) -> int:
    """Deliveries of a strategy (any version) to a subject due later than `after`, those still to come included."""
    query = select(func.count()).where(
        Decision.tenant == ctx.tenant,
        Decision.strategy == strategy,
        Decision.subject == subject,
        col(Decision.due) > after,
        col(Decision.verdict).in_(_WENT_OUT),
    )
    return session.exec(query).one()


def spent_deliveries(session: Session, ctx: RequestContext, strategy: str) -> int:
    """Deliveries of a strategy (any version) to anyone."""
    query = select(func.count()).where(
        Decision.tenant == ctx.tenant, Decision.strategy == strategy, col(Decision.verdict).in_(_WENT_OUT)
    )
    return session.exec(query).one()


def exposures(session: Session, ctx: RequestContext, strategy: str) -> list[Exposure]:
    """Every passage of a strategy's holdout gate, oldest first, with the side it led to."""
    query = (
        select(Decision.subject, Decision.at, Decision.verdict)
        .where(
            Decision.tenant == ctx.tenant,
            Decision.strategy == strategy,
            (col(Decision.verdict) != Outcome.DROPPED.value) | col(Decision.reason).in_(_AFTER_HOLDOUT),
        )
        .order_by(col(Decision.at), col(Decision.id))
    )
    return [Exposure(s, at, verdict == Outcome.HOLDOUT) for s, at, verdict in session.exec(query)]  # type: ignore[arg-type]  # at is a moment


def outbox_of(session: Session, ctx: RequestContext, decision_id: str) -> list[OutboxRow]:
    """The messages of a decision, in the order of its actions."""
    query = select(OutboxRow).where(OutboxRow.tenant == ctx.tenant, OutboxRow.decision == decision_id)
    return sorted(session.exec(query), key=lambda row: int(row.payload["index"]))


def outbox(session: Session, ctx: RequestContext, state: str | None = None, limit: int = 50) -> list[OutboxRow]:
    """Messages of the tenant, newest first."""
    query = select(OutboxRow).where(OutboxRow.tenant == ctx.tenant)
    if state is not None:
        query = query.where(OutboxRow.state == state)
    return list(session.exec(query.order_by(col(OutboxRow.created_at).desc(), col(OutboxRow.id)).limit(limit)))


def due_messages(session: Session, now: int, limit: int, resting: Collection[str] = ()) -> list[OutboxRow]:
    """Pending messages of every tenant whose time has come, longest waiting first; none of the resting channels'."""
    query = (
        select(OutboxRow)
        .where(OutboxRow.state == SendState.PENDING.value, col(OutboxRow.next_try) <= now)
        .where(col(OutboxRow.channel).not_in(resting))
        .order_by(col(OutboxRow.next_try), col(OutboxRow.id))
        .limit(limit)
    )
    return list(session.exec(query))


def message(session: Session, message_id: str) -> OutboxRow | None:
    return session.get(OutboxRow, message_id)


def cancel_pending(session: Session, ctx: RequestContext, strategy: str) -> int:
    """Call off what a strategy has not sent yet; the number of messages called off."""
    result = session.execute(
        update(OutboxRow)
        .where(
            col(OutboxRow.tenant) == ctx.tenant,
            col(OutboxRow.strategy) == strategy,
            col(OutboxRow.state) == SendState.PENDING.value,
        )
        .values(state=SendState.CANCELLED.value)
    )
    return int(result.rowcount)  # type: ignore[attr-defined]  # an UPDATE gives a CursorResult


def add_once(session: Session, row: InboxRow) -> None:
    """Add it unless its id is there already."""
    if session.get(InboxRow, row.id) is None:
        session.add(row)
        session.flush()


def inbox(
    session: Session,
    ctx: RequestContext,
    *,
    unread: bool | None = None,
    kind: str | None = None,
    before: tuple[int, str] | None = None,
    limit: int = 50,
) -> list[InboxRow]:
    """Newest first; `before` is the (created_at, id) of the last one on the page before."""
    query = select(InboxRow).where(InboxRow.tenant == ctx.tenant)
    if unread is not None:
        query = query.where(col(InboxRow.read_at).is_(None) if unread else col(InboxRow.read_at).is_not(None))
    if kind is not None:
        query = query.where(InboxRow.kind == kind)
    if before is not None:
        query = query.where(tuple_(col(InboxRow.created_at), col(InboxRow.id)) < tuple_(*before))
    return list(session.exec(query.order_by(col(InboxRow.created_at).desc(), col(InboxRow.id).desc()).limit(limit)))


def inbox_item(session: Session, ctx: RequestContext, item_id: str) -> InboxRow | None:
    found = session.get(InboxRow, item_id)
    return found if found and found.tenant == ctx.tenant else None
