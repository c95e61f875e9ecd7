"""The everyday month: logins, swipes, orders, messages, visits, readings. It is drawn so that no ready strategy fires
by chance (high-value customers open their messages and come back often; nobody strays near a rival): cases are
planted."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from core.events import Event, Fact
from core.times import HOUR, MINUTE, SECOND, Micros
from knowledge.packs.retail.calendar import DAYS, Calendar
from knowledge.packs.retail.model import Customer, Device
from knowledge.packs.retail.people import store_of

PRICES = {
    "latte": 26.0,
    "oat_latte": 30.0,
    "osmanthus_latte": 32.0,
    "americano": 20.0,
    "cold_brew": 28.0,
    "flat_white": 29.0,
    "croissant": 18.0,
    "house_beans": 78.0,
    "yunnan_beans": 96.0,
    "filter_core": 169.0,
    "descaler": 49.0,
}
_ITEMS, _WEIGHTS = list(PRICES), [30, 16, 9, 18, 10, 8, 12, 5, 4, 2, 3]
_MENUS = ("seasonal", "espresso", "tea", "bakery", "beans", "machines")
_CAMPAIGNS = ("spring-beans", "members-day", "machine-care", "new-store")


@dataclass(slots=True)
class Record:
    """Events and facts as they are made; ids are given in order of making, so a seed fixes them all."""

    events: list[Event] = field(default_factory=list)
    facts: list[Fact] = field(default_factory=list)

    def event(self, kind: str, at: int, subject: str, **data: Any) -> Event:
        made = Event(f"e{len(self.events) + 1:06d}", kind, Micros(at), subject, data, f"/retail/{kind.split('.')[0]}")
        self.events.append(made)
        return made

    def fact(self, subject: str, name: str, value: Any, at: int) -> None:
        self.facts.append(Fact(subject, name, value, Micros(at)))


def live_month(record: Record, seed: int, calendar: Calendar, customer: Customer, skip: frozenset[str]) -> None:
    """One customer's ordinary month. `skip` names the event types (and `churn_risk`) that a plant supplies instead."""
    rng = random.Random(f"{seed}/{customer.key}")
    subject = customer.subject
    if "app.login" not in skip:
        step = {"vip": 1.4, "regular": 1.8, "new": 2.4}[customer.tier]
        day = DAYS - rng.random()
        while day > 0:
            record.event("app.login", calendar.at(int(day), rng.uniform(7, 22)), subject)
            day -= step * rng.uniform(0.6, 1.4)
    for _ in range(rng.randint(4, 9)):
        _coffee_run(record, rng, calendar.at(rng.randint(0, DAYS - 1), rng.uniform(7, 21)), customer, skip)
    if "email.marketing" not in skip:
        for week in range(8):
            at = calendar.at(DAYS - 1 - week * 3.5, rng.uniform(9, 11))
            opened = rng.random() < {"vip": 0.5, "regular": 0.35, "new": 0.45}[customer.tier]
            record.event("email.marketing", at, subject, opened=opened, campaign=_CAMPAIGNS[week // 2])
    if "wechat.sent" not in skip:
        for n in range(10):
            at = calendar.at(DAYS - 1 - 3 * n, rng.uniform(10, 20))
            record.event("wechat.sent", at, subject)
            if customer.tier == "vip" or rng.random() < 0.5:
                record.event("wechat.opened", at + rng.randint(2, 240) * MINUTE, subject)
    if "web.visit" not in skip:
        for _ in range(rng.randint(1, 4)):
            visit(
                record, subject, calendar.at(rng.randint(1, DAYS - 1), rng.uniform(9, 23)), float(rng.randint(20, 400))
            )
    if "churn_risk" not in skip:
        high = {"vip": 60, "regular": 80, "new": 65}[customer.tier]
        for week in range(4):
            record.fact(subject, "churn_risk", float(rng.randint(5, high)), calendar.at(28 - 7 * week, 3))
    if "coupon.issued" not in skip and rng.random() < 0.35:
        _keep_coupon(record, rng, calendar, subject)
    if rng.random() < 0.2:
        at = calendar.at(rng.randint(1, DAYS - 1), rng.uniform(10, 18))
        answered = rng.random() < 0.7
        length = {"call_length": float(rng.randint(20, 600))} if answered else {}
        record.event("call.outbound", at, subject, answered=answered, **length)


def visit(record: Record, subject: str, at: int, dwell: float) -> None:
    """A visit to the website; the customer's time on site is that of the newest visit."""
    record.event("web.visit", at, subject, visit_dwell=dwell, page="/machines" if dwell > 90 else "/")
    record.fact(subject, "dwell", dwell, at)


def order(record: Record, subject: str, at: int, store: str, item: str = "latte", cups: int = 1) -> None:
    amount = PRICES[item] * cups
    record.event("order.placed", at, subject, amount=amount, item=item, order_store=store, pickup=cups == 1)


def _coffee_run(record: Record, rng: random.Random, at: int, customer: Customer, skip: frozenset[str]) -> None:
    subject = customer.subject
    if "app.swipe" not in skip:
        for screen in range(1, rng.randint(2, 5)):
            at += rng.randint(3, 25) * SECOND
            record.event("app.swipe", at, subject, screen=float(screen), menu=_MENUS[screen])
    item = rng.choices(_ITEMS, _WEIGHTS)[0]
    if rng.random() < 0.5 and "order.placed" not in skip:
        record.event("cart.added", at + 5 * SECOND, subject, cart_product=item, cart_value=PRICES[item])
    if "order.placed" not in skip and rng.random() < 0.85:
        cups = rng.choices((1, 2, 3), (70, 22, 8))[0]
        order(record, subject, at + rng.randint(10, 90) * SECOND, store_of(customer), item, cups)


def _keep_coupon(record: Record, rng: random.Random, calendar: Calendar, subject: str) -> None:
    """A coupon that stays good well beyond the anchor, perhaps used meanwhile."""
    at = calendar.at(rng.randint(5, DAYS - 2), 10)
    code, expires = f"Q{rng.randint(100_000, 999_999)}", calendar.day(rng.randint(20, 60)).isoformat()
    record.event("coupon.issued", at, subject, coupon=code, face_value=float(rng.choice((5, 10, 20))), expires=expires)
    record.fact(subject, "coupon_expiry", expires, at)
    if rng.random() < 0.4:
        used = at + rng.randint(2, 90) * HOUR
        record.event("coupon.used", used, subject, used_coupon=code)
        record.fact(subject, "coupon_expiry", None, used)


def settle_complaints(record: Record, seed: int, calendar: Calendar, customers: list[Customer], count: int) -> None:
    """Complaints that were all resolved in good time, each of another customer."""
    rng = random.Random(f"{seed}/complaints")
    topics = ("repair", "delivery", "quality", "charge", "attitude")
    for n, customer in enumerate(rng.sample(customers, count)):
        at = calendar.at(rng.randint(1, DAYS - 1), rng.uniform(9, 20))
        number = f"K{n + 1001}"
        record.event(
            "complaint.opened",
            at,
            customer.subject,
            complaint=number,
            topic=rng.choice(topics),
            severity=float(rng.randint(1, 4)),
        )
        record.event(
            "complaint.resolved", at + rng.randint(15, 110) * MINUTE, customer.subject, resolved_complaint=number
        )


def run_machines(
    record: Record, seed: int, calendar: Calendar, devices: tuple[Device, ...], failing: Mapping[str, object]
) -> None:
    """Readings every other day and a weekly failure forecast; machines in `failing` get theirs from the plant."""
    for device in devices:
        rng = random.Random(f"{seed}/{device.key}")
        for day in range(DAYS - 1, 0, -2):
            record.event(
                "device.reading",
                calendar.at(day, rng.uniform(8, 20)),
                device.subject,
                boiler_temperature=round(rng.gauss(93, 1.2), 1),
                pump_pressure=round(rng.gauss(9, 0.3), 2),
                cups=float(rng.randint(0, 60)),
            )
        if device.subject not in failing:
            for week in range(4):
                score = float(rng.randint(1, 60))
                record.fact(device.subject, "device_failure", score, calendar.at(28 - 7 * week, 4))
        if rng.random() < 0.06:
            at = calendar.at(rng.randint(1, DAYS - 1), rng.uniform(8, 20))
            record.event("device.alarm", at, device.subject, alarm_code=rng.choice(("blocked", "leak", "overheat")))
