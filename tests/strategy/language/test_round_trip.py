"""What is read back is read as the same strategy, for every kind of condition in both languages."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.text import Lang
from knowledge.catalog import load_catalog
from strategy.document import Strategy
from strategy.language import read_sentence, readback

sys.path.insert(0, str(Path(__file__).parent))
from documents import Documents

CATALOG = load_catalog(Path("tests/data/sentences_catalog.yaml")).catalog
DOCUMENTS = Documents(CATALOG)


@pytest.mark.parametrize("lang", ["zh", "en"])
@settings(max_examples=50, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(data=st.data())
def test_every_strategy_survives_its_readback(lang: Lang, data: st.DataObject) -> None:
    strategy: Strategy = data.draw(DOCUMENTS.strategies())
    spoken = readback(strategy, CATALOG, lang)
    assert read_sentence(spoken, CATALOG, name=strategy.name, lang=lang).document == strategy, spoken
