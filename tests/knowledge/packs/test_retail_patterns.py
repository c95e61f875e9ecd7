"""The pack's path patterns and weights find what was planted in its world, and say it in both languages."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.clock import ManualClock
from core.db import Database
from knowledge.graph import CatalogLimits, Derivations, GraphService, SqliteGraphStore
from knowledge.nextbest import next_actions, says
from tests.agentworld import ADMIN, retail_catalog, retail_world

WHAT = {
    "complaint_left_open": ("complaint.opened", "complaint.resolved"),
    "coupon_left_unused": ("coupon.expiring", "coupon.used"),
}


@pytest.fixture(scope="module")
def graph(tmp_path_factory: pytest.TempPathFactory) -> GraphService:
    """The events that patterns and weights read."""
    folder: Path = tmp_path_factory.mktemp("patterns")
    database = Database(f"sqlite:///{folder / 'hub.db'}")
    database.create_tables()
    clock, catalog = ManualClock(retail_world().anchor), retail_catalog()
    limits, derived = CatalogLimits(lambda: catalog), Derivations(lambda: catalog)
    service = GraphService(SqliteGraphStore(database, clock, limits, derived))
    read = {event for pair in WHAT.values() for event in pair} | {
        t.event for w in catalog.weights.values() for t in w.terms
    }
    service.record_events(ADMIN, [event for event in retail_world().events if event.type in read])
    return service


@pytest.mark.parametrize("pattern", sorted(WHAT))
def test_a_pattern_holds_for_those_whose_last_step_stayed_away(graph: GraphService, pattern: str) -> None:
    first, missing = WHAT[pattern]
    found = next_actions(graph, ADMIN, retail_catalog(), pattern=pattern, limit=1_000)
    events = {e.id: e for e in retail_world().events}
    for each in found:
        begun = [events[key] for key in each.evidence]
        assert {e.type for e in begun} == {first}
        after = [e for e in events.values() if e.type == missing and e.subject == each.subject]
        assert not any(begun[-1].time < e.time for e in after if e.time - begun[-1].time < 2 * 86_400_000_000)
    assert found


def test_whoever_was_about_most_lately_comes_first_and_it_is_said_in_both_languages(graph: GraphService) -> None:
    found = next_actions(graph, ADMIN, retail_catalog(), pattern="complaint_left_open", profile="engagement")
    values = [each.weight.value for each in found if each.weight is not None]
    assert values == sorted(values, reverse=True)
    assert values[0] > 0
    weight = found[0].weight
    assert weight is not None
    assert says(weight, retail_catalog()).zh.startswith("近期互动 ")
    assert says(weight, retail_catalog()).en.startswith("recent engagement ")
