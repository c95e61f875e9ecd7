"""The planted firings are all there are: each ready strategy's rule, worked out here by brute force over every
customer's record, gives exactly the truths. Nothing of the generator's reasoning is used."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from datetime import date, timedelta

import pytest

from core.events import Event, Fact
from core.times import DAY, HOUR, parse_time, to_datetime
from knowledge.packs.retail import World, catalog, world

ANCHOR = parse_time("2026-05-20T10:30:00+08:00")
Found = set[tuple[int, str]]


class Record:
    """One world's history, by subject."""

    def __init__(self, demo: World) -> None:
        self.demo = demo
        self.begin = demo.events[0].time
        self.events: dict[tuple[str, str], list[Event]] = {}
        self.facts: dict[tuple[str, str], list[Fact]] = {}
        for event in demo.events:
            self.events.setdefault((event.subject, event.type), []).append(event)
        for fact in demo.facts:
            self.facts.setdefault((fact.subject, fact.property), []).append(fact)

    def of(self, subject: str, *kinds: str) -> list[Event]:
        found = [e for kind in kinds for e in self.events.get((subject, kind), [])]
        return sorted(found, key=lambda e: e.order)

    def value(self, subject: str, name: str, at: int) -> object:
        known = [f.value for f in self.facts.get((subject, name), []) if f.time <= at]
        return known[-1] if known else None

    def count(self, subject: str, kind: str, at: int, window: int) -> int:
        return sum(at - window < e.time <= at for e in self.events.get((subject, kind), []))

    def turns(self, subject: str, moments: set[int], true: Callable[[int], bool]) -> Iterator[tuple[int, str]]:
        """The moments at which `true` turns from not-true to true, asked at every moment at which it may change."""
        before = False
        for at in sorted(m for m in moments if self.begin <= m <= ANCHOR):
            now = true(at)
            if now and not before:
                yield at, subject
            before = now


@pytest.fixture(scope="module")
def record() -> Record:
    return Record(world(7, anchor=ANCHOR))


def planted(record: Record, strategy: str) -> Found:
    return {(f.at, f.subject) for f in record.demo.truths.fires if f.strategy == strategy}


def changes(record: Record, subject: str, *names: str) -> set[int]:
    return {f.time for name in names for f in record.facts.get((subject, name), [])}


def streak(events: list[Event], at: int, passes: Callable[[Event], bool]) -> int:
    length = 0
    for event in events:
        if event.time <= at:
            length = length + 1 if passes(event) else 0
    return length


def local_midnight(day: date) -> int:
    return parse_time(f"{day.isoformat()}T00:00:00+08:00")


def test_five_swipes_near_a_rival_fire_where_planted_and_nowhere_else(record: Record) -> None:
    rivals = [(p.lat, p.lon) for p in catalog().catalog.places["competitor_store"].points]

    def near(place: object) -> bool:
        if not isinstance(place, dict):
            return False
        north = [(place["lat"] - lat) * math.pi / 180 for lat, _ in rivals]
        east = [(place["lon"] - lon) * math.pi / 180 * math.cos(math.radians(lat)) for lat, lon in rivals]
        return min(6_371_008.8 * math.hypot(n, e) for n, e in zip(north, east, strict=True)) <= 500

    found: Found = set()
    for customer in record.demo.customers:
        subject = customer.subject
        steps = record.of(subject, "app.swipe", "order.placed")
        moments = {e.time for e in steps} | changes(record, subject, "location")

        def true(at: int, subject: str = subject, steps: list[Event] = steps) -> bool:
            return streak(steps, at, lambda step: step.type == "app.swipe") >= 5 and near(
                record.value(subject, "location", at)
            )

        found |= set(record.turns(subject, moments, true))
    assert found == planted(record, "rival-nearby")


def test_high_value_customers_drifting_off_fire_where_planted(record: Record) -> None:
    found: Found = set()
    for customer in record.demo.customers:
        if customer.tier != "vip":
            continue
        subject = customer.subject
        logins = {e.time for e in record.of(subject, "app.login")}
        moments = logins | {t + 14 * DAY for t in logins} | changes(record, subject, "churn_risk")
        moments |= {record.begin + 14 * DAY}

        def true(at: int, subject: str = subject) -> bool:
            risk = record.value(subject, "churn_risk", at)
            known = at - 14 * DAY >= record.begin
            few = record.count(subject, "app.login", at, 14 * DAY) < 2
            return known and few and isinstance(risk, float) and risk > 70

        found |= set(record.turns(subject, moments, true))
    assert found == planted(record, "vip-churn-warning")


def test_coupons_about_to_end_fire_where_planted(record: Record) -> None:
    found: Found = set()
    for customer in record.demo.customers:
        subject = customer.subject
        orders = {e.time for e in record.of(subject, "order.placed")}
        ends = [date.fromisoformat(str(f.value)) for f in record.facts.get((subject, "coupon_expiry"), []) if f.value]
        moments = orders | {t + 7 * DAY for t in orders} | changes(record, subject, "coupon_expiry")
        moments |= {local_midnight(e - timedelta(days=d)) for e in ends for d in (3, 2)} | {record.begin + 7 * DAY}

        def true(at: int, subject: str = subject) -> bool:
            end = record.value(subject, "coupon_expiry", at)
            if end is None or at - 7 * DAY < record.begin:
                return False
            left = (date.fromisoformat(str(end)) - to_datetime(at, "Asia/Shanghai").date()).days
            return left == 3 and record.count(subject, "order.placed", at, 7 * DAY) == 0

        found |= set(record.turns(subject, moments, true))
    assert found == planted(record, "coupon-expiring")


def test_complaints_left_open_for_two_hours_fire_where_planted(record: Record) -> None:
    found: Found = set()
    open_at_anchor: Found = set()
    for customer in record.demo.customers:
        solved = [e.time for e in record.of(customer.subject, "complaint.resolved")]
        for opened in record.of(customer.subject, "complaint.opened"):
            due = opened.time + 2 * HOUR
            if not any(opened.time < t <= due for t in solved):
                (found if due <= ANCHOR else open_at_anchor).add((due, customer.subject))
    assert found == planted(record, "complaint-to-director")
    pending = record.demo.truths.pending
    assert open_at_anchor == {(pending.at, pending.subject)}


def test_unread_mails_and_short_visits_fire_where_planted(record: Record) -> None:
    found: Found = set()
    for customer in record.demo.customers:
        subject = customer.subject
        mails = record.of(subject, "email.marketing")

        def true(at: int, subject: str = subject, mails: list[Event] = mails) -> bool:
            dwell = record.value(subject, "dwell", at)
            unread = streak(mails, at, lambda mail: mail.data["opened"] is False)
            return unread >= 3 and isinstance(dwell, float) and dwell < 15

        found |= set(record.turns(subject, {e.time for e in mails} | changes(record, subject, "dwell"), true))
    assert found == planted(record, "drifting-away")


def test_machines_about_to_fail_fire_where_planted(record: Record) -> None:
    found: Found = set()
    for device in record.demo.devices:

        def true(at: int, subject: str = device.subject) -> bool:
            score = record.value(subject, "device_failure", at)
            return isinstance(score, float) and score > 85

        found |= set(record.turns(device.subject, changes(record, device.subject, "device_failure"), true))
    assert found == planted(record, "machine-about-to-fail")


def test_contracts_about_to_end_fire_where_planted(record: Record) -> None:
    found: Found = set()
    for customer in record.demo.customers:
        for fact in record.facts.get((customer.subject, "contract_end"), []):
            end = date.fromisoformat(str(fact.value))
            since = max(local_midnight(end - timedelta(days=30)), fact.time)
            if since <= ANCHOR and since < local_midnight(end - timedelta(days=29)):
                found.add((since, customer.subject))
    assert found == planted(record, "contract-ending")


def test_high_value_customers_silent_on_wechat_fire_where_planted(record: Record) -> None:
    found: Found = set()
    for customer in record.demo.customers:
        if customer.tier != "vip":
            continue
        subject = customer.subject
        times = {e.time for e in record.of(subject, "wechat.sent", "wechat.opened")}

        def true(at: int, subject: str = subject) -> bool:
            sent = record.count(subject, "wechat.sent", at, 14 * DAY)
            opened = record.count(subject, "wechat.opened", at, 14 * DAY)
            return at - 14 * DAY >= record.begin and sent > 0 and 100 * opened / sent < 20

        moments = times | {t + 14 * DAY for t in times} | {record.begin + 14 * DAY}
        found |= set(record.turns(subject, moments, true))
    assert found == planted(record, "quiet-on-wechat")


def test_near_misses_never_fire(record: Record) -> None:
    truths = record.demo.truths
    fired = {(f.strategy, f.subject) for f in truths.fires}
    assert all(subjects for subjects in truths.near_misses.values())
    assert not {(s, subject) for s, subjects in truths.near_misses.items() for subject in subjects} & fired


def test_the_live_story_ends_with_the_fifth_swipe_near_a_rival(record: Record) -> None:
    demo = record.demo
    swipes = [e for e in demo.live if isinstance(e, Event) and e.type == "app.swipe"]
    assert len(swipes) == 5
    assert demo.truths.swiper_fires.at == swipes[-1].time
    assert not record.of(demo.truths.swiper, "app.swipe")
