"""What is said of bounds holds on random streams: no condition ever has a truth it was said not to have."""

from __future__ import annotations

from hypothesis import assume, given
from hypothesis import strategies as st
from oracle import Oracle
from test_engine_oracle import several
from worlds import START, catalogs, documents, inputs, squeezed

from core.errors import InvalidInput, Refused
from core.times import DAY
from strategy.engine.bounds import Bounds
from strategy.engine.check import check_strategy

TRUTHS = ("false", "unknown", "true")


@several
@given(st.data())
def test_a_condition_has_only_the_truths_that_its_bounds_leave_it(data: st.DataObject) -> None:
    catalog = data.draw(catalogs())
    strategy = data.draw(st.one_of(squeezed(), squeezed(), documents()))
    try:
        check_strategy(strategy, catalog)
    except InvalidInput:
        assume(False)
    except Refused:
        pass
    possible = {TRUTHS[truth] for truth in Bounds(strategy, catalog).verdict(strategy.trigger, "trigger").possible}
    assume(len(possible) < 3)
    oracle = Oracle(catalog, [strategy])
    oracle.ingest(data.draw(inputs(0)))
    oracle.advance(START + 6 * DAY)
    for subject in oracle.subjects(strategy.subject):
        instants = [at for at in oracle.instants() if at >= oracle.known_since(subject)]
        for at in data.draw(st.lists(st.sampled_from(instants), max_size=8)):
            assert oracle.truth(strategy.trigger, strategy, subject, at) in possible
