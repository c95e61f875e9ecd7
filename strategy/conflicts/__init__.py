"""Strategies against each other: what they would do to one customer together, each claim with a customer to show it."""

from __future__ import annotations

from collections.abc import Sequence

from knowledge.catalog import Catalog
from strategy.conflicts.model import KINDS, TOGETHER, Clash, Happened, Kind, Shot, Witness
from strategy.conflicts.portfolio import Portfolio
from strategy.document import Strategy

__all__ = ["KINDS", "TOGETHER", "Clash", "Happened", "Kind", "Portfolio", "Shot", "Witness", "conflicts_of"]


def conflicts_of(strategy: Strategy, others: Sequence[Strategy], catalog: Catalog) -> list[Clash]:
    """What is wrong with a strategy beside others (one of the same name among them is taken for its older version);
    what is certain first. Where many are asked about, keep a `Portfolio`."""
    return Portfolio(others, catalog).clashes_of(strategy)
