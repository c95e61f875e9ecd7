"""The retail pack: Lizhou (栗舟), an invented chain of coffee shops that also sells and services coffee machines. Its
catalog, its ready strategies, and a month of its life with truths planted in it."""

from knowledge.packs.retail.model import (
    Breach,
    Contract,
    Customer,
    Device,
    Document,
    Expected,
    Mention,
    ReadyStrategy,
    Ticket,
    Transcript,
    Truths,
    Turn,
    World,
)
from knowledge.packs.retail.world import catalog, strategies, templates, world

__all__ = [
    "Breach",
    "Contract",
    "Customer",
    "Device",
    "Document",
    "Expected",
    "Mention",
    "ReadyStrategy",
    "Ticket",
    "Transcript",
    "Truths",
    "Turn",
    "World",
    "catalog",
    "strategies",
    "templates",
    "world",
]
