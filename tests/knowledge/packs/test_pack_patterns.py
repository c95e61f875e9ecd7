"""Every pack's path patterns and weights load, say of a small timeline what they should, and are read back in both
languages: a pack with a pattern that tests/data/pack_patterns.yaml has no timeline for does not pass."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

import knowledge.packs
from core.clock import ManualClock
from core.db import Database
from core.events import Event
from core.text import Text
from core.times import DAY, Micros
from knowledge.catalog import Catalog, load_catalog
from knowledge.graph import CatalogLimits, Derivations, GraphService, SqliteGraphStore
from knowledge.nextbest import next_actions, says
from tests.agentworld import ADMIN

NOW = Micros(1_000 * DAY)
TOLD: dict[str, dict[str, Any]] = yaml.safe_load(Path("tests/data/pack_patterns.yaml").read_text())
PACKS = {
    path.parent.name: load_catalog(path).catalog for path in Path(knowledge.packs.__path__[0]).glob("*/catalog.yaml")
}
PATTERNS = [(pack, name) for pack, catalog in PACKS.items() for name in catalog.patterns]
WEIGHTS = [(pack, name) for pack, catalog in PACKS.items() for name in catalog.weights]


def _graph(catalog: Catalog, told: list[tuple[str, str, float]]) -> GraphService:
    database = Database("sqlite://")
    database.create_tables()
    limits, derived = CatalogLimits(lambda: catalog), Derivations(lambda: catalog)
    graph = GraphService(SqliteGraphStore(database, ManualClock(NOW), limits, derived))
    events = [Event(f"e{n}", kind, Micros(NOW - round(ago * DAY)), who) for n, (who, kind, ago) in enumerate(told)]
    graph.record_events(ADMIN, events)
    return graph


def test_every_pack_brings_patterns_and_a_weight_and_each_has_its_timeline() -> None:
    assert all(catalog.patterns and catalog.weights for catalog in PACKS.values())
    assert {(pack, name) for pack, each in TOLD.items() for name in each} == {*PATTERNS, *WEIGHTS}


@pytest.mark.parametrize("pack, name", PATTERNS)
def test_a_pattern_holds_for_whom_it_should_and_proposes_an_action_of_its_pack(pack: str, name: str) -> None:
    catalog, told = PACKS[pack], TOLD[pack][name]
    found = next_actions(_graph(catalog, told["told"]), ADMIN, catalog, pattern=name)
    assert [each.subject for each in found] == told["holds"]
    assert {each.because for each in found} == {Text(told["zh"], told["en"])}
    assert {each.label for each in found} == {
        Text(catalog.patterns[name].labels.zh[0], catalog.patterns[name].labels.en[0])
    }
    assert all(each.action in catalog.actions and each.action_label for each in found)


@pytest.mark.parametrize("pack, name", WEIGHTS)
def test_a_weight_comes_to_what_it_should_and_says_of_what(pack: str, name: str) -> None:
    catalog, told = PACKS[pack], TOLD[pack][name]
    graph = _graph(catalog, told["told"])
    weights = {who: graph.weight(ADMIN, who, name) for who in told["weighs"]}
    assert {who: round(weight.value, 3) for who, weight in weights.items()} == told["weighs"]
    assert says(max(weights.values(), key=lambda w: w.value), catalog) == Text(told["zh"], told["en"])
