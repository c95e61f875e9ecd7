"""The channels that the settings configure, and where customers' addresses on them come from."""

from __future__ import annotations

from dataclasses import replace

from sqlmodel import Session

from app.settings import Settings
from core.clock import Clock
from core.context import Purpose, RequestContext
from core.db import Database
from knowledge.graph import GraphStore
from strategy.delivery.channels import (
    Channel,
    Channels,
    EmailChannel,
    Endpoint,
    InboxChannel,
    MailServer,
    WebhookChannel,
)
from strategy.delivery.decider import AddressBook

_PROPERTIES = {"email": "email", "sms": "phone", "voice": "phone"}
"""Channel → the customer's property that is the address on it."""


def open_channels(settings: Settings, database: Database, clock: Clock) -> Channels:
    """The inbox always; e-mail and the webhook when they are configured. The webhook serves every channel name that
    `webhook_channels` lists: whoever receives it passes messages on."""
    configured: dict[str, Channel] = {}
    if settings.smtp_host:
        password = settings.smtp_password
        server = MailServer(
            settings.smtp_host,
            settings.smtp_port,
            settings.smtp_from,
            settings.smtp_user,
            password.get_secret_value() if password else None,
            settings.smtp_starttls,
        )
        configured["email"] = EmailChannel(server, clock, settings.lang)
    if settings.webhook_url and settings.webhook_secret:
        endpoint = Endpoint(str(settings.webhook_url), settings.webhook_secret.get_secret_value())
        for name in settings.webhook_channel_names:
            configured[name] = WebhookChannel(endpoint, clock, name)
    return Channels(InboxChannel(database, clock), configured)


def address_book(graph: GraphStore) -> AddressBook:
    """Addresses from the graph, read for operations: that a message may go out at all was decided by consent before."""

    def find(_session: Session, ctx: RequestContext, subject: str, channel: str) -> str | None:
        name = _PROPERTIES.get(channel)
        if name is None:
            return None
        value = graph.profile(replace(ctx, purpose=Purpose.OPERATIONS), subject).value(name)
        return str(value) if value else None

    return find
