"""What a column or table name means: its words, the type or property it names in Chinese and English, by the word list
beside this file, the hub's catalog, and where neither has the name, by likeness of meaning (embedding)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import yaml

from knowledge.catalog import Catalog
from knowledge.retrieval import Embedder, use_embedder

_FILE = Path(__file__).with_name("words.yaml")
_CAMEL = re.compile(
    r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|(?<=[A-Za-z0-9])(?=[一-鿿])|(?<=[一-鿿])(?=[A-Za-z0-9])"
)
_ASIDE = re.compile(r"[(（\[【].*?[)）\]】]")
_ID_END = re.compile(
    r"(?:\b(?:id|no|nr|num|number|code|key|uuid|guid|sn|pk)|序列号|编号|编码|号码|代码|号|ID)$", re.IGNORECASE
)
_ALIKE = 0.68
"""Cosine from which two names are taken to mean the same; below it a column keeps a name of its own."""
_ALIKE_WORDED = 0.76
"""The same for a name that can be put into the other language word by word, and so is understood as it is."""


class Meaning(NamedTuple):
    """What a name was found to mean. `sure` from 0 to 1: 1 is one of the labels themselves."""

    id: str
    zh: str
    en: str
    sure: float
    type: str = ""


def words_of(name: str) -> str:
    """`cust_MobileNo（主）` → `cust mobile no`: what is in brackets is left out, words are lower case."""
    plain = _ASIDE.sub(" ", name)
    return " ".join(_CAMEL.sub(" ", re.sub(r"[\W_]+", " ", plain)).lower().split())


def stem_of(name: str) -> str:
    """What the numbers of an id column number: `cust_no` → `cust`, `客户编号` → `客户`, `id` → ``."""
    return _ID_END.sub("", words_of(name)).strip()


def looks_like_id(name: str) -> bool:
    return _ID_END.search(words_of(name)) is not None


def slug(name: str) -> str:
    """An ASCII id for a name that has none: words by underscore, Chinese by pinyin."""
    from pypinyin import lazy_pinyin

    said = words_of(name)
    if not said.isascii():
        said = " ".join("".join(lazy_pinyin(word)) for word in said.split())
    made = re.sub(r"[^a-z0-9]+", "_", said.lower()).strip("_")
    return made if made[:1].isalpha() else f"x_{made}".rstrip("_")


@cache
def word_list() -> dict[str, Any]:
    """The word list as it stands in the file."""
    found: dict[str, Any] = yaml.safe_load(_FILE.read_text(encoding="utf-8"))
    return found


class Vocabulary:
    """Names → meanings. The catalog's own labels come before the word list's.

    Args:
        embedder: for names that are no label; None: labels and words alone.
    """

    def __init__(self, catalog: Catalog | None = None, embedder: Embedder | None = None) -> None:
        own = word_list()
        self.catalog = catalog
        self._embedder = embedder
        self._types = _Index(_labelled(own["types"]))
        self._properties = _Index(_labelled(own["properties"]))
        self._of_type: dict[str, _Index] = {}
        self._glossary: dict[str, str] = own["glossary"]
        self._english = {en: zh for zh, en in reversed(self._glossary.items())}
        self.happenings: list[str] = own["happenings"]
        self.bearers: list[str] = own["bearers"]
        if catalog is not None:
            types = {
                name: Meaning(name, *_shown(item.labels.zh, item.labels.en, name), 1.0)
                for name, item in catalog.objects.items()
            }
            self._types.add(
                {meaning: catalog.objects[name].labels.all() for name, meaning in types.items()}, first=True
            )
            for name, item in catalog.objects.items():
                rows = {
                    Meaning(key, *_shown(a.labels.zh, a.labels.en, key), 1.0, a.type): [key, *a.labels.all()]
                    for key, a in item.attributes.items()
                }
                self._of_type[name] = _Index(rows)

    @classmethod
    def offline(cls, catalog: Catalog | None = None) -> Vocabulary:
        """With the encoder that needs no network."""
        return cls(catalog, use_embedder())

    def type_of(self, name: str) -> Meaning | None:
        """The type of thing that a table or an id column names: the whole name, its last words, or its likeness."""
        said = words_of(name)
        for tail in _tails(said):
            if found := self._types.labelled(tail):
                return found
        return self._types.alike(said, self._embedder) if said else None

    def property_of(self, name: str, owner: str = "", type: str = "") -> Meaning:
        """The property that a column names; one of its own where nothing is like it.

        Args:
            type: what the column holds; a property that holds something else is not like it.
        """
        said = words_of(name)
        about = stem_of(owner) or owner
        bare = said.removeprefix(words_of(about)).strip() or said
        for index in (self._of_type.get(owner), self._properties):
            for text in (said, bare):
                if index is not None and (found := index.labelled(text)):
                    return found
        zh, en = self.both(name)
        bar = _ALIKE if zh == en or (not said.isascii() and slug(name).replace("_", " ") == en) else _ALIKE_WORDED
        for index in (self._of_type.get(owner), self._properties):
            if index is not None and (found := index.alike(bare, self._embedder, type, bar)):
                return found
        return Meaning(slug(name), zh, en, 0.0)

    def new_type(self, name: str) -> Meaning:
        """A type that nothing known is like."""
        said = _singular(stem_of(name) or words_of(name))
        zh, en = self.both(said)
        return Meaning(slug(said), zh, en, 0.0)

    def both(self, name: str) -> tuple[str, str]:
        """A name in Chinese and in English, word by word where the word list has them; else as it is."""
        said = words_of(name)
        if said.isascii():
            parts = said.split()
            known = [self._english.get(part) for part in parts]
            return ("".join(word or "" for word in known) if all(known) else said), said
        parts, rest = [], said
        longest = sorted(self._glossary, key=len, reverse=True)
        while rest:
            word = next((w for w in longest if rest.startswith(w)), None)
            if word is None:
                return said, slug(said).replace("_", " ")
            parts.append(self._glossary[word])
            rest = rest[len(word) :].lstrip()
        return said, " ".join(parts)


class _Index:
    """Labels → meanings, by the label itself and by likeness."""

    def __init__(self, rows: Mapping[Meaning, Iterable[str]]) -> None:
        self._rows: list[tuple[str, Meaning]] = []
        self._exact: dict[str, Meaning] = {}
        self._vectors: Any = None
        self.add(rows)

    def add(self, rows: Mapping[Meaning, Iterable[str]], *, first: bool = False) -> None:
        for meaning, labels in rows.items():
            for label in dict.fromkeys([meaning.id.replace("_", " "), *labels]):
                key = words_of(label)
                self._rows.append((key, meaning))
                if first or key not in self._exact:
                    self._exact[key] = meaning
        self._vectors = None

    def labelled(self, said: str) -> Meaning | None:
        return self._exact.get(said) or self._exact.get(_singular(said))

    def alike(self, said: str, embedder: Embedder | None, type: str = "", bar: float = _ALIKE) -> Meaning | None:
        if embedder is None or len(said) < 2:
            return None
        if self._vectors is None:
            self._vectors = embedder.embed([label for label, _ in self._rows])
        fits = [not type or not meaning.type or _family(meaning.type) == _family(type) for _, meaning in self._rows]
        likeness = np.where(fits, self._vectors @ embedder.embed([said])[0], -1)
        best = int(np.argmax(likeness))
        sure = float(likeness[best])
        return self._rows[best][1]._replace(sure=round(min(sure, 0.99), 3)) if sure >= bar else None


def _family(type: str) -> str:
    return "text" if type == "enum" else type


def _labelled(items: Mapping[str, Mapping[str, Any]]) -> dict[Meaning, list[str]]:
    return {
        Meaning(name, item["zh"][0], item["en"][0], 1.0, item.get("type", "")): [*item["zh"], *item["en"]]
        for name, item in items.items()
    }


def _shown(zh: list[str], en: list[str], name: str) -> tuple[str, str]:
    return (zh or en or [name])[0], (en or zh or [name])[0]


def _tails(said: str) -> Iterable[str]:
    """The name, then ever shorter ends of it: `crm vip customers` → `vip customers` → `customers`; for Chinese also
    without what such tables are called (`客户信息表` → `客户`), and its ends."""
    words = said.split()
    for start in range(len(words)):
        yield " ".join(words[start:])
    bare = re.sub(r"(?:信息|资料|档案|主数据|明细|列表|清单|数据|记录|表|单)+$", "", said)
    for start in range(len(bare) if not bare.isascii() else 0):
        yield bare[start:]
    plain = " ".join(
        w
        for w in words
        if w not in ("table", "list", "data", "records", "record", "master", "log", "logs", "info", "history", "export")
    )
    if plain != said:
        yield plain
        yield from (plain.split()[i] for i in range(len(plain.split()) - 1, -1, -1))


def _singular(said: str) -> str:
    if said.endswith("ies"):
        return said[:-3] + "y"
    if said.endswith(("sses", "xes", "ches", "shes")):
        return said[:-2]
    return said[:-1] if said.endswith("s") and not said.endswith(("ss", "us", "is")) else said
