"""The graph's health: what the catalog expects of sources and loops beside what came."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from core.clock import ManualClock
from core.context import Purpose, RequestContext, system_context
from core.db import Database
from core.errors import Forbidden, Unavailable
from core.events import Event
from core.text import Text
from core.times import DAY, Micros
from knowledge.catalog import Catalog, InvalidCatalog, read_catalog
from knowledge.graph import CatalogLimits, SameAs, SqliteGraphStore
from knowledge.health import GraphHealth, Health
from knowledge.identity.tables import PairRow, PairState
from tests.graphs import C1, C2, C3, C4, claim

NOW = 100 * DAY
CTX = system_context()
CATALOG = """
catalog: 1
objects:
  customer:
    attributes:
      tier: {type: text}
      spend: {type: number, unit: CNY}
      phone: {type: text, purposes: [service, operations]}
events:
  visit: {subject: customer}
  trial: {subject: customer}
  order: {subject: customer, purposes: [operations]}
sources:
  crm:
    labels: {en: [CRM], zh: [客户系统]}
    owner: {en: [sales], zh: [销售部]}
    api: partner
    every: 7d
    names: [crm/]
    properties: {customer: [tier, spend, phone]}
    events: [visit]
  forum: {every: 1d}
loops:
  purchase:
    subject: customer
    within: 10d
    stages:
      consultation: {events: [visit]}
      experience: {events: [trial], within: 2d}
      deal: {events: [order]}
      delivery: {}
      repurchase: {events: [order]}
"""


class Bench:
    def __init__(self, database: Database) -> None:
        self.catalog: Catalog = read_catalog(CATALOG).catalog
        self.clock = ManualClock(NOW)
        self.store = SqliteGraphStore(database, self.clock, CatalogLimits(lambda: self.catalog))
        self.database = database

    def report(
        self, ctx: RequestContext = CTX, may: Callable[[RequestContext, str, str], None] = lambda *_: None
    ) -> Health:
        return GraphHealth(self.database, self.clock, lambda: self.catalog, may).report(ctx)

    def events(self, *told: tuple[str, str, int], source: str = "crm/web") -> None:
        """(subject, type, day)."""
        self.store.record_events(CTX, [Event(f"{s}-{t}-{d}", t, Micros(d * DAY), s, {}, source) for s, t, d in told])


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    database = Database(f"sqlite:///{tmp_path}/hub.db")
    database.create_tables()
    yield Bench(database)
    database.close()


def _source(found: Health, source_id: str) -> dict[str, object]:
    (source,) = (s for s in found.sources if s.id == source_id)
    return {name: getattr(source, name) for name in source.__dataclass_fields__}


@pytest.mark.parametrize(("day", "state", "recent"), [(93, "fresh", 0), (92, "late", 0), (99, "fresh", 1)])
def test_a_source_is_late_once_its_newest_event_is_older_than_expected(
    bench: Bench, day: int, state: str, recent: int
) -> None:
    bench.events((C1, "visit", 20), (C1, "visit", day))
    crm = _source(bench.report(), "crm")
    assert (crm["state"], crm["last"], crm["events"], crm["last_7_days"]) == (state, day * DAY, 2, recent)


def test_coverage_is_the_share_of_subjects_that_have_a_value_now(bench: Bench) -> None:
    bench.store.assert_facts(
        CTX,
        [
            claim(C1, "tier", "vip", 1, source="crm"),
            claim(C2, "tier", "vip", 1, source="crm"),
            claim(C2, "tier", None, 2, source="crm"),
            claim(C3, "tier", "vip", NOW + DAY, source="crm"),
        ],
    )
    bench.events((C4, "visit", 99))
    crm = bench.report().sources[0]
    assert {c.name: c.share for c in crm.coverage} == {"tier": 0.25, "visit": 0.25}


def test_gaps_say_what_was_promised_and_never_came(bench: Bench) -> None:
    bench.store.assert_facts(CTX, [claim(C1, "tier", "vip", 1, source="crm"), claim(C1, "tier", "vip", 1, source="x")])
    found = bench.report()
    gaps = {s.id: [gap.en for gap in s.gaps] for s in found.sources}
    assert gaps["crm"] == ["no value of customer.spend", "no value of customer.phone", "no event visit"]
    assert gaps["forum"] == ["nobody owns it", "how far its API opens is not said", "nothing ever came"]
    assert gaps["x"] == ["the catalog does not know this source"]


def test_sources_conflict_by_what_each_said_last_however_old(bench: Bench) -> None:
    bench.store.assert_facts(
        CTX,
        [
            claim(C1, "spend", 100.0, 1, source="crm"),
            claim(C1, "spend", 150, 2, source="app"),
            claim(C2, "spend", 5.0, 1, source="crm"),
            claim(C2, "spend", 5, 2, source="app"),
            claim(C3, "spend", 10, 1, source="crm"),
            claim(C3, "spend", 20, 2, source="crm"),
            claim(C3, "spend", 30, 1, source="app"),
            claim(C1, "tier", "vip", 1, source="crm"),
            claim(C1, "tier", "new", 1, source="app"),
        ],
    )
    spend, tier = bench.report().conflicts
    assert (spend.sources, spend.compared, spend.disagree) == (("app", "crm"), 3, 2)
    assert (spend.mean_gap, spend.largest_gap) == (30.0, 50.0)
    assert (tier.name, tier.disagree, tier.mean_gap) == ("tier", 1, None)


def test_a_withdrawn_fact_does_not_conflict(bench: Bench) -> None:
    _, wrong = bench.store.assert_facts(
        CTX, [claim(C1, "tier", "vip", 1, source="crm"), claim(C1, "tier", "new", 1, source="app")]
    )
    bench.store.retract(CTX, [wrong], "typo")
    assert bench.report().conflicts == ()


def test_records_that_share_a_phone_are_duplicates_until_they_are_merged(bench: Bench) -> None:
    bench.store.assert_facts(
        CTX,
        [
            claim(C1, "phone", "139 7771 2345", 1, source="crm"),
            claim(C2, "phone", "+86 13977712345", 1, source="app"),
            claim(C3, "phone", "13900000000", 1, source="app"),
        ],
    )
    before = bench.report()
    assert [(d.name, d.subjects, d.values) for d in before.duplicates] == [("phone", 2, 1)]
    assert [d.subjects for d in before.sources[0].duplicates] == [1]
    bench.store.merge(CTX, [SameAs(C1, C2, "same phone")])
    after = bench.report()
    assert (after.duplicates, after.merged, after.subjects) == ((), 1, {"customer": 2})
    assert [(c.name, c.compared, c.disagree) for c in after.conflicts] == [("phone", 1, 1)]


def test_pairs_that_wait_for_a_person_are_counted_and_answered_ones_are_not(bench: Bench) -> None:
    def pair(key: str, state: PairState, tenant: str = CTX.tenant) -> PairRow:
        return PairRow(
            tenant=tenant,
            id=key,
            left="customer/1",
            right=f"customer/{key}",
            state=state,
            verdict="review",
            probability=0.5,
            weight=0.0,
            parts="[]",
            says_zh="",
            says_en="",
            found_at=0,
        )

    assert bench.report().asked == 0
    with bench.database.transaction() as session:
        session.add_all([pair("a", PairState.OPEN), pair("b", PairState.OPEN), pair("c", PairState.REJECTED)])
        session.add(pair("d", PairState.OPEN, "rival"))
    assert bench.report().asked == 2


def test_what_the_purpose_may_not_see_is_not_counted(bench: Bench) -> None:
    bench.store.assert_facts(
        CTX,
        [
            claim(C1, "phone", "1", 1, source="crm"),
            claim(C1, "tier", "vip", 1, source="crm"),
            claim(C1, "tier", "new", 2, source="crm", purposes=frozenset({Purpose.SERVICE})),
        ],
    )
    bench.events((C1, "order", 99))
    found = bench.report(system_context(Purpose.MARKETING))
    assert found.withheld == 2
    assert found.sources[0].coverage == ()
    assert "deal: its events may not serve this purpose" in [g.en for g in found.loops[0].gaps]


def test_a_loop_counts_who_came_who_skipped_and_who_is_stalled(bench: Bench) -> None:
    bench.events(
        *((C1, "visit", 80), (C1, "trial", 81), (C1, "order", 82), (C1, "order", 95)),
        *((C2, "order", 70), (C2, "visit", 97)),  # the order was before the way through began
        *((C3, "trial", 50), (C3, "order", 91)),
        (C4, "visit", 99),
    )
    (loop,) = bench.report().loops
    rows = {s.id: (s.reached, s.from_before, s.skipped, s.waiting, s.stalled) for s in loop.stages}
    assert rows == {
        "consultation": (3, 0, 1, 1, 1),
        "experience": (2, 1, 0, 0, 0),
        "deal": (2, 2, 0, 1, 0),
        "delivery": (0, 0, 0, 0, 0),
        "repurchase": (1, 1, 0, 0, 0),
    }
    assert (loop.known, loop.completed, [o.en for o in loop.owners]) == (4, 1, ["sales"])
    assert [g.en for g in loop.gaps] == ["delivery: no event tells of it"]


def test_merged_records_go_through_a_loop_as_one(bench: Bench) -> None:
    bench.events((C1, "visit", 90), (C2, "trial", 91))
    bench.store.merge(CTX, [SameAs(C1, C2, "same phone")])
    stages = bench.report().loops[0].stages
    assert [(s.reached, s.from_before) for s in stages[:2]] == [(1, 0), (1, 1)]


def test_a_report_needs_the_right_to_read_the_graph(bench: Bench) -> None:
    def refuse(ctx: RequestContext, action: str, resource: str) -> None:
        assert action == "graph.read"
        raise Forbidden(Text("不允许", "not allowed"))

    with pytest.raises(Forbidden):
        bench.report(may=refuse)


def test_a_graph_kept_elsewhere_is_not_reported_as_empty(bench: Bench) -> None:
    with pytest.raises(Unavailable):
        GraphHealth(None, bench.clock, lambda: bench.catalog, lambda *_: None).report(CTX)


@pytest.mark.parametrize(
    ("slip", "says"),
    [
        (("[tier, spend, phone]", "[tir]"), "no attribute 'tir'. Nearest: tier"),
        (("events: [trial]", "events: [tral]"), "no event of a customer 'tral'. Nearest: trial"),
        (("every: 7d", "every: weekly"), "weekly"),
    ],
)
def test_sources_and_loops_name_only_what_the_catalog_has(slip: tuple[str, str], says: str) -> None:
    with pytest.raises(InvalidCatalog) as caught:
        read_catalog(CATALOG.replace(*slip))
    assert says in caught.value.say("en")
