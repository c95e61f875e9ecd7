"""The fixed words of the strategy language, from vocabulary.yaml: what the grammar knows beside a catalog's names."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import yaml


class Word(NamedTuple):
    """A fixed word: its kind (what the patterns speak about) and its value; a word without a value has its language."""

    kind: str
    value: Any = None


@lru_cache(maxsize=1)
def _content() -> dict[str, Any]:
    text = Path(__file__).with_name("vocabulary.yaml").read_text(encoding="utf-8")
    content: dict[str, Any] = yaml.safe_load(text)
    return content


def fixed_words() -> Iterator[tuple[str, Word]]:
    """Every fixed word with what it is. A word may be several things; the patterns decide."""
    content = _content()
    for kind in ("CMP", "POSTCMP", "TEXTOP", "TEXTEND", "BLANK", "FUNCTION"):
        for value, words in content[kind].items():
            yield from ((w, Word(kind, value)) for lang in ("zh", "en") for w in words.get(lang, ()))
    for kind, words in content["words"].items():
        for lang in ("zh", "en"):
            yield from ((w, Word(kind, lang)) for w in words.get(lang, ()))
    yield from ((w, Word("NTH", float(n))) for n, w in enumerate(content["ordinals"], start=3))
    for part, words in content["dayparts"].items():
        yield from ((w, Word("DAYPART", part)) for w in words)
    for unit, words in content["units"].items():
        yield from ((w, Word("UNIT", unit)) for w in words)
