"""Path patterns: what has happened, and what has not, along the relations of a subject. Shapes, their one-line text
form and how they read in Chinese and English; whether they match is in matching.py."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

from lark import Lark, Token, Transformer
from lark.exceptions import UnexpectedInput, UnexpectedToken, VisitError

from core.errors import InvalidInput, UnknownName
from core.text import Text
from core.times import format_duration, parse_duration
from knowledge.catalog import Catalog, nearest, text_of
from knowledge.graph.model import PathMatch

Op = Literal["=", "!=", ">", ">=", "<", "<="]
_OPERATORS: Mapping[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "!=": operator.ne,
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
}


@dataclass(frozen=True, slots=True)
class Test:
    """A property (or an event's field) compared with a value. What is missing, or of another kind, does not pass."""

    __test__ = False  # pytest, this is not yours

    name: str
    op: Op
    value: Any

    def passes(self, seen: Any) -> bool:
        numbers = _is_number(seen) and _is_number(self.value)
        return (
            seen is not None and (numbers or type(seen) is type(self.value)) and _OPERATORS[self.op](seen, self.value)
        )


@dataclass(frozen=True, slots=True)
class Hop:
    """Along one relation (`reverse`: against it) to a subject of a type that passes every test. `absent`: there must be
    none, and the path stays where it is."""

    relation: str
    target: str
    reverse: bool = False
    absent: bool = False
    tests: tuple[Test, ...] = ()


@dataclass(frozen=True, slots=True)
class Happening:
    """An event of the subject that the path has come to. After an earlier happening it comes later than that, by at
    most `within`; as the first one it lies in the last `within` before the moment asked about. `absent`: none does
    until the next happening, or until `within` is over."""

    event: str
    absent: bool = False
    tests: tuple[Test, ...] = ()
    within: int | None = None


@dataclass(frozen=True, slots=True)
class Tally:
    """An aggregate of the events in (at - within, at] of the subject that the path has come to, compared with a value;
    `field` is what all but `count` are of. Over no events, `count` and `sum` are 0 and the others do not pass."""

    function: Literal["count", "sum", "avg", "min", "max"]
    event: str
    field: str | None
    tests: tuple[Test, ...]
    op: Op
    value: float
    within: int


PathStep = Hop | Happening | Tally


@dataclass(frozen=True, slots=True)
class PathPattern:
    """From subjects of a type that pass every test, step by step."""

    subject: str
    tests: tuple[Test, ...] = ()
    steps: tuple[PathStep, ...] = ()

    def __str__(self) -> str:
        return " ".join([self.subject + _tests(self.tests), *map(_step, self.steps)])

    @property
    def events(self) -> frozenset[str]:
        return frozenset(s.event for s in self.steps if not isinstance(s, Hop))


def read_pattern(text: str, catalog: Catalog | None = None) -> PathPattern:
    """The pattern a line says; its names are checked when a catalog is given.

    Raises:
        InvalidInput: the line has another form; `where` has the offset.
        UnknownName: the catalog has no such object, relation, event or property.
    """
    try:
        pattern: PathPattern = _Reader().transform(_grammar().parse(text))
    except UnexpectedInput as error:
        ended = isinstance(error, UnexpectedToken) and error.token.type == "$END"
        offset = len(text) if ended or error.pos_in_stream is None else error.pos_in_stream
        raise InvalidInput(
            Text(f"路径在第 {offset + 1} 个字符处看不懂", f"the path cannot be read from character {offset + 1} on"),
            where={"offset": offset},
            hint=Text(
                "例如：customer -owns-> device then no visit within 30d",
                "For example: customer -owns-> device then no visit within 30d",
            ),
        ) from error
    except VisitError as error:
        if isinstance(error.orig_exc, InvalidInput):
            raise error.orig_exc from error
        raise
    if catalog is not None:
        _check(pattern, catalog)
    return pattern


def readback(pattern: PathPattern, catalog: Catalog) -> Text:
    """The pattern as a sentence."""
    start = (
        text_of(catalog.objects[pattern.subject], pattern.subject)
        if pattern.subject in catalog.objects
        else Text(pattern.subject, pattern.subject)
    )
    parts = [_with_tests(start, pattern.tests, catalog, pattern.subject)]
    owner, anchored = pattern.subject, False
    for step in pattern.steps:
        parts.append(_say(step, catalog, owner, anchored))
        if isinstance(step, Hop) and not step.absent:
            owner = step.target
        anchored = anchored or (isinstance(step, Happening) and not step.absent)
    return Text("，".join(p.zh for p in parts), ", ".join(p.en for p in parts))


@dataclass(frozen=True, slots=True)
class Recommendation:
    """A step that a pattern found missing, and what makes it due: facts and events that may be cited."""

    subject: str
    step: PathStep
    text: Text
    evidence: tuple[str, ...]


def missing_steps(pattern: PathPattern, found: PathMatch, catalog: Catalog) -> list[Recommendation]:
    """What to see to for a subject for whom the pattern holds: each step of it that did not happen."""
    steps: list[Recommendation] = []
    for step in pattern.steps:
        if isinstance(step, Tally) or not step.absent:
            continue
        what = _named(catalog.relations, step.relation) if isinstance(step, Hop) else _named(catalog.events, step.event)
        text = Text(f"补上缺失的一步：{what.zh}", f"see to the missing step: {what.en}")
        steps.append(Recommendation(found.subject, step, text, found.evidence))
    return steps


def _say(step: PathStep, catalog: Catalog, owner: str, anchored: bool) -> Text:
    if isinstance(step, Hop):
        name = _named(catalog.relations, step.relation)
        target = _with_tests(_named(catalog.objects, step.target), step.tests, catalog, step.target)
        if step.reverse:
            zh, en = ("没有", "no") if step.absent else ("被", "")
            return Text(f"{zh}{target.zh}{name.zh}", f"which {en or 'a'} {target.en} {name.en}")
        zh, en = ("没有", "no ") if step.absent else ("", "")
        return Text(f"{zh}{name.zh}{target.zh}", f"{name.en} {en}{target.en}")
    event = _with_tests(_named(catalog.events, step.event), step.tests, catalog, None, step.event)
    if isinstance(step, Tally):
        span = _span(step.within)
        how, what = _FUNCTIONS[step.function], _field(catalog, step.event, step.field)
        return Text(
            f"最近{span.zh}内{event.zh}{what.zh}{how.zh} {step.op} {_number(step.value)}",
            f"with the {how.en} of {event.en}{what.en} in the last {span.en} {step.op} {_number(step.value)}",
        )
    limit = Text("", "")
    if step.within is not None:
        span = _span(step.within)
        limit = (
            Text(f"{span.zh}内", f" within {span.en}")
            if anchored
            else Text(f"最近{span.zh}内", f" in the last {span.en}")
        )
    then = Text("之后", "then ") if anchored else Text("", "")
    if step.absent:
        return Text(f"{then.zh}{limit.zh}没有{event.zh}", f"{then.en}no {event.en}{limit.en}")
    return Text(f"{then.zh}{limit.zh}{event.zh}", f"{then.en}{event.en}{limit.en}")


_FUNCTIONS = {
    "count": Text("次数", "count"), "sum": Text("合计", "sum"), "avg": Text("平均", "average"),
    "min": Text("最小值", "minimum"), "max": Text("最大值", "maximum"),
}  # fmt: skip
_WORDS = {"=": Text("为", "is"), "!=": Text("不为", "is not")}
_UNITS = {"w": Text("周", "weeks"), "d": Text("天", "days"), "h": Text("小时", "hours"), "m": Text("分钟", "minutes"),
          "s": Text("秒", "seconds")}  # fmt: skip


def _span(micros: int) -> Text:
    text = format_duration(micros)
    unit = _UNITS.get(text[-1])
    if unit is None or not text[:-1].isdigit():
        return Text(text, text)
    return Text(text[:-1] + unit.zh, f"{text[:-1]} {unit.en if text[:-1] != '1' else unit.en[:-1]}")


def _named(items: Mapping[str, Any], name: str) -> Text:
    return text_of(items[name], name) if name in items else Text(name, name)


def _field(catalog: Catalog, event: str, field: str | None) -> Text:
    if field is None:
        return Text("", "")
    found = catalog.field(event, field)
    name = text_of(found, field) if found else Text(field, field)
    return Text(f"的{name.zh}", f"'s {name.en}")


def _with_tests(
    name: Text, tests: tuple[Test, ...], catalog: Catalog, owner: str | None, event: str | None = None
) -> Text:
    said = []
    for test in tests:
        item = catalog.attribute(owner, test.name) if owner else catalog.field(event or "", test.name)
        what = text_of(item, test.name) if item else Text(test.name, test.name)
        value = Text(_number(test.value), _number(test.value))
        if item and isinstance(test.value, str) and test.value in item.values:
            value = text_of(item.values[test.value], test.value)
        word = _WORDS.get(test.op, Text(test.op, test.op))
        said.append(Text(f"{what.zh}{word.zh}{value.zh}", f"{what.en} {word.en} {value.en}"))
    if not said:
        return name
    return Text(f"{name.zh}（{'、'.join(s.zh for s in said)}）", f"{name.en} ({', '.join(s.en for s in said)})")


def _number(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value).lower() if isinstance(value, bool) else str(value)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


# --- text form ---------------------------------------------------------------


def _tests(tests: tuple[Test, ...]) -> str:
    return "[" + ", ".join(f"{t.name} {t.op} {_value(t.value)}" for t in tests) + "]" if tests else ""


def _value(value: Any) -> str:
    if isinstance(value, str):
        return f'"{value}"'
    return str(value).lower() if isinstance(value, bool) else repr(value)


def _step(step: PathStep) -> str:
    within = f" within {format_duration(step.within)}" if not isinstance(step, Hop) and step.within is not None else ""
    if isinstance(step, Tally):
        field = f", {step.field}" if step.field else ""
        inner = f"{step.event}{field}{_tests(step.tests)}"
        return f"with {step.function}({inner}) {step.op} {_value(step.value)}{within}"
    absent = "no " if step.absent else ""
    if isinstance(step, Happening):
        return f"then {absent}{step.event}{_tests(step.tests)}{within}"
    arrow = f"<-{step.relation}-" if step.reverse else f"-{step.relation}->"
    return f"{arrow} {absent}{step.target}{_tests(step.tests)}"


@cache
def _grammar() -> Lark:
    text = Path(__file__).with_name("pattern.lark").read_text(encoding="utf-8")
    return Lark(text, parser="lalr", lexer="contextual", maybe_placeholders=True)


class _Reader(Transformer[Token, Any]):
    """Parse tree → pattern."""

    def start(self, parts: list[Any]) -> PathPattern:
        subject, tests, *steps = parts
        return PathPattern(str(subject), tests or (), tuple(steps))

    def out(self, parts: list[Any]) -> Hop:
        relation, absent, target, tests = parts
        return Hop(str(relation), str(target), False, absent is not None, tests or ())

    def into(self, parts: list[Any]) -> Hop:
        relation, absent, target, tests = parts
        return Hop(str(relation), str(target), True, absent is not None, tests or ())

    def happens(self, parts: list[Any]) -> Happening:
        absent, event, tests, within = parts
        return Happening(str(event), absent is not None, tests or (), within)

    def tally(self, parts: list[Any]) -> Tally:
        function, event, field, tests, op, value, within = parts
        return Tally(str(function), str(event), field and str(field), tests or (), str(op), value, within)  # type: ignore[arg-type]  # the grammar lets nothing else through

    def tests(self, parts: list[Any]) -> tuple[Test, ...]:
        return tuple(parts)

    def test(self, parts: list[Any]) -> Test:
        name, op, value = parts
        return Test(str(name), str(op), value)  # type: ignore[arg-type]  # the grammar lets nothing else through

    def within(self, parts: list[Any]) -> int:
        return parse_duration(str(parts[0]))

    def number(self, parts: list[Any]) -> float:
        return float(parts[0]) if "." in parts[0] else int(parts[0])

    def truth(self, parts: list[Any]) -> bool:
        return str(parts[0]) == "true"

    def text(self, parts: list[Any]) -> str:
        return str(parts[0])[1:-1]

    def word(self, parts: list[Any]) -> str:
        return str(parts[0])


def _check(pattern: PathPattern, catalog: Catalog) -> None:
    def known(name: str, items: Mapping[str, Any], zh: str, en: str) -> None:
        if name not in items:
            raise UnknownName(
                Text(f"没有{zh} {name!r}", f"there is no {en} {name!r}"),
                where={"field": name},
                nearest=nearest(name, items),
            )

    def properties(owner: str, tests: tuple[Test, ...]) -> None:
        for test in tests:
            known(test.name, catalog.objects[owner].attributes, "属性", "attribute")

    known(pattern.subject, catalog.objects, "对象", "object")
    properties(pattern.subject, pattern.tests)
    for step in pattern.steps:
        if isinstance(step, Hop):
            known(step.relation, catalog.relations, "关系", "relation")
            known(step.target, catalog.objects, "对象", "object")
            properties(step.target, step.tests)
            continue
        known(step.event, catalog.events, "事件", "event")
        fields = catalog.events[step.event].fields
        names = [t.name for t in step.tests] + ([step.field] if isinstance(step, Tally) and step.field else [])
        for name in names:
            known(name, fields, "字段", "field")
