"""What is particular to mail and webhooks."""

from __future__ import annotations

import json
import shutil
import ssl
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from core.clock import ManualClock, SystemClock
from core.errors import InvalidInput, Refused, Unavailable
from core.text import Text
from strategy.delivery import EmailChannel, Endpoint, MailServer, WebhookChannel
from tests.conformance.test_channel import MESSAGE, SECRET
from tests.strategy.delivery.delivery_world import NOON
from tests.strategy.delivery.receivers import Mailbox, WebReceiver, mail_server, web_server


@pytest.fixture
def box() -> Iterator[Mailbox]:
    with mail_server() as box:
        yield box


@pytest.fixture
def web() -> Iterator[WebReceiver]:
    with web_server() as web:
        yield web


def mail(box: Mailbox, **server: object) -> EmailChannel:
    return EmailChannel(MailServer("127.0.0.1", box.port, timeout=5, **server), ManualClock(NOON))  # type: ignore[arg-type]  # test


def hook(web: WebReceiver) -> WebhookChannel:
    return WebhookChannel(Endpoint(web.url, SECRET, timeout=5), SystemClock())


# ---- mail


def test_a_chinese_mail_is_plain_ascii_on_the_wire_and_chinese_again_at_the_reader(box: Mailbox) -> None:
    mail(box, sender="中枢 <hub@example.com>").send(MESSAGE)
    [got] = box.mails
    head = box.raw[0].split(b"\r\n\r\n")[0]
    assert head.isascii()
    assert b"=?utf-8?" in head
    assert got["Subject"] == "专属优惠:第二杯半价"
    assert str(got["From"]) == "中枢 <hub@example.com>"
    assert got.get_content_charset() == "utf-8"
    assert got["Message-ID"] == f"<{MESSAGE.key}@example.com>"
    assert got["Date"] == "Wed, 13 May 2026 04:00:00 +0000"
    assert box.recipients == [["li.wei@example.com"]]


def test_mail_is_written_in_the_channels_language(box: Mailbox) -> None:
    EmailChannel(MailServer("127.0.0.1", box.port), SystemClock(), lang="en").send(MESSAGE)
    assert box.mails[0]["Subject"] == MESSAGE.title.en


@pytest.mark.parametrize(
    "address", ["", "li wei@example.com", "a@example.com,b@example.com", "a@example.com\r\nBcc: b@c.de", "a@b", "@b.c"]
)
def test_what_is_not_one_address_is_refused_before_anything_is_sent(box: Mailbox, address: str) -> None:
    with pytest.raises(Refused):
        mail(box).send(replace(MESSAGE, address=address))
    assert box.mails == []


def test_an_unknown_recipient_is_refused_and_a_full_mailbox_is_tried_again(box: Mailbox) -> None:
    box.recipient_answers = ["550 no such user", "452 mailbox full"]
    with pytest.raises(Refused, match="550"):
        mail(box).send(MESSAGE)
    with pytest.raises(Unavailable, match="452"):
        mail(box).send(MESSAGE)


def test_starttls_that_the_server_does_not_offer_is_not_skipped(box: Mailbox) -> None:
    with pytest.raises(Unavailable):
        mail(box, starttls=True).send(MESSAGE)
    assert box.mails == []


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    folder = tmp_path_factory.mktemp("tls")
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"),
            *("-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"),
            *("-keyout", str(folder / "key.pem"), "-out", str(folder / "cert.pem")),
        ],
        check=True,
        capture_output=True,
    )
    return folder


def test_mail_goes_through_starttls_and_login(certificate: Path) -> None:
    own = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    own.load_cert_chain(certificate / "cert.pem", certificate / "key.pem")
    trusted = ssl.create_default_context(cafile=str(certificate / "cert.pem"))
    with mail_server(own) as box:
        server = MailServer("127.0.0.1", box.port, user="hub", password="right", starttls=True, timeout=1)
        EmailChannel(server, SystemClock(), tls=trusted).send(MESSAGE)
        assert box.logins == [("hub", "right")]
        assert len(box.mails) == 1
        with pytest.raises(Unavailable):  # a wrong password is mended in the configuration; the message waits
            EmailChannel(replace(server, password="wrong"), SystemClock(), tls=trusted).send(MESSAGE)
        with pytest.raises(Unavailable):  # a certificate that nobody vouches for
            EmailChannel(server, SystemClock()).send(MESSAGE)
        assert len(box.mails) == 1


# ---- webhooks


def test_the_receiver_can_verify_a_webhook_and_reads_what_it_is_about(web: WebReceiver) -> None:
    hook(web).send(replace(MESSAGE, note=Text("说明", "note")))
    [call] = web.calls
    body = Webhook(SECRET).verify(call.body, call.headers)
    assert (call.method, call.path) == ("POST", "/hook?source=zhongshu")
    assert call.headers["webhook-id"] == MESSAGE.key
    assert body["type"] == "zhongshu.action"
    assert body["data"]["subject"] == "customer/c1"
    assert body["data"]["params"] == {"折扣": 50}
    assert body["data"]["note"] == {"zh": "说明", "en": "note"}
    assert body["data"]["at"] == "2026-05-13T04:00:00Z"


def test_a_changed_body_or_another_secret_does_not_verify(web: WebReceiver) -> None:
    hook(web).send(MESSAGE)
    [call] = web.calls
    with pytest.raises(WebhookVerificationError):
        Webhook(SECRET).verify(call.body.replace(b"customer/c1", b"customer/c2"), call.headers)
    with pytest.raises(WebhookVerificationError):
        Webhook("whsec_" + "A" * 32).verify(call.body, call.headers)


@pytest.mark.parametrize("status", [200, 201, 202, 204])
def test_any_2xx_is_taken(web: WebReceiver, status: int) -> None:
    web.answers = [(status, {})]
    hook(web).send(MESSAGE)


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504])
def test_a_busy_receiver_is_tried_again(web: WebReceiver, status: int) -> None:
    web.answers = [(status, {"retry-after": "17"})]
    with pytest.raises(Unavailable) as caught:
        hook(web).send(MESSAGE)
    assert caught.value.where == {"retry_after": 17}


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 413, 422])
def test_a_receiver_that_says_no_is_not_tried_again(web: WebReceiver, status: int) -> None:
    web.answers = [(status, {})]
    with pytest.raises(Refused, match=str(status)):
        hook(web).send(MESSAGE)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_refused_and_not_followed(web: WebReceiver, status: int) -> None:
    web.answers = [(status, {"location": f"http://127.0.0.1:{web.port}/elsewhere"})]
    with pytest.raises(Refused):
        hook(web).send(MESSAGE)
    assert len(web.calls) == 1


def test_an_address_in_the_data_changes_nothing_about_where_it_goes(web: WebReceiver) -> None:
    hook(web).send(replace(MESSAGE, address="http://169.254.169.254/", params={"url": "http://169.254.169.254/"}))
    assert json.loads(web.calls[0].body)["data"]["params"]["url"] == "http://169.254.169.254/"
    assert len(web.calls) == 1


@pytest.mark.parametrize(
    ("url", "secret"),
    [
        ("ftp://example.com/", SECRET),
        ("file:///etc/passwd", SECRET),
        ("example.com/hook", SECRET),
        ("https://example.com", "whsec_"),
    ],
)
def test_a_webhook_that_cannot_work_is_an_error_at_start(url: str, secret: str) -> None:
    with pytest.raises(InvalidInput):
        WebhookChannel(Endpoint(url, secret), SystemClock())


def test_a_receiver_that_never_answers_ends_in_a_timeout(web: WebReceiver) -> None:
    release = threading.Event()
    web.before_answer = lambda: release.wait(5) and None
    channel = WebhookChannel(Endpoint(web.url, SECRET, timeout=0.1), SystemClock())
    with pytest.raises(Unavailable):
        channel.send(MESSAGE)
    release.set()
