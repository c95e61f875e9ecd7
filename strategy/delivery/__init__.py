"""From a firing to something done: the decision and its reasons, the outbox, the channels. Names are loaded when first
asked for, so that replay, which needs only the pure decision, does not load a database."""
# ruff: noqa: F401  # re-exported by __getattr__ below

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from strategy.delivery.channels import (
        Channel,
        Channels,
        EmailChannel,
        Endpoint,
        InboxChannel,
        MailServer,
        Message,
        WebhookChannel,
    )
    from strategy.delivery.decide import DecisionInput, Outcome, Reason, Verdict
    from strategy.delivery.decider import AddressBook, Decider
    from strategy.delivery.outbox import Backoff, OutboxWorker, Sweep
    from strategy.delivery.service import DeliveryService
    from strategy.delivery.tables import Decision, InboxRow, OutboxRow, SendState

_HOMES = {
    "channels": (
        *("Channel", "Channels", "EmailChannel", "Endpoint", "InboxChannel", "MailServer", "Message"),
        "WebhookChannel",
    ),
    "decide": ("DecisionInput", "Outcome", "Reason", "Verdict"),
    "decider": ("AddressBook", "Decider"),
    "outbox": ("Backoff", "OutboxWorker", "Sweep"),
    "service": ("DeliveryService",),
    "tables": ("Decision", "InboxRow", "OutboxRow", "SendState"),
}
_HOME_OF = {name: module for module, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> Any:
    if name not in _HOME_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME_OF[name]}"), name)
