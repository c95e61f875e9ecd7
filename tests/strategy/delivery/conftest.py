"""A database, a clock that stands still, consent and a decider."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from core.clock import ManualClock
from core.context import Purpose, RequestContext, system_context
from core.db import Database
from knowledge.catalog import Catalog, read_catalog
from knowledge.governance import record_consent
from strategy.delivery import AddressBook, Channel, Channels, Decider, InboxChannel
from tests.strategy.delivery.delivery_world import CATALOG, NOON


@pytest.fixture(scope="session")
def catalog() -> Catalog:
    return read_catalog(CATALOG).catalog


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOON)


@pytest.fixture
def db(tmp_path: Path) -> Database:
    db = Database(f"sqlite:///{tmp_path}/hub.db")
    db.create_tables()
    return db


@pytest.fixture
def ctx() -> RequestContext:
    return system_context(Purpose.MARKETING)


DeciderOf = Callable[..., Decider]


@pytest.fixture
def decider_of(db: Database, clock: ManualClock, catalog: Catalog) -> DeciderOf:
    def make(addresses: AddressBook | None = None, **configured: Channel) -> Decider:
        return Decider(lambda _: catalog, clock, Channels(InboxChannel(db, clock), configured), addresses)

    return make


@pytest.fixture
def consent(db: Database, ctx: RequestContext, clock: ManualClock) -> Callable[..., None]:
    def give(
        given: bool = True, subject: str = "customer/c1", channel: str | None = None, at: int = NOON - 10**12
    ) -> None:
        with db.transaction() as session:
            record_consent(session, ctx, clock, subject, Purpose.MARKETING, given, channel=channel, at=at)

    return give
