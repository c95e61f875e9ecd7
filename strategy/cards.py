"""Cards, conflicts and recommendations for a tenant: by what it has stored, what else runs and what was recorded."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from core.clock import Clock
from core.context import RequestContext
from core.db import Database
from core.ids import TenantId
from core.telemetry import span
from knowledge.catalog import Catalog
from strategy.card import Card, Recorded, card_of, met
from strategy.conflicts import Clash, Portfolio
from strategy.document import Strategy
from strategy.observed import observed
from strategy.phrases import NO_ANSWERS, Answers
from strategy.recommend import Recommendation, Template, recommendations
from strategy.rehearse import breathe, journalled
from strategy.repository import JournalRepository
from strategy.service import StrategyService
from strategy.stream import GoodLine
from strategy.versions import StrategyVersion
from strategy.writing import CatalogProvider


@dataclass
class _Kept:
    """A portfolio, and by name the versions in it."""

    catalog: Catalog
    portfolio: Portfolio
    versions: dict[str, int] = field(default_factory=dict)


class CardService:
    """Keeps a portfolio a tenant between calls, so that one more strategy is checked quickly."""

    def __init__(
        self,
        db: Database,
        clock: Clock,
        catalog_provider: CatalogProvider,
        strategies: StrategyService,
        templates: Sequence[Template] = (),
    ) -> None:
        self._db, self._clock, self._catalog, self._strategies = db, clock, catalog_provider, strategies
        self._templates = templates
        self._lock = threading.Lock()
        self._kept: dict[TenantId, _Kept] = {}

    def card(self, ctx: RequestContext, name: str, version: int | None = None, *, replay: bool = True) -> Card:
        """The card of a version (without a number the newest), replayed over all that is recorded if so wished.

        Raises:
            NotFound: no such strategy or version. Else as `card_of`.
        """
        newest = self._strategies.show(ctx, name).newest
        found = self._strategies.show(ctx, name, version or newest)
        older = [each for each in self._strategies.versions(ctx, name) if each.version < found.version]
        with span("strategy.card"):
            return self._of(ctx, found, older[-1:], replay=replay)

    def preview(
        self,
        ctx: RequestContext,
        sentence: str | None,
        document: dict[str, object] | None,
        name: str | None = None,
        answers: Answers = NO_ANSWERS,
        *,
        replay: bool = True,
    ) -> Card:
        """The card of what a sentence or a document would be; nothing is stored.

        Raises:
            InvalidInput, UnknownName, NeedsAnswer, Refused: it cannot be read or can never fire.
        """
        found = self._strategies.sketch(ctx, sentence, document, name, answers)
        with span("strategy.card"):
            return self._of(ctx, found, [], replay=replay)

    def _of(
        self, ctx: RequestContext, found: StrategyVersion, older: Sequence[StrategyVersion], *, replay: bool
    ) -> Card:
        catalog, strategy = self._catalog(ctx), found.strategy
        with self._db.reading() as session:
            load = observed(JournalRepository(session, ctx.tenant), catalog)
        with self._lock:
            others = list(self._portfolio(ctx, catalog))
        conflicts = self.beside(ctx, strategy)
        return card_of(
            strategy,
            catalog,
            others=others,
            conflicts=conflicts,
            previous=(older[-1].version, older[-1].strategy) if older else None,
            history=self._history(ctx, catalog) if replay else None,
            load=load,
            sentence=found.sentence,
            path=found.read_by,
            warnings=found.warnings,
        )

    def beside(self, ctx: RequestContext, strategy: Strategy) -> list[Clash]:
        """What is wrong with a document, which need not be stored, beside the strategies that run, are approved or
        paused."""
        catalog = self._catalog(ctx)
        with self._lock, span("strategy.conflicts"):
            return self._portfolio(ctx, catalog).clashes_of(strategy)

    def conflicts(self, ctx: RequestContext, name: str | None = None, *, replay: bool = False) -> list[Clash]:
        """What is wrong among the strategies that run, are approved or paused; or of one (whatever its state) beside
        them. With `replay` each with how often it happened in what is recorded.

        Raises:
            NotFound: no such strategy.
        """
        catalog = self._catalog(ctx)
        with self._lock, span("strategy.conflicts"):
            portfolio = self._portfolio(ctx, catalog)
            if name is None:
                strategies = {each.name: each for each in portfolio}
                clashes = portfolio.clashes()
            else:
                asked = self._strategies.show(ctx, name).strategy
                strategies = {each.name: each for each in portfolio} | {name: asked}
                clashes = portfolio.clashes_of(asked)
        if not replay or not clashes:
            return clashes
        involved = {each for clash in clashes if len(clash.strategies) > 1 for each in clash.strategies}
        meetings = met([strategies[each] for each in sorted(involved)], catalog, self._history(ctx, catalog))
        return [replace(clash, happened=meetings.of(clash)) for clash in clashes]

    def recommendations(self, ctx: RequestContext) -> list[Recommendation]:
        """What to add to the strategies that run, are approved or paused, by all that is recorded."""
        catalog = self._catalog(ctx)
        with self._lock:
            existing = list(self._portfolio(ctx, catalog))
        facts, events = journalled(self._db, ctx.tenant, catalog)
        lines = [line.input for recording in (facts, events) for line in recording if isinstance(line, GoodLine)]
        with span("strategy.recommend"):
            return recommendations(catalog, existing, self._templates, sorted(lines, key=lambda item: item.time))

    def _portfolio(self, ctx: RequestContext, catalog: Catalog) -> Portfolio:
        """Brought up to date with what is stored: only versions that it does not hold are read."""
        kept = self._kept.get(ctx.tenant)
        if kept is None or kept.catalog is not catalog:
            kept = self._kept[ctx.tenant] = _Kept(catalog, Portfolio([], catalog))
        standing = self._strategies.standing(ctx)
        for name in kept.versions.keys() - standing.keys():
            kept.portfolio.remove(name)
        for name, version in standing.items():
            if kept.versions.get(name) != version:
                kept.portfolio.add(self._strategies.show(ctx, name, version).strategy)
        kept.versions = standing
        return kept.portfolio

    def _history(self, ctx: RequestContext, catalog: Catalog) -> Recorded:
        facts, events = journalled(self._db, ctx.tenant, catalog)
        return Recorded(facts, events, until=self._clock.now(), clock=self._clock, watch=breathe)
