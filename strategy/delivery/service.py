"""What people do with the inbox and the outbox: mark, do, send again, call off; each with its audit row."""

from __future__ import annotations

from core import audit
from core.clock import Clock
from core.context import RequestContext
from core.db import Database
from core.errors import Conflict, NotFound
from core.text import Text
from strategy.delivery import repository
from strategy.delivery.tables import InboxRow, OutboxRow, SendState


class DeliveryService:
    """Whether the caller may do it is asked of the policy before."""

    def __init__(self, db: Database, clock: Clock) -> None:
        self._db = db
        self._clock = clock

    def mark_read(self, ctx: RequestContext, item_id: str) -> InboxRow:
        """Marked once; reading it again changes nothing.

        Raises:
            NotFound: the tenant's inbox has no such item.
        """
        with self._db.transaction() as session:
            row = _item(repository.inbox_item(session, ctx, item_id), item_id)
            if row.read_at is None:
                row.read_at, row.read_by = self._clock.now(), ctx.actor
                session.add(row)
                audit.record(session, ctx, self._clock, "inbox.read", item_id)
        return row

    def mark_done(self, ctx: RequestContext, item_id: str) -> InboxRow:
        """The task is done (and read).

        Raises:
            NotFound: the tenant's inbox has no such item.
            Conflict: it is done already.
        """
        with self._db.transaction() as session:
            row = _item(repository.inbox_item(session, ctx, item_id), item_id)
            if row.done_at is not None:
                raise Conflict(
                    Text(f"任务已由 {row.done_by} 完成", f"the task was done already, by {row.done_by}"),
                    where={"item": item_id},
                )
            now = self._clock.now()
            row.done_at, row.done_by = now, ctx.actor
            row.read_at, row.read_by = row.read_at or now, row.read_by or ctx.actor
            session.add(row)
            audit.record(session, ctx, self._clock, "inbox.done", item_id)
        return row

    def send_again(self, ctx: RequestContext, message_id: str) -> OutboxRow:
        """Give a dead or refused message a fresh set of tries, under its old key.

        Raises:
            NotFound: the tenant has no such message.
            Conflict: it is not dead or refused.
        """
        with self._db.transaction() as session:
            row = repository.message(session, message_id)
            if row is None or row.tenant != ctx.tenant:
                raise NotFound(Text(f"没有消息 {message_id!r}", f"there is no message {message_id!r}"))
            if row.state not in (SendState.DEAD, SendState.FAILED):
                raise Conflict(
                    Text(f"消息的状态是 {row.state}，不能重发", f"the message is {row.state} and cannot be sent again"),
                    hint=Text("只有 failed 或 dead 的可以重发", "Only failed and dead ones can"),
                )
            row.state, row.attempts, row.next_try = SendState.PENDING, 0, self._clock.now()
            session.add(row)
            audit.record(session, ctx, self._clock, "outbox.send_again", message_id)
        return row

    def call_off(self, ctx: RequestContext, strategy: str) -> int:
        """Call off what a strategy has queued or deferred and not sent yet; how many messages that were."""
        with self._db.transaction() as session:
            count = repository.cancel_pending(session, ctx, strategy)
            if count:
                audit.record(session, ctx, self._clock, "outbox.call_off", f"strategy/{strategy}", {"messages": count})
        return count


def _item(row: InboxRow | None, item_id: str) -> InboxRow:
    if row is None:
        raise NotFound(Text(f"收件箱里没有 {item_id!r}", f"the inbox has no item {item_id!r}"))
    return row
