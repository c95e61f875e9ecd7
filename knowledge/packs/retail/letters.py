"""Tickets and calls: written skeletons filled with a customer's own contract, machine and dates. Every filled-in piece
is kept with its place, so that reading can be checked to the character."""

from __future__ import annotations

import random
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from core.text import Lang
from core.times import Micros
from knowledge.catalog import Catalog, name_of
from knowledge.packs.retail.calendar import DAYS, Calendar
from knowledge.packs.retail.model import Customer, Device, Intent, Mention, Route, Ticket, Transcript, Turn
from knowledge.packs.retail.people import People

ROUTES: dict[Intent, Route] = {
    "churn": "churn",
    "renewal": "renewal",
    "service": "service",
    "billing": "service",
    "faq": "faq",
    "praise": "person",
    "strategy": "strategist",
}
"""Where a letter goes by what it is about, unless its skeleton says otherwise."""

_SLOT = re.compile(r"\{(\w+)\}")
_KINDS = {
    "contract": "contract",
    "device": "product",
    "drink": "product",
    "plan": "product",
    "amount": "amount",
    "price": "amount",
    "fee": "amount",
    "date": "date",
    "later": "date",
    "phone": "phone",
    "order": "order",
    "me": "customer",
    "serial": "serial",
}
"""Slots that name something a reader should find, and as what."""


@dataclass(frozen=True, slots=True)
class Filled:
    text: str
    mentions: tuple[Mention, ...]


def fill(template: str, values: Mapping[str, str]) -> Filled:
    """The template with `{slot}` replaced, and where each telling value stands.

    Raises:
        KeyError: a slot has no value (the wrong customer was chosen for this skeleton).
    """
    parts: list[str] = []
    mentions: list[Mention] = []
    length = end = 0
    for slot in _SLOT.finditer(template):
        before, value = template[end : slot.start()], values[slot.group(1)]
        length += len(before)
        if kind := _KINDS.get(slot.group(1)):
            mentions.append(Mention(kind, value, length))
        parts += [before, value]
        length += len(value)
        end = slot.end()
    parts.append(template[end:])
    return Filled("".join(parts), tuple(mentions))


class Writer:
    """Chooses a fitting customer for each skeleton and fills it."""

    def __init__(self, seed: int, calendar: Calendar, people: People, catalog: Catalog) -> None:
        self.seed, self.calendar, self.people, self.catalog = seed, calendar, people, catalog
        self._contracts = {c.owner: c for c in reversed(people.contracts)}
        self._devices = {d.owner: d for d in reversed(people.devices)}
        reserved = {c.subject for r, c in people.roles.items() if not r.startswith("namesake")}
        self._free = [c for c in people.customers if c.subject not in reserved]

    def tickets(self, skeletons: list[Mapping[str, Any]], lang: Lang, copies: int) -> list[Ticket]:
        rng = random.Random(f"{self.seed}/tickets/{lang}")
        made: list[Ticket] = []
        for round_ in range(copies):
            for skeleton in skeletons:
                at = self.calendar.at(rng.randint(1, DAYS - 1), rng.uniform(7, 23))
                customer = self._someone(rng, lang, str(skeleton["text"]))
                made.append(self.ticket(skeleton, customer, lang, at, f"{lang}{round_ + 1}", rng))
        return made

    def ticket(
        self,
        skeleton: Mapping[str, Any],
        customer: Customer,
        lang: Lang,
        at: Micros,
        copy: str,
        rng: random.Random,
    ) -> Ticket:
        values = self._values(rng, customer, lang)
        filled = fill(str(skeleton["text"]).strip(), values)
        intent: Intent = skeleton["intent"]
        return Ticket(
            id=f"t-{skeleton['id']}-{copy}",
            customer=customer.subject,
            subject=fill(str(skeleton["subject"]), values).text,
            text=filled.text,
            lang=lang,
            at=at,
            route=skeleton.get("route") or ROUTES[intent],
            intent=intent,
            skeleton=str(skeleton["id"]),
            mentions=filled.mentions,
            hostile=bool(skeleton.get("hostile")),
        )

    def transcripts(self, skeletons: list[Mapping[str, Any]], lang: Lang, copies: int) -> list[Transcript]:
        rng = random.Random(f"{self.seed}/calls/{lang}")
        made: list[Transcript] = []
        for round_ in range(copies):
            for skeleton in skeletons:
                spoken = "".join(line for turn in skeleton["turns"] for line in turn.values())
                customer = self._someone(rng, lang, spoken)
                values = self._values(rng, customer, lang)
                turns = tuple(
                    Turn("agent" if who == "a" else "customer", fill(line, values).text)
                    for turn in skeleton["turns"]
                    for who, line in turn.items()
                )
                at = self.calendar.at(rng.randint(1, DAYS - 1), rng.uniform(9, 20))
                name = f"call-{skeleton['id']}-{lang}{round_ + 1}"
                made.append(
                    Transcript(name, customer.subject, turns, lang, at, skeleton["intent"], str(skeleton["id"]))
                )
        return made

    def device_of(self, customer: str) -> Device | None:
        return self._devices.get(customer)

    def label_of(self, device: Device, lang: Lang) -> str:
        models = self.catalog.objects["device"].attributes["model"].values
        return name_of(models[device.model], device.model, lang)

    def _someone(self, rng: random.Random, lang: Lang, text: str) -> Customer:
        slots = set(_SLOT.findall(text))
        fits = [
            c
            for c in self._free
            if c.language == lang
            and (not slots & {"contract", "plan", "fee"} or c.subject in self._contracts)
            and (not slots & {"device", "serial"} or c.subject in self._devices)
        ]
        return rng.choice(fits)

    def _values(self, rng: random.Random, customer: Customer, lang: Lang) -> dict[str, str]:
        zh = lang == "zh"
        amount = rng.choice((38, 66, 128, 199, 260, 349, 480, 588, 1280, 2600))
        past, later = self.calendar.day(-rng.randint(2, 20)), self.calendar.day(rng.randint(3, 25))
        items = self.catalog.events["order.placed"].fields["item"].values
        drink = rng.choice(("latte", "oat_latte", "osmanthus_latte", "americano", "cold_brew", "flat_white"))
        values = {
            "name": customer.name if zh else customer.name.split()[0],
            "me": customer.name,
            "phone": customer.phone,
            "amount": f"{amount}元" if zh else f"CNY {amount:,}",
            "price": f"{amount * 2}块" if zh else f"¥{amount * 2:,}",
            "date": f"{past.month}月{past.day}日" if zh else f"{past.day} {past:%B}",
            "later": f"{later.year}年{later.month}月{later.day}日" if zh else f"{later:%B} {later.day}, {later.year}",
            "order": f"DD{past:%Y%m%d}{rng.randint(1000, 9999)}",
            "days": str(rng.randint(2, 9)),
            "hour": str(rng.randint(9, 17)),
            "agent": rng.choice(("小林", "小周", "阿敏", "客服小何"))
            if zh
            else rng.choice(("Mia", "Leo", "Grace", "Tom")),
            "store": rng.choice(("静安店", "徐家汇店", "陆家嘴店", "人民广场店"))
            if zh
            else rng.choice(("Jing'an", "Xujiahui", "Lujiazui", "People's Square")),
            "drink": name_of(items[drink], drink, lang),
        }
        if contract := self._contracts.get(customer.subject):
            values["contract"] = contract.number
            fee = round(contract.annual_fee)
            values["fee"] = f"{fee}元" if zh else f"CNY {fee:,}"
            plans = self.catalog.objects["contract"].attributes["plan"].values
            values["plan"] = name_of(plans[contract.plan], contract.plan, lang)
        if device := self._devices.get(customer.subject):
            values["device"] = self.label_of(device, lang)
            values["serial"] = device.serial
        return values
