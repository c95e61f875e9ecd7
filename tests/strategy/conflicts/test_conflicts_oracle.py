"""Random strategies of every kind: each witness is one for the brute-force oracle too, and each proof holds on random
streams."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from core.errors import InvalidInput, Refused
from core.times import DAY
from knowledge.catalog import Catalog
from strategy.conflicts import Portfolio
from strategy.conflicts.model import TOGETHER
from strategy.conflicts.proof import implies, never_together
from strategy.conflicts.witness import lasting, witness_of
from strategy.document import Strategy
from strategy.engine.check import check_strategy
from tests.strategy.conflicts.conflict_world import (
    CATALOG,
    PLAIN,
    VIP,
    attribute,
    awaited,
    count,
    every,
    fires_as_shown,
    happens,
    strategy,
    streak,
)
from tests.strategy.engine.oracle import Oracle, T
from tests.strategy.engine.worlds import START, catalogs, documents, inputs, pools, relatives

CAMPAIGN = os.environ.get("ENGINE_EXAMPLES")
several = settings(
    max_examples=int(CAMPAIGN or 12),
    derandomize=CAMPAIGN is None,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)


def fits(strategy: Strategy, catalog: Catalog) -> bool:
    try:
        check_strategy(strategy, catalog)
    except (Refused, InvalidInput):
        return False
    return True


@several
@given(st.data())
def test_on_a_witness_the_oracle_fires_every_strategy_as_shown(data: st.DataObject) -> None:
    catalog = data.draw(catalogs())
    pair = [data.draw(documents(name)) for name in "ab"]
    assume(all(fits(each, catalog) for each in pair) and pair[0].subject == pair[1].subject)
    witness = witness_of(pair, catalog)
    if witness is not None:
        assert fires_as_shown(witness, *pair, catalog=catalog)
        assert not never_together(*pair, catalog)


@several
@given(st.data())
def test_what_is_proved_to_imply_holds_wherever_the_oracle_looks(data: st.DataObject) -> None:
    catalog, pool = data.draw(catalogs()), data.draw(pools())
    narrow, wide = (data.draw(relatives(name, pool)) for name in "ab")
    assume(fits(narrow, catalog) and fits(wide, catalog))
    proved, apart = implies(narrow, wide, catalog), never_together(narrow, wide, catalog)
    assume(proved or apart)
    oracle = Oracle(catalog, [narrow, wide])
    oracle.ingest(data.draw(inputs(0)))
    oracle.advance(START + 6 * DAY)
    for one, other, subject, at in meetings(oracle, narrow, wide):
        assert not apart, (one, other, subject, at)
    for subject in oracle.subjects(narrow.subject):
        for at in oracle.instants():
            if at < oracle.known_since(subject):
                continue
            truths = [
                all(oracle.truth(c, s, subject, at) == T for c in (s.trigger, s.audience) if c is not None)
                for s in (narrow, wide)
            ]
            assert not (proved and truths[0]) or truths[1]


def meetings(oracle: Oracle, a: Strategy, b: Strategy) -> Iterator[tuple[int, int, str, int]]:
    """When both fire for a subject within `TOGETHER`, and then what lasts of both still holds."""
    fired = oracle.firings()
    for name, subject, one in fired:
        for other_name, same, other in fired:
            if (name, other_name, same) == (a.name, b.name, subject) and abs(one - other) <= TOGETHER:
                at = max(one, other)
                parts = [(lasting(c), s) for s in (a, b) for c in (s.trigger, s.audience) if c is not None]
                if all(oracle.truth(c, s, subject, at) == T for c, s in parts):
                    yield one, other, subject, at


EVENTS = st.sampled_from(["login", "order", "complaint"])
PARTS = st.one_of(
    st.sampled_from([VIP, PLAIN]),
    st.builds(streak, st.integers(1, 3), st.sampled_from([0, 5])),
    st.builds(happens, st.just("order"), st.just({"field": "amount", "op": ">", "value": 5})),
    st.builds(attribute, st.just("points"), st.sampled_from([">", "<"]), st.integers(1, 9)),
    st.builds(count, EVENTS, st.sampled_from([">=", "<"]), st.integers(1, 3), st.sampled_from(["1d", "7d"])),
    st.builds(happens, EVENTS),
    st.builds(awaited, EVENTS, EVENTS, st.sampled_from(["1h", "1d"])),
)
TRIGGERS = st.lists(PARTS, min_size=1, max_size=3).map(lambda parts: every(*parts))


@several
@given(TRIGGERS, st.lists(TRIGGERS, min_size=1, max_size=4))
def test_what_a_search_pair_by_pair_finds_is_claimed_and_every_claim_is_one_for_the_oracle(
    mine: dict[str, Any], theirs: list[dict[str, Any]]
) -> None:
    new = strategy("new", mine, "silence")
    others = [each for n, t in enumerate(theirs) if fits(each := strategy(f"s{n}", t, "offer"), CATALOG)]
    assume(fits(new, CATALOG))
    claimed = {clash.strategies[-1]: clash for clash in Portfolio(others, CATALOG).clashes_of(new)}
    for other in others:
        clash = claimed.get(other.name)
        if clash is not None and clash.witness is not None:
            assert fires_as_shown(clash.witness, new, other)
        else:
            assert witness_of([new, other], CATALOG) is None
