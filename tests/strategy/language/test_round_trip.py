"""What is read back is read as the same strategy, for every kind of condition in both languages."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from core.errors import Refused
from core.text import Lang
from knowledge.catalog import Catalog, load_catalog
from strategy.document import Strategy
from strategy.engine.check import check_strategy
from strategy.language import read_sentence, readback

sys.path.insert(0, str(Path(__file__).parent))
from documents import Documents

CATALOGS = {
    name: load_catalog(Path(f"tests/data/{name}_catalog.yaml")).catalog
    for name in ("sentences", "kinds")  # much to say; groups, and chains of relations
}
DOCUMENTS = {name: Documents(catalog) for name, catalog in CATALOGS.items()}


def _may_fire(strategy: Strategy, catalog: Catalog) -> bool:
    try:
        check_strategy(strategy, catalog)
    except Refused:
        return False
    return True


@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize("name", CATALOGS)
@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(data=st.data())
def test_every_strategy_survives_its_readback(name: str, lang: Lang, data: st.DataObject) -> None:
    catalog = CATALOGS[name]
    strategy: Strategy = data.draw(DOCUMENTS[name].strategies())
    assume(_may_fire(strategy, catalog))  # what can never fire is refused when it is read
    spoken = readback(strategy, catalog, lang)
    assert read_sentence(spoken, catalog, name=strategy.name, lang=lang).document == strategy, spoken
