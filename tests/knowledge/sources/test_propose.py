"""From tables nobody described to a plan of the graph: keys, references, types, names, and what is left to people."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from pathlib import Path

import polars as pl
import pytest
from sqlalchemy import create_engine, text

from core.errors import InvalidInput
from core.times import parse_time
from knowledge.sources import Plan, edited, find_tables, load_yaml, read_plan, save_plan
from knowledge.sources.preview import Preview, preview
from knowledge.sources.propose import propose
from knowledge.sources.vocabulary import Vocabulary

WORDS = Vocabulary()
"""Labels alone: what likeness adds has a test of its own."""
NOW = parse_time("2026-06-01T00:00:00Z")


def _csv(path: Path, head: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(head)
        writer.writerows(rows)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A CRM, an order book, a WeChat export, devices as JSON and a login log: five systems, five ways to write ids."""
    phones = [f"138000{n:05d}" for n in range(30)]
    _csv(
        tmp_path / "crm_客户信息.csv",
        ["客户编号", "姓名", "手机号", "累计消费(元)", "更新时间"],
        [[f"C{n:05d}", f"王{n}", phones[n], f"{n + 1}.5", f"2026-04-{1 + n % 28:02} 10:00:00"] for n in range(30)],
    )
    _csv(
        tmp_path / "orders.csv",
        ["order_no", "cust_no", "store_id", "store_name", "amount", "order_date"],
        [
            [f"SO{n}", f"C{n % 30:05d}", n % 4, f"Shop {n % 4}", f"{n}.99", f"2026-05-{1 + n % 28:02}T09:00:00"]
            for n in range(90)
        ],
    )
    _csv(
        tmp_path / "wechat.csv",
        ["id", "nickname", "mobile"],
        [[n + 1, f"n{n}", phones[n] if n < 20 else f"139000{n:05d}"] for n in range(25)],
    )
    devices = [
        {"device_sn": f"SN{n:06d}", "owner": {"customer_no": f"C{n % 30:05d}"}, "weight": "10kg"} for n in range(40)
    ]
    (tmp_path / "devices.json").write_text(json.dumps({"data": devices}), encoding="utf-8")
    logins = [{"user_id": f"C{n % 30:05d}", "login_time": f"2026-05-{1 + n % 28:02} 12:00:00"} for n in range(60)]
    (tmp_path / "app_login.ndjson").write_text("\n".join(map(json.dumps, logins)), encoding="utf-8")
    return tmp_path


def _proposed(folder: Path, words: Vocabulary = WORDS) -> tuple[Plan, Preview]:
    tables = find_tables(str(folder))
    plan = propose(tables, words)
    return plan, preview(plan, tables, NOW)


def test_tables_of_several_systems_become_things_with_their_keys(folder: Path) -> None:
    plan, _ = _proposed(folder)
    assert {name: (told.entity, told.key) for name, told in plan.tables.items()} == {
        "crm_客户信息": ("customer", ["客户编号"]),
        "orders": ("order", ["order_no"]),
        "wechat": ("customer", ["id"]),
        "devices": ("device", ["device_sn"]),
        "app_login": (None, []),
    }


def test_columns_that_hold_keys_of_other_tables_become_relations(folder: Path) -> None:
    plan, seen = _proposed(folder)
    found = {(r.source, r.target, r.table, r.column, r.cardinality) for r in plan.relations}
    assert found == {
        ("order", "customer", "orders", "cust_no", "n:1"),
        ("order", "store", "orders", "store_id", "n:1"),
        ("device", "customer", "devices", "owner.customer_no", "n:1"),
    }
    assert sum(seen.relations.values()) == 90 + 90 + 40


def test_a_column_that_tells_of_what_is_referred_to_is_its_property(folder: Path) -> None:
    plan, _ = _proposed(folder)
    orders = plan.tables["orders"].mapping
    assert orders is not None
    store = next(rule for rule in orders.relations if rule.object == "store/{store_id}")
    assert (set(store.facts), set(orders.facts)) == ({"name"}, {"amount"})


def test_rows_of_a_log_become_events_of_whom_they_name(folder: Path) -> None:
    plan, seen = _proposed(folder)
    assert plan.catalog.events["login.recorded"].subject == "customer"
    assert seen.events == {"login.recorded": 60, "order.recorded": 90}


def test_equal_numbers_of_two_systems_are_not_taken_for_one_person(folder: Path) -> None:
    plan, seen = _proposed(folder)
    wechat = plan.tables["wechat"].mapping
    assert wechat is not None
    assert wechat.subject == "customer/wechat-{id}"
    assert seen.entities["customer"] == 30 + 25


def test_a_number_that_both_systems_have_is_offered_for_resolution(folder: Path) -> None:
    plan, seen = _proposed(folder)
    (identity,) = [found for found in plan.identities if found.shared]
    assert (identity.entity, identity.property, identity.shared) == ("customer", "phone", 20)
    assert seen.same[0]["subjects"] == 40


def test_units_come_from_names_and_from_values(folder: Path) -> None:
    plan, _ = _proposed(folder)
    spend, weight = (plan.catalog.attribute(*where) for where in (("customer", "lifetime_value"), ("device", "weight")))
    assert spend is not None and weight is not None
    assert (spend.unit, weight.unit) == ("CNY", "kg")


def test_things_are_named_in_both_languages(folder: Path) -> None:
    plan, _ = _proposed(folder)
    phone = plan.catalog.attribute("customer", "phone")
    assert phone is not None
    assert (phone.labels.zh, phone.labels.en) == (["手机号"], ["phone"])


def test_tables_that_share_keys_and_agree_are_of_one_kind_and_their_contradictions_are_shown(tmp_path: Path) -> None:
    _csv(tmp_path / "crm.csv", ["customer_id", "email", "city"], [[f"K{n}", f"a{n}@x.cn", "Rome"] for n in range(20)])
    erp = [[f"K{n}", f"a{n}@x.cn", "Rome" if n else "Paris"] for n in range(20)]
    _csv(tmp_path / "erp.csv", ["customer_id", "email", "city"], erp)
    _, seen = _proposed(tmp_path)
    assert seen.entities == {"customer": 20}
    (conflict,) = seen.conflicts
    assert (conflict["property"], conflict["subjects"]) == ("city", 1)
    assert conflict["examples"][0]["values"] == {"crm": "Rome", "erp": "Paris"}


def test_workbooks_and_databases_are_read_as_well(tmp_path: Path) -> None:
    pl.DataFrame({"工单号": [f"T{n}" for n in range(9)], "客户编号": [f"C{n}" for n in range(9)]}).write_excel(
        tmp_path / "售后.xlsx", worksheet="工单"
    )
    engine = create_engine(f"sqlite:///{tmp_path / 'crm.db'}")
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE customers (customer_id TEXT PRIMARY KEY, birthday DATE)"))
        for n in range(9):
            connection.execute(text(f"INSERT INTO customers VALUES ('C{n}', '1990-01-0{n + 1}')"))
    engine.dispose()
    plan, seen = _proposed(tmp_path)
    assert seen.entities == {"customer": 9, "ticket": 9}
    assert [(r.table, r.overlap) for r in plan.relations] == [("售后", 1.0)]
    assert find_tables(f"sqlite:///{tmp_path / 'crm.db'}")[0].name == "customers"


def test_a_name_that_is_no_label_is_understood_by_its_likeness() -> None:
    words = Vocabulary.offline()
    assert [words.property_of(name).id for name in ("联系手机", "家庭住址", "net revenue")] == [
        "phone",
        "address",
        "amount",
    ]
    assert words.property_of("torque").sure == 0


def test_a_plan_is_the_same_after_it_was_saved_and_read(folder: Path, tmp_path: Path) -> None:
    plan, _ = _proposed(folder)
    save_plan(plan, tmp_path / "plan.yaml")
    assert read_plan(load_yaml(tmp_path / "plan.yaml")) == plan


def test_edits_replace_what_they_name_and_keep_the_rest(folder: Path) -> None:
    plan, _ = _proposed(folder)
    changed = edited(
        plan, {"tables": {"wechat": {"mapping": {"subject": "customer/{id}"}}, "app_login": {"mapping": None}}}
    )
    assert changed.tables["wechat"].mapping is not None and plan.tables["wechat"].mapping is not None
    assert changed.tables["wechat"].mapping.subject == "customer/{id}"
    assert changed.tables["wechat"].mapping.facts == plan.tables["wechat"].mapping.facts
    assert changed.tables["app_login"].mapping is None
    assert changed.tables["orders"] == plan.tables["orders"]


def test_an_edit_of_a_table_that_is_not_there_names_the_nearest(folder: Path) -> None:
    plan, _ = _proposed(folder)
    with pytest.raises(InvalidInput) as caught:
        edited(plan, {"tables": {"order": {"mapping": None}}})
    assert caught.value.nearest[0] == "orders"
