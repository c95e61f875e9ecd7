"""The effect of a strategy that runs: its decisions against the journal's verifying events."""

from __future__ import annotations

from sqlmodel import Session

from core.context import RequestContext
from core.errors import Refused
from core.telemetry import span
from core.text import Text
from knowledge.catalog import Catalog
from strategy.delivery.repository import exposures
from strategy.document import Strategy
from strategy.engine.groups import groups_of
from strategy.experiment.effect import Effect, effect
from strategy.experiment.repository import conversions


def measure(
    session: Session, ctx: RequestContext, catalog: Catalog, strategy: Strategy, now: int, confidence: float = 0.95
) -> Effect:
    """Conversion of treated against held-out customers, over all versions of the strategy.

    `now`: event time up to which the journal is complete (the engine's watermark).

    Raises:
        Refused: no verifying event is named, or a side has no customers whose time to convert is over.
    """
    verify = strategy.verify
    if verify is None or verify.event is None:
        raise Refused(
            Text("策略没有指明用哪个事件验证效果", "the strategy does not name the event that verifies it"),
            where={"field": "verify.event"},
            hint=Text("在 verify 里写明 event 与 within", "Give verify an event and a within"),
        )
    with span("experiment.measure", strategy=strategy.name):
        passed = exposures(session, ctx, strategy.name)
        seen = conversions(session, ctx, verify.event, groups_of(catalog), passed[0].at if passed else now, now)
        return effect(passed, seen, verify.within, now, confidence)
