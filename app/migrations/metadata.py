"""Every table of every room in one metadata, for migrations. A test checks that no `tables.py` is missing here."""

from __future__ import annotations

from importlib import import_module

from sqlalchemy import MetaData
from sqlmodel import SQLModel

MODULES = (
    "core.audit",
    "knowledge.governance.tables",
    "knowledge.graph.tables",
    "knowledge.identity.tables",
    "knowledge.sources.tables",
    "strategy.tables",
    "strategy.delivery.tables",
    "strategy.phrases.tables",
    "agents.tables",
    "app.auth.tables",
    "app.tickets.tables",
)


def all_tables() -> MetaData:
    """Import the tables of all rooms and return their metadata."""
    for module in MODULES:
        import_module(module)
    return SQLModel.metadata
