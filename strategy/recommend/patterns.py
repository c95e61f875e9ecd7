"""What recorded history shows that no strategy looks after: people at risk, what went before the risk, steps that
follow most of the time and are missing for the rest. Each finding is a document with the counts it rests on."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from core.text import Text
from core.times import DAY, HOUR, Micros
from knowledge.catalog import Catalog, text_of
from knowledge.catalog.units import canonical
from strategy.document import Strategy
from strategy.experiment import Arm, wilson
from strategy.recommend.records import Records

HIGH = 70.0
"""Percent from which a forecast is a risk that somebody should look after."""
BEFORE = 14 * DAY
"""How long before a risk rose its signs are looked for."""
DELAYS = (HOUR, 2 * HOUR, 6 * HOUR, 12 * HOUR, DAY, 3 * DAY, 7 * DAY)
FEWEST = 8
"""Cases from which a finding may be more than chance."""
USUAL = 0.6
"""Share of cases in which a step has to follow, to be one that is missing otherwise."""
ERROR = 0.05
"""Chance that a kind of finding is noise, however many candidates were compared for it (Bonferroni)."""


@dataclass(frozen=True, slots=True)
class Found:
    """`kind`: group, moment or missing_step. `counts` are what `why` says, as numbers; `subjects` those concerned."""

    kind: str
    strategy: Strategy
    why: Text
    counts: dict[str, float]
    subjects: tuple[str, ...] = field(default=())


def found_in(records: Records, catalog: Catalog, handled: dict[str, set[str]]) -> Iterator[Found]:
    """Findings. `handled`: object type → subjects that a strategy has fired for."""
    theirs = _theirs(records, catalog)
    yield from _groups(records, catalog, handled)
    yield from _moments(records, catalog, theirs)
    yield from _missing_steps(records, catalog, theirs)


def _theirs(records: Records, catalog: Catalog) -> dict[str, list[str]]:
    """Object type → recorded events of what its subjects do, or meet; not of what our own actions send them."""
    ours = {event for action in catalog.actions.values() for event in action.causes}
    found: dict[str, list[str]] = defaultdict(list)
    for event, type_ in catalog.events.items():
        if records.times[event] and event not in ours:
            found[type_.subject].append(event)
    return found


# people at risk whom nothing reaches


def _groups(records: Records, catalog: Catalog, handled: dict[str, set[str]]) -> Iterator[Found]:
    for name, forecast in catalog.forecasts.items():
        if canonical(forecast.unit or "") != "percent":
            continue
        kind, label = forecast.subject, text_of(forecast, name)
        risky = {who for who, (_, value) in records.facts[name].items() if _number(value) > HIGH}
        left = risky - handled.get(kind, set())
        if len(left) < FEWEST:
            continue
        trigger = {"kind": "forecast", "forecast": name, "op": ">", "value": HIGH}
        group = _sharpest(left, risky, records, catalog, kind)
        body: dict[str, Any] = {"name": f"{name}-{group[1]}" if group else f"{name}-high", "trigger": trigger}
        whom = text_of(catalog.objects[kind], kind)
        if group is not None:
            attribute, value, members = group
            left = members
            body["audience"] = {"kind": "attribute", "name": attribute, "op": "==", "value": value}
            labels = catalog.objects[kind].attributes[attribute].values[value]
            named = Text(*(labels.zh[:1] or [value]), *(labels.en[:1] or [value]))
            zh = named.zh if named.zh.endswith(whom.zh) else f"{named.zh}的{whom.zh}"
            whom = Text(zh, named.en if named.en.endswith(whom.en) else f"{named.en} {whom.en}")
        why = Text(
            f"{len(left)} 个{whom.zh}的{label.zh}超过 {HIGH:g}%，没有策略触达过他们",
            f"{label.en} is above {HIGH:g}% for {len(left)} subjects ({whom.en}), whom no strategy has reached",
        )
        counts = {"at_risk": float(len(risky)), "unreached": float(len(left))}
        yield Found("group", _strategy(body, kind, catalog), why, counts, tuple(sorted(left)))


def _sharpest(
    left: set[str], risky: set[str], records: Records, catalog: Catalog, kind: str
) -> tuple[str, str, set[str]] | None:
    """The value of an enum attribute that most of those left share, while it is rarer among all subjects; None: none
    stands out."""
    best: tuple[float, tuple[str, str, set[str]]] | None = None
    everyone = records.subjects[kind]
    enums = [each for each in catalog.objects[kind].attributes.values() if each.type == "enum"]
    sure = _confidence(sum(len(each.values) for each in enums))
    for name, attribute in catalog.objects[kind].attributes.items():
        if attribute.type != "enum":
            continue
        told = {who: value for who, (_, value) in records.facts[name].items()}
        for value in attribute.values:
            members = {who for who in left if told.get(who) == value}
            if len(members) < FEWEST:
                continue
            others = sum(1 for who in everyone if told.get(who) == value)
            low, _ = wilson(Arm(len(left), len(members)), sure)
            _, high = wilson(Arm(len(everyone), others), sure)
            if low > high and (best is None or low - high > best[0]):
                best = (low - high, (name, value, members))
    return None if best is None else best[1]


# what went before


def _moments(records: Records, catalog: Catalog, theirs: dict[str, list[str]]) -> Iterator[Found]:
    """Events that stopped before a forecast rose, more often than they stop for others at the same time."""
    for name, forecast in catalog.forecasts.items():
        kind = forecast.subject
        rises = {who: at for who, values in records.changes(name) if (at := _rose(values)) is not None}
        rises = {who: at for who, at in rises.items() if at - BEFORE >= records.begin}
        if len(rises) < FEWEST:
            continue
        moments = sorted(rises.values())
        middle = moments[len(moments) // 2]
        calm = [who for who in records.subjects[kind] if who not in rises]
        best: tuple[float, str, int, int] | None = None
        events = theirs.get(kind, [])
        sure = _confidence(len(events) * len(catalog.forecasts))
        for event in events:
            silent = sum(1 for who, at in rises.items() if not records.count(event, who, at - BEFORE, at))
            quiet = sum(1 for who in calm if not records.count(event, who, middle - BEFORE, middle))
            low, _ = wilson(Arm(len(rises), silent), sure)
            _, high = wilson(Arm(len(calm), quiet), sure) if calm else (0.0, 1.0)
            if low > high and (best is None or low - high > best[0]):
                best = (low - high, event, silent, quiet)
        if best is None:
            continue
        _, event, silent, quiet = best
        label, act = text_of(forecast, name), text_of(catalog.events[event], event)
        trigger = {
            "kind": "aggregate", "event": event, "function": "count",
            "window": {"over": "14d"}, "op": "==", "value": 0,
        }  # fmt: skip
        why = Text(
            f"{label.zh}升过 {HIGH:g}% 的 {len(rises)} 个对象里，{silent} 个在此前 14 天没有“{act.zh}”；"
            f"其余 {len(calm)} 个对象里只有 {quiet} 个",
            f"of {len(rises)} whose {label.en} rose above {HIGH:g}%, {silent} had no “{act.en}” in the 14 days before;"
            f" of the other {len(calm)} only {quiet}",
        )
        body = {"name": f"no-{event}-before-{name}", "trigger": trigger}
        counts = {
            "rose": float(len(rises)), "silent_before": float(silent),
            "others": float(len(calm)), "silent_others": float(quiet),
        }  # fmt: skip
        who = tuple(sorted(w for w, at in rises.items() if not records.count(event, w, at - BEFORE, at)))
        yield Found("moment", _strategy(body, kind, catalog), why, counts, who)


def _rose(values: list[tuple[Micros, Any]]) -> Micros | None:
    """When a forecast first was above `HIGH` after it had not been."""
    before = False
    for at, value in values:
        if _number(value) > HIGH and before:
            return at
        before = before or _number(value) <= HIGH
    return None


# steps that are missing


def _missing_steps(records: Records, catalog: Catalog, theirs: dict[str, list[str]]) -> Iterator[Found]:
    """A → B: after most of the one the other comes within a time, and more often than it comes anyway."""
    days = max(1.0, (records.end - records.begin) / DAY)
    sure = _confidence(sum(len(events) * (len(events) - 1) for events in theirs.values()) * len(DELAYS))
    for kind, events in theirs.items():
        for first in events:
            best: tuple[float, Found] | None = None
            for then in events:
                step = _step(records, catalog, kind, first, then, days, sure) if first != then else None
                if step is not None and (best is None or step[0] > best[0]):
                    best = step
            if best is not None:
                yield best[1]


def _step(
    records: Records, catalog: Catalog, kind: str, first: str, then: str, days: float, sure: float
) -> tuple[float, Found] | None:
    starts = [
        (who, at) for who, times in records.times[first].items() for at in times if at + DELAYS[-1] <= records.end
    ]
    if len(starts) < FEWEST:
        return None
    waits = {(who, at): records.next_after(then, who, at) for who, at in starts}
    for within in DELAYS:
        done = {key for key, came in waits.items() if came is not None and came - key[1] <= within}
        share = len(done) / len(starts)
        missed = [key for key in waits if key not in done]
        if share < USUAL or len(missed) < 3:
            continue
        followers = records.times[then]
        actors = {who for who, _ in starts}
        rate = sum(len(followers.get(who, ())) for who in actors) / len(actors) / days
        chance = min(1.0, rate * within / DAY)
        low, _ = wilson(Arm(len(starts), len(done)), sure)
        if low <= max(2 * chance, chance + 0.2):
            return None
        return low - chance, _missing(catalog, kind, first, then, within, missed, len(starts))
    return None


def _missing(
    catalog: Catalog,
    kind: str,
    first: str,
    then: str,
    within: int,
    missed: list[tuple[str, Micros]],
    starts: int,
) -> Found:
    a, b = text_of(catalog.events[first], first), text_of(catalog.events[then], then)
    hours = within // HOUR
    long = Text(f"{hours} 小时", f"{hours} hour{'' if hours == 1 else 's'}")
    why = Text(
        f"“{a.zh}”之后通常在 {long.zh}内有“{b.zh}”（{starts} 次里 {starts - len(missed)} 次），"
        f"另有 {len(missed)} 次没有",
        f"“{a.en}” is usually followed by “{b.en}” within {long.en} ({starts - len(missed)} of {starts}); "
        f"{len(missed)} times it was not",
    )
    trigger = {"kind": "sequence", "steps": [{"event": first}, {"event": then, "absent": True, "within": within}]}
    body = {"name": f"{first}-without-{then}", "trigger": trigger}
    counts = {"cases": float(starts), "followed": float(starts - len(missed)), "missed": float(len(missed))}
    who = tuple(sorted({subject for subject, _ in missed}))
    return Found("missing_step", _strategy(body, kind, catalog), why, counts, who)


# what to do about it


def _strategy(body: dict[str, Any], kind: str, catalog: Catalog) -> Strategy:
    return Strategy.model_validate({"subject": kind, "actions": [_action(catalog)], **body})


def _action(catalog: Catalog) -> dict[str, str]:
    """One for a person, and not bound to a purpose: a recommendation should not begin with sending things out."""
    ranked = sorted(
        catalog.actions.items(), key=lambda each: (each[1].channel not in ("inbox", "voice"), bool(each[1].purposes))
    )
    return {"action": ranked[0][0]} if ranked else {"task": "look after it"}


def _confidence(compared: int) -> float:
    """Of each interval, so that all that are compared hold together."""
    return 1 - ERROR / max(1, compared)


def _number(value: Any) -> float:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else float("-inf")
