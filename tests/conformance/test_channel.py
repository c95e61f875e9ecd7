"""What every channel must do, each against a real receiver."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from sqlmodel import select

from core.clock import SystemClock
from core.db import Database
from core.errors import Refused, Unavailable
from core.text import Text
from core.times import Micros
from strategy.delivery import Channel, EmailChannel, Endpoint, InboxChannel, MailServer, Message, WebhookChannel
from strategy.delivery.tables import InboxRow
from tests.strategy.delivery.receivers import mail_server, web_server

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
MESSAGE = Message(
    key="msg_0123456789abcdef",
    tenant="default",
    decision="dec_1",
    strategy="winback",
    subject="customer/c1",
    kind="message",
    title=Text("专属优惠:第二杯半价", "An offer for you: second cup at half price"),
    body=Text("您好,\n优惠三天内有效。", "Hello,\nthe offer holds for three days."),
    at=Micros(1_778_644_800_000_000),
    action="send_coupon",
    wanted="email",
    address="li.wei@example.com",
    params={"折扣": 50},
)


@dataclass
class Rig:
    """A channel, what its receiver has by now as (key, title, body), and how to make the receiver say no or go away.
    None: nobody is between this channel and its receiver who could."""

    channel: Channel
    received: Callable[[], list[tuple[str, str, str]]]
    refuse_next: Callable[[], None] | None = None
    busy_next: Callable[[], None] | None = None
    go_away: Callable[[], None] | None = None


def inbox_rig(_stack: ExitStack, folder: Path) -> Rig:
    db = Database(f"sqlite:///{folder}/hub.db")
    db.create_tables()

    def received() -> list[tuple[str, str, str]]:
        with db.reading() as session:
            rows = session.exec(select(InboxRow)).all()
        return [(r.id, r.content["title"]["zh"], r.content["body"]["zh"]) for r in rows]

    return Rig(InboxChannel(db, SystemClock()), received)


def email_rig(stack: ExitStack, _folder: Path) -> Rig:
    going = stack.enter_context(ExitStack())
    box = going.enter_context(mail_server())

    def received() -> list[tuple[str, str, str]]:
        keys = [str(mail["Message-ID"]).strip("<>").split("@")[0] for mail in box.mails]
        bodies = [mail.get_content().replace("\r\n", "\n").rstrip("\n") for mail in box.mails]
        return list(zip(keys, [str(m["Subject"]) for m in box.mails], bodies, strict=True))

    return Rig(
        EmailChannel(MailServer("127.0.0.1", box.port, timeout=5), SystemClock()),
        received,
        lambda: box.answers.append("554 spam"),
        lambda: box.answers.append("451 try later"),
        going.close,
    )


def webhook_rig(stack: ExitStack, _folder: Path) -> Rig:
    going = stack.enter_context(ExitStack())
    web = going.enter_context(web_server())

    def received() -> list[tuple[str, str, str]]:
        found = []
        for call in web.calls:
            data = json.loads(call.body)["data"]
            found.append((call.headers["webhook-id"], data["title"]["zh"], data["body"]["zh"]))
        return found

    return Rig(
        WebhookChannel(Endpoint(web.url, SECRET, timeout=5), SystemClock()),
        received,
        lambda: web.answers.append((410, {})),
        lambda: web.answers.append((503, {})),
        going.close,
    )


@pytest.fixture(params=[inbox_rig, email_rig, webhook_rig], ids=["inbox", "email", "webhook"])
def rig(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Rig]:
    with ExitStack() as stack:
        yield request.param(stack, tmp_path)


def test_it_has_a_name(rig: Rig) -> None:
    assert rig.channel.name


def test_a_message_arrives_whole(rig: Rig) -> None:
    rig.channel.send(MESSAGE)
    assert rig.received() == [(MESSAGE.key, MESSAGE.title.zh, MESSAGE.body.zh)]


def test_a_second_send_carries_the_same_key_or_changes_nothing(rig: Rig) -> None:
    rig.channel.send(MESSAGE)
    rig.channel.send(MESSAGE)
    assert {key for key, _, _ in rig.received()} == {MESSAGE.key}


def test_messages_with_different_keys_are_different_messages(rig: Rig) -> None:
    rig.channel.send(MESSAGE)
    rig.channel.send(replace(MESSAGE, key="msg_other"))
    assert [key for key, _, _ in rig.received()] == [MESSAGE.key, "msg_other"]


def test_line_breaks_in_a_title_stay_inside_the_title(rig: Rig) -> None:
    rig.channel.send(replace(MESSAGE, title=Text("一\r\nBcc: thief@example.com", "one")))
    [(_, title, body)] = rig.received()
    assert title.split() == ["一", "Bcc:", "thief@example.com"]
    assert body == MESSAGE.body.zh


def test_a_receiver_that_will_never_take_it_is_a_refusal(rig: Rig) -> None:
    if rig.refuse_next is None:
        pytest.skip("this channel's receiver cannot refuse")
    rig.refuse_next()
    with pytest.raises(Refused):
        rig.channel.send(MESSAGE)


def test_a_receiver_that_is_busy_can_be_tried_again(rig: Rig) -> None:
    if rig.busy_next is None:
        pytest.skip("this channel's receiver is never busy")
    rig.busy_next()
    with pytest.raises(Unavailable):
        rig.channel.send(MESSAGE)
    before = [r for r in rig.received() if r[0] == MESSAGE.key]
    rig.channel.send(MESSAGE)
    assert len(rig.received()) == len(before) + 1


def test_a_receiver_that_is_gone_can_be_tried_again(rig: Rig) -> None:
    if rig.go_away is None:
        pytest.skip("this channel has its receiver inside")
    rig.go_away()
    with pytest.raises(Unavailable):
        rig.channel.send(MESSAGE)
