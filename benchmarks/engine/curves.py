"""The full run: the figures, and how each grows. What a matcher is not asked, and why, is said in `Plan.left_out`."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any

from benchmarks.engine import figures, peers, quick
from benchmarks.engine.figures import Extent
from benchmarks.engine.matchers import matchers
from benchmarks.engine.mixed import mixed, touched
from benchmarks.engine.points import point
from benchmarks.machine import machine_facts

Rows = list[list[float]]
SIZES = (10, 100, 1_000, 10_000, 100_000, 1_000_000)


@dataclass(frozen=True)
class Plan:
    """What one matcher is asked. `extent` is for all that does not say its own."""

    extent: Extent
    strategies: Sequence[int]
    customers: Sequence[int]
    batches: Sequence[int]
    states: Sequence[int]
    single: Sequence[int]
    paces: Sequence[int]
    recovery: Sequence[int]
    left_out: str
    most: float
    """Seconds that one point may take."""


PLANS = {
    "python": Plan(
        extent=Extent(1_000, 1_000, 5),
        strategies=SIZES[:4],
        customers=(1_000, 10_000),
        batches=(1, 16, 256, 4_096),
        states=(1_000, 10_000),
        single=SIZES[:4],
        paces=(100, 200, 400, 800),
        recovery=(1_000, 10_000),
        left_out="more than 10,000 strategies or customers: hours",
        most=300,
    ),
    "columnar": Plan(
        extent=Extent(100_000, 100_000, 5),
        strategies=SIZES,
        customers=(1_000, 10_000, 100_000, 1_000_000, 10_000_000),
        batches=(1, 4, 16, 64, 256, 1_024, 4_096),
        states=(1_000, 10_000, 100_000, 1_000_000),
        single=SIZES[:4],
        paces=(25_000, 50_000, 100_000, 150_000, 200_000),
        recovery=(1_000, 10_000, 100_000, 1_000_000),
        left_out="nothing",
        most=900,
    ),
}
PACE = peers.Pace(seconds=0.5, rounds=5, warm=3.0, most=240.0)
WIDER = (1, 10, 100)


@dataclass(frozen=True)
class Scale:
    """How far the curves go: `most` strategies, customers and rules of peers; the rest is left out and said so."""

    most: int = 10_000_000
    rules: int = 10_000
    pace: peers.Pace = PACE

    def of(self, plan: Plan) -> Plan:
        places = ("strategies", "customers", "states", "single", "recovery")
        kept = {name: [place for place in getattr(plan, name) if place <= self.most] for name in places}
        short = any(len(kept[name]) < len(getattr(plan, name)) for name in places)
        left_out = f"more than {self.most:,} strategies or customers: a short run" if short else plan.left_out
        return replace(plan, **kept, left_out=left_out)


SHORT = Scale(100_000, 1_000, peers.Pace(seconds=0.3, rounds=5, warm=1.5, most=60.0))


def full(
    keep: Callable[[dict[str, Any]], object],
    scale: Scale,
    only: Collection[str] = (),
    before: dict[str, Any] | None = None,
    names: Sequence[str] | None = None,
) -> dict[str, Any]:
    """Everything, for docs/benchmarks/engine.json, or `only` some of `PARTS` in place of those of a run `before`.
    `keep` is given what there is after each part, so that a run that is ended has not been for nothing."""
    wanted = only or PARTS
    chosen = list(names or matchers())[::-1]
    found = {**(before or {}), "machine": machine_facts(), "touched": touched(mixed(1_000))}
    if "figures" in wanted:
        found["figures"] = quick.own(quick.to_stderr, chosen[0], quick.SIZES[chosen[0]])
        keep(found)
    if "peers" in wanted:
        found["peers"] = _peers(scale)
        keep(found)
    for name in chosen:
        plan = scale.of(PLANS[name])
        found[name] = {**found.get(name, {}), "left_out": plan.left_out}
        for curve in [curve for curve in CURVES if curve in wanted]:
            found[name][curve] = CURVES[curve](name, plan)
            keep(found)
    return found


def _rows(figure: str, name: str, plan: Plan, places: Sequence[int], asked: Any) -> Rows:
    """A row a place: the place, then what was found there, in the order of its names. One that failed is missing."""
    rows = []
    for place in places:
        extent, more = asked(place)
        if (got := point(figure, name, extent, plan.most, **more)) is not None:
            rows.append([place, *(got.values() if isinstance(got, dict) else [got])])
    return rows


def _strategies(name: str, plan: Plan) -> Rows:
    """Matching alone; fewer events where each takes longer."""

    def asked(count: int) -> tuple[Extent, dict[str, Any]]:
        events = max(plan.extent.batch, plan.extent.events // max(1, count // 10_000))
        return replace(plan.extent, events=events), {"count": count}

    return _rows("match_only", name, plan, plan.strategies, asked)


def _wider(name: str, plan: Plan) -> Rows:
    return _rows("match_only", name, plan, WIDER, lambda wider: (plan.extent, {"count": 1_000, "wider": wider}))


def _decisions(name: str, plan: Plan) -> Rows:
    """JSON in → decision with mixed strategies."""
    return _rows("decision", name, plan, SIZES[:4], lambda count: (plan.extent, {"count": count}))


def _customers(name: str, plan: Plan) -> Rows:
    return _rows("grown", name, plan, plan.customers, lambda count: (replace(plan.extent, customers=count), {}))


def _batches(name: str, plan: Plan) -> Rows:
    """Small batches get fewer events."""

    def asked(batch: int) -> tuple[Extent, dict[str, Any]]:
        return replace(plan.extent, batch=batch, events=min(plan.extent.events, 20_000 * batch)), {}

    return _rows("decision", name, plan, plan.batches, asked)


def _states(name: str, plan: Plan) -> Rows:
    return _rows("states", name, plan, plan.states, lambda count: (replace(plan.extent, customers=count), {}))


def _single(name: str, plan: Plan) -> Rows:
    few = replace(plan.extent, events=min(plan.extent.events, 20_000))
    return _rows("single", name, plan, plan.single, lambda count: (few, {"count": count}))


def _paces(name: str, plan: Plan) -> Rows:
    return _rows("latency", name, plan, plan.paces, lambda pace: (plan.extent, {"per_second": pace}))


def _recovery(name: str, plan: Plan) -> Rows:
    return _rows("recovery", name, plan, plan.recovery, lambda count: (replace(plan.extent, customers=count), {}))


CURVES = {
    "strategies": _strategies,
    "wider": _wider,
    "decisions": _decisions,
    "customers": _customers,
    "batch": _batches,
    "memory": _states,
    "single": _single,
    "pace": _paces,
    "recovery": _recovery,
}
PARTS = ("figures", "peers", *CURVES)


def _peers(scale: Scale) -> list[dict[str, Any]]:
    """Every peer with 10 to 10,000 rules. The slowest answers a sample of 20."""
    found = []
    for count in [size for size in SIZES if size <= scale.rules]:
        for peer in (*peers.PEERS, peers.SLOWEST):
            slow = peer is peers.SLOWEST or count > 1_000
            work = figures.work(count, 20 if slow else 300)
            for result in peers.ask(peer, work, scale.pace):
                quick.to_stderr(f"{count} rules: {result}")
                found.append({"rules": count, **vars(result)})
    return found
