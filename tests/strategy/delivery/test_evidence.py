"""The events that a decision rests on, with their contents, as far as the purpose may see them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest

from core.clock import ManualClock
from core.context import Purpose, RequestContext
from core.db import Database
from core.errors import NotFound
from core.events import Event
from core.ids import TenantId
from core.times import DAY, Micros
from knowledge.catalog import Catalog, read_catalog
from strategy.delivery import Channels, Decider, Decision, InboxChannel
from strategy.delivery.evidence import Evidence, evidence
from strategy.engine.port import Firing, Observation, Truth
from strategy.journal import Journal
from strategy.stream import GoodLine
from tests.strategy.delivery.delivery_world import CATALOG, NOON, strategy

LEAVES = (
    Observation("trigger.of.0", "event", Truth.TRUE, evidence=("e1", "gone")),
    Observation("trigger.of.1", "aggregate", Truth.TRUE, 2, evidence=("e2", "e1")),
)
FIRING = Firing("s", 1, "customer/c1", NOON, "1", Observation("trigger", "all", Truth.TRUE, children=LEAVES))


class Desk:
    def __init__(self, db: Database, clock: ManualClock, ctx: RequestContext, catalog: Catalog) -> None:
        self.db, self.ctx, self.catalog = db, ctx, catalog
        self._decider = Decider(lambda _: catalog, clock, Channels(InboxChannel(db, clock), {}))
        self._journal = Journal(db, clock, DAY)
        events = [
            Event("e1", "app.login", Micros(NOON - 2), "customer/c1", {"device": "phone", "ip": "10.0.0.1"}, "app"),
            Event("e2", "shop.order", NOON, "customer/c1", {"amount": 3}, "shop"),
            Event("e1", "app.login", Micros(NOON - 1), "customer/c2", {}, "elsewhere"),
            Event("e2", "app.login", Micros(NOON + 1), "customer/c1", {}, "later"),
        ]
        self.keep(events, FIRING)

    def keep(self, events: Sequence[Event], firing: Firing) -> None:
        self._journal.take(self.ctx, [GoodLine(n, event) for n, event in enumerate(events, 1)])
        with self.db.transaction() as session:
            self.decision: Decision = self._decider.decide(
                session, self.ctx, firing, strategy(actions=[{"task": "call"}])
            )

    def evidence(self, **limits: Any) -> Evidence:
        catalog = self.catalog.model_copy(update=limits)
        with self.db.reading() as session:
            return evidence(session, self.ctx, self.decision.id, catalog)


@pytest.fixture
def desk(db: Database, clock: ManualClock, ctx: RequestContext, catalog: Catalog, consent: Callable[..., None]) -> Desk:
    consent()
    return Desk(db, clock, ctx, catalog)


def test_the_subjects_own_events_up_to_the_firing_are_shown_with_their_content(desk: Desk) -> None:
    found = desk.evidence()
    assert [(e.id, e.type, e.subject) for e in found.events] == [
        ("e1", "app.login", "customer/c1"),
        ("e2", "shop.order", "customer/c1"),
    ]
    assert found.events[1].data == {"amount": 3}
    assert (found.withheld, found.missing) == (0, ("gone",))


def test_what_the_purpose_may_not_see_is_withheld(desk: Desk) -> None:
    limited = CATALOG.replace("app.login: {", "app.login: {fields: {ip: {type: text, purposes: [compliance]}}, ")
    limited = limited.replace("shop.order: {", "shop.order: {purposes: [service], ")
    found = desk.evidence(events=read_catalog(limited).catalog.events)
    assert desk.ctx.purpose is Purpose.MARKETING
    assert [dict(e.data) for e in found.events] == [{"device": "phone"}]
    assert (found.withheld, found.missing) == (1, ("gone",))


def test_a_groups_events_are_found_by_the_key_they_carry(desk: Desk) -> None:
    shops = CATALOG.replace("objects: {", "objects: {store: {}, ").replace(
        "shop.order: {", "shop.order: {fields: {shop: {type: text}}, groups: {store: shop}, "
    )
    desk.catalog = read_catalog(shops).catalog
    sold = [Event(f"o{n}", "shop.order", NOON, f"customer/{n}", {"shop": shop}) for n, shop in enumerate("ab")]
    seen = Observation("trigger", "aggregate", Truth.TRUE, 1, evidence=("o0", "o1"))
    desk.keep(sold, replace(FIRING, subject="store/a", trigger=seen))
    found = desk.evidence()
    assert [(event.id, event.subject) for event in found.events] == [("o0", "customer/0")]
    assert found.missing == ("o1",)


def test_another_tenants_decision_is_not_found(desk: Desk) -> None:
    desk.ctx = replace(desk.ctx, tenant=TenantId("other"))
    with pytest.raises(NotFound):
        desk.evidence()
