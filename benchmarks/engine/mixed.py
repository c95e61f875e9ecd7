"""The mixed strategies: half ask for one event, half keep state (counts, sums and averages over windows, streaks,
sequences, absences), with attributes and cooldowns as people write them."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from benchmarks.engine.generator import SELECTIVE, Predicate, Rule, draw_filter, draw_type, rules
from benchmarks.engine.world import EVENTS, RATES, TIERS, Field
from strategy.document import Strategy

STATEFUL = 0.5
KINDS = {"count": 28, "sum": 14, "avg": 8, "streak": 16, "sequence": 14, "absence": 10, "guarded": 10}
"""What the stateful half is made of, in percent."""
WINDOWS = {"10m": 20, "1h": 30, "6h": 20, "1d": 20, "7d": 10}
WITHIN = {"10m": 8, "1h": 8, "6h": 12, "1d": 26, "7d": 145}
"""How many events a customer has in each window while in a session, about; thresholds are three to six times that."""
TIERED = 0.25
"""The share of strategies that ask for a tier as well; half of them for one of four, half for two."""
COOLED = 0.4
"""The share of strategies with a cooldown, of an hour or a day."""
BROADLY = (20, 45, 35)
"""In percent, how likely a stateful strategy's filter has 0, 1 or 2 predicates."""
BROAD = (0.02, 0.5)
"""A stateful strategy's filter passes a share of its type's events between these, spread evenly on a log scale."""


Drawn = dict[str, Any]


def strategy(rule: Rule) -> Strategy:
    """A stateless filter as a strategy of its own."""
    return _strategy(rule.name, {"kind": "event", **event_filter(rule.event, rule.where)})


def stateless(count: int, seed: int = 1) -> list[Strategy]:
    return [strategy(rule) for rule in rules(count, seed)]


def mixed(count: int, seed: int = 1, selective: tuple[float, float] = SELECTIVE) -> list[Strategy]:
    dice = random.Random(f"mixed {seed}")
    return [_mixed(f"m{i}", rule, dice) for i, rule in enumerate(rules(count, seed, selective))]


def _mixed(name: str, rule: Rule, dice: random.Random) -> Strategy:
    if dice.random() < STATEFUL:
        trigger = _SHAPES[dice.choices(list(KINDS), list(KINDS.values()))[0]](rule, dice)
    else:
        trigger = {"kind": "event", **event_filter(rule.event, rule.where)}
    if dice.random() < TIERED:
        asked = {"op": "==", "value": dice.choice(TIERS)} if dice.random() < 0.5 else _in(dice.sample(TIERS, 2))
        trigger = {"kind": "all", "of": [{"kind": "attribute", "name": "tier", **asked}, trigger]}
    guards = {"cooldown": dice.choice(("1h", "1d"))} if dice.random() < COOLED else {}
    return _strategy(name, trigger, guards)


def _strategy(name: str, trigger: Drawn, guards: Drawn | None = None) -> Strategy:
    made = {"name": name, "trigger": trigger, "actions": [{"task": "call"}], "guards": guards or {}}
    return Strategy.model_validate(made)


def event_filter(event: str, where: Sequence[Predicate]) -> Drawn:
    return {"event": event, "where": [{"field": field, "op": op, "value": value} for field, op, value in where]}


def _in(values: list[str]) -> Drawn:
    return {"op": "in", "value": values}


def _broad(dice: random.Random, event: str | None = None) -> tuple[Drawn, float]:
    """A filter of a stateful strategy, and the share of all events that pass it."""
    event = event or draw_type(dice)
    if (count := dice.choices((0, 1, 2), BROADLY)[0]) == 0:
        return {"event": event}, RATES[event]
    low, high = (math.log(bound) for bound in BROAD)
    while True:
        where, share = draw_filter(event, count, math.exp(dice.uniform(low, high)), dice)
        if BROAD[0] / 2 <= share <= BROAD[1] * 1.2:
            return event_filter(event, where), share * RATES[event]


def _window(dice: random.Random, share: float) -> tuple[Drawn, float]:
    """A window, and how many of such events a customer has in it while a session goes on."""
    over = dice.choices(list(WINDOWS), list(WINDOWS.values()))[0]
    return {"over": over}, share * WITHIN[over]


def _count(rule: Rule, dice: random.Random) -> Drawn:
    kept, share = _broad(dice)
    window, usual = _window(dice, share)
    times = math.ceil(usual * dice.uniform(3, 6) + 2)
    return {"kind": "aggregate", **kept, "function": "count", "window": window, "op": ">=", "value": times}


def _sum(rule: Rule, dice: random.Random) -> Drawn:
    kept, share = _broad(dice)
    window, usual = _window(dice, share)
    field = _numeric(kept["event"], dice)
    much = field.values[len(field.values) * 3 // 4] * (usual * dice.uniform(3, 6) + 6)
    asked = {"field": field.name, "window": window, "op": ">", "value": round(much, 2)}
    return {"kind": "aggregate", **kept, "function": "sum", **asked}


def _avg(rule: Rule, dice: random.Random) -> Drawn:
    kept, _ = _broad(dice)
    field = _numeric(kept["event"], dice)
    above = dice.random() < 0.5
    asked = {"op": ">" if above else "<", "value": field.values[len(field.values) * (15 if above else 6) // 20]}
    window = {"last": dice.choice((3, 5, 10))}
    return {"kind": "aggregate", **kept, "function": "avg", "field": field.name, "window": window, **asked}


def _streak(rule: Rule, dice: random.Random) -> Drawn:
    kept, _ = _broad(dice)
    without = [_other(kept["event"], dice)] if dice.random() < 0.3 else []
    return {"kind": "streak", **kept, "times": dice.choice((4, 5, 6)), "without": without}


def _sequence(rule: Rule, dice: random.Random) -> Drawn:
    """Two or three steps in time, the first or the last one rare; a third with one between that must not come."""
    rare = event_filter(rule.event, rule.where)
    first, last = (rare, _broad(dice)[0]) if dice.random() < 0.5 else (_broad(dice)[0], rare)
    between = [_timed(_broad(dice)[0], dice)] if dice.random() < 0.5 else []
    missing = [{**_other(last["event"], dice), "absent": True}] if dice.random() < 1 / 3 else []
    return {"kind": "sequence", "steps": [first, *between, *missing, _timed(last, dice)]}


def _other(event: str, dice: random.Random) -> Drawn:
    """A filter on another type of event: what must not come before a step may not be what the step waits for."""
    while (found := _broad(dice)[0])["event"] == event:
        pass
    return found


def _timed(step: Drawn, dice: random.Random) -> Drawn:
    return {**step, "within": dice.choice(("10m", "1h", "6h"))}


def _absence(rule: Rule, dice: random.Random) -> Drawn:
    """Nothing of a kind for a time after a rare event: fires by timer."""
    missed = {**_broad(dice)[0], "absent": True, "within": dice.choice(("30m", "2h", "1d"))}
    return {"kind": "sequence", "steps": [event_filter(rule.event, rule.where), missed]}


def _guarded(rule: Rule, dice: random.Random) -> Drawn:
    """A rare event, and at that moment few (or many) of another kind lately."""
    kept, share = _broad(dice)
    window, usual = _window(dice, share)
    asked = {"function": "count", "window": window, "op": dice.choice(("<", ">=")), "value": math.ceil(usual + 0.5)}
    return {
        "kind": "all",
        "of": [{"kind": "event", **event_filter(rule.event, rule.where)}, {"kind": "aggregate", **kept, **asked}],
    }


def _numeric(event: str, dice: random.Random) -> Field:
    return dice.choice([field for field in EVENTS[event] if field.type == "number"])


_SHAPES: dict[str, Callable[[Rule, random.Random], Drawn]] = {
    "count": _count,
    "sum": _sum,
    "avg": _avg,
    "streak": _streak,
    "sequence": _sequence,
    "absence": _absence,
    "guarded": _guarded,
}


def touched(strategies: Sequence[Strategy]) -> float:
    """How many filters of conditions with state an event passes on average: each is state to look at or to change."""
    return sum(_share(node) for made in strategies for node in _filters(made.model_dump(mode="json")["trigger"], False))


def _filters(node: Drawn, state: bool) -> Iterator[Drawn]:
    if node.get("event") and (state or node.get("kind") not in (None, "event")):
        yield node
    for part in (*node.get("of", ()), *node.get("steps", ()), *node.get("without", ())):
        yield from _filters(part, node["kind"] != "all")


def _share(node: Drawn) -> float:
    share = RATES[node["event"]]
    bounds: dict[str, list[Predicate]] = {}
    for where in node["where"]:
        bounds.setdefault(where["field"], []).append((where["field"], where["op"], where["value"]))
    fields = {field.name: field for field in EVENTS[node["event"]]}
    for name, asked in bounds.items():
        shares = [fields[name].share(op, value) for _, op, value in asked]
        share *= shares[0] if len(shares) == 1 else sum(shares) - fields[name].present
    return share
