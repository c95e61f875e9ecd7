"""Random graphs, on every backend and by an oracle that scans lists: all have to answer alike.

Run: python -m tests.knowledge.graph.campaign --graphs 10000 [--bolt] [--seed 1]
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from core.clock import ManualClock
from core.context import Purpose, RequestContext, may_use
from core.db import Database
from core.events import Event
from core.ids import TenantId
from core.times import Micros
from knowledge.graph import Assertion, GraphStore, SameAs, SqliteGraphStore
from knowledge.graph.model import ANY_PURPOSE
from knowledge.graph.pattern import Happening, Hop, PathPattern, Test
from tests.graphs import COMPLIANCE

_CUSTOMERS = tuple(f"customer/c{i}" for i in range(4))
_THINGS = ("device/d0", "device/d1", "shop/s0")
_ALL = (*_CUSTOMERS, *_THINGS)
_LONG = 12
_PURPOSES = (Purpose.SERVICE, Purpose.MARKETING)


@dataclass
class _Row:
    claim: Assertion
    id: str
    recorded: int
    gone: int | None = None


@dataclass
class _Same:
    kept: str
    gone: str
    id: str
    recorded: int
    undone: int | None = None


@dataclass
class Oracle:
    """The rules by brute force: lists, and a scan for each question."""

    rows: list[_Row] = field(default_factory=list)
    same: list[_Same] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)

    def canonical(self, known: int) -> dict[str, str]:
        name = {s: s for s in (*_CUSTOMERS, *_THINGS)}
        for merge in self.same:
            if merge.recorded <= known and (merge.undone is None or merge.undone > known):
                kept, gone = name[merge.kept], name[merge.gone]
                name = {s: kept if c == gone else c for s, c in name.items()}
        return name

    def standing(self, at: int, known: int) -> list[tuple[tuple[int, int, int], Assertion]]:
        return [
            ((r.claim.valid_from, r.recorded, place), r.claim)
            for place, r in enumerate(self.rows)
            if r.recorded <= known and (r.gone is None or r.gone > known)
            and r.claim.valid_from <= at and (r.claim.valid_to is None or at < r.claim.valid_to)
        ]  # fmt: skip

    def values(self, subject: str, at: int, known: int, purpose: Purpose) -> dict[str, Any]:
        """Of each record the claim that counts, and of those with a value the one that ranks highest; left out when it
        may not be used."""
        name = self.canonical(known)
        each: dict[tuple[str, str], tuple[tuple[int, int, int], Assertion]] = {}
        for rank, c in self.standing(at, known):
            if name[c.subject] == name[subject] and c.object is None:
                each[c.subject, c.name] = max(each.get((c.subject, c.name), (rank, c)), (rank, c), key=lambda p: p[0])
        best: dict[str, tuple[tuple[int, int, int], Assertion]] = {}
        for rank, c in each.values():
            if c.value is not None:
                best[c.name] = max(best.get(c.name, (rank, c)), (rank, c), key=lambda p: p[0])
        return {n: c.value for n, (_, c) in sorted(best.items()) if may_use(purpose, c.purposes)}

    def edges(self, at: int, known: int, purpose: Purpose) -> set[tuple[str, str, str]]:
        name = self.canonical(known)
        best: dict[tuple[str, str, str], tuple[tuple[int, int, int], Assertion]] = {}
        for rank, c in self.standing(at, known):
            if c.object is not None:
                edge = (name[c.subject], c.name, name[c.object])
                best[edge] = max(best.get(edge, (rank, c)), (rank, c), key=lambda p: p[0])
        return {edge for edge, (_, c) in best.items() if not c.ended and may_use(purpose, c.purposes)}

    def hops(self, subject: str, hops: int, at: int, known: int, purpose: Purpose) -> dict[str, int]:
        edges, found = self.edges(at, known, purpose), {self.canonical(known)[subject]: 0}
        for hop in range(1, hops + 1):
            for a, _, b in edges:
                for near, far in ((a, b), (b, a)):
                    if found.get(near) == hop - 1:
                        found.setdefault(far, hop)
        return found

    def holds(self, pattern: PathPattern, subject: str, at: int, known: int, purpose: Purpose) -> bool:
        """One hop with tests, then a happening, then one that stayed away: by trying all."""
        hop, present, absent = pattern.steps
        assert isinstance(hop, Hop) and isinstance(present, Happening) and isinstance(absent, Happening)
        name, edges = self.canonical(known), self.edges(at, known, purpose)
        start = name[subject]
        ends = [b for a, n, b in edges if a == start and n == hop.relation and b.startswith(hop.target + "/")]
        values = {end: self.values(end, at, known, purpose) for end in ends}
        ends = [e for e in ends if all(t.passes(values[e].get(t.name)) for t in hop.tests)]
        for node in ends:
            of = [e for e in self.events if name[e.subject] == node and e.time <= at]
            for first in of:
                if first.type != present.event or (present.within and first.time <= at - present.within):
                    continue
                assert absent.within is not None
                end = first.time + absent.within
                if end <= at and not any(e.type == absent.event and first.time < e.time <= end for e in of):
                    return True
        return False


def run_case(stores: Sequence[GraphStore], clock: ManualClock, case: int, seed: int) -> None:
    """One random graph, and random questions about it.

    Raises:
        AssertionError: a store answers otherwise than the oracle.
    """
    dice, oracle = random.Random(f"{seed}/{case}"), Oracle()
    ctx = replace(COMPLIANCE, tenant=TenantId(f"case{seed}-{case}"))
    start = clock.now()
    for _ in range(dice.randint(1, 6)):
        clock.advance(1)
        _change(stores, ctx, clock, oracle, dice)
    clock.advance(1)
    for _ in range(3):
        at = Micros(dice.randint(0, _LONG))
        known = None if dice.random() < 0.5 else Micros(dice.randint(start, clock.now()))
        _ask(stores, ctx.for_purpose(dice.choice(_PURPOSES)), oracle, dice, at, known)


def _change(
    stores: Sequence[GraphStore], ctx: RequestContext, clock: ManualClock, oracle: Oracle, dice: random.Random
) -> None:
    what, now = dice.random(), clock.now()
    if what < 0.55:
        batch = [_claim(dice) for _ in range(dice.randint(1, 6))]
        ids = _all(store.assert_facts(ctx, batch) for store in stores)
        known = {r.id for r in oracle.rows}
        for claim, fact_id in zip(batch, ids, strict=True):
            if fact_id not in known:
                oracle.rows.append(_Row(claim, fact_id, now))
                known.add(fact_id)
    elif what < 0.7 and oracle.rows:
        row = dice.choice(oracle.rows)
        _all(store.retract(ctx, [row.id], "x") for store in stores)
        row.gone = now if row.gone is None else row.gone
    elif what < 0.8:
        kept, gone = dice.sample(_CUSTOMERS, 2)
        (merge,) = _all(store.merge(ctx, [SameAs(kept, gone, "x")]) for store in stores)
        if merge not in {s.id for s in oracle.same}:
            oracle.same.append(_Same(kept, gone, merge, now))
    elif what < 0.85 and oracle.same:
        undone = dice.choice(oracle.same)
        _all(store.unmerge(ctx, [undone.id], "x") for store in stores)
        undone.undone = now if undone.undone is None else undone.undone
    else:
        events = [
            Event(
                f"e{now}-{i}", dice.choice("ab"), Micros(dice.randint(0, _LONG)), dice.choice((*_CUSTOMERS, *_THINGS))
            )
            for i in range(dice.randint(1, 5))
        ]
        _all(store.record_events(ctx, events) for store in stores)
        oracle.events += events


def _claim(dice: random.Random) -> Assertion:
    since = dice.randint(0, _LONG)
    until = None if dice.random() < 0.7 else Micros(dice.randint(since + 1, _LONG + 1))
    subject, source = dice.choice(_CUSTOMERS), dice.choice(("crm", "erp"))
    limits = frozenset(dice.sample(_PURPOSES, 1)) if dice.random() < 0.2 else ANY_PURPOSE
    times = {"valid_from": Micros(since), "valid_to": until, "source": source, "purposes": limits}
    if dice.random() < 0.5:
        subject = dice.choice((*_CUSTOMERS, *_THINGS))
        return Assertion(subject, dice.choice("pq"), dice.choice((None, 1, 2, "x")), **times)
    obj = dice.choice([o for o in (*_THINGS, *_CUSTOMERS) if o != subject])
    return Assertion(subject, dice.choice(("owns", "knows")), object=obj, ended=dice.random() < 0.3, **times)


def _ask(
    stores: Sequence[GraphStore],
    ctx: RequestContext,
    oracle: Oracle,
    dice: random.Random,
    at: Micros,
    known: Micros | None,
) -> None:
    by = 2**62 if known is None else known
    subject = dice.choice(_CUSTOMERS)
    profile = _all({n: f.value for n, f in s.profile(ctx, subject, at, known).values.items()} for s in stores)
    assert profile == oracle.values(subject, at, by, ctx.purpose)
    for name in "pq":
        steps = _all(
            [(s.start, s.end, s.value) for s in st.series(ctx, subject, name, known_at=known).steps] for st in stores
        )
        for t in range(0, _LONG + 2, 3):
            here = [v for start, end, v in steps if start <= t and (end is None or t < end)]
            expected = oracle.values(subject, t, by, ctx.purpose)
            assert here == ([expected[name]] if name in expected else []), (name, t)
    hops = _all(dict(s.neighbourhood(ctx, subject, 2, at, known).hops) for s in stores)
    assert hops == oracle.hops(subject, 2, at, by, ctx.purpose)
    pattern = PathPattern(
        "customer",
        (),
        (
            Hop("owns", dice.choice(("device", "shop")), tests=(Test("p", ">=", 1),) if dice.random() < 0.3 else ()),
            Happening("a", within=dice.choice((None, 5))),
            Happening("b", absent=True, within=dice.randint(1, 6)),
        ),
    )
    found = _all(s.match(ctx, pattern, subject, at, known).found is not None for s in stores)
    assert found == oracle.holds(pattern, subject, at, by, ctx.purpose)


def _all(answers: Any) -> Any:
    """The answer of all stores; they have to agree."""
    first, *others = answers
    assert all(other == first for other in others), (first, *others)
    return first


def main() -> int:
    words = argparse.ArgumentParser(prog="python -m tests.knowledge.graph.campaign", description=__doc__)
    words.add_argument("--graphs", type=int, default=10_000)
    words.add_argument("--seed", type=int, default=1)
    words.add_argument(
        "--bolt", action="store_true", help="also the Neo4j backend, against a server of its own (boltserver.py)"
    )
    said = words.parse_args()
    clock = ManualClock(1_000_000)
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        database = stack.enter_context(closing(Database(f"sqlite:///{folder}/graph.db")))
        database.create_tables()
        stores: list[GraphStore] = [SqliteGraphStore(database, clock)]
        if said.bolt:
            from knowledge.graph.neo4j import Neo4jGraphStore
            from tests.boltserver import AUTH, DATABASE, bolt_server

            place = Path(folder) / "bolt"
            place.mkdir()
            address = stack.enter_context(bolt_server(place))
            stores.append(
                stack.enter_context(closing(Neo4jGraphStore(address, AUTH, database, clock, database=DATABASE)))
            )
        for case in range(said.graphs):
            try:
                run_case(stores, clock, case, said.seed)
            except AssertionError:
                sys.stdout.write(f"case {case} of seed {said.seed}\n")
                raise
    sys.stdout.write(f"{said.graphs} graphs: {len(stores)} backends and the oracle agree\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
