"""Random strategies of every kind: each witness is one for the brute-force oracle too, and each proof holds on random
streams."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from core.errors import InvalidInput, Refused
from core.times import DAY
from knowledge.catalog import Catalog
from strategy.conflicts.proof import implies, never_together
from strategy.conflicts.witness import witness_of
from strategy.document import Strategy
from strategy.engine.check import check_strategy
from tests.strategy.conflicts.conflict_world import fires_as_shown
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
    for subject in oracle.subjects(narrow.subject):
        for at in oracle.instants():
            if at < oracle.known_since(subject):
                continue
            truths = [
                all(oracle.truth(c, s, subject, at) == T for c in (s.trigger, s.audience) if c is not None)
                for s in (narrow, wide)
            ]
            assert not (proved and truths[0]) or truths[1]
            assert not (apart and all(truths))
