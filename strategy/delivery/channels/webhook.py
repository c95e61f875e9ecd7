"""Webhooks signed as standardwebhooks describes: the receiver checks signature, age and id. The address comes from
configuration alone, never from data, and redirects are not followed."""

from __future__ import annotations

import http.client
import json
import ssl
from dataclasses import dataclass
from urllib.parse import urlsplit

from standardwebhooks import Webhook

from core.clock import Clock
from core.errors import InvalidInput, Refused, Unavailable
from core.text import Text
from core.times import SECOND, format_time, to_datetime
from strategy.delivery.channels.port import Message

_TRY_LATER = frozenset({408, 425, 429})


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A receiver. `secret` is `whsec_` and base64; `timeout` in seconds, for each step of the exchange."""

    url: str
    secret: str
    timeout: float = 10.0


class WebhookChannel:
    """POSTs JSON `{"type", "timestamp", "data"}`. 2xx is taken; 408, 425, 429 and 5xx are tried again; everything else,
    redirects included, is a refusal."""

    needs_address = False

    def __init__(
        self, endpoint: Endpoint, clock: Clock, name: str = "webhook", tls: ssl.SSLContext | None = None
    ) -> None:
        """
        Raises:
            InvalidInput: the address is not http(s), or the secret is not base64.
        """
        self.name = name
        self._clock = clock
        self._timeout = endpoint.timeout
        self._url = urlsplit(endpoint.url)
        self._tls = tls
        if self._url.scheme not in ("http", "https") or not self._url.hostname:
            raise InvalidInput(
                Text(
                    "Webhook 地址应以 http:// 或 https:// 开头", "a webhook's address starts with http:// or https://"
                ),
                where={"field": "url"},
            )
        try:
            self._signer = Webhook(endpoint.secret)
        except Exception as cause:
            raise InvalidInput(
                Text("Webhook 密钥应为 whsec_ 加 base64", "a webhook's secret is whsec_ and base64"),
                where={"field": "secret"},
            ) from cause

    def send(self, message: Message) -> None:
        body = self._body(message)
        now = to_datetime(self._clock.now())
        headers = {
            "content-type": "application/json",
            "user-agent": "zhongshu",
            "webhook-id": message.key,
            "webhook-timestamp": str(self._clock.now() // SECOND),
            "webhook-signature": self._signer.sign(message.key, now, body),
        }
        status, retry_after = self._post(body.encode(), headers)
        if 200 <= status < 300:
            return
        text = Text(f"Webhook 接收方答复 {status}", f"the webhook's receiver answered {status}")
        if status in _TRY_LATER or status >= 500:
            raise Unavailable(text, where={"retry_after": retry_after} if retry_after else None)
        if 300 <= status < 400:
            raise Refused(
                text, hint=Text("不跟随重定向；请配置最终地址", "Redirects are not followed; configure the final URL")
            )
        raise Refused(text)

    def _body(self, message: Message) -> str:
        data = {
            "tenant": message.tenant,
            "decision": message.decision,
            "strategy": message.strategy,
            "subject": message.subject,
            "channel": message.wanted,
            **message.as_payload(),
            "at": format_time(message.at),
        }
        envelope = {"type": "zhongshu.action", "timestamp": format_time(self._clock.now()), "data": data}
        return json.dumps(envelope, ensure_ascii=False, default=str)

    def _post(self, body: bytes, headers: dict[str, str]) -> tuple[int, int | None]:
        """Status and the wished delay in seconds; the answer's body is of no interest and is not read."""
        host, port = self._url.hostname or "", self._url.port
        connection: http.client.HTTPConnection
        if self._url.scheme == "https":
            context = self._tls or ssl.create_default_context()
            connection = http.client.HTTPSConnection(host, port, timeout=self._timeout, context=context)
        else:
            connection = http.client.HTTPConnection(host, port, timeout=self._timeout)
        target = (self._url.path or "/") + (f"?{self._url.query}" if self._url.query else "")
        try:
            connection.request("POST", target, body, headers)
            answer = connection.getresponse()
            after = answer.getheader("retry-after", "")
            return answer.status, int(after) if after.isdecimal() else None
        except (OSError, http.client.HTTPException) as cause:
            raise Unavailable(
                Text(f"Webhook 接收方不可用：{cause!s:.200}", f"the webhook's receiver does not answer: {cause!s:.200}")
            ) from cause
        finally:
            connection.close()
