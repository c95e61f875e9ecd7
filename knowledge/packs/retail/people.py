"""Who lives in the demo world: the cast whose stories are planted, everyone else, their machines and contracts."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Literal

from core.events import Fact, Relation
from core.text import Lang
from knowledge.packs.retail.calendar import Calendar, metres, moved
from knowledge.packs.retail.model import Contract, Customer, Device

Tier = Literal["vip", "regular", "new"]

CAST: dict[str, tuple[Tier, str]] = {
    **{f"rival_{n}": ("regular", "shanghai") for n in range(1, 9)},
    "swiper": ("regular", "shanghai"),
    **{f"churn_{n}": ("vip", "shanghai") for n in range(1, 6)},
    "churn_not_vip": ("regular", "hangzhou"),
    "churn_calm": ("vip", "beijing"),
    "churn_active": ("vip", "shenzhen"),
    **{f"coupon_{n}": ("regular", "hangzhou") for n in range(1, 7)},
    "coupon_ordered": ("regular", "hangzhou"),
    "coupon_spent": ("new", "chengdu"),
    "breach": ("vip", "shanghai"),
    **{f"complaint_{n}": ("regular", "beijing") for n in range(1, 8)},
    "complaint_at_the_limit": ("regular", "chengdu"),
    "complaint_in_time": ("vip", "shenzhen"),
    "complaint_pending": ("vip", "shanghai"),
    **{f"drift_{n}": ("new", "shenzhen") for n in range(1, 5)},
    "drift_reader": ("regular", "shenzhen"),
    "drift_lingers": ("regular", "shenzhen"),
    **{f"failing_{n}": ("regular", "shanghai") for n in range(1, 6)},
    "failing_not": ("regular", "shanghai"),
    "renewer": ("vip", "shanghai"),
    **{f"quiet_{n}": ("vip", "beijing") for n in range(1, 4)},
    "quiet_not_vip": ("regular", "beijing"),
    "namesake_1": ("regular", "shanghai"),
    "namesake_2": ("regular", "chengdu"),
}
"""Role → (tier, city). The cast are the first customers, in this order; what befalls them is in planted.py."""

_NAMES: dict[str, tuple[str, Lang]] = {
    "swiper": ("苏念安", "zh"),
    "churn_1": ("Helena Strand", "en"),
    "breach": ("陆知行", "zh"),
    "renewer": ("Jonas Ekwall", "en"),
    "namesake_1": ("王芳", "zh"),
    "namesake_2": ("王芳", "zh"),
    "complaint_pending": ("顾清和", "zh"),
}

_MODELS = {
    "chenwu_m2": ("CW", 40),
    "xisha_g1": ("XS", 20),
    "qingan_w3": ("QA", 15),
    "yunrong_f1": ("YR", 12),
    "shuangge_i5": ("SG", 5),
    "yuanshan_pro8": ("YS", 8),
}
_PLANS: dict[str, tuple[float, tuple[int, ...], float, int]] = {
    # annual fee, possible response hours, largest renewal discount in percent, weight
    "full_care": (1_280.0, (24, 48), 12.0, 40),
    "office_lease": (9_600.0, (8, 24), 10.0, 15),
    "bean_club": (1_680.0, (48,), 15.0, 30),
    "office_coffee": (15_800.0, (24,), 8.0, 15),
}


@dataclass(frozen=True, slots=True)
class People:
    customers: tuple[Customer, ...]
    devices: tuple[Device, ...]
    contracts: tuple[Contract, ...]
    roles: Mapping[str, Customer]
    facts: tuple[Fact, ...]
    relations: tuple[Relation, ...]

    def devices_of(self, customer: Customer) -> list[Device]:
        return [d for d in self.devices if d.owner == customer.subject]

    def contracts_of(self, customer: Customer) -> list[Contract]:
        return [c for c in self.contracts if c.owner == customer.subject]


def make_people(
    seed: int, calendar: Calendar, count: int, parts: Mapping[str, Any], rivals: list[tuple[float, float]]
) -> People:
    """Draw `count` customers (the cast first) with machines, contracts and their standing facts."""
    rng = random.Random(f"{seed}/people")
    customers = _customers(rng, calendar, count, parts)
    roles = dict(zip(CAST, customers, strict=False))
    devices = _devices(rng, calendar, customers, roles)
    contracts = _contracts(rng, calendar, customers, roles, devices)
    facts = [f for c in customers for f in _profile(rng, calendar, c, roles, parts["cities"][c.city], rivals)]
    facts += _ends(calendar, contracts)
    facts += [f for d in devices for f in _device_facts(calendar, d)]
    facts += [f for c in contracts for f in _contract_facts(calendar, c)]
    relations = _relations(rng, calendar, customers, devices, contracts)
    return People(tuple(customers), tuple(devices), tuple(contracts), roles, tuple(facts), tuple(relations))


def _customers(rng: random.Random, calendar: Calendar, count: int, parts: Mapping[str, Any]) -> list[Customer]:
    cities = list(parts["cities"])
    shares = [parts["cities"][c]["share"] for c in cities]
    cast = list(CAST)
    taken = {name for name, _ in _NAMES.values()}
    people: list[Customer] = []
    for n in range(count):
        role = cast[n] if n < len(cast) else ""
        tier: Tier = rng.choices(("vip", "regular", "new"), (15, 65, 20))[0]
        city = rng.choices(cities, shares)[0]
        if role:
            tier, city = CAST[role]
        lang: Lang = "en" if rng.random() < 0.25 else "zh"
        name = _name(rng, lang, parts)
        while name in taken:
            name = _name(rng, lang, parts)
        taken.add(name)
        if role in _NAMES:
            name, lang = _NAMES[role]
        key = f"c{n + 1:04d}"
        people.append(
            Customer(
                key=key,
                name=name,
                tier=tier,
                city=city,
                language=lang,
                phone=f"199000{n + 1:05d}",
                email=f"{key}@mail.example",
                birthday=date(rng.randint(1962, 2004), rng.randint(1, 12), rng.randint(1, 28)),
                joined=calendar.day(-rng.randint(40, 60) if tier == "new" else -rng.randint(120, 2400)),
                consent_marketing=bool(role) or rng.random() < 0.8,
            )
        )
    return people


def _name(rng: random.Random, lang: Lang, parts: Mapping[str, Any]) -> str:
    if lang == "zh":
        return f"{rng.choice(parts['zh']['surnames'])}{rng.choice(parts['zh']['given'])}"
    return f"{rng.choice(parts['en']['first'])} {rng.choice(parts['en']['last'])}"


def _devices(
    rng: random.Random, calendar: Calendar, customers: list[Customer], roles: Mapping[str, Customer]
) -> list[Device]:
    must = {c.subject for r, c in roles.items() if r.startswith(("failing", "breach", "complaint", "churn_1"))}
    must.add(roles["renewer"].subject)
    models, weights = list(_MODELS), [w for _, w in _MODELS.values()]
    devices: list[Device] = []
    for customer in customers:
        wanted = rng.choices((0, 1, 2), (50, 38, 12))[0]
        for _ in range(max(1, wanted) if customer.subject in must else wanted):
            model = rng.choices(models, weights)[0]
            if customer is roles["breach"]:
                model = "yuanshan_pro8"
            installed = calendar.day(-rng.randint(60, 1100))
            devices.append(
                Device(
                    key=f"d{len(devices) + 1:04d}",
                    owner=customer.subject,
                    model=model,
                    serial=f"{_MODELS[model][0]}{installed:%y%m}{rng.randint(10_000, 99_999)}",
                    installed=installed,
                    warranty_end=installed + timedelta(days=730),
                )
            )
    return devices


def _contracts(
    rng: random.Random,
    calendar: Calendar,
    customers: list[Customer],
    roles: Mapping[str, Customer],
    devices: list[Device],
) -> list[Contract]:
    owned: dict[str, list[str]] = {}
    for device in devices:
        owned.setdefault(device.owner, []).append(device.subject)
    plans, weights = list(_PLANS), [p[3] for p in _PLANS.values()]
    role_of = {c.subject: r for r, c in roles.items()}
    contracts: list[Contract] = []
    for customer in customers:
        role = role_of.get(customer.subject, "")
        signed = rng.random() < 0.42
        plan = rng.choices(plans, weights)[0]
        end = calendar.day(rng.randint(1, 29) if rng.random() < 0.1 else rng.randint(35, 640))
        if role in ("breach", "renewer", "churn_1", "complaint_pending"):
            signed = True
            plan = {"breach": "full_care", "renewer": "office_coffee"}.get(role, plan)
            end = calendar.day({"breach": 210, "renewer": 21, "churn_1": 64}.get(role, 150))
        if not signed:
            continue
        fee, hours, discount, _ = _PLANS[plan]
        factor = rng.choice((1.0, 1.0, 1.2, 1.5))
        contracts.append(
            Contract(
                number=f"LZ-{end.year - 1}-{len(contracts) + 1:05d}",
                owner=customer.subject,
                plan=plan,
                start=end - timedelta(days=365),
                end=end,
                annual_fee=3_600.0 if role == "breach" else fee * factor,
                response_hours=4 if role == "breach" else rng.choice(hours),
                discount_limit=discount,
                devices=tuple(owned.get(customer.subject, ())) if plan in ("full_care", "office_lease") else (),
            )
        )
    return contracts


def _profile(
    rng: random.Random,
    calendar: Calendar,
    customer: Customer,
    roles: Mapping[str, Customer],
    city: Mapping[str, float],
    rivals: list[tuple[float, float]],
) -> list[Fact]:
    """The standing facts, known from the start of the history. The cast's places are planted, not drawn."""
    values: dict[str, Any] = {
        "name": customer.name,
        "tier": customer.tier,
        "city": customer.city,
        "birthday": customer.birthday.isoformat(),
        "joined": customer.joined.isoformat(),
        "language": customer.language,
        "phone": customer.phone,
        "email": customer.email,
        "consent_marketing": customer.consent_marketing,
        "lifetime_value": round(
            {"vip": 18_000, "regular": 3_200, "new": 240}[customer.tier] * rng.uniform(0.4, 2.2), 2
        ),
        "points": float(rng.randint(0, 5_000)),
    }
    facts = [Fact(customer.subject, name, value, calendar.start) for name, value in values.items()]
    role = next((r for r, c in roles.items() if c is customer), "")
    if not role.startswith("rival"):
        home = (city["lat"], city["lon"])
        place = home
        while place == home or any(metres(place, r) < 1_200 for r in rivals):
            place = moved(home, rng.gauss(0, 4_000), rng.gauss(0, 4_000))
        facts.append(Fact(customer.subject, "location", {"lat": place[0], "lon": place[1]}, calendar.start))
    return facts


def _ends(calendar: Calendar, contracts: list[Contract]) -> list[Fact]:
    first: dict[str, date] = {}
    for contract in contracts:
        first[contract.owner] = min(first.get(contract.owner, contract.end), contract.end)
    return [Fact(owner, "contract_end", end.isoformat(), calendar.start) for owner, end in first.items()]


def _device_facts(calendar: Calendar, device: Device) -> list[Fact]:
    values = {
        "model": device.model,
        "serial": device.serial,
        "installed": device.installed.isoformat(),
        "warranty_end": device.warranty_end.isoformat(),
        "device_status": "ok",
    }
    return [Fact(device.subject, name, value, calendar.start) for name, value in values.items()]


def _contract_facts(calendar: Calendar, contract: Contract) -> list[Fact]:
    values = {
        "plan": contract.plan,
        "start_date": contract.start.isoformat(),
        "end_date": contract.end.isoformat(),
        "annual_fee": contract.annual_fee,
        "response_time": float(contract.response_hours),
        "discount_limit": contract.discount_limit,
        "contract_status": "active",
    }
    return [Fact(contract.subject, name, value, calendar.start) for name, value in values.items()]


def _relations(
    rng: random.Random,
    calendar: Calendar,
    customers: list[Customer],
    devices: list[Device],
    contracts: list[Contract],
) -> list[Relation]:
    start = calendar.start
    found = [Relation(d.owner, "owns", d.subject, start) for d in devices]
    found += [Relation(c.owner, "has_contract", c.subject, start) for c in contracts]
    found += [Relation(c.subject, "covers", d, start) for c in contracts for d in c.devices]
    found += [Relation(c.subject, "regular_at", f"store/{store_of(c)}", start) for c in customers]
    for customer in rng.sample(customers, len(customers) // 10):
        other = rng.choice(customers)
        if other is not customer:
            found.append(Relation(other.subject, "referred", customer.subject, start))
    return found


def store_of(customer: Customer) -> str:
    """The shop a customer goes to: one of their city's."""
    number = int(customer.key[1:])
    by_city = {"beijing": "s05", "hangzhou": "s06", "shenzhen": "s07", "chengdu": "s08"}
    return by_city.get(customer.city, f"s0{number % 4 + 1}")
