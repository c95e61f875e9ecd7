"""Reads docs/strategy-semantics.md: its sentences by id, and its worked timelines as strategies, inputs at their times,
and what is to be seen. The format is told on the page itself."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from string import ascii_lowercase
from typing import Any
from zoneinfo import ZoneInfo

from core.events import Event, Fact, Input, Relation
from core.times import Micros, parse_duration, to_micros
from core.yamls import read_yaml
from knowledge.catalog import Catalog, read_catalog
from strategy.document import Strategy

PAGE = Path(__file__).parents[2] / "docs" / "strategy-semantics.md"
CHINESE = PAGE.parent / "zh-CN" / PAGE.name
START = "2026-05-01 08:00"
ME = "customer/1"

_SENTENCE = re.compile(r"^- \[([A-Z]\d+)\] ", re.MULTILINE)
_BLOCK = re.compile(r"^```timeline\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_ONE = re.compile(r"^id: .*?(?=^id: |\Z)", re.MULTILINE | re.DOTALL)
_CATALOG = re.compile(r"^```yaml\n(catalog:.*?)^```$", re.MULTILINE | re.DOTALL)
_COMMENT = re.compile(r"(?:^|\s+)# .*$")
_HEADER = re.compile(r"(\w+)(?: (\w+))?: (.+)")
_LINE = re.compile(r"(\d{4}-\d\d-\d\d \d\d:\d\d|-?(?:\d+(?:us|ms|[smhdw]))+)([+-]\d+us)?\s+(.*?)(?:\s*=> (.*))?")
_WORD = re.compile(r'(?:[^\s"{\[]|"[^"]*"|\{[^}]*\}|\[[^\]]*\])+')
_COMMA = re.compile(r",\s*(?![^{]*})")
_MARK = re.compile(r"(?:([a-z]+/\S+) )?(?:(\w+) )??(fires|true|false|unknown)(?: v(\d+))?")
_CASE = re.compile(r"(\S+) (.+) (true|false|unknown)")


@dataclass(frozen=True)
class Deploy:
    """The next version of `s` begins, with all that was taken so far as its history, or (`cold`) with none."""

    cold: bool = False


@dataclass(frozen=True)
class Retire:
    """`s` is stopped."""


@dataclass(frozen=True)
class Line:
    """One line: when, what happens (None: only time passes), and what is to be seen there.

    Attributes:
        fires: (strategy, subject, version). truths: (strategy, subject) → truth just after the instant.
        aside: why the input is not taken. seen: `saw`, `by` and `note` of the observation.
    """

    at: Micros
    act: Input | Deploy | Retire | None
    fires: tuple[tuple[str, str, int], ...] = ()
    truths: dict[tuple[str, str], str] = field(default_factory=dict)
    aside: str | None = None
    seen: dict[str, Any] = field(default_factory=dict)

    @property
    def waits(self) -> bool:
        """Time is moved to the end of this line's instant."""
        return self.act is None or bool(self.truths) or bool(self.seen and not self.fires)


@dataclass(frozen=True)
class Timeline:
    """`strategies` run from the start; `versions` are deployed by the lines that say so."""

    ids: tuple[str, ...]
    place: int
    catalog: Catalog
    lateness: int
    strategies: tuple[Strategy, ...]
    versions: tuple[Strategy, ...]
    lines: tuple[Line, ...]
    fires: bool = True
    """Whether the firings are told."""

    @property
    def plain(self) -> bool:
        """Only firings are told, and nothing is late: the order of arrival must not matter."""
        times = [line.at for line in self.lines]
        return (self.lateness > 0 or times == sorted(times)) and not any(
            line.truths or line.seen or line.aside or isinstance(line.act, Deploy | Retire) for line in self.lines
        )

    @property
    def firings(self) -> list[tuple[int, str, str, int]]:
        """(instant, strategy, subject, version) in the order in which they are reported."""
        order = [strategy.name for strategy in (*self.strategies, *self.versions)]
        found = [(line.at, *fires) for line in self.lines for fires in line.fires]
        return sorted(found, key=lambda f: (f[0], f[3], order.index(f[1]), f[2]))


def sentence_ids(page: Path) -> list[str]:
    return _SENTENCE.findall(page.read_text(encoding="utf-8"))


def bare_timelines(page: Path) -> list[str]:
    """The timelines without their comments, which are translated."""
    text = page.read_text(encoding="utf-8")
    return ["\n".join(_COMMENT.sub("", line) for line in block.splitlines()) for block in _BLOCK.findall(text)]


def timelines(page: Path = PAGE) -> list[Timeline]:
    text = page.read_text(encoding="utf-8")
    world = _CATALOG.search(text)
    assert world, f"{page.name} shows no catalog"
    catalog = read_catalog(world[1]).catalog
    return [
        _Reader(catalog, one[0], text.count("\n", 0, block.start(1) + one.start()) + 1).timeline()
        for block in _BLOCK.finditer(text)
        for one in _ONE.finditer(block[1])
    ]


def timeline_of(strategies: tuple[Strategy, ...], catalog: Catalog, block: str) -> Timeline:
    """A timeline that tells inputs and firings only; whose triggers these are is said here, not in a `when`."""
    return replace(_Reader(catalog, block, 1).timeline(), strategies=strategies)


class _Reader:
    """One timeline, from top to bottom. `place`: the page's line it begins on."""

    def __init__(self, catalog: Catalog, block: str, place: int) -> None:
        self._place = place
        self._head: dict[tuple[str, str], str] = {}
        self._body: list[re.Match[str]] = []
        for raw in block.splitlines():
            self._split(_COMMENT.sub("", raw).rstrip())
        zone, history = self._one("zone", catalog.timezone), self._one("history")
        self._start = self._local(self._one("start", START), zone)
        update = {"timezone": zone} | ({"history_from": self._moment(history, zone)} if history else {})
        self._catalog = catalog.model_copy(update=update)
        self._kind = self._one("subject", "customer")
        self._me = self._one("who", ME)
        self._letters = iter(ascii_lowercase)

    def _split(self, text: str) -> None:
        if header := _HEADER.fullmatch(text):
            self._head[header[1], header[2] or ""] = header[3]
        elif text.startswith("  ") and self._head:
            last = next(reversed(self._head))
            self._head[last] += " " + text.strip()
        elif line := _LINE.fullmatch(text):
            self._body.append(line)
        else:
            assert not text, f"line {self._place}: cannot read {text!r}"

    def _one(self, key: str, default: str = "") -> str:
        return self._head.pop((key, ""), default)

    def _local(self, text: str, zone: str) -> Micros:
        return to_micros(datetime.strptime(text, "%Y-%m-%d %H:%M").replace(tzinfo=ZoneInfo(zone)))

    def _moment(self, text: str, zone: str) -> Micros:
        """`5h`, `-3h` after the start; `2026-05-17 00:00` in the catalog's zone."""
        if ":" in text:
            return self._local(text, zone)
        after = parse_duration(text.removeprefix("-"))
        return Micros(self._start + (-after if text.startswith("-") else after))

    def timeline(self) -> Timeline:
        ids = tuple(self._one("id").split())
        lateness = parse_duration(self._one("lateness", "0s"))
        cases = [_case(text) for text in filter(None, self._one("cases").split(";"))]
        lines = [self._line(match) for match in self._body]
        if cases:
            truths = {(f"c{i}", ME): truth for i, (_, truth) in enumerate(cases)}
            lines.append(Line(lines[-1].at, None, truths=truths))
        for line, after in pairwise(lines):
            assert not line.waits or line.act is None or line.at != after.at, f"line {self._place}: mark the last line"
        running, later = self._strategies([comparison for comparison, _ in cases])
        return Timeline(ids, self._place, self._catalog, lateness, running, later, tuple(lines), not cases)

    def _strategies(self, cases: list[dict[str, Any]]) -> tuple[tuple[Strategy, ...], tuple[Strategy, ...]]:
        more: dict[str, Any] = {"actions": [{"task": "call"}], "subject": self._kind}
        if audience := self._one("audience"):
            more["audience"] = read_yaml(audience)
        if cooldown := self._one("cooldown"):
            more["guards"] = {"cooldown": cooldown}
        running: list[Strategy] = []
        later: list[Strategy] = []
        for (key, name), text in self._head.items():
            assert key in ("when", "then"), f"line {self._place}: there is no {key!r}"
            trigger = read_yaml(text)
            named = {f"c{i}": {**trigger, **case} for i, case in enumerate(cases)} or {name or "s": trigger}
            made = [Strategy.model_validate({"name": n, "trigger": t, **more}) for n, t in named.items()]
            (running if key == "when" else later).extend(made)
        return tuple(running), tuple(later)

    def _line(self, match: re.Match[str]) -> Line:
        at = Micros(self._moment(match[1], self._catalog.timezone) + int((match[2] or "0us").removesuffix("us")))
        words = _WORD.findall(match[3])
        who = words.pop(0) if "/" in words[0] else self._me
        act = self._act(words, who, at)
        fires, truths, seen, aside = [], {}, {}, None
        for mark in filter(None, _COMMA.split(match[4] or "")):
            key, _, rest = mark.partition(" ")
            if mark in ("late", "duplicate"):
                aside = mark
            elif key in ("saw", "by", "note"):
                seen[key] = tuple(rest.split()) if key == "by" else read_yaml(rest)
            else:
                found = _MARK.fullmatch(mark)
                assert found, f"line {self._place}: cannot read the mark {mark!r}"
                mine = who if who.startswith(f"{self._kind}/") else f"{self._kind}/1"
                subject, name = found[1] or mine, found[2] or "s"
                if found[3] == "fires":
                    fires.append((name, subject, int(found[4] or 1)))
                else:
                    truths[name, subject] = found[3]
        return Line(at, act, tuple(fires), truths, aside, seen)

    def _act(self, words: list[str], who: str, at: Micros) -> Input | Deploy | Retire | None:
        what, *rest = words
        if what == ".":
            return None
        if what == "deploy":
            return Deploy(cold=rest == ["cold"])
        if what == "retire":
            return Retire()
        if rest[:1] == ["="]:
            return Fact(who, what, read_yaml(rest[1]), at)
        if what in self._catalog.relations:
            return Relation(who, what, rest[0], at, ended=rest[1:] == ["ended"])
        assert what in self._catalog.events, f"line {self._place}: there is no {what!r}"
        letter = next(self._letters)
        named = dict(word.split(":", 1) for word in rest if "=" not in word)
        data = {key: read_yaml(value) for key, _, value in (w.partition("=") for w in rest if "=" in w)}
        return Event(named.get("id", letter), what, at, who, data, named.get("source", ""))


def _case(text: str) -> tuple[dict[str, Any], str]:
    """`in [0, 1] false` → the comparison, and its truth at the end."""
    found = _CASE.fullmatch(text.strip())
    assert found, f"cannot read the case {text!r}"
    return {"op": found[1], "value": read_yaml(found[2])}, found[3]
