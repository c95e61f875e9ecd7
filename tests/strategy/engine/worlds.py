"""Random small worlds for the engine's property tests: a catalog with every kind of item, strategies over it, and
streams with ties, disorder, late arrivals, duplicates, restarts and advances of time."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

from hypothesis import strategies as st

from core.events import Event, Fact, Input, Relation
from core.times import DAY, HOUR, MINUTE, Micros, parse_time
from knowledge.catalog import Catalog, read_catalog
from strategy.document import Strategy

CATALOG = """
catalog: 1
timezone: {zone}
{history}
objects:
  customer:
    attributes:
      tier: {{type: enum, values: {{vip: {{}}, plain: {{}}}}}}
      score: {{type: number}}
      active: {{type: boolean}}
      birthday: {{type: date}}
      location: {{type: geo}}
      note: {{type: text}}
  device: {{attributes: {{heat: {{type: number}}, warranty: {{type: date}}}}}}
  store: {{attributes: {{size: {{type: number}}, city: {{type: text}}}}}}
  region: {{}}
events:
  a: {{subject: customer, groups: {{store: kind}},
       fields: {{x: {{type: number, min: 0}}, y: {{type: number, min: -10}}, z: {{type: number}},
       ok: {{type: boolean}}, kind: {{type: text}}, due: {{type: date}}}}}}
  b: {{subject: customer, fields: {{x: {{type: number, min: 0}}, kind: {{type: text}}}},
       groups: {{store: kind, region: x}}}}
  c: {{subject: customer}}
metrics:
  rate: {{subject: customer, ratio: {{of: b, per: a}}, unit: percent}}
  load: {{subject: customer, ratio: {{of: a, per: c}}}}
forecasts:
  churn: {{subject: customer, horizon: 3d, unit: percent}}
  failure: {{subject: device, horizon: 3d, unit: percent}}
places:
  shop: {{radius: 500m, points: [{{id: p1, lat: 31.23, lon: 121.47}}, {{id: p2, lat: 31.3, lon: 121.5}}]}}
relations:
  owns: {{from: customer, to: device}}
  knows: {{from: customer, to: customer}}
  stands: {{from: device, to: store}}
"""
START = parse_time("2026-02-27T09:00:00+08:00")
SPANS = ["30m", "1h", "2h", "6h", "1d", "2d"]
NUMBERS = [0, 1, 2, 3, 0.1, 0.2, 0.3, 2.5, 10]


@dataclass(frozen=True)
class Restart:
    """Snapshot, fresh engine, restore."""


Op = list[Input] | Micros | Restart
"""Inputs to ingest, a moment to advance to, or a restart."""


@cache
def catalogs() -> st.SearchStrategy[Catalog]:
    zones = st.sampled_from(["Asia/Shanghai", "Asia/Shanghai", "America/New_York", "UTC"])
    history = st.sampled_from(["", "", "history_from: 2026-02-25T00:00:00Z", "history_from: 2026-02-27T03:00:00Z"])
    return st.builds(_catalog, zones, history)


@cache
def _catalog(zone: str, history: str) -> Catalog:
    return read_catalog(CATALOG.format(zone=zone, history=history)).catalog


# strategies

_TESTS = [
    {"field": "ok", "op": "==", "value": True},
    {"field": "ok", "op": "!=", "value": True},
    {"field": "ok", "op": "missing"},
    {"field": "x", "op": ">", "value": 1},
    {"field": "x", "op": "<=", "value": 2},
    {"field": "x", "op": "between", "value": [0.1, 2]},
    {"field": "x", "op": "present"},
    {"field": "kind", "op": "in", "value": ["p", "q"]},
    {"field": "kind", "op": "not_in", "value": ["p"]},
    {"field": "kind", "op": "contains", "value": "q"},
    {"field": "kind", "op": "starts_with", "value": "p"},
    {"field": "kind", "op": "ends_with", "value": "q"},
    {"field": "due", "op": "<", "value": "2026-03-01"},
    {"field": "due", "op": "between", "value": ["2026-02-28", "2026-03-01"]},
]


@st.composite
def _filters(draw: st.DrawFn, event: str) -> list[dict[str, Any]]:
    if event == "c" or draw(st.integers(0, 2)) == 0:
        return []
    if event == "b":
        return [{"field": "x", "op": draw(_comparisons()), "value": draw(st.sampled_from(NUMBERS))}]
    return [draw(st.sampled_from(_TESTS))]


@cache
def _comparisons() -> st.SearchStrategy[str]:
    return st.sampled_from(["<", "<=", ">", ">=", "==", "!="])


@st.composite
def _event(draw: st.DrawFn, names: str = "abc") -> dict[str, Any]:
    name = draw(st.sampled_from(names))
    return {"event": name, "where": draw(_filters(name))}


@cache
def _windows() -> st.SearchStrategy[dict[str, Any]]:
    over = st.sampled_from(SPANS).map(lambda s: {"over": s})
    return st.one_of(over, over, over, st.integers(1, 4).map(lambda n: {"last": n}), st.just({}))


@st.composite
def _aggregates(draw: st.DrawFn, names: str) -> dict[str, Any]:
    function = draw(st.sampled_from(["count", "count", "count", "sum", "avg", "min", "max", "distinct", "last"]))
    made: dict[str, Any] = {"kind": "aggregate", "function": function, "window": draw(_windows())}
    made |= draw(_event(names)) if function == "count" else draw(_event("a"))
    if function != "count":
        made["field"] = draw(st.sampled_from(["x", "y", "z"]))
    if function == "distinct":
        made["field"] = draw(st.sampled_from(["x", "ok", "kind", "@subject"]))
    if function == "last" and draw(st.integers(0, 3)) == 0:
        value = st.sampled_from(["2026-03-01", "2026-02-28"])
        return made | {"field": "due", "op": draw(_comparisons()), "value": draw(value)}
    if draw(st.integers(0, 5)) == 0:
        return made | {
            "op": draw(st.sampled_from(["in", "not_in"])),
            "value": draw(st.sampled_from([[0, 1], [2, 0.3]])),
        }
    value = st.integers(0, 4) if function in ("count", "distinct") else st.sampled_from(NUMBERS)
    return made | {"op": draw(_comparisons()), "value": draw(value)}


@st.composite
def _metrics(draw: st.DrawFn) -> dict[str, Any]:
    made = {"kind": "metric", "metric": draw(st.sampled_from(["rate", "load"])), "window": draw(_windows())}
    return made | {"op": draw(_comparisons()), "value": draw(st.sampled_from([0.5, 1, 2, 50, 100]))}


@st.composite
def _ratios(draw: st.DrawFn, names: str) -> dict[str, Any]:
    made = {"kind": "ratio", "of": draw(_event(names)), "per": draw(_event(names)), "window": draw(_windows())}
    made["percent"] = draw(st.booleans())
    return made | {"op": draw(_comparisons()), "value": draw(st.sampled_from([0.5, 1, 2, 50, 100]))}


@st.composite
def _streaks(draw: st.DrawFn, names: str) -> dict[str, Any]:
    made = {"kind": "streak", **draw(_event("ab")), "times": draw(st.integers(1, 3))}
    made["per"] = draw(st.sampled_from(["event", "event", "event", "day", "night", "week", "month"]))
    made["without"] = draw(st.lists(_event(names), max_size=2)) if draw(st.booleans()) else []
    return made


@st.composite
def _sequences(draw: st.DrawFn, names: str) -> dict[str, Any]:
    steps = [draw(_event(names))]
    for _ in range(draw(st.integers(1, 3))):
        step = draw(_event(names))
        if draw(st.booleans()):
            step["within"] = draw(st.sampled_from(SPANS))
        step["absent"] = draw(st.integers(0, 2)) == 0
        steps.append(step)
    if steps[-1].get("absent") and draw(st.integers(0, 9)):
        steps[-1]["within"] = draw(st.sampled_from(SPANS))
    return {"kind": "sequence", "steps": steps}


@st.composite
def _changes(draw: st.DrawFn) -> dict[str, Any]:
    function = draw(st.sampled_from(["count", "sum", "avg"]))
    made = {"kind": "change", **draw(_event("a")), "function": function, "window": draw(st.sampled_from(SPANS))}
    if function != "count":
        made["field"] = draw(st.sampled_from(["x", "y"]))
    direction = draw(st.sampled_from(["rise", "drop"]))
    return made | {"direction": direction, "percent": draw(st.sampled_from([10, 50, 100]))}


@cache
def _fact_conditions() -> st.SearchStrategy[dict[str, Any]]:
    return st.sampled_from(
        [
            {"kind": "attribute", "name": "tier", "op": "==", "value": "vip"},
            {"kind": "attribute", "name": "tier", "op": "in", "value": ["vip", "plain"]},
            {"kind": "attribute", "name": "tier", "op": "missing"},
            {"kind": "attribute", "name": "active", "op": "==", "value": False},
            {"kind": "attribute", "name": "score", "op": ">", "value": 2},
            {"kind": "attribute", "name": "score", "op": "between", "value": [0.2, 2]},
            {"kind": "attribute", "name": "note", "op": "contains", "value": "b"},
            {"kind": "attribute", "name": "note", "op": "starts_with", "value": "ab"},
            {"kind": "attribute", "name": "birthday", "op": "between", "value": ["1990-01-01", "2026-02-28"]},
            {"kind": "attribute", "name": "location", "op": "present"},
            {"kind": "attribute", "name": "heat", "op": ">=", "value": 2.5, "via": "owns"},
            {"kind": "attribute", "name": "heat", "op": "missing", "via": "owns"},
            {"kind": "forecast", "forecast": "churn", "op": ">", "value": 2},
            {"kind": "forecast", "forecast": "failure", "op": "<=", "value": 2, "via": "owns"},
            {"kind": "near", "place": "shop", "metres": 500},
            {"kind": "date", "attribute": "birthday", "part": "month"},
            {"kind": "date", "attribute": "birthday", "part": "day"},
            {"kind": "date", "attribute": "birthday", "days_before": 0},
            {"kind": "date", "attribute": "birthday", "days_before": 2},
            {"kind": "date", "attribute": "birthday", "days_before": 0, "yearly": True},
            {"kind": "date", "attribute": "birthday", "days_before": 2, "yearly": True},
            {"kind": "date", "attribute": "birthday", "days_before": 365, "yearly": True},
            {"kind": "date", "attribute": "warranty", "days_before": 1, "via": "owns"},
            {"kind": "date", "attribute": "warranty", "days_before": 1, "yearly": True, "via": "owns"},
        ]
    )


_WAYS = {
    "customer": [("owns", False, "device"), ("knows", False, "customer"), ("knows", True, "customer")],
    "device": [("owns", True, "customer"), ("stands", False, "store")],
    "store": [("stands", True, "device")],
}
"""Object type → the steps from it: relation, whether against it, and the type it leads to."""
_PASSED = {
    "customer": [{"field": "tier", "op": "==", "value": "vip"}, {"field": "score", "op": "missing"}],
    "device": [{"field": "heat", "op": ">=", "value": 2.5}, {"field": "warranty", "op": "<", "value": "2026-03-01"}],
    "store": [{"field": "size", "op": "<", "value": 3}, {"field": "city", "op": "ends_with", "value": "b"}],
}


@st.composite
def _paths(draw: st.DrawFn, owner: str) -> dict[str, Any]:
    steps = []
    for _ in range(draw(st.integers(1, 3))):
        relation, reverse, owner = draw(st.sampled_from(_WAYS[owner]))
        where = draw(st.lists(st.sampled_from(_PASSED[owner]), max_size=1))
        steps.append({"relation": relation, "reverse": reverse, "where": where, "absent": False})
    steps[-1]["absent"] = draw(st.booleans())
    return {"kind": "path", "steps": steps}


_NAMES = {"customer": "abc", "store": "ab", "region": "b"}
"""Object type → the events that count for it."""


@cache
def _leaves(subject: str) -> st.SearchStrategy[dict[str, Any]]:
    names = _NAMES[subject]
    event = _event(names).map(lambda e: {"kind": "event", **e})
    kinds = [event, _ratios(names), _sequences(names)]
    if subject != "region":
        kinds += [_aggregates(names), _aggregates(names), _streaks(names), _changes(), _paths(subject)]
    if subject == "customer":
        kinds += [_metrics(), _fact_conditions(), _fact_conditions()]
    if subject == "store":
        kinds.append(st.just({"kind": "attribute", "name": "size", "op": "<", "value": 3}))
    return st.one_of(kinds)


@cache
def conditions(subject: str = "customer") -> st.SearchStrategy[dict[str, Any]]:
    def join(parts: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
        several = st.lists(parts, min_size=1, max_size=3)
        return st.one_of(
            several.map(lambda of: {"kind": "all", "of": of}),
            several.map(lambda of: {"kind": "any", "of": of}),
            parts.map(lambda of: {"kind": "not", "of": of}),
        )

    return st.one_of(_leaves(subject), st.recursive(_leaves(subject), join, max_leaves=3))


@st.composite
def flights(draw: st.DrawFn) -> dict[str, Any]:
    """Sequences that are in flight often and for long."""
    first, second = (draw(st.sampled_from("abc")) for _ in "12")
    last = {"event": second, "within": draw(st.sampled_from(["6h", "1d", "2d"])), "absent": draw(st.booleans())}
    sequence = {"kind": "sequence", "steps": [{"event": first}, last]}
    joined = {"kind": draw(st.sampled_from(["any", "all"])), "of": [sequence, draw(_fact_conditions())]}
    return draw(st.sampled_from([sequence, joined]))


@st.composite
def documents(draw: st.DrawFn, name: str = "s", flying: bool = False) -> Strategy:
    subject = "customer" if flying else draw(st.sampled_from(["customer"] * 6 + ["store"] * 2 + ["region"]))
    made: dict[str, Any] = {"name": name, "subject": subject, "actions": [{"task": "call"}]}
    made["trigger"] = draw(flights() if flying else conditions(subject))
    if draw(st.integers(0, 3)) == 0:
        made["audience"] = draw(conditions(subject))
    if draw(st.integers(0, 3)) == 0:
        made["guards"] = {"cooldown": draw(st.sampled_from(SPANS))}
    return Strategy.model_validate(made)


Pool = tuple[str, list[dict[str, Any]]]
"""An object type, and conditions on it."""


@st.composite
def pools(draw: st.DrawFn) -> Pool:
    subject = draw(st.sampled_from(["customer"] * 3 + ["store"]))
    return subject, draw(st.lists(conditions(subject), min_size=1, max_size=3))


@st.composite
def relatives(draw: st.DrawFn, name: str, pool: Pool) -> Strategy:
    """A strategy made of conditions that others are made of as well: as they are, denied, compared with another value,
    joined."""
    subject, known = pool

    def part() -> dict[str, Any]:
        found = dict(draw(st.sampled_from(known)))
        if found["kind"] in ("aggregate", "metric", "ratio") and isinstance(found["value"], int | float):
            found["value"] = draw(st.sampled_from([found["value"], 1, 2]))
        if found["kind"] == "streak":
            found["times"] = draw(st.integers(1, 3))
        return {"kind": "not", "of": found} if draw(st.integers(0, 2)) == 0 else found

    made: dict[str, Any] = {"name": name, "subject": subject, "actions": [{"task": "call"}], "trigger": part()}
    if draw(st.booleans()):
        made["trigger"] = {"kind": draw(st.sampled_from(["all", "any"])), "of": [part(), part()]}
    if draw(st.integers(0, 4)) == 0:
        made["audience"] = part()
    if draw(st.integers(0, 4)) == 0:
        made["guards"] = {"cooldown": draw(st.sampled_from(SPANS))}
    return Strategy.model_validate(made)


_NUMBERED: list[dict[str, Any]] = [
    {"kind": "aggregate", "event": "a", "function": "count", "window": {"over": "1h"}},
    {"kind": "aggregate", "event": "a", "function": "count", "window": {"over": "1d"}},
    {"kind": "aggregate", "event": "a", "function": "sum", "field": "x", "window": {"over": "1d"}},
    {"kind": "aggregate", "event": "a", "function": "sum", "field": "x", "window": {"over": "2h"}},
    {"kind": "aggregate", "event": "a", "function": "min", "field": "x", "window": {"over": "2h"}},
    {"kind": "aggregate", "event": "a", "function": "min", "field": "x", "window": {"over": "1d"}},
    {"kind": "aggregate", "event": "a", "function": "avg", "field": "y", "window": {"last": 2}},
    {"kind": "aggregate", "event": "a", "function": "distinct", "field": "ok", "window": {"over": "6h"}},
    {"kind": "attribute", "name": "score"},
    {"kind": "metric", "metric": "load"},
    {"kind": "ratio", "of": {"event": "a", "where": [_TESTS[0]]}, "per": {"event": "a"}},
    {"kind": "forecast", "forecast": "churn"},
]
_NAMED: list[tuple[str, list[str], list[Any]]] = [
    ("score", ["<", ">=", "between", "missing", "present"], [-1, 0, 1, 2]),
    ("tier", ["==", "!=", "missing", "present"], ["vip", "plain"]),
    ("active", ["==", "!=", "missing"], [True, False]),
    ("note", ["==", "contains", "starts_with", "ends_with", "missing"], ["", "a", "ab", "b", "B"]),
    ("birthday", ["==", "!=", "<", ">", "between"], ["1990-03-02", "2024-02-29", "2026-02-28", "2026-03-01"]),
]


@st.composite
def _of_one_attribute(draw: st.DrawFn) -> st.SearchStrategy[dict[str, Any]]:
    name, ops, values = draw(st.sampled_from(_NAMED))
    value = st.sampled_from(values)

    def made(op: str) -> st.SearchStrategy[dict[str, Any]]:
        base = {"kind": "attribute", "name": name, "op": op}
        if op in ("missing", "present"):
            return st.just(base)
        asked = st.lists(value, min_size=2, max_size=2) if op == "between" else value
        return asked.map(lambda found: {**base, "value": found})

    return st.sampled_from(ops).flatmap(made)


@st.composite
def squeezed(draw: st.DrawFn) -> Strategy:
    """Strategies that say two or three things of one quantity or two: about half of them can never fire."""
    if draw(st.booleans()):
        one = draw(_of_one_attribute())
    else:
        bases = draw(st.sampled_from([[base] for base in _NUMBERED] + [_NUMBERED[:2], _NUMBERED[2:4], _NUMBERED[4:6]]))
        asked = st.fixed_dictionaries({"op": _comparisons(), "value": st.sampled_from([-1, 0, 0.5, 1, 2, 3])})
        one = st.builds(lambda base, more: {**base, **more}, st.sampled_from(bases), asked)
    kind = st.sampled_from(["all", "all", "all", "any"])
    several = st.builds(lambda kind, of: {"kind": kind, "of": of}, kind, st.lists(one, min_size=2, max_size=3))
    trigger = draw(st.one_of(several, several.map(lambda of: {"kind": "not", "of": of})))
    return Strategy.model_validate({"name": "s", "actions": [{"task": "call"}], "trigger": trigger})


# streams


@cache
def _times() -> st.SearchStrategy[Micros]:
    """Half hours over four days, thinly; so that edges of windows, deadlines and ties are met often."""
    return st.one_of(st.integers(0, 16), st.integers(0, 200)).map(lambda n: Micros(START + n * 30 * MINUTE))


@cache
def _data() -> st.SearchStrategy[dict[str, Any]]:
    values: dict[str, Any] = {
        "x": st.sampled_from([0, 1, 2.0, 3, 0.1, 0.2, None, "odd", True]),
        "y": st.sampled_from([-2, 0.5, 3, -0.1]),
        "z": st.sampled_from([-1, 1.5, 2]),
        "ok": st.booleans(),
        "kind": st.sampled_from(["p", "q", "pq", "", 1, 1.0, 2.5, True]),
        "due": st.sampled_from(["2026-02-28", "2026-03-01", "2026-03-01T10:00:00Z", None]),
    }
    return st.fixed_dictionaries({}, optional=values)


STORES = st.sampled_from(["store/p", "store/1"])
CUSTOMERS = st.sampled_from(["customer/1", "customer/1", "customer/2"])
DEVICES = st.sampled_from(["device/1", "device/2"])


@cache
def _facts() -> st.SearchStrategy[Input]:
    days = st.sampled_from(["2026-02-28", "2026-03-01", "2024-02-29", "1990-03-02", None])
    mine = {
        "tier": st.sampled_from(["vip", "plain", None]),
        "score": st.sampled_from(NUMBERS),
        "active": st.booleans(),
        "birthday": days,
        "churn": st.sampled_from(NUMBERS),
        "note": st.sampled_from(["ab", "b", "B", "", None]),
        "location": st.sampled_from([{"lat": 31.231, "lon": 121.471}, {"lat": 31.0, "lon": 121.0}]),
    }
    its = {"heat": st.sampled_from(NUMBERS), "failure": st.sampled_from(NUMBERS), "warranty": days}
    return st.one_of(
        *(st.builds(Fact, CUSTOMERS, st.just(name), value, _times()) for name, value in mine.items()),
        *(st.builds(Fact, DEVICES, st.just(name), value, _times()) for name, value in its.items()),
        st.builds(Fact, STORES, st.just("size"), st.sampled_from(NUMBERS), _times()),
        st.builds(Fact, STORES, st.just("city"), st.sampled_from(["ab", "a"]), _times()),
        st.builds(Relation, CUSTOMERS, st.just("owns"), DEVICES, _times(), st.booleans()),
        st.builds(Relation, CUSTOMERS, st.just("knows"), CUSTOMERS, _times(), st.booleans()),
        st.builds(Relation, DEVICES, st.just("stands"), STORES, _times(), st.booleans()),
        st.builds(Relation, CUSTOMERS, st.just("owns"), DEVICES, _times()),
    )


@st.composite
def inputs(draw: st.DrawFn, disorder: int) -> list[Input]:
    """A stream in an order of arrival: by time plus up to `disorder`, and some of it anywhere (late) or twice."""
    kinds = st.sampled_from(["a", "a", "a", "b", "c"])
    drawn = draw(st.lists(st.tuples(kinds, _times(), CUSTOMERS, _data()), min_size=1, max_size=14))
    names = draw(st.permutations(range(len(drawn))))
    found: list[Input] = [
        Event(f"e{n:02}", kind, time, subject, data)
        for n, (kind, time, subject, data) in zip(names, drawn, strict=True)
    ]
    found += draw(st.lists(_facts(), max_size=6))
    delays = draw(st.lists(st.integers(0, max(disorder, 1) - 1), min_size=len(found), max_size=len(found)))
    arriving = sorted(zip(found, delays, range(len(found)), strict=True), key=lambda f: (f[0].time + f[1], f[2]))
    stream = [item for item, _, _ in arriving]
    for _ in range(draw(st.integers(0, 2))):
        place = draw(st.integers(0, len(stream) - 1))
        stream.insert(draw(st.integers(0, len(stream))), stream[place])
    if draw(st.integers(0, 3)) == 0:
        stream.insert(draw(st.integers(0, len(stream))), stream.pop(draw(st.integers(0, len(stream) - 1))))
    return stream


@st.composite
def operations(draw: st.DrawFn, stream: list[Input]) -> list[Op]:
    """The stream cut into batches, with restarts and advances of time between them, and time running on at the end."""
    ops: list[Op] = []
    rest = list(stream)
    while rest:
        size = draw(st.integers(1, max(1, len(rest))))
        ops.append(rest[:size])
        rest = rest[size:]
        happens = draw(st.integers(0, 5))
        if happens == 0:
            ops.append(Restart())
        elif happens == 1:
            ops.append(draw(_times()))
    ops.append(Micros(START + 4 * DAY + draw(st.sampled_from([0, 1, HOUR, 2 * DAY]))))
    return ops
