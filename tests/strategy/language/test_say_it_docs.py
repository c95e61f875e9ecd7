"""The phrase guide tells the truth: every sentence it shows is read, every one it says is refused or asked about is."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from core.errors import ZhongshuError
from knowledge.catalog import load_catalog
from strategy.language import read_sentence

CATALOG = load_catalog(Path("tests/data/sentences_catalog.yaml")).catalog
GUIDES = {"en": Path("docs/say-it.md"), "zh": Path("docs/zh-CN/say-it.md")}


def sentences(kind: str) -> list[str]:
    found = []
    for guide in GUIDES.values():
        for block in re.findall(rf"```{kind}\n(.*?)```", guide.read_text(encoding="utf-8"), re.S):
            found += [line for line in block.splitlines() if line.strip()]
    return found


@pytest.mark.parametrize("text", sentences("say"))
def test_a_sentence_of_the_guide_is_read(text: str) -> None:
    assert read_sentence(text, CATALOG).document.actions[0].action, "the guide's actions are in its catalog"


@pytest.mark.parametrize("text", sentences("asks"))
def test_a_sentence_the_guide_says_is_refused_is_refused(text: str) -> None:
    with pytest.raises(ZhongshuError):
        read_sentence(text, CATALOG)
