"""Identity in a running hub: records are tied together as their facts arrive, and people have the last word."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import select

from core.audit import AuditRow
from core.clock import ManualClock
from core.context import RequestContext, system_context
from core.db import Database
from core.errors import Conflict, NotFound, UnknownName
from core.events import Fact, Input
from core.ids import TenantId
from core.times import Micros
from knowledge.catalog import InvalidCatalog, read_catalog
from knowledge.governance.erasure import Person
from knowledge.graph import GraphService, SqliteGraphStore
from knowledge.identity.erasure import IdentityTraces
from knowledge.identity.service import IdentityService
from knowledge.identity.subjects import compared
from knowledge.identity.tables import PairRow, PairState

CTX = system_context()
CATALOG = """
catalog: 1
objects:
  customer:
    attributes:
      name: {type: text}
      phone: {type: text}
      born: {type: date}
      passport: {type: text}
      city: {type: text}
      note: {type: text}
  device: {attributes: {serial: {type: text}}}
"""
CRM, SHOP, DESK, NEIGHBOUR = (f"customer/{k}" for k in ("crm-1", "shop-7", "desk-9", "shop-8"))
LI = {"name": "李秀兰", "phone": "13812345678", "born": "1961-03-05", "passport": "E12345678"}


@dataclass
class Hub:
    """A graph and who is who in it. `restart` forgets everything that is not on disk."""

    folder: Path
    clock: ManualClock = field(default_factory=lambda: ManualClock(1_000_000))
    catalog: str = CATALOG
    blank: bool = False
    """Its folder has the tables already."""

    def __post_init__(self) -> None:
        self.db = Database(f"sqlite:///{self.folder / 'hub.db'}")
        if not self.blank:
            self.db.create_tables()
        self.restart()

    def restart(self) -> None:
        self.graph = GraphService(SqliteGraphStore(self.db, self.clock))
        catalog = read_catalog(self.catalog).catalog
        self.identity = IdentityService(self.db, self.clock, self.graph, lambda: catalog)

    def tell(self, subject: str, ctx: RequestContext = CTX, **values: Any) -> None:
        self.clock.set(self.clock.now() + 1)
        inputs: list[Input] = [Fact(subject, k, v, Micros(self.clock.now())) for k, v in values.items()]
        self.graph.sink(ctx, inputs)
        self.identity.sink(ctx, inputs)

    def members(self, subject: str) -> set[str]:
        return set(self.graph.identity(CTX, subject).members)

    def asked(self, state: PairState = PairState.OPEN) -> list[PairRow]:
        return self.identity.reviews(CTX, state, None, 50)

    def reads(self, *subjects: str) -> list[Any]:
        return [
            (self.graph.profile(CTX, s), self.graph.identity(CTX, s), self.graph.neighbourhood(CTX, s))
            for s in subjects
        ]


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tables")
    Hub(folder).db.close()
    return folder / "hub.db"


@pytest.fixture
def hub(tmp_path: Path, tables: Path) -> Iterator[Hub]:
    shutil.copy(tables, tmp_path)
    hub = Hub(tmp_path, blank=True)
    yield hub
    hub.db.close()


def test_three_systems_records_of_one_person_are_merged_and_a_neighbour_on_the_same_phone_is_not(hub: Hub) -> None:
    hub.tell(CRM, **LI)
    hub.tell(SHOP, name="李秀兰", phone="+86 138-1234-5678", born="1961/3/5", city="杭州")
    hub.tell(DESK, name="李秀蘭", passport="e12345678")
    hub.tell(NEIGHBOUR, name="陈国强", phone="13812345678", born="1958-11-20")
    assert hub.members(CRM) == {CRM, SHOP, DESK}
    assert hub.members(NEIGHBOUR) == {NEIGHBOUR}
    assert NEIGHBOUR not in {s for row in hub.asked() for s in (row.left, row.right)}
    assert hub.graph.profile(CTX, DESK).value("city") == "杭州"


def test_a_merge_keeps_the_comparisons_and_weights_it_rests_on(hub: Hub) -> None:
    hub.tell(CRM, **LI)
    hub.tell(DESK, name="李秀兰", passport="E12345678")
    (merge,) = hub.graph.identity(CTX, DESK).merges
    assert merge.actor == "identity"
    weights = {c["field"]: c["weight"] for c in merge.claim.evidence["comparisons"]}
    assert weights.keys() == {"full_name", "national_id"}
    assert min(weights.values()) > 5
    assert merge.claim.confidence >= 0.9999
    assert "full_name相同" in merge.claim.evidence["says"]["zh"]


def test_a_record_is_judged_again_when_it_says_more(hub: Hub) -> None:
    hub.tell(CRM, **LI)
    hub.tell(SHOP, name="李秀兰")
    assert hub.members(SHOP) == {SHOP}
    hub.tell(SHOP, passport="E12345678")
    assert hub.members(SHOP) == {SHOP, CRM}


def doubt(hub: Hub) -> PairRow:
    """The same name and phone, and nothing else: likely, not certain."""
    hub.tell(CRM, **LI)
    hub.tell(SHOP, name="李秀兰", phone="13812345678")
    (row,) = hub.asked()
    return row


def test_a_likely_pair_waits_for_a_person_with_its_explanation(hub: Hub) -> None:
    row = doubt(hub)
    assert hub.members(CRM) == {CRM}
    assert (row.left, row.right, row.state) == (CRM, SHOP, "open")
    assert 0.1 <= row.probability < 0.9999
    assert ("phone相同" in row.says_zh, "phone same" in row.says_en) == (True, True)


def test_a_pair_that_is_no_doubt_any_more_is_not_asked_about(hub: Hub) -> None:
    doubt(hub)
    hub.tell(SHOP, name="陈国强")
    assert hub.asked() == []


def test_an_accepted_pair_is_merged_by_who_accepted_it(hub: Hub) -> None:
    row = hub.identity.accept(CTX, doubt(hub).id, "asked her")
    (merge,) = hub.graph.identity(CTX, SHOP).merges
    assert (hub.members(SHOP), row.state, row.why) == ({CRM, SHOP}, "accepted", "asked her")
    assert (merge.actor, merge.claim.reason, merge.claim.evidence["accepted_by"]) == ("system", "asked her", "system")
    assert hub.asked() == []


def test_a_rejected_pair_is_never_asked_about_again_also_after_a_restart(hub: Hub) -> None:
    hub.identity.reject(CTX, doubt(hub).id, "mother and daughter")
    hub.restart()
    hub.tell(SHOP, born="1961-03-05", passport="E12345678")
    assert hub.members(SHOP) == {SHOP}
    assert hub.asked() == []


def test_what_a_person_told_apart_is_not_merged_through_a_third_record(hub: Hub) -> None:
    hub.identity.reject(CTX, doubt(hub).id, "mother and daughter")
    hub.tell(DESK, **LI)
    hub.tell(DESK, phone="13812345678")
    assert SHOP not in hub.members(CRM)
    assert len(hub.members(DESK)) == 2


def test_an_unmerged_record_reads_exactly_as_before_and_stays_apart(hub: Hub) -> None:
    row = doubt(hub)
    before = hub.reads(CRM, SHOP)
    hub.identity.accept(CTX, row.id, "")
    (merge,) = hub.graph.identity(CTX, CRM).merges
    assert hub.reads(CRM, SHOP) != before
    hub.identity.unmerge(CTX, SHOP, merge.id, "two people after all")
    assert [(p.values, i, n) for p, i, n in hub.reads(CRM, SHOP)] == [(p.values, i, n) for p, i, n in before]
    hub.tell(SHOP, phone="138 1234 5678")
    assert (hub.members(SHOP), hub.asked()) == ({SHOP}, [])
    assert [r.why for r in hub.asked(PairState.REJECTED)] == ["two people after all"]


def test_a_merge_that_nobody_was_asked_about_stays_withdrawn(hub: Hub) -> None:
    hub.tell(CRM, **LI)
    hub.tell(DESK, **LI)
    (merge,) = hub.graph.identity(CTX, CRM).merges
    hub.identity.unmerge(CTX, CRM, merge.id, "a shared form")
    hub.restart()
    hub.identity.sweep(CTX)
    assert (hub.members(CRM), hub.asked()) == ({CRM}, [])
    with pytest.raises(NotFound, match=merge.id):
        hub.identity.unmerge(CTX, CRM, merge.id, "again")


def test_an_accepted_pair_cannot_be_rejected_but_unmerged(hub: Hub) -> None:
    row = hub.identity.accept(CTX, doubt(hub).id, "")
    with pytest.raises(Conflict, match="merged"):
        hub.identity.reject(CTX, row.id, "")


def test_a_number_that_many_records_share_ties_nobody(hub: Hub) -> None:
    names = ["王伟", "李娜", "张强", "刘洋", "陈静", "杨帆"]
    for number, name in enumerate(names):
        hub.tell(f"customer/{number}", name=name, passport=f"P{number}000000")
    for number in range(len(names)):
        hub.tell(f"customer/x{number}", name=names[number][0] + "某", passport="00000000")
    assert hub.members("customer/x5") == {"customer/x5"}


def test_a_sweep_judges_what_was_there_before(hub: Hub) -> None:
    hub.graph.sink(CTX, [Fact(s, k, v, Micros(5)) for s in (CRM, DESK) for k, v in LI.items()])
    assert hub.identity.sweep(CTX) == (2, 1, 0)
    assert hub.identity.sweep(CTX) == (2, 0, 0)
    assert hub.members(CRM) == {CRM, DESK}


def test_facts_told_again_after_a_crash_change_nothing(hub: Hub) -> None:
    doubt(hub)
    inputs: list[Input] = [Fact(SHOP, "phone", "13812345678", Micros(1_000_002))]
    before = [row.model_dump() for row in hub.asked()]
    hub.restart()
    hub.graph.sink(CTX, inputs)
    hub.identity.sink(CTX, inputs)
    assert [row.model_dump() for row in hub.asked()] == before


def test_another_tenants_records_are_never_compared(hub: Hub) -> None:
    other = RequestContext(TenantId("other"), "x", CTX.role, CTX.purpose)
    hub.tell(CRM, **LI)
    hub.tell(DESK, ctx=other, **LI)
    assert hub.graph.identity(other, DESK).members == (DESK,)
    assert hub.identity.reviews(other, PairState.OPEN, None, 5) == []


def test_answers_are_in_the_audit_log(hub: Hub) -> None:
    hub.identity.reject(CTX, doubt(hub).id, "sisters")
    with hub.db.reading() as session:
        rows = [r for r in session.exec(select(AuditRow)) if r.action.startswith("identity.")]
    assert [(r.action, r.actor) for r in rows] == [("identity.ask", "identity"), ("identity.rejected", "system")]
    assert rows[1].detail == {"left": CRM, "right": SHOP, "why": "sisters"}


def test_an_erased_person_is_in_no_pair_and_compared_no_more(hub: Hub) -> None:
    doubt(hub)
    store = IdentityTraces(hub.db, hub.identity)
    person = Person(frozenset({CRM}))
    assert store.erase(CTX, person, dry_run=True).erased == len(hub.asked()) == 1
    hub.graph.erase(CTX, CRM)
    store.erase(CTX, person, dry_run=False)
    hub.tell(SHOP, passport="E12345678")
    assert (hub.asked(), hub.members(SHOP)) == ([], {SHOP})


# --- rules as data -----------------------------------------------------------


def test_roles_come_from_the_attributes_names_where_the_catalog_gives_none() -> None:
    ways = compared(read_catalog(CATALOG).catalog)
    assert ways.keys() == {"customer"}
    assert ways["customer"].roles == {
        "name": "full_name",
        "phone": "phone",
        "born": "birth_date",
        "passport": "national_id",
        "city": "locality",
    }


def test_a_catalog_may_make_another_property_a_key(tmp_path: Path) -> None:
    section = "identity: {device: {properties: {serial: device}, personal: [device], keys: {device: {at_most: 2}}}}"
    hub = Hub(tmp_path, catalog=CATALOG + section)
    hub.tell("device/a", serial="SN-0001")
    hub.tell("device/b", serial="sn0001")
    assert hub.members("device/a") == {"device/a", "device/b"}
    hub.db.close()


def test_rules_for_what_the_catalog_does_not_have_are_refused() -> None:
    with pytest.raises(InvalidCatalog) as refused:
        read_catalog(CATALOG + "identity: {customer: {properties: {nmae: full_name}}}")
    assert (refused.value.where["field"], refused.value.nearest[0]) == ("identity.customer.properties.nmae", "name")
    with pytest.raises(UnknownName) as unknown:
        compared(read_catalog(CATALOG + "identity: {customer: {properties: {name: ful_name}}}").catalog)
    assert unknown.value.nearest[0] == "full_name"
