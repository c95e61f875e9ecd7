"""The planted cases: for each ready strategy, customers for whom it must fire, when, and others who only look like it.
Each case writes the events and facts that make it so and states its firings beside them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date

from core.events import Event, Fact, Input
from core.times import DAY, HOUR, MINUTE, SECOND, Micros
from knowledge.packs.retail.activity import Record, order, visit
from knowledge.packs.retail.calendar import Calendar, moved
from knowledge.packs.retail.model import Customer, Expected
from knowledge.packs.retail.people import People, store_of

_SKIP: dict[str, tuple[str, ...]] = {
    "rival": ("app.swipe", "order.placed"),
    "swiper": ("app.swipe",),
    "churn": ("app.login", "churn_risk"),
    "coupon": ("order.placed", "coupon.issued"),
    "drift": ("email.marketing", "web.visit"),
    "quiet": ("wechat.sent",),
}


def skipped(role: str) -> frozenset[str]:
    """What a role's ordinary month leaves out, because its plant supplies it."""
    return frozenset(kind for prefix, kinds in _SKIP.items() if role.startswith(prefix) for kind in kinds)


@dataclass(slots=True)
class Plot:
    """The record being written, and what must come of it."""

    record: Record
    calendar: Calendar
    people: People
    rivals: list[tuple[float, float]]
    fires: list[Expected] = field(default_factory=list)
    near: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def subject(self, role: str) -> str:
        return self.people.roles[role].subject

    def expect(self, strategy: str, role: str, at: int) -> None:
        self.fires.append(Expected(Micros(at), strategy, self.subject(role)))

    def looks_like(self, strategy: str, *roles: str) -> None:
        self.near[strategy] = tuple(self.subject(r) for r in roles)


def plant(plot: Plot) -> None:
    """Write every case of the recorded month."""
    for case in _CASES:
        case(plot)
    plot.fires.sort()


def _swipes(plot: Plot, subject: str, at: int, count: int) -> int:
    """So many screens, four seconds apart; returns the time of the last."""
    for screen in range(1, count + 1):
        plot.record.event("app.swipe", at, subject, screen=float(screen), menu="seasonal")
        at += 4 * SECOND
    return at - 4 * SECOND


def _stand(plot: Plot, subject: str, at: int, rival: int, north: float) -> None:
    lat, lon = moved(plot.rivals[rival], north, 0)
    plot.record.fact(subject, "location", {"lat": lat, "lon": lon}, at)


def _rivals(plot: Plot) -> None:
    at = plot.calendar.at
    for n, (day, north) in enumerate([(19, 120.0), (12, 310.0), (9, 480.0), (6, 60.0)], start=1):
        role = f"rival_{n}"
        subject = plot.subject(role)
        if n == 3:  # looked at the menu first, walked past the rival a minute later
            last = _swipes(plot, subject, at(day, 12), 5)
            _stand(plot, subject, last + MINUTE, n, north)
            plot.expect("rival-nearby", role, last + MINUTE)
            continue
        _stand(plot, subject, at(day, 11.5), n, north)
        plot.expect("rival-nearby", role, _swipes(plot, subject, at(day, 12), 5))
        if n == 4:  # ordered after all, and hesitated again two days later
            order(plot.record, subject, at(day, 12.2), store_of(plot.people.roles[role]))
            plot.expect("rival-nearby", role, _swipes(plot, subject, at(day - 2, 15), 6) - 4 * SECOND)
    _stand(plot, plot.subject("rival_5"), at(8, 9), 0, 200)
    _swipes(plot, plot.subject("rival_5"), at(8, 10), 4)
    _stand(plot, plot.subject("rival_6"), at(7, 9), 1, 150)
    middle = _swipes(plot, plot.subject("rival_6"), at(7, 10), 3)
    order(plot.record, plot.subject("rival_6"), middle + SECOND, store_of(plot.people.roles["rival_6"]), "americano")
    _swipes(plot, plot.subject("rival_6"), middle + 10 * SECOND, 4)
    _stand(plot, plot.subject("rival_7"), at(5, 9), 4, 620)
    _swipes(plot, plot.subject("rival_7"), at(5, 10), 7)
    _swipes(plot, plot.subject("rival_8"), at(4, 18), 6)
    plot.looks_like("rival-nearby", "rival_5", "rival_6", "rival_7", "rival_8")


def _churn(plot: Plot) -> None:
    at, record = plot.calendar.at, plot.record

    def logins(role: str, *days: int) -> int:
        """Logins at nine on these days; returns when the last but one leaves a window of 14 days."""
        times = [at(d, 9) for d in days]
        for time in times:
            record.event("app.login", time, plot.subject(role))
        return times[-2] + 14 * DAY if len(times) > 1 else 0

    def risk(role: str, *scores: tuple[int, float]) -> None:
        for day, score in scores:
            record.fact(plot.subject(role), "churn_risk", score, at(day, 3))

    few = logins("churn_1", 30, 28, 26, 24, 22, 20, 16)
    risk("churn_1", (28, 41.0), (15, 58.0), (8, 83.0))
    plot.expect("vip-churn-warning", "churn_1", few)
    logins("churn_2", 30, 27, 25, 23, 19)
    risk("churn_2", (28, 35.0), (3, 77.0))
    plot.expect("vip-churn-warning", "churn_2", at(3, 3))
    few = logins("churn_3", 30, 29, 27, 26)
    risk("churn_3", (28, 72.0), (9, 50.0), (5, 78.0))
    plot.expect("vip-churn-warning", "churn_3", few)
    plot.expect("vip-churn-warning", "churn_3", at(5, 3))
    few = logins("churn_4", 30, 26, 21, 17)
    logins("churn_4", 2, 1)
    risk("churn_4", (28, 74.5))
    plot.expect("vip-churn-warning", "churn_4", few)
    risk("churn_5", (28, 44.0), (5, 91.0))
    plot.expect("vip-churn-warning", "churn_5", at(5, 3))
    logins("churn_not_vip", 30, 25, 20)
    risk("churn_not_vip", (28, 50.0), (5, 88.0))
    logins("churn_calm", 30, 25, 20)
    risk("churn_calm", (28, 30.0), (5, 70.0))
    logins("churn_active", *range(30, 0, -3))
    risk("churn_active", (28, 70.0), (5, 88.0))
    plot.looks_like("vip-churn-warning", "churn_not_vip", "churn_calm", "churn_active")


def _coupons(plot: Plot) -> None:
    """A coupon that ended `ends` days ago is told of on the local day three days before."""
    at, record = plot.calendar.at, plot.record

    def coupon(role: str, ends: int, orders: tuple[float, ...]) -> None:
        subject, expires = plot.subject(role), plot.calendar.day(-ends).isoformat()
        issued = at(ends + 12, 10)
        code = f"Q9{subject[-4:]}"
        record.event("coupon.issued", issued, subject, coupon=code, face_value=20.0, expires=expires)
        record.fact(subject, "coupon_expiry", expires, issued)
        record.event("coupon.expiring", at(ends + 3, 8), subject, days_left=3.0)
        for day in orders:
            order(record, subject, at(day, 12), store_of(plot.people.roles[role]), "oat_latte")

    for n, ends in enumerate((15, 12, 9, 6, 4), start=1):
        coupon(f"coupon_{n}", ends, (29, ends + 11))
        plot.expect("coupon-expiring", f"coupon_{n}", at(ends + 3))
    coupon("coupon_6", 10, (28, 20))  # the last order leaves the week at noon of that very day
    plot.expect("coupon-expiring", "coupon_6", at(13, 12))
    coupon("coupon_ordered", 10, (29, 19))  # it leaves the week a day too late
    coupon("coupon_spent", 10, (29, 21))
    record.event("coupon.used", at(21, 12), plot.subject("coupon_spent"), used_coupon="Q9spent")
    record.fact(plot.subject("coupon_spent"), "coupon_expiry", None, at(21, 12))
    plot.looks_like("coupon-expiring", "coupon_ordered", "coupon_spent")


BREACH_HOURS = 30.0
"""How long before the anchor the customer of the breach complained."""


def complain(plot: Plot, role: str, at: int, topic: str, severity: float, resolved_after: int | None) -> Event:
    number = f"K9{plot.subject(role)[-3:]}"
    event = plot.record.event(
        "complaint.opened", at, plot.subject(role), complaint=number, topic=topic, severity=severity
    )
    if resolved_after is not None:
        plot.record.event("complaint.resolved", at + resolved_after, plot.subject(role), resolved_complaint=number)
    return event


def _complaints(plot: Plot) -> None:
    at = plot.calendar.at
    after = (None, 3 * HOUR, None, 26 * HOUR, 2 * HOUR + MINUTE, None, 5 * HOUR)
    for n, (day, resolved) in enumerate(zip((24, 20, 17, 13, 10, 7, 3), after, strict=True), start=1):
        opened = complain(plot, f"complaint_{n}", at(day, 10 + n / 2), ("repair", "quality")[n % 2], 4.0, resolved)
        plot.expect("complaint-to-director", f"complaint_{n}", opened.time + 2 * HOUR)
    complain(plot, "complaint_at_the_limit", at(11, 14), "delivery", 3.0, 2 * HOUR)
    complain(plot, "complaint_in_time", at(9, 16), "charge", 4.0, 2 * HOUR - SECOND)
    plot.looks_like("complaint-to-director", "complaint_at_the_limit", "complaint_in_time")


def _drift(plot: Plot) -> None:
    at, record = plot.calendar.at, plot.record

    def mails(role: str, *days: int) -> dict[int, Micros]:
        """One mail on each day, at ten; negative days stand for unopened ones. Returns when each was sent."""
        for day in days:
            record.event(
                "email.marketing", at(abs(day), 10), plot.subject(role), opened=day > 0, campaign="members-day"
            )
        return {abs(day): at(abs(day), 10) for day in days}

    sent = mails("drift_1", 28, 25, -21, -18, -15)
    visit(record, plot.subject("drift_1"), at(17, 20), 9.0)
    plot.expect("drifting-away", "drift_1", sent[15])
    mails("drift_2", 27, -24, -21, -18, -14)
    visit(record, plot.subject("drift_2"), at(25, 20), 40.0)
    visit(record, plot.subject("drift_2"), at(12, 21), 8.0)
    plot.expect("drifting-away", "drift_2", at(12, 21))
    sent = mails("drift_3", 28, -25, -23, -20, 16, -12, -9, -5)
    visit(record, plot.subject("drift_3"), at(24, 19), 14.0)
    plot.expect("drifting-away", "drift_3", sent[20])
    plot.expect("drifting-away", "drift_3", sent[5])
    sent = mails("drift_4", -29, -26, -22)
    visit(record, plot.subject("drift_4"), at(28, 22), 3.0)
    plot.expect("drifting-away", "drift_4", sent[22])
    mails("drift_reader", -28, -25, 21, -18, -15, 11)
    visit(record, plot.subject("drift_reader"), at(26, 20), 6.0)
    mails("drift_lingers", -28, -25, -21, -18)
    visit(record, plot.subject("drift_lingers"), at(22, 20), 15.0)
    plot.looks_like("drifting-away", "drift_reader", "drift_lingers")


def failing_devices(people: People) -> dict[str, str]:
    """The first machine of each customer whose machine is about to fail (or nearly): device → role."""
    return {people.devices_of(c)[0].subject: r for r, c in people.roles.items() if r.startswith("failing")}


def _failing(plot: Plot) -> None:
    at = plot.calendar.at
    scores: dict[str, tuple[tuple[int, float], ...]] = {
        "failing_1": ((28, 20.0), (14, 88.0)),
        "failing_2": ((28, 35.0), (10, 97.5)),
        "failing_3": ((28, 12.0), (8, 85.5)),
        "failing_4": ((28, 40.0), (21, 88.0), (14, 60.0), (4, 91.0)),
        "failing_5": ((28, 55.0), (2, 93.0)),
        "failing_not": ((28, 70.0), (12, 85.0)),
    }
    for device, role in failing_devices(plot.people).items():
        for day, score in scores[role]:
            plot.record.fact(device, "device_failure", score, at(day, 4))
            if score > 85:
                plot.fires.append(Expected(at(day, 4), "machine-about-to-fail", device))
        if role == "failing_not":
            plot.near["machine-about-to-fail"] = (device,)


def _endings(plot: Plot) -> None:
    """Every contract end, whoever's it is, whose day 30 days before lies in the history."""
    calendar = plot.calendar
    for fact in plot.people.facts:
        if fact.property == "contract_end":
            opens = calendar.midnight_of(date.fromisoformat(fact.value)) - 30 * DAY
            if calendar.start <= opens <= calendar.anchor:
                plot.fires.append(Expected(Micros(opens), "contract-ending", fact.subject))


def _quiet(plot: Plot) -> None:
    """A message every third day; what was opened last leaves the fortnight a while after its message did."""
    record, calendar = plot.record, plot.calendar
    for role, opened in (("quiet_1", 3), ("quiet_2", 5), ("quiet_3", 0), ("quiet_not_vip", 2)):
        last = 0
        for n in range(10):
            sent = calendar.at(30 - 3 * n, 11)
            record.event("wechat.sent", sent, plot.subject(role))
            if n < opened:
                last = record.event("wechat.opened", sent + 20 * MINUTE, plot.subject(role)).time
        if role != "quiet_not_vip":
            plot.expect("quiet-on-wechat", role, (last or calendar.start) + 14 * DAY)
    plot.looks_like("quiet-on-wechat", "quiet_not_vip")


_CASES: tuple[Callable[[Plot], None], ...] = (
    _rivals,
    _churn,
    _coupons,
    _complaints,
    _drift,
    _failing,
    _endings,
    _quiet,
)


def plant_around_the_anchor(plot: Plot) -> tuple[Event, Expected]:
    """The two complaints that stand open: the breached promise, and one due soon. Returns the former's event and the
    latter's firing."""
    anchor = plot.calendar.anchor
    breach = complain(plot, "breach", anchor - round(BREACH_HOURS * HOUR), "repair", 5.0, None)
    plot.expect("complaint-to-director", "breach", breach.time + 2 * HOUR)
    device = plot.people.devices_of(plot.people.roles["breach"])[0].subject
    plot.record.event("device.alarm", breach.time - 25 * MINUTE, device, alarm_code="pressure_low")
    plot.record.fact(device, "device_status", "faulty", breach.time - 25 * MINUTE)
    waiting = complain(plot, "complaint_pending", anchor - 50 * MINUTE, "delivery", 3.0, None)
    pending = Expected(Micros(waiting.time + 2 * HOUR), "complaint-to-director", waiting.subject)
    plot.fires.sort()
    return breach, pending


def live_story(calendar: Calendar, swiper: Customer, rival: tuple[float, float]) -> tuple[tuple[Input, ...], Expected]:
    """Story 1 after the anchor: the customer stands 180 m from a rival and swipes five screens without ordering."""
    start = calendar.anchor + 30 * SECOND
    lat, lon = moved(rival, 180, 0)
    swipes = [
        Event(
            f"live{n}",
            "app.swipe",
            Micros(start + 20 * SECOND + n * 4 * SECOND),
            swiper.subject,
            {"screen": float(n), "menu": "seasonal"},
            "/retail/app",
        )
        for n in range(1, 6)
    ]
    login = Event("live0", "app.login", Micros(start), swiper.subject, {}, "/retail/app")
    here = Fact(swiper.subject, "location", {"lat": lat, "lon": lon}, Micros(start))
    return (here, login, *swipes), Expected(swipes[-1].time, "rival-nearby", swiper.subject)


def roles_by_subject(people: People) -> Mapping[str, str]:
    return {c.subject: r for r, c in people.roles.items()}
