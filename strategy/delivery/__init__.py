"""From a firing to something done: the decision and its reasons, the outbox, the channels."""

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
from strategy.delivery.decide import DecisionInput, Outcome, Reason, Verdict, decide, needed_consent
from strategy.delivery.decider import AddressBook, Decider
from strategy.delivery.tables import Decision, InboxRow, OutboxRow, SendState

__all__ = [
    "AddressBook",
    "Channel",
    "Channels",
    "Decider",
    "Decision",
    "DecisionInput",
    "EmailChannel",
    "Endpoint",
    "InboxChannel",
    "InboxRow",
    "MailServer",
    "Message",
    "OutboxRow",
    "Outcome",
    "Reason",
    "SendState",
    "Verdict",
    "WebhookChannel",
    "decide",
    "needed_consent",
]
