"""The memory that a tenant's running strategies may keep, and what of it one more would take. Rates and numbers of
subjects are what the journal shows."""

from __future__ import annotations

from dataclasses import dataclass

from sqlmodel import Session

from core.context import RequestContext
from core.errors import Refused
from core.text import Text
from knowledge.catalog import Catalog
from strategy.document import Strategy
from strategy.engine.cost import StateCost, check_budget, state_cost
from strategy.observed import observed
from strategy.repository import JournalRepository, StrategyRepository
from strategy.retention import check_kept
from strategy.tables import RUNNING

DEFAULT = 4 << 30
"""Bytes."""


@dataclass(frozen=True, slots=True)
class Budget:
    """`size`: bytes."""

    size: int = DEFAULT

    def cost(self, session: Session, ctx: RequestContext, catalog: Catalog, strategy: Strategy) -> StateCost:
        """What a strategy would keep."""
        return state_cost(strategy, catalog, observed(JournalRepository(session, ctx.tenant), catalog))

    def check(self, session: Session, ctx: RequestContext, catalog: Catalog, strategy: Strategy) -> list[Text]:
        """Warnings about running a strategy (in the place of its older version) beside those that run.

        Raises:
            Refused: together they would keep more than the budget, or it looks further back than events are kept.
        """
        check_kept(strategy, catalog)
        load = observed(JournalRepository(session, ctx.tenant), catalog)
        running = StrategyRepository(session, ctx.tenant).in_state(RUNNING)
        beside = [Strategy.model_validate(row.document) for row, _ in running if row.name != strategy.name]
        return check_budget([*beside, strategy], catalog, load.rates, load.subjects, self.size)

    def warnings(self, session: Session, ctx: RequestContext, catalog: Catalog, strategy: Strategy) -> list[Text]:
        """As `check` for a draft, which runs nothing yet: what would be refused is a warning."""
        try:
            return self.check(session, ctx, catalog, strategy)
        except Refused as error:
            return [Text(error.say("zh"), error.say("en"))]
