"""A strategy said in English."""

from __future__ import annotations

from typing import ClassVar, Literal

from strategy.document import (
    SUBJECT,
    ActionCall,
    Aggregate,
    AttributeIs,
    Cap,
    Change,
    DateIs,
    EventFilter,
    Filter,
    ForecastIs,
    Happens,
    MetricIs,
    Near,
    Path,
    QuietHours,
    Ratio,
    Step,
    Streak,
    Variant,
    Verify,
    Window,
)
from strategy.document import Sequence as Ordered
from strategy.language.atoms import keys_of
from strategy.language.lexicon import Name
from strategy.language.normalise import plain
from strategy.language.speech import number, params, quoted
from strategy.language.voice import Voice


def plural(noun: str) -> str:
    """The usual plural, where the grammar still knows the word; names by id stay as they are."""
    ending = "es" if noun.endswith(("s", "x", "ch", "sh")) else "s"
    said = noun[:-1] + "ies" if noun.endswith("y") and noun[-2:-1] not in "aeiou" else noun + ending
    return said if noun.isascii() and keys_of(plain(said)) == keys_of(plain(noun)) else noun


def article(noun: str) -> str:
    return "an" if noun[:1].lower() in "aeio" else "a"


class English(Voice):
    comparisons: ClassVar[dict[str, str]] = {
        "<": "is below",
        "<=": "is at most",
        ">": "is above",
        ">=": "is at least",
        "==": "is equal to",
        "!=": "is not equal to",
    }
    counts: ClassVar[dict[str, str]] = {
        "<": "fewer than",
        "<=": "at most",
        ">": "more than",
        ">=": "at least",
        "==": "exactly",
        "!=": "not equal to",
    }
    equals: ClassVar[dict[str, str]] = {"==": "is", "!=": "is not", "in": "is one of", "not_in": "is not one of"}
    others: ClassVar[dict[str, str]] = {
        "between": "is between {} and {} inclusive",
        "contains": "contains {}",
        "starts_with": "starts with {}",
        "ends_with": "ends with {}",
        "missing": "is missing",
        "present": "is not missing",
    }
    joints: ClassVar[dict[Literal["all", "any"], str]] = {"all": ", and ", "any": ", or "}
    brackets: ClassVar[tuple[str, str]] = ("(", ")")
    functions: ClassVar[dict[str, str]] = {
        "sum": "total",
        "avg": "average",
        "min": "lowest",
        "max": "highest",
        "distinct": "distinct",
        "last": "latest",
    }

    def all(self) -> str:
        s = self.strategy
        subject = self.speech.name("object", s.subject)
        who = f"For any {subject} that satisfies ({self.condition(s.audience, plain=False)}), " if s.audience else ""
        when = "when" if who else "When"
        actions = "; ".join(self.action(a) for a in s.actions)
        how = "; ".join(self.how(plural(subject)))
        trigger = self.condition(s.trigger)
        return (
            f"{who}{when}, for {article(subject)} {subject}, {trigger}, then do: {actions}. {how[0].upper()}{how[1:]}."
        )

    def action(self, a: ActionCall) -> str:
        if a.action:
            return f"{self.speech.name('action', a.action)}{params(a.params, 'en')}"
        return f"the task {quoted(a.task or '', 'en')}{params(a.params, 'en')}"

    def how(self, subjects: str) -> list[str]:
        s, g, r = self.strategy, self.strategy.guards, self.strategy.rollout
        said = [
            f"start with {number(r.percent)}% of {subjects}",
            f"hold out {number(r.holdout)}%" if r.holdout else "with no holdout",
        ]
        said += [self.variant(v) for v in r.variants]
        if g.consent is not None:
            said.append(f"with consent for {quoted(g.consent, 'en')}")
        said.append(self.cap(g.cap) if g.cap else "no limit on how often")
        said.append(f"no messages from {self.quiet(g.quiet_hours)}" if g.quiet_hours else "send at night too")
        if g.cooldown is not None:
            said.append(f"cooldown of {self.span(g.cooldown)}")
        else:
            again = "it happens" if self.moment(s.trigger) else "it becomes true"
            said.append(f"fire again each time {again}")
        if g.budget is not None:
            said.append(f"budget of {g.budget} deliveries")
        if s.verify and (goal := self.goal(s.verify)):
            said.append(f"verify by {goal}")
        return said

    def variant(self, variant: Variant) -> str:
        return f"variant {quoted(variant.name, 'en')} weight {number(variant.weight)}{params(variant.params, 'en')}"

    def cap(self, cap: Cap) -> str:
        times = "time" if cap.times == 1 else "times"
        return f"at most {cap.times} {times} per {self.span(cap.per)} per subject"

    def quiet(self, hours: QuietHours) -> str:
        mode = "deferred until after" if hours.mode == "defer" else "dropped"
        return f"{hours.start} to {hours.end} ({mode})"

    def goal(self, verify: Verify) -> str:
        within = f" within {self.span(verify.within)}"
        if verify.event:
            return self.speech.name("event", verify.event) + within
        return self.speech.name("metric", verify.metric) + within if verify.metric else ""

    def explicit(self, kind: Literal["all", "any"], inner: str) -> str:
        return f"{'all of' if kind == 'all' else 'any of'} ({inner})"

    def negation(self, inner: str) -> str:
        return f"not ({inner})"

    def via(self, relation: str | None) -> str:
        if relation is None:
            return ""
        target = self.speech.name("object", self.catalog.relations[relation].target)
        return f" of any {target} linked by {self.speech.name('relation', relation)}"

    def compared(self, op: str, value: object, name: Name) -> str:
        attribute = self.speech.attribute(name)
        said = "" if value is None else self.speech.value(value, attribute, name)  # type: ignore[arg-type] # a document's value
        numeric = isinstance(value, float | int) and not isinstance(value, bool)
        if op in self.others:
            low, high = (
                [self.speech.value(v, attribute, name) for v in value] if isinstance(value, list) else [said, ""]
            )
            return self.others[op].format(low, high)
        return f"{self.comparisons[op] if numeric or op not in self.equals else self.equals[op]} {said}"

    def test(self, name: Name, f: Filter) -> str:
        return f"{self.speech.name(name.kind, f.field, name.owner)} {self.compared(f.op, f.value, name)}"

    def event(self, e: EventFilter) -> str:
        name = self.speech.name("event", e.event)
        name = f"“{name}”" if " " in name and "`" not in name else name
        return name + (f" {self.filters(e.event, e.where)}" if e.where else "")

    def attribute(self, c: AttributeIs) -> str:
        name = Name("attribute", c.name, self.owner_of(c.via))
        return (
            f"{self.speech.name('attribute', c.name, name.owner)}{self.via(c.via)} {self.compared(c.op, c.value, name)}"
        )

    def happens(self, c: Happens, *, alone: bool) -> str:
        if alone and (flag := self.flag(c)):
            event, field, positive = flag
            return f"{event} is {'' if positive else 'not '}{field}"
        return f"{self.event(c)} happens"

    def window(self, w: Window) -> str:
        if w.over is not None:
            return f"in the last {self.span(w.over)}"
        return f"in the last {w.last} times" if w.last else "in all history"

    def count(self, c: Aggregate) -> str:
        if self.zero(c):
            return (
                f"no {self.event(c)} {self.window(c.window)}" if c.window.over is not None else f"never {self.event(c)}"
            )
        times = "time" if c.value == 1 else "times"
        return f"{self.event(c)} happens {self.counts[c.op]} {number(float(c.value))} {times} {self.window(c.window)}"  # type: ignore[arg-type] # a count's value is a float

    def aggregate(self, c: Aggregate) -> str:
        name = Name("field", c.field or "", c.event)
        window = "" if c.function == "last" and c.window == Window() else f" {self.window(c.window)}"
        field = self.speech.name("field", c.field or "", c.event)
        if c.field == SUBJECT:
            whom = plural(self.speech.name("object", self.catalog.events[c.event].subject))
            value = number(float(c.value))  # type: ignore[arg-type] # a number of subjects
            return f"the number of distinct {whom} of {self.event(c)}{window} {self.comparisons[c.op]} {value}"
        said = f"the {self.functions[c.function]} {field} of {self.event(c)}{window}"
        if c.function == "distinct":
            return f"{said} {self.comparisons[c.op]} {number(float(c.value))}"  # type: ignore[arg-type] # a number of values
        return f"{said} {self.compared(c.op, c.value, name)}"

    def metric(self, c: MetricIs) -> str:
        value = self.speech.amount(c.value, self.catalog.metrics[c.metric].unit)
        return f"{self.speech.name('metric', c.metric)} {self.window(c.window)} {self.comparisons[c.op]} {value}"

    def ratio(self, c: Ratio) -> str:
        value = self.speech.amount(c.value, "percent" if c.percent else None)
        return (
            f"the ratio of {self.event(c.of)} to {self.event(c.per)} {self.window(c.window)}"
            f" {self.comparisons[c.op]} {value}"
        )

    def streak(self, c: Streak) -> str:
        without = "".join(f" without {self.event(e)}" for e in c.without)
        if c.per != "event":
            return f"{self.event(c)} on each of {c.times} consecutive {c.per}s{without}"
        times = f"{c.times} time{'' if c.times == 1 else 's'} in a row"
        if (flag := self.flag(c)) and not without:
            event, field, positive = flag
            return f"{event} is {'' if positive else 'not '}{field} {times}"
        return f"{self.event(c)} {times}{without}"

    def sequence(self, c: Ordered) -> str:
        if len(c.steps) == 2 and not c.steps[0].absent and c.steps[0].within is None:
            second = c.steps[1]
            within = f" within {self.span(second.within)}" if second.within is not None else ""
            followed = "is not followed by" if second.absent else "is followed by"
            return f"{self.event(c.steps[0])} {followed} {self.event(second)}{within}"
        return "first " + " → ".join(self.step(s) for s in c.steps)

    def step(self, s: Step) -> str:
        within = f" within {self.span(s.within)}" if s.within is not None else ""
        return f"{'no ' if s.absent else ''}{self.event(s)}{within}"

    def change(self, c: Change) -> str:
        what = (
            "number of"
            if c.function == "count"
            else f"{self.functions[c.function]} {self.speech.name('field', c.field or '', c.event)} of"
        )
        verb = "rises" if c.direction == "rise" else "drops"
        span_ = self.span(c.window)
        return (
            f"the {what} {self.event(c)} in the last {span_} {verb} by at least {number(c.percent)}%"
            f" compared with the previous {span_}"
        )

    def near(self, c: Near) -> str:
        attribute = self.speech.name("attribute", c.attribute, self.strategy.subject)
        return f"{attribute} is within {number(c.metres)} m of {self.speech.name('place', c.place)}"

    def forecast(self, c: ForecastIs) -> str:
        f = self.catalog.forecasts[c.forecast]
        name = self.speech.name("forecast", c.forecast)
        value = self.speech.amount(c.value, f.unit)
        return f"{name}{self.via(c.via)} within {self.span(f.horizon)} {self.comparisons[c.op]} {value}"

    def date(self, c: DateIs) -> str:
        name = f"{self.speech.name('attribute', c.attribute, self.owner_of(c.via))}{self.via(c.via)}"
        if c.part:
            return f"it is {'the month of' if c.part == 'month' else 'the day of'} {name}"
        days = c.days_before or 0
        if c.yearly:
            name = f"the anniversary of {name}"
        return f"it is exactly {days} day{'' if days == 1 else 's'} before {name}, all day"

    def path(self, c: Path) -> str:
        said, it = [], "it"
        for step in c.steps:
            along, object_ = self.along(step), self.reached(step)
            some = f"no {object_}" if step.absent else f"{article(object_)} {object_}"
            said.append(
                f"{it} is reached by {along} from {some}" if step.reverse else f"{it} is linked by {along} to {some}"
            )
            it = f"that {self.kind(step)}"
        return ", and ".join(said)
