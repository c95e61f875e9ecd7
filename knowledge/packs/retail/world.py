"""Puts the demo world together: people, their month, the planted cases, letters, calls and articles."""

from __future__ import annotations

import random
from functools import cache
from importlib.resources import files
from typing import Any

import yaml

from core.errors import InvalidInput
from core.events import Event, Fact, Relation
from core.text import Lang, Text
from core.times import HOUR, Micros
from knowledge.catalog import Catalog, LoadedCatalog, name_of, read_catalog
from knowledge.packs.retail import activity, planted
from knowledge.packs.retail.calendar import Calendar
from knowledge.packs.retail.letters import Writer
from knowledge.packs.retail.model import (
    Breach,
    Contract,
    Customer,
    Document,
    Expected,
    ReadyStrategy,
    Ticket,
    Truths,
    World,
)
from knowledge.packs.retail.people import CAST, People, make_people

# A safe loader, in C where there is one.
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_LANGS: tuple[Lang, ...] = ("zh", "en")
_SETTLED = 60
"""Complaints of the month that were resolved in time."""


def _text(name: str) -> str:
    return files(__package__).joinpath(name).read_text(encoding="utf-8")


@cache
def _yaml(name: str) -> Any:
    return yaml.load(_text(name), Loader=_LOADER)


@cache
def catalog() -> LoadedCatalog:
    """The retail pack's catalog, read once."""
    return read_catalog(_text("catalog.yaml"))


@cache
def strategies() -> tuple[ReadyStrategy, ...]:
    """The ready strategies, as sentences in both languages."""
    return tuple(
        ReadyStrategy(s["name"], Text(s["zh"], s["en"]), s.get("reach_seconds")) for s in _yaml("strategies.yaml")
    )


@cache
def templates() -> tuple[ReadyStrategy, ...]:
    """What the pack proposes beside them."""
    return tuple(ReadyStrategy(s["name"], Text(s["zh"], s["en"])) for s in _yaml("templates.yaml"))


def world(seed: int = 7, *, anchor: Micros, customers: int = 600) -> World:
    """The demo world: a month up to `anchor`. Deterministic for (seed, anchor, customers).

    Args:
        anchor: the moment that counts as now; nothing recorded lies at or after it.
        customers: how many, at least 300 (below that some letters would find no fitting writer).

    Raises:
        InvalidInput: too few customers.
    """
    if customers < 300:
        raise InvalidInput(
            Text(f"{customers} 位客户太少", f"{customers} customers are too few"),
            where={"field": "customers"},
            hint=Text("至少 300 位", "At least 300"),
        )
    known, calendar = catalog().catalog, Calendar(anchor)
    rivals = [(p.lat, p.lon) for p in known.places["competitor_store"].points]
    people = make_people(seed, calendar, customers, _yaml("people.yaml"), rivals)
    plot = planted.Plot(activity.Record(), calendar, people, rivals)
    breach_event, pending = _month(seed, plot)
    writer = Writer(seed, calendar, people, known)
    tickets, named = _tickets(seed, writer, plot)
    calls = [t for lang in _LANGS for t in writer.transcripts(_yaml(f"texts/calls.{lang}.yaml"), lang, 3)]
    documents, breach_document = _documents(known, people)
    live, swiper_fires = planted.live_story(calendar, people.roles["swiper"], rivals[0])
    roles = people.roles
    contract = people.contracts_of(roles["breach"])[0]
    truths = Truths(
        fires=tuple(plot.fires),
        near_misses=plot.near,
        pending=pending,
        breach=_breach(contract, people, breach_event, named["breach"], breach_document),
        leaver=roles["churn_1"].subject,
        leaver_ticket=named["churn_1"],
        renewer=roles["renewer"].subject,
        renewer_contract=people.contracts_of(roles["renewer"])[0].number,
        renewer_ticket=named["renewer"],
        namesakes=(roles["namesake_1"].subject, roles["namesake_2"].subject),
        hostile_tickets=tuple(t.id for t in tickets if t.hostile),
        swiper=roles["swiper"].subject,
        swiper_fires=swiper_fires,
    )
    return World(
        seed=seed,
        anchor=anchor,
        customers=people.customers,
        devices=people.devices,
        contracts=people.contracts,
        tickets=tuple(tickets),
        transcripts=tuple(sorted(calls, key=lambda t: (t.at, t.id))),
        documents=tuple(documents),
        events=tuple(sorted((e for e in plot.record.events if e.time < anchor), key=lambda e: e.order)),
        facts=tuple(sorted((f for f in (*people.facts, *plot.record.facts) if f.time < anchor), key=_fact_order)),
        relations=tuple(
            sorted((*people.relations, *_letter_relations(writer, tickets)), key=lambda r: (r.time, r.subject))
        ),
        live=live,
        truths=truths,
    )


def _fact_order(fact: Fact) -> tuple[int, str, str]:
    return (fact.time, fact.subject, fact.property)


def _month(seed: int, plot: planted.Plot) -> tuple[Event, Expected]:
    """Everyone's month, then the planted cases; returns the breach's complaint and the firing still to come."""
    people, calendar, record = plot.people, plot.calendar, plot.record
    cast = planted.roles_by_subject(people)
    others = [c for c in people.customers if c.subject not in cast]
    record.event("app.login", calendar.start, others[0].subject)
    for customer in people.customers:
        skip = planted.skipped(cast.get(customer.subject, ""))
        activity.live_month(record, seed, calendar, customer, skip)
    activity.settle_complaints(record, seed, calendar, others, _SETTLED)
    activity.run_machines(record, seed, calendar, people.devices, planted.failing_devices(people))
    planted.plant(plot)
    return planted.plant_around_the_anchor(plot)


def _tickets(seed: int, writer: Writer, plot: planted.Plot) -> tuple[list[Ticket], dict[str, str]]:
    """The letters, each also an event; and the ids of the letters of the cast, by role."""
    calendar, people = plot.calendar, plot.people
    tickets = [t for lang in _LANGS for t in writer.tickets(_yaml(f"texts/tickets.{lang}.yaml"), lang, 3)]
    named: dict[str, str] = {}
    rng = random.Random(f"{seed}/cast")
    for story in _yaml("texts/stories.yaml"):
        customer = people.roles[story["role"]]
        at = Micros(calendar.anchor - round(story["hours_ago"] * HOUR))
        ticket = writer.ticket(story, customer, story["lang"], at, "story", rng)
        tickets.append(ticket)
        named[story["role"]] = ticket.id
    tickets.sort(key=lambda t: (t.at, t.id))
    for ticket in tickets:
        plot.record.event("ticket.received", ticket.at, ticket.customer, ticket=ticket.id)
        plot.record.fact(f"ticket/{ticket.id}", "ticket_status", "pending", ticket.at)
    return tickets, named


def _letter_relations(writer: Writer, tickets: list[Ticket]) -> list[Relation]:
    found: list[Relation] = []
    for ticket in tickets:
        found.append(Relation(ticket.customer, "filed", f"ticket/{ticket.id}", ticket.at))
        device = writer.device_of(ticket.customer)
        if device is not None and any(m.value == writer.label_of(device, ticket.lang) for m in ticket.mentions):
            found.append(Relation(f"ticket/{ticket.id}", "about_device", device.subject, ticket.at))
    return found


def _documents(known: Catalog, people: People) -> tuple[list[Document], str]:
    """Articles for everyone, and the written contracts of the cast; also the id of the breached contract's text."""
    articles = [
        Document(a["id"], a["kind"], a["title"], str(a["text"]).strip(), a["lang"])
        for a in _yaml("texts/articles.yaml")
    ]
    terms = _yaml("texts/contract.yaml")
    signed = [
        (customer, contract)
        for role, customer in people.roles.items()
        if role in CAST
        for contract in people.contracts_of(customer)
    ]
    written = [_contract_document(known, terms, customer, contract) for customer, contract in signed]
    of_breach = people.contracts_of(people.roles["breach"])[0].subject
    return articles + written, next(d.id for d in written if d.about == of_breach)


def _contract_document(
    known: Catalog, terms: dict[str, dict[str, str]], customer: Customer, contract: Contract
) -> Document:
    lang = customer.language
    plans = known.objects["contract"].attributes["plan"].values
    plan = name_of(plans[contract.plan], contract.plan, lang)
    text = terms[lang]["text"].format(
        number=contract.number,
        name=customer.name,
        plan=plan,
        start=contract.start.isoformat(),
        end=contract.end.isoformat(),
        fee=f"{contract.annual_fee:,.0f}",
        hours=contract.response_hours,
    )
    title = terms[lang]["title"].format(number=contract.number, plan=plan)
    return Document(f"doc-{contract.number}", "contract", title, text.strip(), lang, contract.subject)


PERCENT_A_DAY, LARGEST_PERCENT = 2.0, 10.0
"""Clause 7.2 of every contract: so much of the annual fee for each full or begun day of delay, and at most so much."""


def _breach(contract: Contract, people: People, complaint: Event, ticket: str, document: str) -> Breach:
    """What clause 7.2 gives by the anchor: the delay runs from the end of the promised response time."""
    due = Micros(complaint.time + contract.response_hours * HOUR)
    late_hours = planted.BREACH_HOURS - contract.response_hours
    days = -(-late_hours // 24)
    percent = min(LARGEST_PERCENT, PERCENT_A_DAY * days)
    return Breach(
        customer=contract.owner,
        contract=contract.number,
        device=people.devices_of(people.roles["breach"])[0].subject,
        ticket=ticket,
        complaint_event=complaint.id,
        opened=complaint.time,
        due=due,
        document=document,
        clause="7.2",
        percent_of_fee=percent,
        amount=round(contract.annual_fee * percent / 100, 2),
    )
