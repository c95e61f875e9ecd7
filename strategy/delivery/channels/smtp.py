"""E-mail over SMTP, UTF-8 throughout; the Message-ID is the message's key."""

from __future__ import annotations

import re
import smtplib
import ssl
from dataclasses import dataclass
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr

from core.clock import Clock
from core.errors import Refused, Unavailable
from core.text import Lang, Text
from core.times import to_datetime
from strategy.delivery.channels.port import Message

_ADDRESS = re.compile(r"[^\s@,;<>\"]+@[^\s@,;<>\"]+\.[^\s@,;<>\".]+")


@dataclass(frozen=True, slots=True)
class MailServer:
    """Where mail goes out. `sender` is an address, with or without a name. `timeout` in seconds."""

    host: str
    port: int = 25
    sender: str = "zhongshu@localhost"
    user: str | None = None
    password: str | None = None
    starttls: bool = False
    timeout: float = 10.0


class EmailChannel:
    """Sends to one address in one language. A server's 5xx about sender, recipient or content is a refusal; everything
    else that goes wrong is tried again."""

    name = "email"
    needs_address = True

    def __init__(self, server: MailServer, clock: Clock, lang: Lang = "zh", tls: ssl.SSLContext | None = None) -> None:
        self._server = server
        self._clock = clock
        self._lang = lang
        self._tls = tls

    def send(self, message: Message) -> None:
        mail = self._mail(message)
        server = self._server
        try:
            with smtplib.SMTP(server.host, server.port, timeout=server.timeout) as smtp:
                if server.starttls:
                    smtp.starttls(context=self._tls or ssl.create_default_context())
                if server.user is not None:
                    smtp.login(server.user, server.password or "")
                smtp.send_message(mail)
        except smtplib.SMTPRecipientsRefused as cause:
            code, said = next(iter(cause.recipients.values()))
            raise _answer(code, said) from cause
        except smtplib.SMTPNotSupportedError as cause:
            if server.starttls and "STARTTLS" in str(cause):
                raise _down(cause) from cause
            raise Refused(
                Text(f"邮件服务器不支持：{cause}", f"the mail server does not support it: {cause}")
            ) from cause
        except smtplib.SMTPAuthenticationError as cause:  # a wrong password is ours to mend; the message waits
            raise _down(cause) from cause
        except (smtplib.SMTPSenderRefused, smtplib.SMTPDataError) as cause:
            raise _answer(cause.smtp_code, cause.smtp_error) from cause
        except (smtplib.SMTPException, OSError) as cause:
            raise _down(cause) from cause

    def _mail(self, message: Message) -> EmailMessage:
        address = message.address or ""
        if not _ADDRESS.fullmatch(address) or not address.isprintable():
            raise Refused(
                Text(f"{address!r:.80} 不是一个邮箱地址", f"{address!r:.80} is not one e-mail address"),
                where={"field": "address"},
            )
        _, sender = parseaddr(self._server.sender)
        domain = sender.rpartition("@")[2] or "localhost"
        mail = EmailMessage(policy=SMTP)
        # A header is one line: line breaks from data would otherwise end it and start another.
        mail["Subject"] = " ".join(message.title.say(self._lang).split())[:200]
        mail["From"] = self._server.sender
        mail["To"] = address
        mail["Date"] = format_datetime(to_datetime(self._clock.now()))
        mail["Message-ID"] = f"<{message.key}@{domain}>"
        mail["Auto-Submitted"] = "auto-generated"
        mail.set_content(message.body.say(self._lang), charset="utf-8")
        return mail


def _said(answer: bytes | str) -> str:
    return (answer.decode("utf-8", "replace") if isinstance(answer, bytes) else answer)[:200]


def _answer(code: int, said: bytes | str) -> Refused | Unavailable:
    text = Text(f"邮件服务器答复 {code}：{_said(said)}", f"the mail server answered {code}: {_said(said)}")
    return Refused(text) if 500 <= code < 600 else Unavailable(text)


def _down(cause: Exception) -> Unavailable:
    return Unavailable(Text(f"邮件服务器不可用：{cause!s:.200}", f"the mail server does not answer: {cause!s:.200}"))
