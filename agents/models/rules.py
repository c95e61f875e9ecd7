"""The language of playbooks: which tools to read, which rule holds, what it decides. Playbooks are YAML files in
agents/playbooks/; these models check them when they are read, so that a slip is found at start and not in a case."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from core.errors import InvalidInput
from core.text import Lang, Text

FOLDER = Path(__file__).parent.parent / "playbooks"

Facts = Mapping[str, Any]
"""What is known of a case: `case` (the message and its meaning) and one entry for each tool that was read."""

_PLACE = re.compile(r"\$\{([\w.]+)(?:\|(\w+))?\}")
_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "==": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
    "in": lambda a, b: a in b,
    "has": lambda a, b: b in a,
}


class PlaybookGap(LookupError):
    """A rule that held needs a value that the case does not have: the playbook cannot go on, a person can."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class Say(_Part):
    """A sentence in both languages with `${path}` and `${path|format}` places."""

    zh: str
    en: str

    def fill(self, facts: Facts, lang: Lang) -> str:
        return fill(self.zh if lang == "zh" else self.en, facts)


class Value(_Part):
    """A number or text computed from the case: a path, or an operation over values."""

    path: str | None = None
    min: list[Value | float] | None = None
    max: list[Value | float] | None = None
    times: list[Value | float] | None = None
    first: list[Value | float | str] | None = Field(default=None, description="the first that is there")

    def of(self, facts: Facts) -> Any:
        if self.path is not None:
            return look(facts, self.path)
        if self.first is not None:
            return next((v for part in self.first if (v := _value(part, facts)) is not None), None)
        name, parts = next((n, p) for n in ("min", "max", "times") if (p := getattr(self, n)) is not None)
        numbers = [_value(part, facts) for part in parts]
        if any(n is None for n in numbers):
            return None
        if name == "times":
            product = 1.0
            for n in numbers:
                product *= float(n)
            return round(product, 2)
        return min(numbers) if name == "min" else max(numbers)


class When(_Part):
    """A condition: `all`, `any`, `not`, or one comparison of a path. An absent value makes a comparison false."""

    all: list[When] | None = None
    any: list[When] | None = None
    not_: When | None = Field(default=None, alias="not")
    path: str | None = None
    op: str | None = None
    value: Value | float | bool | str | list[float | str] | None = None

    @model_validator(mode="before")
    @classmethod
    def _short(cls, raw: Any) -> Any:
        """`{path: x, ">=": 3}`, `{path: x}` (it is there and not empty or false) → path, op, value."""
        if isinstance(raw, dict) and (ops := [k for k in raw if k in _COMPARE]):
            rest = {k: v for k, v in raw.items() if k not in ops}
            if len(ops) > 1 or "op" in rest:
                raise ValueError("a comparison has one operator")
            return {**rest, "op": ops[0], "value": raw[ops[0]]}
        return raw

    @model_validator(mode="after")
    def _one(self) -> When:
        if sum(part is not None for part in (self.all, self.any, self.not_, self.path)) != 1:
            raise ValueError("a condition is exactly one of all, any, not, path")
        return self

    def holds(self, facts: Facts) -> bool:
        if self.all is not None:
            return all(part.holds(facts) for part in self.all)
        if self.any is not None:
            return any(part.holds(facts) for part in self.any)
        if self.not_ is not None:
            return not self.not_.holds(facts)
        seen = look(facts, self.path or "")
        if self.op is None:
            return bool(seen)
        against = _value(self.value, facts)
        if seen is None or against is None:
            return False
        try:
            return bool(_COMPARE[self.op](seen, against))
        except TypeError:
            return False


class Read(_Part):
    """A reading tool to call, as soon as `when` holds on what is known so far. `as` names its result."""

    tool: str
    args: dict[str, Any] = Field(default_factory=dict)
    as_: str | None = Field(default=None, alias="as")
    when: When | None = None

    @property
    def name(self) -> str:
        return self.as_ or self.tool


class Because(Say):
    """A reason, given when `when` holds, with the paths of its evidence ids."""

    when: When | None = None
    evidence: list[str] = Field(default_factory=list)


class Lack(Say):
    """Something that would have been needed: reported when `when` holds."""

    when: When


class Act(_Part):
    """A proposed action; texts in `args` may hold places."""

    tool: str
    args: dict[str, Any] = Field(default_factory=dict)
    when: When | None = None


class Rule(_Part):
    """The first rule whose `when` holds decides."""

    id: str
    when: When | None = None
    let: dict[str, Value | float | str] = Field(default_factory=dict)
    action: str
    confidence: Value | float = 0.8
    because: list[Because] = Field(min_length=1)
    missing: list[Lack] = Field(default_factory=list)
    actions: list[Act] = Field(default_factory=list)
    reply: Say
    interim: Say | None = None


class Playbook(_Part):
    """One specialist's playbook. `decides` is the name of the decision tool that it fills."""

    playbook: str
    version: int
    decides: str
    reads: list[Read] = Field(default_factory=list)
    let: dict[str, Value | float | str] = Field(default_factory=dict)
    rules: list[Rule] = Field(min_length=1)


def look(facts: Facts, path: str) -> Any:
    """The value at `a.b.0.c`, or None where any part is absent."""
    here: Any = facts
    for part in path.split("."):
        if isinstance(here, Mapping):
            here = here.get(part)
        elif isinstance(here, list | tuple) and part.isdigit() and int(part) < len(here):
            here = here[int(part)]
        else:
            return None
    return here


def fill(text: str, facts: Facts) -> str:
    """`text` with every place filled.

    Raises:
        PlaybookGap: a place names what the case does not have.
    """

    def one(match: re.Match[str]) -> str:
        value = look(facts, match.group(1))
        if value is None or value == "":
            raise PlaybookGap(match.group(1))
        return _show(value, match.group(2))

    return _PLACE.sub(one, text)


def fill_args(args: Any, facts: Facts) -> Any:
    """Like `fill`, through nested arguments; a text that is one bare place takes the value with its type."""
    if isinstance(args, dict):
        return {k: fill_args(v, facts) for k, v in args.items()}
    if isinstance(args, list):
        return [fill_args(v, facts) for v in args]
    if not isinstance(args, str):
        return args
    if (whole := _PLACE.fullmatch(args)) and whole.group(2) is None:
        value = look(facts, whole.group(1))
        if value is None:
            raise PlaybookGap(whole.group(1))
        return value
    return fill(args, facts)


def bind(let: Mapping[str, Value | float | str], facts: Facts) -> dict[str, Any]:
    """Facts with the names of a `let` added, each able to use those before it."""
    bound = dict(facts)
    for name, value in let.items():
        bound[name] = _value(value, bound)
    return bound


@cache
def playbooks() -> dict[str, Playbook]:
    """Every playbook, by the decision tool it fills."""
    read = [read_playbook(p.read_text(encoding="utf-8"), p.name) for p in sorted(FOLDER.glob("*.yaml"))]
    return {p.decides: p for p in read}


def read_playbook(text: str, name: str) -> Playbook:
    """A playbook file's text → Playbook.

    Raises:
        InvalidInput: not YAML, or not a playbook; names the file and the place.
    """
    try:
        return Playbook.model_validate(yaml.safe_load(text))
    except (yaml.YAMLError, ValidationError) as cause:
        where = ".".join(str(p) for p in cause.errors()[0]["loc"]) if isinstance(cause, ValidationError) else ""
        raise InvalidInput(
            Text(f"剧本 {name} 有误：{where}", f"playbook {name} is broken at {where}: {cause}"), where={"file": name}
        ) from cause


def _value(part: Any, facts: Facts) -> Any:
    return part.of(facts) if isinstance(part, Value) else part


def _show(value: Any, form: str | None) -> str:
    if form == "money":
        return f"{float(value):,.2f}".removesuffix(".00")
    if isinstance(value, float):
        return f"{value:g}" if abs(value) < 1e6 else f"{value:.0f}"
    if isinstance(value, list | tuple):
        return "、".join(str(v) for v in value) if form == "zh" else ", ".join(str(v) for v in value)
    return str(value)
