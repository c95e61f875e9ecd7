"""The outbox loses nothing, sends under one key, and gives up only in writing."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from sqlmodel import select

from core import audit
from core.audit import AuditRow
from core.clock import ManualClock, SystemClock
from core.context import RequestContext
from core.db import Database
from core.errors import Conflict, NotFound, Refused, Unavailable
from core.text import Text
from core.times import HOUR, MINUTE, SECOND, parse_time
from strategy.delivery import Channels, Decider, InboxChannel, Message, OutboxRow, repository
from strategy.delivery.outbox import Backoff, OutboxWorker, Sweep
from strategy.delivery.service import DeliveryService
from tests.strategy.delivery.delivery_world import NOON, firing, strategy

MAIL: dict[str, Any] = {"actions": [{"action": "send_mail"}]}


@dataclass
class Recorder:
    """A channel that keeps what it got and raises what it is told to, in order."""

    name: str = "email"
    needs_address: bool = False
    got: list[Message] = field(default_factory=list)
    raises: list[BaseException] = field(default_factory=list)

    def send(self, message: Message) -> None:
        self.got.append(message)
        if self.raises:
            raise self.raises.pop(0)


class Killed(BaseException):
    """The process dies here."""


def busy(**where: Any) -> Unavailable:
    return Unavailable(Text("忙", "busy"), where=where or None)


@dataclass
class Hub:
    db: Database
    clock: ManualClock
    ctx: RequestContext
    decider: Decider
    channels: Channels

    def fire(self, at: int = NOON, subject: str = "customer/c1", **parts: Any) -> str:
        with self.db.transaction() as session:
            return self.decider.decide(session, self.ctx, firing(at, subject), strategy(**{**MAIL, **parts})).id

    def worker(self, **options: Any) -> OutboxWorker:
        return OutboxWorker(self.db, self.clock, self.channels, **options)

    def rows(self) -> list[OutboxRow]:
        with self.db.reading() as session:
            return list(session.exec(select(OutboxRow).order_by(OutboxRow.created_at, OutboxRow.id)))  # type: ignore[arg-type]  # columns

    def audited(self) -> list[str]:
        with self.db.reading() as session:
            assert audit.first_broken(session, self.ctx.tenant) is None
            return [r.action for r in session.exec(select(AuditRow)) if r.action.startswith("outbox")]


@pytest.fixture
def mail() -> Recorder:
    return Recorder()


@pytest.fixture
def hub(
    db: Database, clock: ManualClock, ctx: RequestContext, catalog: Any, mail: Recorder, consent: Callable[..., None]
) -> Hub:
    for number in range(1, 9):
        consent(subject=f"customer/c{number}")
    channels = Channels(InboxChannel(db, clock), {"email": mail})
    return Hub(db, clock, ctx, Decider(lambda _: catalog, clock, channels), channels)


def test_what_is_due_is_sent_once(hub: Hub, mail: Recorder) -> None:
    hub.fire()
    assert hub.worker().run_once() == Sweep(sent=1)
    assert hub.worker().run_once() == Sweep()
    [row] = hub.rows()
    assert (row.state, row.sent_at, row.attempts) == ("sent", NOON, 1)
    assert (mail.got[0].key, mail.got[0].subject, mail.got[0].title.zh) == (row.id, "customer/c1", "发邮件")


def test_a_deferred_message_goes_out_when_its_quiet_hours_end_and_not_before(hub: Hub, mail: Recorder) -> None:
    evening, morning = parse_time("2026-05-13T23:00:00+08:00"), parse_time("2026-05-14T08:00:00+08:00")
    hub.clock.set(evening)
    hub.fire(evening, guards={"quiet_hours": {"start": "22:00", "end": "08:00"}})
    hub.clock.set(morning - 1)
    assert hub.worker().run_once() == Sweep()
    hub.clock.set(morning)
    assert hub.worker().run_once() == Sweep(sent=1)


def test_a_retry_that_falls_into_quiet_hours_waits_for_their_end(hub: Hub, mail: Recorder) -> None:
    before = parse_time("2026-05-13T21:59:59+08:00")
    hub.clock.set(before)
    hub.fire(before, guards={"quiet_hours": {"start": "22:00", "end": "08:00"}})
    mail.raises = [busy()]
    assert hub.worker().run_once() == Sweep(retried=1)
    hub.clock.advance(MINUTE)
    assert hub.worker().run_once() == Sweep(waiting=1)
    assert hub.rows()[0].next_try == parse_time("2026-05-14T08:00:00+08:00")
    assert len(mail.got) == 1


def test_a_busy_channel_is_tried_again_with_growing_pauses_under_the_same_key(hub: Hub, mail: Recorder) -> None:
    hub.fire()
    worker = hub.worker()
    mail.raises = [busy() for _ in range(4)]
    pauses = []
    for _ in range(4):
        assert worker.run_once() == Sweep(retried=1)
        pauses.append(hub.rows()[0].next_try - hub.clock.now())
        hub.clock.advance(pauses[-1] - 1)
        assert worker.run_once() == Sweep()
        hub.clock.advance(MINUTE)
    assert all(5 * SECOND * 2**n / 2 <= pause <= 5 * SECOND * 2**n for n, pause in enumerate(pauses))
    assert worker.run_once() == Sweep(sent=1)
    assert len({m.key for m in mail.got}) == 1
    assert hub.rows()[0].last_error is None


def test_pauses_are_drawn_from_the_seed_alone(hub: Hub, mail: Recorder) -> None:
    for number in range(1, 4):
        hub.fire(subject=f"customer/c{number}")
    draws = [Backoff().pause(3, draw) for draw in (0.0, 0.5, 0.999)]
    assert draws == sorted(draws, reverse=True)
    assert (draws[0], draws[-1] >= draws[0] / 2) == (20 * SECOND, True)
    assert Backoff().pause(11, 0.0) == HOUR
    row = hub.rows()[0]
    row.attempts = 3
    one, same, other = (hub.worker(seed=s)._pause(row, busy()) for s in (1, 1, 2))
    assert (one == same, one == other) == (True, False)


def test_a_receivers_own_wish_to_wait_is_granted(hub: Hub, mail: Recorder) -> None:
    hub.fire()
    mail.raises = [busy(retry_after=90)]
    hub.worker().run_once()
    assert hub.rows()[0].next_try == NOON + 90 * SECOND


def test_after_the_last_try_a_message_is_dead_with_its_error_and_an_audit_row(hub: Hub, mail: Recorder) -> None:
    hub.fire()
    worker = hub.worker(backoff=Backoff(tries=3))
    mail.raises = [busy() for _ in range(3)]
    for expected in (Sweep(retried=1), Sweep(retried=1), Sweep(dead=1)):
        assert worker.run_once() == expected
        hub.clock.advance(HOUR)
    assert worker.run_once() == Sweep()
    [row] = hub.rows()
    assert (row.state, row.attempts, row.last_error) == (
        "dead",
        3,
        {"code": "unavailable", "zh": "忙。", "en": "busy."},
    )
    assert hub.audited() == ["outbox.dead"]


def test_a_refusal_is_final_and_audited(hub: Hub, mail: Recorder) -> None:
    hub.fire()
    mail.raises = [Refused(Text("地址不存在", "no such address"))]
    assert hub.worker().run_once() == Sweep(failed=1)
    assert hub.rows()[0].state == "failed"
    assert hub.audited() == ["outbox.failed"]


def test_an_address_in_a_servers_answer_does_not_enter_the_audit_log(hub: Hub, mail: Recorder) -> None:
    hub.fire()
    mail.raises = [Refused(Text("550", "550 no such user li.wei@example.com"))]
    hub.worker().run_once()
    with hub.db.reading() as session:
        [row] = session.exec(select(AuditRow).where(AuditRow.action == "outbox.failed")).all()
    assert row.detail["error"] == "550 no such user <email>"


def test_a_person_can_have_a_dead_message_sent_again_under_its_key(hub: Hub, mail: Recorder) -> None:
    hub.fire()
    mail.raises = [Refused(Text("地址不存在", "no such address"))]
    hub.worker().run_once()
    service = DeliveryService(hub.db, hub.clock)
    service.send_again(hub.ctx, hub.rows()[0].id)
    assert hub.worker().run_once() == Sweep(sent=1)
    assert mail.got[0].key == mail.got[1].key
    with pytest.raises(Conflict):
        service.send_again(hub.ctx, hub.rows()[0].id)
    with pytest.raises(NotFound):
        service.send_again(hub.ctx, "msg_nobody")


def test_a_crash_between_send_and_mark_sends_again_under_the_same_key_once_the_lease_is_over(
    hub: Hub, mail: Recorder
) -> None:
    hub.fire()
    mail.raises = [Killed()]
    with pytest.raises(Killed):
        hub.worker(lease=2 * MINUTE).run_once()
    assert hub.rows()[0].state == "pending"
    assert hub.worker().run_once() == Sweep()
    hub.clock.advance(2 * MINUTE)
    assert hub.worker().run_once() == Sweep(sent=1)
    assert [m.key for m in mail.got] == [hub.rows()[0].id] * 2


def test_a_crash_loop_never_makes_a_message_dead_without_an_answer(hub: Hub, mail: Recorder) -> None:
    hub.fire()
    for _ in range(5):
        mail.raises = [Killed()]
        with pytest.raises(Killed):
            hub.worker(backoff=Backoff(tries=3)).run_once()
        hub.clock.advance(HOUR)
    assert hub.worker(backoff=Backoff(tries=3)).run_once() == Sweep(sent=1)


def test_a_fault_in_a_channel_keeps_the_message_and_does_not_stop_the_others(hub: Hub, mail: Recorder) -> None:
    hub.fire(subject="customer/c1")
    hub.fire(subject="customer/c2")
    mail.raises = [KeyError("oops")]
    assert hub.worker().run_once() == Sweep(sent=1, retried=1)
    assert {row.state for row in hub.rows()} == {"sent", "pending"}


def test_a_channel_that_fails_twice_rests_while_the_inbox_goes_on(hub: Hub, mail: Recorder) -> None:
    for number in range(1, 6):
        hub.fire(subject=f"customer/c{number}")
    hub.fire(subject="customer/c6", actions=[{"task": "回访"}])
    mail.raises = [busy() for _ in range(9)]
    worker = hub.worker()
    assert worker.run_once() == Sweep(sent=1, retried=2)
    assert worker.run_once() == Sweep()
    assert len(mail.got) == 2
    assert sorted(row.attempts for row in hub.rows()) == [0, 0, 0, 1, 1, 1]
    mail.raises = []
    hub.clock.advance(10 * SECOND)
    assert worker.run_once() == Sweep(sent=5)


def test_consent_withdrawn_before_it_goes_out_stops_it(hub: Hub, mail: Recorder, consent: Callable[..., None]) -> None:
    hub.fire()
    consent(given=False, channel="email", at=NOON)
    assert hub.worker().run_once() == Sweep(failed=1)
    assert mail.got == []
    assert hub.rows()[0].last_error == {
        "code": "refused",
        "zh": "客户已撤回同意。",
        "en": "the customer has withdrawn consent.",
    }


def test_what_a_strategy_has_not_sent_can_be_called_off(hub: Hub, mail: Recorder) -> None:
    hub.fire()
    service = DeliveryService(hub.db, hub.clock)
    assert service.call_off(hub.ctx, "winback") == 1
    assert hub.worker().run_once() == Sweep()
    assert hub.rows()[0].state == "cancelled"
    assert service.call_off(hub.ctx, "winback") == 0
    assert hub.audited() == ["outbox.call_off"]


def test_a_channel_taken_out_of_the_configuration_leaves_a_task_that_says_so(hub: Hub, mail: Recorder) -> None:
    hub.fire()
    hub.channels = Channels(InboxChannel(hub.db, hub.clock))
    assert hub.worker().run_once() == Sweep(sent=1)
    with hub.db.reading() as session:
        [item] = repository.inbox(session, hub.ctx)
    assert item.kind == "task"
    assert "email is no longer configured" in item.content["note"]["en"]


def test_a_free_task_reaches_the_inbox_where_a_person_reads_and_does_it(hub: Hub) -> None:
    hub.fire(actions=[{"task": "请回访并道歉", "params": {"deadline": "今天"}}])
    hub.worker().run_once()
    service = DeliveryService(hub.db, hub.clock)
    with hub.db.reading() as session:
        [item] = repository.inbox(session, hub.ctx, unread=True)
    assert (item.kind, item.content["title"]["zh"]) == ("task", "请回访并道歉")
    assert item.content["body"]["zh"] == "请回访并道歉\ndeadline: 今天"
    assert service.mark_read(hub.ctx, item.id).read_by == "system"
    assert service.mark_done(hub.ctx, item.id).done_at == NOON
    with pytest.raises(Conflict):
        service.mark_done(hub.ctx, item.id)
    with hub.db.reading() as session:
        assert repository.inbox(session, hub.ctx, unread=True) == []


def test_stop_hands_back_what_it_has_not_tried(hub: Hub) -> None:
    for number in range(1, 5):
        hub.fire(subject=f"customer/c{number}")
    entered, leave = threading.Event(), threading.Event()

    @dataclass
    class Slow(Recorder):
        def send(self, message: Message) -> None:
            super().send(message)
            entered.set()
            leave.wait(5)

    slow = Slow()
    hub.channels = Channels(InboxChannel(hub.db, hub.clock), {"email": slow})
    worker = hub.worker(poll=0.01)
    worker.start()
    assert entered.wait(5)
    stopper = threading.Thread(target=worker.stop)
    stopper.start()
    while not worker._stopping.is_set():
        time.sleep(0.001)
    leave.set()
    stopper.join(5)
    assert len(slow.got) == 1
    assert sorted((r.state, r.attempts) for r in hub.rows()) == [*[("pending", 0)] * 3, ("sent", 1)]
    assert [r.next_try for r in hub.rows() if r.state == "pending"] == [NOON] * 3


def test_the_running_worker_sends_what_is_queued_when_woken(hub: Hub, mail: Recorder) -> None:
    worker = OutboxWorker(hub.db, SystemClock(), hub.channels, poll=5)
    worker.start()
    try:
        hub.fire()
        deadline = time.monotonic() + 5
        while not mail.got and time.monotonic() < deadline:
            worker.wake()
            time.sleep(0.01)
    finally:
        assert worker.stop()
    assert len(mail.got) == 1
    assert hub.rows()[0].state == "sent"
