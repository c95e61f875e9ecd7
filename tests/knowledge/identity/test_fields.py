"""Columns find their meaning by name, by what they hold, or as told."""

from __future__ import annotations

import pytest

from core.errors import InvalidInput, UnknownName
from knowledge.identity import lay_out, read_map, read_record


def roles(*tables: list[dict[str, object]], told: dict[str, str] | None = None) -> dict[str, str]:
    return {f.name: f.role for f in lay_out(tables, told)[0]}


def test_columns_are_known_by_chinese_and_english_names() -> None:
    rows: list[dict[str, object]] = [
        {"编号": i, "姓名": n, "手机号": f"1380000000{i}", "Date of Birth": f"1990-01-0{i + 1}", "备注": n}
        for i, n in enumerate(["王芳", "李伟"])
    ]
    assert roles(rows) == {"full_name": "full_name", "phone": "phone", "birth_date": "birth_date"}


def test_columns_without_a_telling_name_are_known_by_what_they_hold() -> None:
    rows: list[dict[str, object]] = [
        {"v1": f"a{i}@b.com", "v2": f"1391234567{i}", "v3": f"198{i}-02-03", "v4": f"王{'芳伟敏'[i % 3]}", "k": i}
        for i in range(9)
    ]
    assert sorted(roles(rows).values()) == ["code", "date", "email", "full_name", "phone"]


def test_parts_of_a_name_are_put_together_where_another_table_has_it_whole() -> None:
    parts: list[dict[str, object]] = [{"first_name": "John", "last_name": n} for n in ("Smith", "Brown")]
    whole: list[dict[str, object]] = [{"name": "Smith, John"}, {"name": "Ann Lee"}]
    fields, layouts = lay_out([parts, whole])
    assert read_record(parts[0], fields, layouts[0]) == read_record(whole[0], fields, layouts[1])


def test_a_told_column_is_what_was_told() -> None:
    rows: list[dict[str, object]] = [{"x": "a", "y": "1"}, {"x": "b", "y": "2"}]
    assert roles(rows, told={"x": "company", "y": "ignore"}) == {"company": "company"}


def test_a_told_column_that_is_not_there_is_an_error_with_the_nearest() -> None:
    with pytest.raises(UnknownName) as error:
        lay_out([[{"phone": "1"}, {"phone": "2"}]], {"phome": "phone"})
    assert error.value.nearest == ["phone"]


def test_a_role_that_there_is_not_is_an_error_with_the_nearest() -> None:
    with pytest.raises(UnknownName) as error:
        read_map("columns: {a: fone}")
    assert "phone" in error.value.nearest


def test_a_table_with_nothing_to_compare_is_an_error() -> None:
    with pytest.raises(InvalidInput):
        lay_out([[{"id": 1}, {"id": 2}]])
