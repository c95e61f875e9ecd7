"""SQL of experiments: the journal's events that count as conversions."""

from __future__ import annotations

from sqlmodel import Session, col, select

from core.context import RequestContext
from strategy.engine.groups import Groups, counted_for
from strategy.tables import JournalRow, Kind


def conversions(
    session: Session, ctx: RequestContext, event: str, groups: Groups, after: int, until: int
) -> list[tuple[str, int]]:
    """(subject, time) of every event of a type in (after, until], by time, for each subject it counts for."""
    query = (
        select(JournalRow.subject, JournalRow.time, JournalRow.body)
        .where(
            JournalRow.tenant == ctx.tenant,
            JournalRow.kind == Kind.EVENT.value,
            JournalRow.type == event,
            col(JournalRow.time) > after,
            col(JournalRow.time) <= until,
        )
        .order_by(col(JournalRow.time))
    )
    return [
        (counted, time)
        for subject, time, body in session.exec(query)
        for counted in counted_for(subject, body, groups.get(event, ()))
    ]
