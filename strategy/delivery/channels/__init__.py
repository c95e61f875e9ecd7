"""Where messages go: the in-app inbox, e-mail, signed webhooks, and which of them stands for a catalog channel."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from core.text import Text
from strategy.delivery.channels.inbox import InboxChannel
from strategy.delivery.channels.port import Channel, Message
from strategy.delivery.channels.smtp import EmailChannel, MailServer
from strategy.delivery.channels.webhook import Endpoint, WebhookChannel

INBOX = "inbox"


@dataclass(frozen=True, slots=True)
class Route:
    """The channel a message goes out on; `note` says so when it is not the one that was wanted."""

    channel: str
    note: Text | None = None


class Channels:
    """Configured channels by the name the catalog uses (`email`, `wechat`, …). What has no channel of its own goes to
    the inbox as a task for a person, and says so."""

    def __init__(self, inbox: Channel, configured: Mapping[str, Channel] | None = None) -> None:
        self._by_name: dict[str, Channel] = {**(configured or {}), INBOX: inbox}

    def names(self) -> list[str]:
        return sorted(self._by_name)

    def get(self, name: str) -> Channel | None:
        return self._by_name.get(name)

    def route(self, wanted: str | None, address: str | None) -> Route:
        """Where an action that wants this channel goes (None: an inner task)."""
        if wanted is None or wanted == INBOX:
            return Route(INBOX)
        channel = self._by_name.get(wanted)
        if channel is None:
            return Route(
                INBOX,
                Text(
                    f"渠道 {wanted} 未配置，没有发出；已转为收件箱任务",
                    f"channel {wanted} is not configured, so nothing was sent on it; it is now a task in the inbox",
                ),
            )
        if channel.needs_address and not address:
            return Route(
                INBOX,
                Text(
                    f"不知道客户的 {wanted} 地址，没有发出；已转为收件箱任务",
                    f"the customer has no known {wanted} address, so it was not sent; it is now a task in the inbox",
                ),
            )
        return Route(wanted)


__all__ = [
    "INBOX",
    "Channel",
    "Channels",
    "EmailChannel",
    "Endpoint",
    "InboxChannel",
    "MailServer",
    "Message",
    "Route",
    "WebhookChannel",
]
