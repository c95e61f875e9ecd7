"""Reading catalogs and checking inputs against them."""

from pathlib import Path
from typing import Any

import pytest

from core.errors import InvalidInput, UnknownName
from core.events import Event, Fact, Relation
from core.times import Micros
from knowledge.catalog import (
    Catalog,
    InvalidCatalog,
    catalog_schema,
    check_event,
    check_fact,
    check_relation,
    load_catalog,
    read_catalog,
)
from knowledge.catalog.units import WrongUnit, convert

SAMPLE = Path(__file__).parents[2] / "data" / "catalog.yaml"


ORDERS = """catalog: 1
objects: {{customer: {{}}, store: {{}}}}
events:
  order: {{subject: customer, groups: {}, fields: {{shop: {{type: text}}, rush: {{type: boolean}}}}}}
"""


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return load_catalog(SAMPLE).catalog


def test_what_is_only_mentioned_is_declared_with_a_warning() -> None:
    loaded = load_catalog(SAMPLE)
    assert "device" in loaded.catalog.objects
    assert "wechat.sent" in loaded.catalog.events
    assert len(loaded.warnings) == 3


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("catalog: [", 1, "not valid YAML"),
        ("catalog: 1\nobjects:\n  customer: {labls: {zh: a}}", 3, "Nearest: labels"),
        ("catalog: 1\nobjects:\n  c:\n    attributes:\n      a: {type: numbr}", 5, "numbr"),
        ("catalog: 1\nevents:\n  a.b: {labels: {zh: x}}", 3, "'subject' is missing"),
        ("catalog: 1\nobjects: {customer: {}}\nevents:\n  a.b: {subject: custmer}", 4, "Nearest: customer"),
        ("catalog: 1\nobjects:\n  c: {attributes: {a: {type: enum}}}", 3, "has no values"),
        ("catalog: 1\nactions:\n  a: {opposite: b}", 3, "no action 'b'"),
        ("catalog: 1\nactions:\n  a: {excludes: [b]}", 3, "no action 'b'"),
        ("catalog: 1\nactions:\n  a: {causes: [b]}", 3, "no event 'b'"),
        ("catalog: 1\ntimezone: Asia/Shangai", 2, "no time zone"),
        ("catalog: 2", 1, "Input should be 1"),
        (ORDERS.format("{customer: shop}"), 4, "happens to a 'customer' anyway"),
        (ORDERS.format("{store: shp}"), 4, "has no field 'shp'. Nearest: shop"),
        (ORDERS.format("{store: rush}"), 4, "'rush' is boolean and cannot hold a key"),
        ("catalog: 1\nplaces: {p: {points: [{id: a, lat: 91, lon: 0}]}}", 2, "less than or equal to 90"),
    ],
)
def test_a_broken_catalog_names_the_line(text: str, line: int, says: str) -> None:
    with pytest.raises(InvalidCatalog) as caught:
        read_catalog(text)
    assert caught.value.where["line"] == line
    assert says in caught.value.say("en")


def test_a_group_that_is_only_mentioned_is_declared_with_a_warning() -> None:
    loaded = read_catalog(ORDERS.format("{region: shop}"))
    assert "region" in loaded.catalog.objects
    assert [warning.en for warning in loaded.warnings] == [
        "line 4: object 'region' is mentioned but not defined; taken as one without attributes"
    ]


@pytest.mark.parametrize("text", ["", "- a", "42"])
def test_what_is_no_mapping_is_no_catalog(text: str) -> None:
    with pytest.raises(InvalidCatalog, match="mapping"):
        read_catalog(text)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidCatalog) as caught:
        load_catalog(tmp_path / "none.yaml")
    assert caught.value.where["file"].endswith("none.yaml")


def test_the_schema_accepts_the_sample() -> None:
    import jsonschema
    import yaml

    jsonschema.validate(yaml.safe_load(SAMPLE.read_text()), catalog_schema())


def event(type_: str, subject: str = "customer/c1", **data: Any) -> Event:
    return Event("e", type_, Micros(1), subject, data)


def test_an_unknown_event_type_names_the_nearest(catalog: Catalog) -> None:
    with pytest.raises(UnknownName) as caught:
        check_event(event("app.logn"), catalog)
    assert caught.value.nearest[0] == "app.login"


def test_a_field_of_the_wrong_type_is_named(catalog: Catalog) -> None:
    with pytest.raises(InvalidInput) as caught:
        check_event(event("email.marketing", opened="no"), catalog)
    assert caught.value.where["field"] == "data.opened"


def test_a_quantity_in_another_unit_is_converted(catalog: Catalog) -> None:
    checked = check_event(event("vitals.pressure", systolic={"value": 20, "unit": "kPa"}), catalog)
    assert checked.data["systolic"] == pytest.approx(150.01, abs=0.01)


def test_a_wrong_unit_names_the_right_ones(catalog: Catalog) -> None:
    with pytest.raises(WrongUnit) as caught:
        check_event(event("vitals.pressure", systolic="160kg"), catalog)
    assert caught.value.nearest[0] == "mmHg"
    assert caught.value.where["field"] == "data.systolic"


def test_a_wrong_subject_type_is_named(catalog: Catalog) -> None:
    with pytest.raises(InvalidInput) as caught:
        check_event(event("app.login", "device/d1"), catalog)
    assert caught.value.nearest == ["customer/d1"]


@pytest.mark.parametrize("value", [float("nan"), float("inf"), True, "many", [1]])
def test_what_is_no_number_is_refused(catalog: Catalog, value: object) -> None:
    with pytest.raises(InvalidInput):
        check_fact(Fact("customer/c1", "dwell", value, Micros(1)), catalog)


def test_a_fact_may_be_an_attribute_or_a_forecast(catalog: Catalog) -> None:
    assert check_fact(Fact("customer/c1", "tier", "大客户", Micros(1)), catalog).value == "vip"
    assert check_fact(Fact("device/d1", "device_failure", 90, Micros(1)), catalog).value == 90
    with pytest.raises(UnknownName):
        check_fact(Fact("customer/c1", "device_failure", 90, Micros(1)), catalog)


def test_a_relation_must_join_the_declared_types(catalog: Catalog) -> None:
    check_relation(Relation("customer/c1", "owns", "device/d1", Micros(1)), catalog)
    with pytest.raises(InvalidInput):
        check_relation(Relation("device/d1", "owns", "customer/c1", Micros(1)), catalog)


def test_units_convert_exactly_within_a_dimension() -> None:
    assert convert(2, "分钟", "s") == 120
    assert convert(0.5, "公里", "m") == 500
    assert convert(3, "万元", "CNY") == 30_000
    with pytest.raises(WrongUnit):
        convert(1, "kg", None)


@pytest.mark.parametrize("value", [[], {}, 5, True, "nope"])
def test_what_is_none_of_the_values_is_an_error_of_its_line(catalog: Catalog, value: object) -> None:
    with pytest.raises(InvalidInput, match="one of its values"):
        check_fact(Fact("customer/c1", "tier", value, Micros(1)), catalog)


@pytest.mark.parametrize("value", ["12", "1.5", "１２"])
def test_a_number_written_as_text_is_not_read_as_a_number_with_a_unit(catalog: Catalog, value: str) -> None:
    with pytest.raises(InvalidInput, match="is not a number") as caught:
        check_event(event("vitals.pressure", systolic=value), catalog)
    assert not isinstance(caught.value, WrongUnit)


def test_a_conversion_that_leaves_the_finite_is_refused(catalog: Catalog) -> None:
    with pytest.raises(InvalidInput, match="finite"):
        check_fact(Fact("customer/c1", "dwell", {"value": 1e308, "unit": "year"}, Micros(1)), catalog)


DATED = """
catalog: 1
objects:
  customer: {attributes: {ends: {type: date}}}
"""


@pytest.mark.parametrize("value", ["2026-05-01", "0001-01-01", "2026-05-01T08:00:00+08:00", "2026-05-01 08:00:00z"])
def test_a_date_is_a_day_or_a_moment(value: str) -> None:
    fact = Fact("customer/c1", "ends", value, Micros(1))
    assert check_fact(fact, read_catalog(DATED).catalog) == fact


@pytest.mark.parametrize("value", [20260501, "20260501", "2026-05-01 soon", "2026-02-30", "0000-00-00", [], True])
def test_what_only_begins_like_a_date_is_none(value: object) -> None:
    with pytest.raises(InvalidInput, match="is not a date"):
        check_fact(Fact("customer/c1", "ends", value, Micros(1)), read_catalog(DATED).catalog)
