"""Whole tables, and one record at a time: who is tied to whom, and what never is."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import combinations

import pytest

from benchmarks.identity import f1, febrl, pairs_of
from benchmarks.identity_world import companies, people
from knowledge.identity import IdentityIndex, Resolution, Table, load_rules, read_model, resolve
from knowledge.identity.train import train


@pytest.fixture(scope="module", autouse=True)
def _few_random_pairs() -> Iterator[None]:
    """Tables as small as these say as much in a fifth of the pairs, in a third of the time."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("knowledge.identity.train._RANDOM_PAIRS", 20_000)
        yield


@pytest.fixture(scope="module")
def family_world() -> tuple[Resolution, list[object]]:
    tables, entities = people(120, seed=3)
    return resolve(tables), entities


def groups(resolution: Resolution) -> list[str]:
    return [r.cluster for r in resolution.records]


def test_people_of_families_that_share_phone_and_address_are_told_apart(
    family_world: tuple[Resolution, list[object]],
) -> None:
    resolution, entities = family_world
    assert f1(pairs_of(groups(resolution)), pairs_of(entities)) >= 0.985


def test_no_automatic_merge_is_wrong(family_world: tuple[Resolution, list[object]]) -> None:
    resolution, entities = family_world
    auto = {(i, j) for i, j, e in resolution.pairs if e.verdict == "auto"}
    assert auto
    assert auto <= pairs_of(entities)


def test_one_record_at_a_time_gives_what_the_batch_gave(family_world: tuple[Resolution, list[object]]) -> None:
    resolution, entities = family_world
    index = IdentityIndex(resolution.model)
    for record in reversed(resolution.standard):
        index.add(record)
    one_by_one = [index.clusters.group(i) for i in reversed(range(len(entities)))]
    batch = f1(pairs_of(groups(resolution)), pairs_of(entities))
    assert abs(f1(pairs_of(one_by_one), pairs_of(entities)) - batch) <= 0.003


def test_splink_and_the_model_weigh_every_pair_alike(family_world: tuple[Resolution, list[object]]) -> None:
    resolution, _ = family_world
    records = resolution.standard[:80]
    model, scored = train(records, resolution.fields, load_rules())
    assert scored
    assert all(abs(model.weight(records[i], records[j]) - w) < 1e-9 for i, j, w in scored)


def test_a_model_is_the_same_after_json(family_world: tuple[Resolution, list[object]]) -> None:
    resolution, _ = family_world
    model = resolution.model
    restored = read_model(json.loads(json.dumps(model.as_dict())), model.rules)
    pairs = list(combinations(resolution.standard[:12], 2))
    assert [restored.judge(a, b) for a, b in pairs] == [model.judge(a, b) for a, b in pairs]


def test_a_part_of_febrl4_is_linked_one_to_one() -> None:
    labelled = febrl(4, 0.04)
    resolution = resolve(labelled.tables)
    assert resolution.once == {"a", "b"}
    assert f1(pairs_of(groups(resolution)), pairs_of(labelled.entities)) >= 0.997


def test_a_table_that_lists_entities_twice_is_found_to_do_so() -> None:
    tables, _ = companies(60, seed=2)
    assert resolve(tables).once == frozenset()


ROWS = [
    {"name": "Ann Lee", "phone": "5551234567", "ssn": "123456789"},
    {"name": "Ann Lee", "phone": "5551234567", "ssn": "987654321"},
    {"name": "A. Leigh", "phone": "5559876543", "ssn": "123456789"},
    {"name": "Bob Hill", "phone": "5550001111", "ssn": "555443333"},
]


@pytest.fixture(scope="module")
def four_rows() -> Resolution:
    return resolve([Table("t", ROWS)])


def test_one_identity_number_ties_and_two_part_in_a_table_of_four_rows(four_rows: Resolution) -> None:
    first, second, third, fourth = groups(four_rows)
    assert first == third != second != fourth


def test_a_tie_says_its_reason_in_both_languages(four_rows: Resolution) -> None:
    reason = four_rows.records[0].reason
    assert "national_id same" in reason.en
    assert "national_id相同" in reason.zh


def test_an_identity_number_that_many_share_ties_nobody() -> None:
    rows = [
        {"name": n, "ssn": "000000000"} for n in ("Ann Lee", "Bob Hill", "Cy Wood", "Di Park", "Ed Moss", "Flo Kerr")
    ]
    assert len(set(groups(resolve([Table("t", [*rows, {"name": "Gus Orr", "ssn": "1"}])])))) == 7


def test_a_pair_that_only_shares_what_a_family_shares_waits_for_a_person(
    family_world: tuple[Resolution, list[object]],
) -> None:
    model = family_world[0].model
    home = {"address": "深圳南山科技路1号3栋502", "phone": "13812345678"}
    judged = model.judge({**home, "full_name": "王子涵"}, {**home, "full_name": "王子轩"})
    assert judged.verdict in ("review", "no")
    assert judged.barred is not None
