"""The walk over a strategy that both languages share: what is said of each kind of condition is theirs (chinese.py,
english.py)."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar, Literal

from core.text import Lang
from strategy.document import (
    Aggregate,
    All,
    Any_,
    AttributeIs,
    Cap,
    Change,
    Condition,
    DateIs,
    EventFilter,
    Filter,
    ForecastIs,
    Happens,
    MetricIs,
    Near,
    Not,
    Path,
    PathStep,
    QuietHours,
    Ratio,
    Strategy,
    Streak,
    Variant,
    Verify,
)
from strategy.document import Sequence as Ordered
from strategy.engine.paths import reached
from strategy.language.lexicon import Name
from strategy.language.speech import Speech, duration


class Voice(ABC):
    """What both languages share: the walk over the document."""

    comparisons: ClassVar[dict[str, str]]
    equals: ClassVar[dict[str, str]]
    joints: ClassVar[dict[Literal["all", "any"], str]]
    brackets: ClassVar[tuple[str, str]]

    def __init__(self, strategy: Strategy, speech: Speech) -> None:
        self.strategy = strategy
        self.speech = speech
        self.catalog = speech.catalog
        self.lang: Lang = speech.lang

    @abstractmethod
    def all(self) -> str: ...

    @abstractmethod
    def cap(self, cap: Cap) -> str: ...

    @abstractmethod
    def quiet(self, hours: QuietHours) -> str: ...

    @abstractmethod
    def goal(self, verify: Verify) -> str:
        """What counts as success, and within what time; "" where the document names nothing."""

    @abstractmethod
    def variant(self, variant: Variant) -> str: ...

    # ---- conditions --------------------------------------------------------------------------------------------------

    def condition(self, condition: Condition, *, nested: bool = False, plain: bool = True) -> str:
        """A condition; `nested` ones are bracketed where they join several. `plain`: an act may be short."""
        if isinstance(condition, All | Any_):
            kind: Literal["all", "any"] = condition.kind
            inner = self.joints[kind].join(self.condition(c, nested=True) for c in condition.of)
            if len(condition.of) == 1 or (isinstance(condition, Any_) and _alternatives(condition)):
                return self.explicit(kind, inner)
            return self.bracket(inner) if nested else inner
        if isinstance(condition, Not):
            return self.negation(self.condition(condition.of))
        return self.leaf(condition, alone=plain and not nested)

    def bracket(self, inner: str) -> str:
        return f"{self.brackets[0]}{inner}{self.brackets[1]}"

    @abstractmethod
    def explicit(self, kind: Literal["all", "any"], inner: str) -> str: ...

    @abstractmethod
    def negation(self, inner: str) -> str: ...

    def leaf(self, condition: Condition, *, alone: bool) -> str:
        match condition:
            case AttributeIs():
                return self.attribute(condition)
            case Happens():
                return self.happens(condition, alone=alone)
            case Aggregate():
                return self.count(condition) if condition.function == "count" else self.aggregate(condition)
            case MetricIs():
                return self.metric(condition)
            case Ratio():
                return self.ratio(condition)
            case Streak():
                return self.streak(condition)
            case Ordered():
                return self.sequence(condition)
            case Change():
                return self.change(condition)
            case Near():
                return self.near(condition)
            case ForecastIs():
                return self.forecast(condition)
            case DateIs():
                return self.date(condition)
            case Path():
                return self.path(condition)
        raise AssertionError(condition)

    @abstractmethod
    def attribute(self, c: AttributeIs) -> str: ...

    @abstractmethod
    def happens(self, c: Happens, *, alone: bool) -> str: ...

    @abstractmethod
    def count(self, c: Aggregate) -> str: ...

    @abstractmethod
    def aggregate(self, c: Aggregate) -> str: ...

    @abstractmethod
    def metric(self, c: MetricIs) -> str: ...

    @abstractmethod
    def ratio(self, c: Ratio) -> str: ...

    @abstractmethod
    def streak(self, c: Streak) -> str: ...

    @abstractmethod
    def sequence(self, c: Ordered) -> str: ...

    @abstractmethod
    def change(self, c: Change) -> str: ...

    @abstractmethod
    def near(self, c: Near) -> str: ...

    @abstractmethod
    def forecast(self, c: ForecastIs) -> str: ...

    @abstractmethod
    def date(self, c: DateIs) -> str: ...

    @abstractmethod
    def path(self, c: Path) -> str: ...

    def moment(self, c: Condition) -> bool:
        """True only at instants, so that it turns true anew with every one of them."""
        if isinstance(c, All):
            return any(self.moment(each) for each in c.of)
        if isinstance(c, Any_):
            return all(self.moment(each) for each in c.of)
        return isinstance(c, Happens | Ordered)

    # ---- shared words ------------------------------------------------------------------------------------------------

    def span(self, micros: int) -> str:
        return duration(micros, self.lang)

    @abstractmethod
    def compared(self, op: str, value: object, name: Name) -> str:
        """A comparison with a value, as the type of what is compared wants it."""

    def event(self, e: EventFilter) -> str:
        """An event with its filters in brackets."""
        name = self.speech.name("event", e.event)
        return name + (self.filters(e.event, e.where) if e.where else "")

    def filters(self, event: str, where: Sequence[Filter]) -> str:
        tests = [self.test(Name("field", f.field, event), f) for f in where]
        return self.bracket(self.joints["all"].join(tests))

    def reached(self, step: PathStep) -> str:
        """The kind of object a step of a path leads to, with its tests in brackets."""
        tests = [self.test(Name("attribute", f.field, reached(step, self.catalog)), f) for f in step.where]
        gap = " " if tests and self.lang == "en" else ""
        return self.kind(step) + gap + (self.bracket(self.joints["all"].join(tests)) if tests else "")

    def along(self, step: PathStep) -> str:
        """The relation, set apart since it may be a verb or a noun."""
        name = self.speech.name("relation", step.relation)
        return name if "`" in name else f"“{name}”"

    def kind(self, step: PathStep) -> str:
        return self.speech.name("object", reached(step, self.catalog))

    @abstractmethod
    def test(self, name: Name, f: Filter) -> str: ...

    def flag(self, e: EventFilter) -> tuple[str, str, bool] | None:
        """Event, field and polarity where the only filter is a yes/no field: 打开营销邮件."""
        if self.speech.exact or len(e.where) != 1:
            return None
        f = e.where[0]
        attribute = self.catalog.field(e.event, f.field)
        if attribute is None or attribute.type != "boolean" or f.op != "==" or not isinstance(f.value, bool):
            return None
        return self.speech.name("event", e.event), self.speech.name("field", f.field, e.event), f.value

    def owner_of(self, relation: str | None) -> str:
        """The object type a condition speaks about: the subject, or what the relation leads to."""
        return self.catalog.relations[relation].target if relation else self.strategy.subject

    def zero(self, c: Aggregate) -> bool:
        return c.op == "==" and c.value == 0 and c.window.last is None and not c.where


def _alternatives(condition: Any_) -> bool:
    """Alternatives that unbracketed would be read as one test on several values."""
    return all(isinstance(c, AttributeIs) for c in condition.of)
