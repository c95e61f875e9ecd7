"""What is the same is written the same: standard forms, and the levels on which two of them stand."""

from __future__ import annotations

import pytest

from knowledge.identity.compare import LEVELS, level
from knowledge.identity.standard import Kind, standard


@pytest.mark.parametrize(
    ("kind", "written", "form"),
    [
        ("date", "1990年3月5日", "19900305"),
        ("date", "05/03/1990", "19900305"),
        ("date", "1990-3-5 00:00:00", "19900305"),
        ("phone", "+86 138-1234-5678", "13812345678"),
        ("phone", "138****5678", "138****5678"),
        ("phone", "(0755)26001234转801", "075526001234x801"),
        ("phone", "0755-26001234-801", "075526001234x801"),
        ("full_name", "張偉先生", "张伟"),
        ("full_name", "Smith, John Mr.", "john smith"),
        ("company", "深圳市华兴科技股份有限公司", "华兴科技"),
        ("company", "The Acme Trading Co., Ltd.", "acme trading"),
        ("address", "广东省深圳市南山区科技路1号", "深圳南山科技路1号"),
        ("code", 4350.0, "4350"),
    ],
)
def test_ways_of_writing_one_thing_have_one_form(kind: Kind, written: object, form: str) -> None:
    assert standard(kind, written) == form


@pytest.mark.parametrize("blank", [None, "", " - ", "N/A", "未知", float("nan")])
def test_a_cell_that_says_nothing_has_no_form(blank: object) -> None:
    assert standard("text", blank) is None


def test_a_column_with_the_month_first_is_read_so() -> None:
    assert standard("date", "03/05/1990", month_first=True) == "19900305"


@pytest.mark.parametrize(
    ("kind", "a", "b", "found"),
    [
        ("name", "william", "bill", "near"),
        ("name", "jonathan", "jonhatan", "near"),
        ("name", "anna", "peter", "different"),
        ("full_name", "王晓明", "王小明", "near"),
        ("full_name", "王晓明", "wang xiaoming", "near"),
        ("full_name", "王子涵", "王子轩", "family"),
        ("full_name", "john smith", "j smith", "alike"),
        ("phone", "13812345678", "138****5678", "masked"),
        ("phone", "13812345678", "138****5679", "different"),
        ("phone", "075526001234x801", "26001234", "masked"),
        ("phone", "075526001234x801", "075526001234x802", "near"),
        ("date", "19900305", "19900503", "near"),
        ("company", "华兴科技", "华星科技", "near"),
        ("address", "深圳南山科技路1号3栋502", "深圳南山科技路1号3幢502室", "near"),
        ("address", "深圳南山科技路1号3栋502", "深圳南山科技路1号3栋503", "different"),
        ("identifier", "440301199003051234", "440301199003051243", "near"),
    ],
)
def test_a_pair_stands_on_its_level(kind: Kind, a: str, b: str, found: str) -> None:
    assert LEVELS[kind][level(kind, a, b)] == LEVELS[kind][level(kind, b, a)] == found


def test_names_in_each_others_field_are_crossed() -> None:
    assert LEVELS["name"][level("name", "mary", "jones", "jones", "mary")] == "crossed"
