"""Random strategies of every kind over the rich catalog, for the round trip through words."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from core.times import DAY, HOUR, MINUTE, SECOND
from knowledge.catalog import Catalog
from knowledge.catalog.model import Attribute
from strategy.document import (
    SUBJECT,
    ActionCall,
    Aggregate,
    All,
    Any_,
    AttributeIs,
    Cap,
    Change,
    DateIs,
    EventFilter,
    Filter,
    ForecastIs,
    Guards,
    Happens,
    MetricIs,
    Near,
    Not,
    Path,
    PathStep,
    QuietHours,
    Ratio,
    Rollout,
    Sequence,
    Step,
    Strategy,
    Streak,
    Variant,
    Verify,
    Window,
)

ORDER = ["<", "<=", ">", ">=", "==", "!="]
SPANS = st.one_of(
    st.integers(1, 400).map(lambda n: n * DAY),
    st.integers(1, 72).map(lambda n: n * HOUR),
    st.integers(1, 90).map(lambda n: n * MINUTE),
    st.integers(1, 10**12).map(lambda n: n * SECOND // SECOND),
)
WORDS = st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=12).filter(
    lambda t: t.strip() != ""
)


def floats(low: float, high: float) -> st.SearchStrategy[float]:
    return st.one_of(
        st.integers(int(low), int(high)).map(float), st.floats(low, high, allow_nan=False, allow_infinity=False)
    )


def inside(attribute: Attribute) -> st.SearchStrategy[float]:
    """Values strictly inside what the attribute allows, so that no comparison is idle."""
    low = attribute.min if attribute.min is not None else -1000.0
    high = attribute.max if attribute.max is not None else 1000.0
    return floats(low + 1, high - 1)


@st.composite
def tests(draw: st.DrawFn, attribute: Attribute) -> tuple[str, Any]:
    """An operator and value that fit the attribute's type, of those that an aggregate can take as well."""
    if attribute.type == "boolean":
        return draw(st.sampled_from(["==", "!="])), draw(st.booleans())
    many = draw(st.booleans())
    values: st.SearchStrategy[Any]
    if attribute.type == "number":
        values, ops = inside(attribute), ORDER
    elif attribute.type == "enum":
        values, ops = st.sampled_from(sorted(attribute.values)), ["==", "!="]
    elif attribute.type == "date":
        values, ops = st.dates().map(lambda d: d.isoformat()), ORDER
    else:
        values, ops = WORDS, ["==", "!="]
    if many:
        return draw(st.sampled_from(["in", "not_in"])), draw(st.lists(values, min_size=1, max_size=3))
    return draw(st.sampled_from(ops)), draw(values)


@st.composite
def filter_tests(draw: st.DrawFn, attribute: Attribute) -> tuple[str, Any]:
    """As `tests`, with the operators that only filters and attributes know."""
    kind = draw(st.sampled_from(["plain", "blank", "own"]))
    if kind == "blank":
        return draw(st.sampled_from(["missing", "present"])), None
    if kind == "own" and attribute.type == "text":
        return draw(st.sampled_from(["contains", "starts_with", "ends_with"])), draw(WORDS)
    if kind == "own" and attribute.type in ("number", "date"):
        values: st.SearchStrategy[Any] = st.dates().map(lambda d: d.isoformat())
        if attribute.type == "number":
            values = inside(attribute)
        return "between", sorted(draw(st.lists(values, min_size=2, max_size=2)))
    return draw(tests(attribute))


class Documents:
    """Generators over one catalog."""

    def __init__(self, catalog: Catalog) -> None:
        self.catalog = catalog
        self.groups = sorted({g for e in catalog.events.values() for g in e.groups})

    def events(self, subject: str) -> list[str]:
        """Those that happen to it, or are counted for it as a group."""
        return sorted(n for n, e in self.catalog.events.items() if e.subject == subject or subject in e.groups)

    def filters(self, event: str) -> st.SearchStrategy[tuple[Filter, ...]]:
        fields = {n: f for n, f in self.catalog.events[event].fields.items() if f.type != "geo"}
        if not fields:
            return st.just(())

        @st.composite
        def one(draw: st.DrawFn) -> Filter:
            name = draw(st.sampled_from(sorted(fields)))
            op, value = draw(filter_tests(fields[name]))
            return Filter(field=name, op=op, value=value)

        return st.lists(one(), max_size=2).map(tuple)

    @st.composite
    @staticmethod
    def _filtered(draw: st.DrawFn, self: Documents, subject: str) -> EventFilter:
        event = draw(st.sampled_from(self.events(subject)))
        return EventFilter(event=event, where=draw(self.filters(event)))

    def filtered(self, subject: str) -> st.SearchStrategy[EventFilter]:
        return Documents._filtered(self, subject)

    def leaf(self, subject: str) -> st.SearchStrategy[Any]:
        kinds = [self.happens(subject), self.aggregate(subject), self.streak(subject)]
        kinds += [self.attribute(subject)] if self.usable(subject) else []
        kinds += [self.sequence(subject), self.change(subject), self.ratio(subject), self.path(subject)]
        if subject in self.groups:
            kinds += [self.members(subject)]
        if self.forecasts(subject):
            kinds += [self.forecast(subject)]
        if subject == "customer":
            kinds += [self.metric()] if self.catalog.metrics else []
            kinds += [self.near()] if self.catalog.places else []
            kinds += [self.date()]
        return st.one_of(kinds)

    def forecasts(self, subject: str) -> list[tuple[str, str | None]]:
        """Forecasts about it, and about what a relation ties it to."""
        ways = [(r.target, name) for name, r in sorted(self.catalog.relations.items()) if r.source == subject]
        about = [(subject, None), *ways]
        return [(n, via) for n, f in sorted(self.catalog.forecasts.items()) for o, via in about if f.subject == o]

    def condition(self, subject: str) -> st.SearchStrategy[Any]:
        return st.recursive(
            self.leaf(subject),
            lambda inner: st.one_of(
                st.lists(inner, min_size=1, max_size=3).map(lambda of: All(of=tuple(of))),
                st.lists(inner, min_size=1, max_size=3).map(lambda of: Any_(of=tuple(of))),
                inner.map(lambda c: Not(of=c)),
            ),
            max_leaves=4,
        )

    def attribute(self, subject: str) -> st.SearchStrategy[AttributeIs]:
        @st.composite
        def make(draw: st.DrawFn) -> AttributeIs:
            ways = [(r.target, name) for name, r in sorted(self.catalog.relations.items()) if r.source == subject]
            about = [(o, via) for o, via in [(subject, None), *ways] if self.usable(o)]
            owner, via = draw(st.sampled_from(about))
            usable = self.usable(owner)
            name = draw(st.sampled_from(sorted(usable)))
            op, value = draw(filter_tests(usable[name]))
            return AttributeIs(name=name, op=op, value=value, via=via)

        return make()

    def usable(self, kind: str) -> dict[str, Attribute]:
        return {n: a for n, a in self.catalog.objects[kind].attributes.items() if a.type != "geo"}

    def happens(self, subject: str) -> st.SearchStrategy[Happens]:
        return self.filtered(subject).map(lambda e: Happens(event=e.event, where=e.where))

    def window(self) -> st.SearchStrategy[Window]:
        return st.one_of(
            st.just(Window()), SPANS.map(lambda s: Window(over=s)), st.integers(1, 50).map(lambda n: Window(last=n))
        )

    def aggregate(self, subject: str) -> st.SearchStrategy[Aggregate]:
        @st.composite
        def make(draw: st.DrawFn) -> Aggregate:
            e = draw(self.filtered(subject))
            window = draw(self.window())
            fields = self.catalog.events[e.event].fields
            numeric = sorted(n for n, f in fields.items() if f.type == "number")
            functions = (
                ["count"] + (["sum", "avg", "min", "max"] if numeric else []) + (["distinct", "last"] if fields else [])
            )
            function = draw(st.sampled_from(functions))
            op: Any = draw(st.sampled_from(ORDER))
            field, value = None, float(draw(st.integers(1, 30)))
            if function == "last":
                field = draw(st.sampled_from(sorted(fields)))
                op, value = draw(tests(fields[field]))
            elif function == "distinct":
                field = draw(st.sampled_from(sorted(fields)))
            elif function != "count":
                field = draw(st.sampled_from(numeric))
                value = draw(inside(fields[field]))
            return Aggregate(
                event=e.event, where=e.where, function=function, field=field, window=window, op=op, value=value
            )

        return make()

    def metric(self) -> st.SearchStrategy[MetricIs]:
        return st.builds(
            MetricIs,
            metric=st.just("wechat_open_rate"),
            window=self.window(),
            op=st.sampled_from(ORDER),
            value=floats(1, 99),
        )

    def streak(self, subject: str) -> st.SearchStrategy[Streak]:
        return st.builds(
            lambda e, times, per, without: Streak(
                event=e.event, where=e.where, times=times, per=per, without=tuple(without)
            ),
            self.filtered(subject),
            st.integers(1, 40),
            st.sampled_from(["event", "day", "night", "week", "month"]),
            st.lists(self.filtered(subject), max_size=2),
        )

    def sequence(self, subject: str) -> st.SearchStrategy[Sequence]:
        @st.composite
        def make(draw: st.DrawFn) -> Sequence:
            count = draw(st.integers(2, 4))
            steps = []
            for i in range(count):
                e = draw(self.filtered(subject))
                absent = i > 0 and draw(st.booleans())
                within = draw(SPANS) if (absent and i == count - 1) or draw(st.booleans()) else None
                steps.append(Step(event=e.event, where=e.where, within=within, absent=absent))
            return Sequence(steps=tuple(steps))

        return make()

    def change(self, subject: str) -> st.SearchStrategy[Change]:
        @st.composite
        def make(draw: st.DrawFn) -> Change:
            e = draw(self.filtered(subject))
            numeric = sorted(n for n, f in self.catalog.events[e.event].fields.items() if f.type == "number")
            function = draw(st.sampled_from(["count", *(["sum", "avg"] if numeric else [])]))
            field = draw(st.sampled_from(numeric)) if function != "count" else None
            direction = draw(st.sampled_from(["rise", "drop"]))
            percent = draw(floats(1, 100))
            return Change(
                event=e.event, where=e.where, function=function, field=field, window=draw(SPANS), direction=direction,
                percent=percent,
            )  # fmt: skip

        return make()

    def near(self) -> st.SearchStrategy[Near]:
        return st.builds(Near, place=st.just("competitor_store"), metres=floats(1, 5000), attribute=st.just("location"))

    def forecast(self, subject: str) -> st.SearchStrategy[ForecastIs]:
        @st.composite
        def make(draw: st.DrawFn) -> ForecastIs:
            name, via = draw(st.sampled_from(self.forecasts(subject)))
            return ForecastIs(forecast=name, via=via, op=draw(st.sampled_from(ORDER)), value=draw(floats(1, 99)))

        return make()

    def date(self) -> st.SearchStrategy[DateIs]:
        dates = [n for n, a in sorted(self.catalog.objects["customer"].attributes.items()) if a.type == "date"]
        attribute = st.sampled_from(dates)
        return st.one_of(
            st.builds(DateIs, attribute=attribute, days_before=st.integers(0, 400)),
            st.builds(DateIs, attribute=attribute, days_before=st.integers(0, 365), yearly=st.just(True)),
            st.builds(DateIs, attribute=attribute, part=st.sampled_from(["month", "day"])),
        )

    def ratio(self, subject: str) -> st.SearchStrategy[Ratio]:
        return st.builds(
            Ratio,
            of=self.filtered(subject),
            per=self.filtered(subject),
            window=self.window(),
            op=st.sampled_from(ORDER),
            value=floats(0, 100),
            percent=st.booleans(),
        )

    def members(self, subject: str) -> st.SearchStrategy[Aggregate]:
        """How many different ones the events of a group happened to."""
        return st.builds(
            lambda e, window, op, value: Aggregate(
                event=e.event, where=e.where, function="distinct", field=SUBJECT, window=window, op=op, value=value
            ),
            self.filtered(subject),
            self.window(),
            st.sampled_from(ORDER),
            st.integers(1, 99).map(float),
        )

    def path(self, subject: str) -> st.SearchStrategy[Path]:
        @st.composite
        def make(draw: st.DrawFn) -> Path:
            here, steps = subject, []
            for left in range(draw(st.integers(0, 2)), -1, -1):
                ways = [
                    (name, reverse)
                    for name, r in sorted(self.catalog.relations.items())
                    for reverse in (False, True)
                    if here == (r.target if reverse else r.source)
                ]
                name, reverse = draw(st.sampled_from(ways))
                relation = self.catalog.relations[name]
                here = relation.source if reverse else relation.target
                known = self.usable(here)
                where = []
                for field in draw(st.lists(st.sampled_from(sorted(known)), max_size=2)) if known else []:
                    op, value = draw(filter_tests(known[field]))
                    where.append(Filter(field=field, op=op, value=value))
                absent = left == 0 and draw(st.booleans())
                steps.append(PathStep(relation=name, reverse=reverse, where=tuple(where), absent=absent))
            return Path(steps=tuple(steps))

        return make()

    def actions(self) -> st.SearchStrategy[tuple[ActionCall, ...]]:
        params = st.dictionaries(WORDS, st.one_of(WORDS, st.integers(-5, 5), st.booleans()), max_size=2)
        call = st.one_of(
            st.builds(
                lambda a, p: ActionCall(action=a, params=p), st.sampled_from(sorted(self.catalog.actions)), params
            ),
            st.builds(lambda t, p: ActionCall(task=t, params=p), WORDS, params),
        )
        return st.lists(call, min_size=1, max_size=3).map(tuple)

    def guards(self) -> st.SearchStrategy[Guards]:
        clock = st.builds(lambda h, m: f"{h:02d}:{m:02d}", st.integers(0, 23), st.integers(0, 59))
        return st.builds(
            Guards,
            consent=st.none() | st.sampled_from(["marketing", "service"]) | WORDS,
            cap=st.none() | st.builds(Cap, times=st.integers(1, 20), per=SPANS),
            quiet_hours=st.none()
            | st.builds(QuietHours, start=clock, end=clock, mode=st.sampled_from(["defer", "drop"])),
            cooldown=st.none() | SPANS,
            budget=st.none() | st.integers(1, 10**6),
        )

    def rollout(self) -> st.SearchStrategy[Rollout]:
        params = st.dictionaries(WORDS, st.integers(0, 9), max_size=1)
        variant = st.builds(Variant, name=WORDS, weight=floats(1, 10), params=params)
        return st.builds(
            Rollout, percent=floats(0, 100), holdout=floats(0, 100), variants=st.lists(variant, max_size=2).map(tuple)
        )

    def verify(self, subject: str) -> st.SearchStrategy[Verify | None]:
        event = st.builds(lambda e, w: Verify(event=e, within=w), st.sampled_from(self.events(subject)), SPANS)
        metric = st.builds(lambda w: Verify(metric="wechat_open_rate", within=w), SPANS)
        return st.none() | event | (metric if self.catalog.metrics else st.none())

    def strategies(self) -> st.SearchStrategy[Strategy]:
        """Whole strategies, for every kind of object that something happens to."""
        eventful = [o for o in sorted(self.catalog.objects) if self.events(o)]
        conditions = {o: self.condition(o) for o in eventful}  # made once: hypothesis is slow to build them
        actions, guards, rollout = self.actions(), self.guards(), self.rollout()

        @st.composite
        def make(draw: st.DrawFn) -> Strategy:
            subject = draw(st.sampled_from(eventful))
            return Strategy(
                name="s", subject=subject, audience=draw(st.none() | conditions[subject]),
                trigger=draw(conditions[subject]), actions=draw(actions), verify=draw(self.verify(subject)),
                guards=draw(guards), rollout=draw(rollout),
            )  # fmt: skip

        return make()
