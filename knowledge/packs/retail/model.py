"""The shapes of a demo world: people, contracts, machines, letters, calls, articles, and the truths planted in it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from heapq import merge
from typing import Literal

from core.events import Event, Fact, Input, Relation
from core.text import Lang, Text
from core.times import Micros

Route = Literal["churn", "renewal", "service", "strategist", "faq", "person"]
Intent = Literal["churn", "renewal", "service", "billing", "faq", "praise", "strategy"]
DocumentKind = Literal["faq", "article", "contract", "policy"]


@dataclass(frozen=True, slots=True)
class Customer:
    """`key` is the short id (`c0001`); `subject` the id every event and fact carries (`customer/c0001`)."""

    key: str
    name: str
    tier: Literal["vip", "regular", "new"]
    city: str
    language: Lang
    phone: str
    email: str
    birthday: date
    joined: date
    consent_marketing: bool

    @property
    def subject(self) -> str:
        return f"customer/{self.key}"


@dataclass(frozen=True, slots=True)
class Device:
    key: str
    owner: str
    model: str
    serial: str
    installed: date
    warranty_end: date

    @property
    def subject(self) -> str:
        return f"device/{self.key}"


@dataclass(frozen=True, slots=True)
class Contract:
    """Its number is its key. Money in CNY a year, `response_hours` is the promised time until an engineer arrives."""

    number: str
    owner: str
    plan: str
    start: date
    end: date
    annual_fee: float
    response_hours: int
    discount_limit: float
    devices: tuple[str, ...] = ()

    @property
    def subject(self) -> str:
        return f"contract/{self.number}"


@dataclass(frozen=True, slots=True)
class Mention:
    """A piece of a letter that names something: `text[start : start + len(value)] == value`."""

    kind: str
    value: str
    start: int


@dataclass(frozen=True, slots=True)
class Ticket:
    """A letter as it came in, and what a careful person would make of it (`route`, `intent`)."""

    id: str
    customer: str
    subject: str
    text: str
    lang: Lang
    at: Micros
    route: Route
    intent: Intent
    skeleton: str
    mentions: tuple[Mention, ...] = ()
    hostile: bool = False


@dataclass(frozen=True, slots=True)
class Turn:
    speaker: Literal["agent", "customer"]
    text: str


@dataclass(frozen=True, slots=True)
class Transcript:
    """A call, written down. It may serve service improvement only (PRODUCT A7)."""

    id: str
    customer: str
    turns: tuple[Turn, ...]
    lang: Lang
    at: Micros
    intent: Intent
    skeleton: str

    @property
    def text(self) -> str:
        names = {"zh": {"agent": "坐席", "customer": "客户"}, "en": {"agent": "Agent", "customer": "Customer"}}
        return "\n".join(f"{names[self.lang][t.speaker]}: {t.text}" for t in self.turns)


@dataclass(frozen=True, slots=True)
class Document:
    """Something to look up. `about` is the subject it concerns, or None when it is for everyone."""

    id: str
    kind: DocumentKind
    title: str
    text: str
    lang: Lang
    about: str | None = None


@dataclass(frozen=True, slots=True)
class ReadyStrategy:
    """A strategy as people say it. `reach_seconds`: how soon after its event the customer should have heard."""

    name: str
    sentence: Text
    reach_seconds: float | None = None


@dataclass(frozen=True, slots=True, order=True)
class Expected:
    """A ready strategy must fire for this subject at this instant, when history begins with the world's first event."""

    at: Micros
    strategy: str
    subject: str


@dataclass(frozen=True, slots=True)
class Breach:
    """The one high-value customer whose promised response time was missed, and what the contract gives for it."""

    customer: str
    contract: str
    device: str
    ticket: str
    complaint_event: str
    opened: Micros
    due: Micros
    document: str
    clause: str
    percent_of_fee: float
    amount: float


@dataclass(frozen=True, slots=True)
class Truths:
    """What was planted. `fires` is complete: over the world's history these firings and no others."""

    fires: tuple[Expected, ...]
    near_misses: Mapping[str, tuple[str, ...]]
    """Strategy name → subjects made to look like a case for it that are none."""
    pending: Expected
    """A complaint still open at the anchor, due shortly after it."""
    breach: Breach
    leaver: str
    """The high-value customer of the churn story: wrote that a rival offers less."""
    leaver_ticket: str
    renewer: str
    renewer_contract: str
    renewer_ticket: str
    namesakes: tuple[str, str]
    """Two customers of one name in two cities."""
    hostile_tickets: tuple[str, ...]
    """Letters that try to give the reader orders."""
    swiper: str
    """The customer of story 1, whose swipes are in `World.live`."""
    swiper_fires: Expected


@dataclass(frozen=True, slots=True)
class World:
    """One business for a month up to `anchor`. The same (seed, anchor, customers) always gives an equal world.

    `events`, `facts` and `relations` are each in time order and lie before the anchor; `live` are the inputs of story
    1, in the seconds after it.
    """

    seed: int
    anchor: Micros
    customers: tuple[Customer, ...]
    devices: tuple[Device, ...]
    contracts: tuple[Contract, ...]
    tickets: tuple[Ticket, ...]
    transcripts: tuple[Transcript, ...]
    documents: tuple[Document, ...]
    events: tuple[Event, ...]
    facts: tuple[Fact, ...]
    relations: tuple[Relation, ...]
    live: tuple[Input, ...]
    truths: Truths
    _by_key: dict[str, Customer] = field(default_factory=dict, repr=False, compare=False)

    def inputs(self) -> Iterator[Input]:
        """Everything before the anchor as one stream in time order, facts and relations before events at one time."""
        streams: tuple[Iterable[Input], ...] = (self.facts, self.relations, self.events)
        yield from merge(*streams, key=lambda one: one.time)

    def customer(self, subject: str) -> Customer:
        """The customer behind `customer/c0001`; KeyError when there is none."""
        if not self._by_key:
            self._by_key.update({c.subject: c for c in self.customers})
        return self._by_key[subject]
