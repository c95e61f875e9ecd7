"""The effect of a strategy from its own decisions and journal."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from core.clock import ManualClock
from core.context import system_context
from core.db import Database
from core.errors import Refused
from core.times import DAY, HOUR
from knowledge.catalog import read_catalog
from strategy.delivery import Channels, Decider, InboxChannel
from strategy.experiment.measure import measure
from strategy.experiment.repository import conversions
from strategy.repository import JournalRepository
from strategy.tables import Kind
from tests.strategy.delivery.delivery_world import CATALOG, NOON, firing, strategy

CTX = system_context()
KNOWN = read_catalog(CATALOG).catalog
WITHIN: dict[str, Any] = {"event": "shop.order", "within": "1d"}
ABOUT = strategy(actions=[{"task": "回访"}], rollout={"percent": 100, "holdout": 30}, verify=WITHIN)


@pytest.fixture
def db(tmp_path: Path) -> Database:
    db = Database(f"sqlite:///{tmp_path}/hub.db")
    db.create_tables()
    return db


def run(db: Database, customers: int) -> tuple[int, int]:
    """Decide for so many customers; every third of them orders an hour later. (treated, held out)."""
    clock = ManualClock(NOON)
    decider = Decider(lambda _: KNOWN, clock, Channels(InboxChannel(db, clock)))
    with db.transaction() as session:
        verdicts = [
            decider.decide(session, CTX, firing(NOON, f"customer/c{i}"), ABOUT).verdict for i in range(customers)
        ]
        orders = [
            {
                "kind": Kind.EVENT,
                "type": "shop.order",
                "subject": f"customer/c{i}",
                "time": NOON + HOUR,
                "source": "shop",
            }
            | {"id": f"o{i}", "body": {}, "received_at": NOON}
            for i in range(0, customers, 3)
        ]
        JournalRepository(session, CTX.tenant).append(orders)
    return verdicts.count("delivered"), verdicts.count("holdout")


def test_it_counts_orders_of_treated_and_held_out_customers(db: Database) -> None:
    treated, held = run(db, 90)
    with db.reading() as session:
        found = measure(session, CTX, KNOWN, ABOUT, NOON + DAY)
    assert (found.treated.n, found.holdout.n) == (treated, held)
    assert found.treated.converted + found.holdout.converted == 30
    assert found.low < found.difference < found.high


def test_an_order_counts_for_its_store_as_well(db: Database) -> None:
    run(db, 1)
    with db.transaction() as session:
        row = {
            "kind": Kind.EVENT,
            "type": "shop.order",
            "subject": "customer/c9",
            "time": NOON + 2 * HOUR,
            "source": "shop",
        }
        row |= {"id": "o9", "body": {"store": "s1"}, "received_at": NOON}
        JournalRepository(session, CTX.tenant).append([row])
    with db.reading() as session:
        found = conversions(session, CTX, "shop.order", {"shop.order": (("store", "store"),)}, NOON, NOON + DAY)
    assert [subject for subject, _ in found] == ["customer/c0", "customer/c9", "store/s1"]


def test_before_the_time_is_over_there_is_nothing_to_state(db: Database) -> None:
    run(db, 9)
    with db.reading() as session, pytest.raises(Refused) as caught:
        measure(session, CTX, KNOWN, ABOUT, NOON + DAY - 1)
    assert "still within their time: 9" in caught.value.say("en")


def test_a_strategy_without_a_verifying_event_is_refused(db: Database) -> None:
    with db.reading() as session, pytest.raises(Refused) as caught:
        measure(session, CTX, KNOWN, strategy(), NOON)
    assert caught.value.where == {"field": "verify.event"}
