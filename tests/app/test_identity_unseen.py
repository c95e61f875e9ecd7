"""`zhongshu identity resolve` over tables with column names and habits of writing that no rule was made for."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from app.cli.commands import build
from benchmarks.identity import Labelled, pairs_of
from benchmarks.identity_unseen import (
    companies_en_one,
    companies_zh_two,
    people_en_one,
    people_en_two,
    people_zh_two,
    write,
)
from knowledge.identity import Table


@pytest.fixture(scope="module", autouse=True)
def _few_random_pairs() -> Iterator[None]:
    """Tables as small as these say as much in a fifth of the pairs."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("knowledge.identity.train._RANDOM_PAIRS", 20_000)
        yield


def clusters(labelled: Labelled, folder: Path) -> list[str]:
    """The cluster of each record, table after table."""
    inputs = [word for path in write(labelled, folder) for word in ("--input", str(path))]
    result = CliRunner().invoke(build(["identity"]), ["identity", "resolve", *inputs, "--json"])
    assert result.exit_code == 0, result.exception
    return [record["cluster"] for record in json.loads(result.stdout)["records"]]


@pytest.mark.parametrize(
    ("made", "precision", "recall"),
    [
        (people_en_two, 0.98, 0.93),
        (people_en_one, 0.95, 0.95),
        (people_zh_two, 0.98, 0.95),
        (companies_en_one, 0.98, 0.95),
        (companies_zh_two, 0.98, 0.97),
    ],
)
def test_who_is_one_is_found_in_tables_never_seen(
    tmp_path: Path, made: Callable[..., Labelled], precision: float, recall: float
) -> None:
    labelled = made(seed=77, size=150)
    found, true = pairs_of(clusters(labelled, tmp_path)), pairs_of(labelled.entities)
    assert len(found & true) / len(found) >= precision
    assert len(found & true) / len(true) >= recall


def few(*rows: dict[str, str]) -> Labelled:
    return Labelled([Table("a", rows)], [])


def test_a_family_on_one_phone_and_device_at_one_address_stays_a_family(tmp_path: Path) -> None:
    home = {"联系方式": "13812345678", "住址": "深圳市南山区科技路5号2栋301室", "设备号": "dv01"}
    names = (("张伟", "1980-01-02"), ("李娜", "1982-05-06"), ("张子轩", "2010-07-08"), ("张子涵", "2010-07-08"))
    found = clusters(few(*({"会员称呼": n, "生日": born, **home} for n, born in names)), tmp_path)
    assert len(set(found)) == 4


def test_a_switchboard_does_not_make_its_employees_one(tmp_path: Path) -> None:
    people = ("Alice Moore", "Robert King", "Chloe Adams")
    rows = ({"holder": n, "desk line": "(415) 555-0100", "employer": "Apex Logistics Inc."} for n in people)
    assert len(set(clusters(few(*rows), tmp_path))) == 3


def test_a_masked_phone_beside_the_whole_one_ties_a_person(tmp_path: Path) -> None:
    rows = [
        {"持卡人": "欧阳晓明", "预留手机": "138****1234", "生日": "1990-03-05"},
        {"持卡人": "欧阳晓明", "预留手机": "13800001234", "生日": "1990年3月5日"},
        {"持卡人": "欧阳晓明", "预留手机": "13911112222", "生日": "1971-08-09"},
    ]
    found = clusters(few(*rows), tmp_path)
    assert found[0] == found[1] != found[2]


def test_a_company_is_one_under_its_legal_and_its_short_name_with_phone_and_address_in_one_cell(tmp_path: Path) -> None:
    rows = [
        {"购方名称": "华腾（深圳）网络科技有限公司", "购方地址电话": "深圳市南山区中山路88号3层 0755-26612345"},
        {"购方名称": "深圳市华腾网络科技有限责任公司", "购方地址电话": "深圳南山中山路88号3层 0755-26612345转801"},
        {"购方名称": "华腾医疗器械有限公司", "购方地址电话": "深圳市南山区中山路88号9层 0755-26612345"},
    ]
    found = clusters(few(*rows), tmp_path)
    assert found[0] == found[1] != found[2]
