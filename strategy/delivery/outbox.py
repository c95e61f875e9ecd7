"""The outbox worker: sends what is due, tries again with growing pauses, and gives up only in writing."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import Any

import structlog
from sqlmodel import Session

from core import audit
from core.clock import Clock
from core.context import Purpose, RequestContext, Role
from core.db import Database
from core.errors import InvalidInput, Refused, Unavailable, ZhongshuError
from core.ids import TenantId
from core.telemetry import span
from core.text import Text
from core.times import HOUR, MINUTE, SECOND, Micros
from knowledge.governance import consented, mask_pii
from strategy.delivery import repository
from strategy.delivery.channels import INBOX, Channel, Channels, Message
from strategy.delivery.quiet import quiet_until
from strategy.delivery.tables import OutboxRow, SendState
from strategy.document import QuietHours

_log = structlog.get_logger(__name__)

_WITHDRAWN = Text("客户已撤回同意", "the customer has withdrawn consent")


@dataclass(frozen=True, slots=True)
class Backoff:
    """Pauses between tries, in microseconds: `first` doubled each time up to `ceiling`, each cut by up to half at
    random. `tries` in all; then the message is dead."""

    tries: int = 12
    first: int = 5 * SECOND
    ceiling: int = HOUR

    def pause(self, tried: int, draw: float) -> int:
        """The pause after the `tried`-th try; `draw` in [0, 1)."""
        longest = min(self.ceiling, self.first * 2 ** (tried - 1))
        return int(longest * (1 - draw / 2))


@dataclass(frozen=True, slots=True)
class Sweep:
    """What one run did, in messages. `waiting`: put off by quiet hours."""

    sent: int = 0
    retried: int = 0
    failed: int = 0
    dead: int = 0
    waiting: int = 0

    @property
    def total(self) -> int:
        return self.sent + self.retried + self.failed + self.dead + self.waiting


@dataclass(frozen=True, slots=True)
class _Trouble:
    """Failures of a channel in a row, and the moment until which it rests."""

    failures: int
    until: int


class OutboxWorker:
    """Claims due rows of all tenants, sends each, and marks it.

    A row is claimed by a lease: if the process dies between sending and marking, it is due again when the lease ends
    and goes out once more under the same key. A channel that fails twice in a row rests for a while, so that messages
    on other channels do not wait behind its timeouts.
    """

    def __init__(
        self,
        db: Database,
        clock: Clock,
        channels: Channels,
        *,
        backoff: Backoff | None = None,
        seed: int = 0,
        lease: int = 2 * MINUTE,
        batch: int = 50,
        poll: float = 0.5,
    ) -> None:
        """`lease` in microseconds, several times a channel's timeout; `poll`: seconds between looks when idle."""
        self._db = db
        self._clock = clock
        self._channels = channels
        self._backoff = backoff or Backoff()
        self._seed = seed
        self._lease = lease
        self._batch = batch
        self._poll = poll
        self._troubles: dict[str, _Trouble] = {}
        self._stopping = threading.Event()
        self._nudge = threading.Event()
        self._thread: threading.Thread | None = None

    def run_once(self) -> Sweep:
        """Send up to one batch of what is due now."""
        claimed, sweep = self._claim()
        until = self._clock.now() + self._lease // 2
        left: list[OutboxRow] = []
        for row in claimed:
            now = self._clock.now()
            if self._stopping.is_set() or now >= until or row.channel in self._resting(now):
                left.append(row)
                continue
            done = self._send(row)
            sweep = replace(sweep, **{done: getattr(sweep, done) + 1})
        self._release(left)
        return sweep

    def start(self) -> None:
        """Run in a thread of its own until `stop`."""
        if self._thread is None:
            self._stopping.clear()
            self._thread = threading.Thread(target=self._loop, name="outbox", daemon=True)
            self._thread.start()

    def wake(self) -> None:
        """Look now rather than at the next poll: something was just queued."""
        self._nudge.set()

    def stop(self, timeout: float = 30.0) -> bool:
        """Finish the message at hand, hand back the rest of the batch, end the thread; False if it did not end in
        `timeout` seconds."""
        thread, self._thread = self._thread, None
        if thread is None:
            return True
        self._stopping.set()
        self._nudge.set()
        thread.join(timeout)
        if thread.is_alive():
            return False
        self._stopping.clear()
        return True

    def _loop(self) -> None:
        while not self._stopping.is_set():
            self._nudge.clear()
            try:
                busy = self.run_once().total > 0
            except Exception:
                # A locked database or the like: what was claimed comes back when its lease ends.
                _log.exception("outbox sweep failed")
                busy = False
            if not busy and not self._stopping.is_set():
                self._nudge.wait(self._poll)

    def _claim(self) -> tuple[list[OutboxRow], Sweep]:
        now = self._clock.now()
        resting = self._resting(now)
        with self._db.reading() as session:
            if not repository.due_messages(session, now, 1, resting):
                return [], Sweep()
        claimed: list[OutboxRow] = []
        failed = waiting = 0
        with self._db.transaction() as session:
            for row in repository.due_messages(session, now, self._batch, resting):
                if until := _quiet_until(row, now):
                    row.next_try, waiting = until, waiting + 1
                elif not _still_consented(session, row, now):
                    self._close(session, row, SendState.FAILED, Refused(_WITHDRAWN))
                    failed += 1
                else:
                    row.attempts += 1
                    row.next_try = now + self._lease
                    claimed.append(row)
                session.add(row)
        return claimed, Sweep(failed=failed, waiting=waiting)

    def _release(self, rows: Sequence[OutboxRow]) -> None:
        """Hand back claimed rows that were not tried."""
        if not rows:
            return
        with self._db.transaction() as session:
            for claimed in rows:
                row = repository.message(session, claimed.id)
                if row and row.state == SendState.PENDING and row.attempts == claimed.attempts:
                    row.attempts -= 1
                    row.next_try = self._clock.now()
                    session.add(row)

    def _send(self, row: OutboxRow) -> str:
        """Send one claimed row and mark it: the name of the `Sweep` field to count it under."""
        channel, message = self._addressed(row)
        with span("delivery.send", message=row.id, channel=channel.name, attempt=row.attempts) as current:
            try:
                channel.send(message)
            except ZhongshuError as error:
                if isinstance(error, Unavailable):
                    self._trouble(row.channel)
                done = self._failed(row, error)
            except Exception as error:
                # A fault of ours in a channel must not stop the others, nor lose the message.
                _log.exception("channel failed", channel=channel.name, message=row.id)
                kind = type(error).__name__
                done = self._failed(row, Unavailable(Text(f"渠道出错：{kind}", f"the channel failed: {kind}")))
            else:
                self._troubles.pop(row.channel, None)
                done = self._sent(row)
            current.set_attribute("zhongshu.result", done)
        return done

    def _trouble(self, channel: str) -> None:
        """One more failure in a row: from the second on the channel rests, each time twice as long, up to a minute."""
        failures = self._troubles.get(channel, _Trouble(0, 0)).failures + 1
        rest = min(MINUTE, self._backoff.first * 2 ** min(failures - 2, 10)) if failures > 1 else 0
        self._troubles[channel] = _Trouble(failures, self._clock.now() + int(rest))

    def _resting(self, now: int) -> set[str]:
        return {channel for channel, trouble in self._troubles.items() if trouble.until > now}

    def _addressed(self, row: OutboxRow) -> tuple[Channel, Message]:
        """The row's channel and message; the inbox when its channel has been taken out of the configuration."""
        message = message_of(row)
        channel = self._channels.get(row.channel)
        if channel is not None:
            return channel, message
        note = Text(
            f"渠道 {row.channel} 已不再配置，没有发出；已转为收件箱任务",
            f"channel {row.channel} is no longer configured, so nothing was sent on it; it is now a task in the inbox",
        )
        inbox = self._channels.get(INBOX)
        assert inbox is not None, "Channels always has an inbox"
        return inbox, replace(message, kind="task", note=note)

    def _sent(self, row: OutboxRow) -> str:
        with self._db.transaction() as session:
            stored = repository.message(session, row.id)
            if stored and stored.state != SendState.SENT:
                stored.state, stored.sent_at, stored.last_error = SendState.SENT, self._clock.now(), None
                session.add(stored)
        return "sent"

    def _failed(self, row: OutboxRow, error: ZhongshuError) -> str:
        for_good = isinstance(error, Refused | InvalidInput)
        with self._db.transaction() as session:
            stored = repository.message(session, row.id)
            if stored is None or stored.state != SendState.PENDING or stored.attempts != row.attempts:
                return "retried"  # called off, or taken over by another worker after the lease
            if for_good:
                self._close(session, stored, SendState.FAILED, error)
                return "failed"
            if stored.attempts >= self._backoff.tries:
                self._close(session, stored, SendState.DEAD, error)
                return "dead"
            stored.last_error = _told(error)
            stored.next_try = self._clock.now() + self._pause(stored, error)
            session.add(stored)
        return "retried"

    def _pause(self, row: OutboxRow, error: ZhongshuError) -> int:
        """The next pause; a receiver's own wish is granted up to the ceiling."""
        draw = Random(f"{self._seed}/{row.id}/{row.attempts}").random()
        wished = error.where.get("retry_after")
        wish = min(wished * SECOND, self._backoff.ceiling) if isinstance(wished, int) else 0
        return max(wish, self._backoff.pause(row.attempts, draw))

    def _close(self, session: Session, row: OutboxRow, state: SendState, error: ZhongshuError) -> None:
        """Give a message up, with an audit row in the same transaction."""
        row.state, row.last_error = state, _told(error)
        session.add(row)
        # A server's answer may repeat the address; the audit log outlives erasure, so it must not keep it.
        said = mask_pii(error.text.en)
        detail = {"decision": row.decision, "channel": row.channel, "attempts": row.attempts, "error": said}
        audit.record(session, _context(row), self._clock, f"outbox.{state}", row.id, detail)


def message_of(row: OutboxRow) -> Message:
    """The message that a row keeps."""
    kept: dict[str, Any] = row.payload
    return Message(
        key=row.id,
        tenant=row.tenant,
        decision=row.decision,
        strategy=row.strategy,
        subject=row.subject,
        kind=kept["kind"],
        title=Text(**kept["title"]),
        body=Text(**kept["body"]),
        at=Micros(kept["at"]),
        action=kept["action"],
        wanted=row.wanted,
        address=row.address,
        variant=kept["variant"],
        note=Text(**kept["note"]) if kept["note"] else None,
        params=kept["params"],
    )


def _context(row: OutboxRow) -> RequestContext:
    return RequestContext(TenantId(row.tenant), "outbox", Role.ADMIN, Purpose.OPERATIONS)


def _quiet_until(row: OutboxRow, now: int) -> Micros | None:
    """Quiet hours hold when a message is sent, not only when it was decided: a retry may fall into them."""
    if row.quiet is None:
        return None
    quiet = QuietHours(start=row.quiet["start"], end=row.quiet["end"], mode=row.quiet["mode"])
    return quiet_until(now, quiet, row.quiet["zone"])


def _still_consented(session: Session, row: OutboxRow, now: int) -> bool:
    """Consent may have been withdrawn since the decision."""
    purpose = Purpose(row.consent) if row.consent else None
    return purpose is None or consented(session, _context(row), row.subject, purpose, row.wanted, now)


def _told(error: ZhongshuError) -> dict[str, Any]:
    return {"code": error.code, "zh": error.say("zh"), "en": error.say("en")}
