"""The in-app inbox as a channel: messages and tasks for people, with read and done marks."""

from __future__ import annotations

from core.clock import Clock
from core.db import Database
from strategy.delivery import repository
from strategy.delivery.channels.port import Message
from strategy.delivery.tables import InboxRow


class InboxChannel:
    """Writes a row; a second send of the same key finds it there and changes nothing."""

    name = "inbox"
    needs_address = False

    def __init__(self, db: Database, clock: Clock) -> None:
        self._db = db
        self._clock = clock

    def send(self, message: Message) -> None:
        row = InboxRow(
            id=message.key,
            tenant=message.tenant,
            kind=message.kind,
            decision=message.decision,
            strategy=message.strategy,
            subject=message.subject,
            content={**message.as_payload(), "wanted": message.wanted},
            created_at=self._clock.now(),
        )
        with self._db.transaction() as session:
            repository.add_once(session, row)
