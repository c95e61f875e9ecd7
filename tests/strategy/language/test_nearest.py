"""Names nearest to an unknown one: by spelling, and by meaning where a sense of it is lent."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from core.errors import UnknownName
from knowledge.catalog import load_catalog
from strategy.language import read_sentence

RETAIL = load_catalog(Path("tests/data/corpus/catalogs/retail.yaml")).catalog
MEANT = {"购买": {"下单": 0.9, "order": 0.95}, "complians": {}}


def likeness(said: str, labels: Sequence[str]) -> list[float]:
    return [MEANT[said].get(label, 0.1) for label in labels]


def nearest(text: str, *, meant: bool) -> list[str]:
    with pytest.raises(UnknownName) as caught:
        read_sentence(text, RETAIL, likeness=likeness if meant else None)
    return list(caught.value.nearest)


def test_another_word_for_the_same_thing_is_found_by_meaning() -> None:
    assert "下单" not in nearest("7天内购买少于2次就外呼", meant=False)
    assert nearest("7天内购买少于2次就外呼", meant=True)[0] == "下单"


def test_a_slip_of_the_finger_is_found_by_spelling_with_and_without_meaning() -> None:
    for meant in (False, True):
        assert nearest("When a customer complians, send a coupon", meant=meant)[0] == "complain"


def test_a_sentence_that_is_understood_asks_for_no_likeness() -> None:
    def never(said: str, labels: Sequence[str]) -> list[float]:
        raise AssertionError(said)

    assert read_sentence("7天内下单少于2次就外呼", RETAIL, likeness=never)
