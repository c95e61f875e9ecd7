"""Path patterns: their text, how they read, and matching held against an oracle that tries every way."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import InvalidInput, UnknownName
from core.events import Event
from core.times import DAY
from knowledge.catalog import read_catalog
from knowledge.graph.matching import Matcher
from knowledge.graph.model import PathMatch, Profile
from knowledge.graph.pattern import Happening, Hop, PathPattern, Tally, Test, missing_steps, read_pattern, readback
from tests.graphs import C1, m

CATALOG = read_catalog(
    """
catalog: 1
objects:
  customer:
    labels: {zh: [客户], en: [customer]}
    attributes:
      diagnosis: {type: enum, labels: {zh: [诊断], en: [diagnosis]}, values: {diabetes: {zh: [糖尿病], en: [diabetes]}}}
  device: {labels: {zh: [设备], en: [device]}, attributes: {faulty: {type: boolean}}}
relations: {owns: {from: customer, to: device, labels: {zh: [拥有], en: [owns]}}}
events:
  checkup:
    subject: customer
    labels: {zh: [体检], en: [check-up]}
    fields: {result: {type: text, labels: {zh: [结果], en: [result]}}}
  visit.nutrition: {subject: customer, labels: {zh: [营养门诊], en: [nutrition visit]}}
  purchase:
    subject: customer
    labels: {zh: [购买], en: [purchase]}
    fields: {amount: {type: number, labels: {zh: [金额], en: [amount]}}}
"""
).catalog
UNSEEN = 'customer[diagnosis = "diabetes"] then checkup[result = "abnormal"] then no visit.nutrition within 30d'


def test_a_pattern_is_read_from_one_line() -> None:
    assert read_pattern(UNSEEN, CATALOG) == PathPattern(
        "customer",
        (Test("diagnosis", "=", "diabetes"),),
        (
            Happening("checkup", False, (Test("result", "=", "abnormal"),)),
            Happening("visit.nutrition", True, (), 30 * DAY),
        ),
    )


def test_it_reads_in_both_languages() -> None:
    said = readback(read_pattern(UNSEEN), CATALOG)
    assert said.zh == "客户（诊断为糖尿病），体检（结果为abnormal），之后30天内没有营养门诊"
    assert (
        said.en
        == "customer (diagnosis is diabetes), check-up (result is abnormal), then no nutrition visit within 30 days"
    )
    said = readback(
        read_pattern("customer -owns-> no device[faulty = true] with sum(purchase, amount) >= 100 within 7d"), CATALOG
    )
    assert said.zh == "客户，没有拥有设备（faulty为true），最近7天内购买的金额合计 >= 100"
    assert (
        said.en
        == "customer, owns no device (faulty is true), with the sum of purchase's amount in the last 7 days >= 100"
    )


@pytest.mark.parametrize(("text", "offset"), [("customer then", 13), ("customer -owns device", 15), ("", 0)])
def test_what_cannot_be_read_names_the_place(text: str, offset: int) -> None:
    with pytest.raises(InvalidInput) as caught:
        read_pattern(text)
    assert caught.value.where == {"offset": offset}


@pytest.mark.parametrize("text", ["client", "customer -own-> device", "customer then chekup", "customer[tier = 1]"])
def test_a_name_that_the_catalog_lacks_is_refused(text: str) -> None:
    with pytest.raises(UnknownName):
        read_pattern(text, CATALOG)


def test_a_missing_step_becomes_a_recommendation_with_evidence() -> None:
    (step,) = missing_steps(read_pattern(UNSEEN), PathMatch(C1, m(0), ("e1",)), CATALOG)
    assert (step.text.en, step.evidence) == ("see to the missing step: nutrition visit", ("e1",))


_test = st.builds(Test, st.just("n"), st.sampled_from(["=", "!=", ">", ">=", "<", "<="]), st.integers(0, 2))
_tests = st.lists(_test, max_size=1).map(tuple)
_kind = st.sampled_from(["a", "b", "c"])
_within = st.integers(1, 6)
_happening = st.builds(Happening, _kind, st.booleans(), _tests, st.none() | _within)
_function = st.sampled_from(["count", "sum", "avg", "min", "max"])
_tally = st.builds(
    Tally, _function, _kind, st.just("n"), _tests, st.sampled_from([">", ">=", "<", "="]), st.integers(0, 4), _within
)
_hop = st.builds(Hop, st.just("owns"), st.just("device"), st.booleans(), st.booleans(), _tests)
_patterns = st.builds(
    PathPattern, st.just("customer"), _tests, st.lists(st.one_of(_happening, _tally, _hop), max_size=4).map(tuple)
)


@given(_patterns)
@settings(max_examples=100, deadline=None)
def test_a_pattern_is_what_its_text_says(pattern: PathPattern) -> None:
    assert read_pattern(str(pattern)) == pattern


# --- the oracle --------------------------------------------------------------


def _holds(steps: list[Happening | Tally], events: list[Event], at: int) -> bool:
    """Tries every choice of events for the present steps, and checks each step by what it says."""

    def of(step: Happening | Tally) -> list[Event]:
        return [
            e
            for e in events
            if e.time <= at and e.type == step.event and all(t.passes(e.data["n"]) for t in step.tests)
        ]

    present = [i for i, s in enumerate(steps) if isinstance(s, Happening) and not s.absent]
    for choice in product(*(of(steps[i]) for i in present)):
        times = {i: e.time for i, e in zip(present, choice, strict=True)}
        if all(_step_holds(i, steps, times, of(step), at) for i, step in enumerate(steps)):
            return True
    return False


def _step_holds(i: int, steps: list[Happening | Tally], times: dict[int, int], of: list[Event], at: int) -> bool:
    step = steps[i]
    if isinstance(step, Tally):
        values = [e.data["n"] for e in of if e.time > at - step.within]
        if not values and step.function in ("avg", "min", "max"):
            return False
        found = {"count": len(values), "sum": sum(values)}
        if values:
            found |= {"avg": sum(values) / len(values), "min": min(values), "max": max(values)}
        return Test("", step.op, step.value).passes(found[step.function])
    before = [t for j, t in times.items() if j < i]
    after = [t for j, t in times.items() if j > i]
    anchor = before[-1] if before else None
    if not step.absent:
        if anchor is None:
            return step.within is None or times[i] > at - step.within
        return times[i] > anchor and (step.within is None or times[i] - anchor <= step.within)
    if anchor is None:
        return not [e for e in of if step.within is None or e.time > at - step.within]
    if step.within is not None and not after and anchor + step.within > at:
        return False
    end = min([*([after[0] - 1] if after else [at]), *([anchor + step.within] if step.within is not None else [])])
    return not [e for e in of if anchor < e.time <= end]


_events = st.lists(st.tuples(_kind, st.integers(0, 9), st.integers(0, 2)), max_size=7)


def _matcher(pattern: PathPattern, events: list[Event], at: int) -> Matcher:
    def until(_: str) -> Iterator[Event]:
        return iter(sorted((e for e in events if e.time <= at), key=lambda e: e.order))

    return Matcher(pattern, m(at), lambda n: Profile(n, m(at), {}), lambda n: list(until(n)), lambda n, r, b: [])


@given(st.lists(st.one_of(_happening, _tally), min_size=1, max_size=4), _events)
@settings(max_examples=300, deadline=None)
def test_a_pattern_holds_when_some_choice_of_events_does_and_says_when_it_may_change(
    steps: list[Happening | Tally], told: list[tuple[str, int, int]]
) -> None:
    events = [Event(f"e{i}", kind, m(time), C1, {"n": n}) for i, (kind, time, n) in enumerate(told)]
    pattern, due, last = PathPattern("customer", (), tuple(steps)), None, None
    arrivals = {e.time for e in events}
    for at in range(18):
        matcher = _matcher(pattern, events, at)
        found = matcher.match(C1) is not None
        assert found == _holds(steps, events, at), at
        if at not in arrivals and at != due:
            assert last in (None, found), (at, due)
        if at in arrivals or at == due or last is None:
            due = matcher.next_change
        last = found
