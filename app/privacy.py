"""A customer's rights, over every store of the hub: a copy of what is there, erasure with a dry run, and a certificate
that says what was done without saying whose it was. Each step is in the audit log, which stays whole."""

from __future__ import annotations

import hashlib
import json
import secrets
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agents.erasure import ConversationTraces, approval_traces
from app.tickets.erasure import ticket_traces
from core import audit
from core.compact import compact_sqlite
from core.context import Purpose, RequestContext
from core.errors import NotFound
from core.ids import new_id
from core.text import Lang, Text
from core.times import format_time
from knowledge.governance.erasure import Erasable, Found, Person, Traces, telling
from knowledge.governance.forgetful import ForgetfulTables, Rows
from knowledge.governance.traces import AuditTraces, consent_traces
from knowledge.graph import GraphStore
from knowledge.graph.mentions import MentionTraces
from knowledge.identity.erasure import IdentityTraces
from knowledge.sources.ledger import ledger_traces
from strategy.erasure import HistoryTraces, JournalTraces, delivery_traces
from strategy.phrases.tables import PhraseRow
from strategy.repository import JournalRepository

if TYPE_CHECKING:
    from app.hub import Hub

_ROUNDS = 3
"""How often stores are asked what else names a person: a fact names a phone, that a ticket, that a thread."""
_BLOCK = 1 << 20


class GraphTraces:
    """The customer graph, with all records that are one customer."""

    name = "graph"
    holds = frozenset(
        f"graph_{column}"
        for column in (
            "fact.subject", "fact.object", "fact.value", "edge_out.subject", "edge_out.object", "edge_in.subject",
            "edge_in.object", "subject.subject", "subject.key", "lookup.key", "event.subject", "event.id", "event.data",
            "merge.kept", "merge.gone", "sum.subject", "reminder.subject",
        )
    )  # fmt: skip

    def __init__(self, store: GraphStore) -> None:
        self._store = store

    def trace(self, ctx: RequestContext, person: Person) -> Found:
        words, events = set[str](), set[str]()
        for subject in person.subjects:
            held = self._store.export(ctx, subject)
            words.update(*(telling(fact.value) for fact in held.facts))
            events.update(event.id for event in held.events)
        return Found({word for word in words if not self._shared(ctx, person, word)}, events)

    def _shared(self, ctx: RequestContext, person: Person, word: str) -> bool:
        """A number that is another's as well (a family's phone) stays theirs, wherever it stands. Each purpose finds
        only what it may see, so all of them are asked."""
        return any(
            match.exact and match.fact is not None and match.subject not in person.subjects
            for purpose in Purpose
            for match in self._store.find(ctx.for_purpose(purpose), word, limit=50).matches
        )

    def erase(self, ctx: RequestContext, person: Person, dry_run: bool) -> Traces:
        rows = 0
        for subject in sorted(person.subjects):
            rows += sum(self._store.erase(ctx, subject, dry_run).rows.values())
            if dry_run:
                break  # the first one counts all records of the customer
        return Traces(self.name, erased=rows)

    def export(self, ctx: RequestContext, person: Person) -> list[dict[str, Any]]:
        held = self._store.export(ctx, min(person.subjects))
        facts = [
            {
                "fact": f.id, "subject": f.subject, "name": f.name, "value": f.value if f.object is None else f.object,
                "from": format_time(f.valid_from), "recorded": format_time(f.recorded_at), "source": f.source,
            }
            for f in held.facts
        ]  # fmt: skip
        return facts + [
            {"event": e.id, "subject": e.subject, "type": e.type, "at": format_time(e.time), "data": dict(e.data)}
            for e in held.events
        ]

    def members(self, ctx: RequestContext, subject: str) -> frozenset[str]:
        """All records that are one customer with this one."""
        return frozenset({subject, *self._store.erase(ctx, subject, dry_run=True).members})


class IndexTraces:
    """The search index."""

    name = "search index"
    holds = frozenset({"index/*"})

    def __init__(self, hub: Hub) -> None:
        self._hub = hub

    def trace(self, ctx: RequestContext, person: Person) -> Found:
        held = self._hub.retriever.get().held(ctx, person.subjects, person.pattern())
        return Found(words={passage.document_id for passage in held})

    def erase(self, ctx: RequestContext, person: Person, dry_run: bool) -> Traces:
        retriever = self._hub.retriever.get()
        documents = {p.document_id for p in retriever.held(ctx, person.subjects, person.pattern())}
        if documents and not dry_run:
            retriever.forget(ctx, documents)
        return Traces(self.name, erased=len(documents))

    def export(self, ctx: RequestContext, person: Person) -> list[dict[str, Any]]:
        held = self._hub.retriever.get().held(ctx, person.subjects, person.pattern())
        return [{"document": p.document_id, "kind": p.kind, "title": p.title, "text": p.text} for p in held]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What was, or would be, done. `certificate` is None for a dry run."""

    subjects: list[str]
    stores: list[Traces]
    certificate: dict[str, Any] | None

    def as_dict(self, lang: Lang) -> dict[str, Any]:
        return {
            "subjects": self.subjects,
            "dry_run": self.certificate is None,
            "stores": [{**t._asdict(), "why": t.why.say(lang) if t.why else None} for t in self.stores],
            "certificate": self.certificate,
        }


class Privacy:
    """Export and erasure over all stores of one hub. One erasure at a time."""

    def __init__(self, hub: Hub) -> None:
        database, data = hub.database, hub.settings.data_dir
        self._hub = hub
        self._graph = GraphTraces(hub.graph_store)
        self._journal = JournalTraces(database, hub.live)
        # The journal goes first: what is not in it cannot come back into the graph.
        self.stores: list[Erasable] = [
            self._journal,
            self._graph,
            MentionTraces(hub.graph_store),
            ForgetfulTables("phrases", database, (Rows(PhraseRow, text=("key", "said", "means"), mentions_go=True),)),
            IndexTraces(hub),
            delivery_traces(database),
            ticket_traces(database),
            approval_traces(database),
            ConversationTraces(data / "checkpoints.db"),
            HistoryTraces(hub.histories),
            consent_traces(database),
            IdentityTraces(database, hub.identity),
            ledger_traces(database),
        ]
        self._audit = AuditTraces(database)
        self._turn = threading.Lock()

    @property
    def every_store(self) -> list[Erasable]:
        """The stores, and the audit log, which forgets last."""
        return [*self.stores, self._audit]

    def person(self, ctx: RequestContext, subject: str) -> Person:
        """The person behind a subject, with everything that names them.

        Raises:
            NotFound: no store has anything of them.
        """
        alias = f"customer/erased-{secrets.token_hex(6)}"
        who = Person(self._graph.members(self._seeing_all(ctx), subject), alias=alias)
        for _ in range(_ROUNDS):
            found = [store.trace(self._seeing_all(ctx), who) for store in self.stores]
            wider = who.knowing((w for f in found for w in f.words), (e for f in found for e in f.events))
            if wider == who:
                break
            who = wider
        return who

    def export(self, ctx: RequestContext, subject: str) -> dict[str, Any]:
        """Everything that is kept of a person, by store; one audit row.

        Raises:
            NotFound: nothing is.
        """
        ctx = self._seeing_all(ctx)
        who = self.person(ctx, subject)
        held = {store.name: store.export(ctx, who) for store in self.stores}
        held["audit"] = self._audit.export(ctx, who)
        if not any(held.values()):
            raise _nobody(subject)
        with self._hub.database.transaction() as session:
            counts = {name: len(rows) for name, rows in held.items() if rows}
            audit.record(session, ctx, self._hub.clock, "privacy.export", subject, counts)
        return {"subjects": sorted(who.subjects), "at": format_time(self._hub.clock.now()), "stores": held}

    def erase(self, ctx: RequestContext, subject: str, *, dry_run: bool) -> Outcome:
        """Erase a person from every store; or only count what would go, where, and what would stay.

        Raises:
            NotFound: no store has anything of them.
        """
        ctx = self._seeing_all(ctx)
        with self._turn:
            who = self.person(ctx, subject)
            done = [store.erase(ctx, who, dry_run) for store in self.stores]
            done.append(self._audit.erase(ctx, who, dry_run=True))
            if not any(traces.any for traces in done):
                raise _nobody(subject)
            if dry_run:
                return Outcome(sorted(who.subjects), done, None)
            return Outcome(sorted(who.subjects), done, self._certify(ctx, who, done))

    def _certify(self, ctx: RequestContext, who: Person, done: Sequence[Traces]) -> dict[str, Any]:
        """Take the person out of the audit log, empty what the files have left, look whether anything is, and seal a
        row that says so. `commitment` proves to whom holds the salt (given out once) for whom it was."""
        salt, clock = secrets.token_hex(16), self._hub.clock
        named = "\n".join(sorted(who.subjects))
        with self._hub.database.transaction() as session:
            redacted = self._audit.redact(session, ctx, who)
            certificate: dict[str, Any] = {
                "id": new_id("cert", clock),
                "at": format_time(clock.now()),
                "by": ctx.actor,
                "commitment": hashlib.sha256(f"{salt}\n{named}".encode()).hexdigest(),
                "alias": who.alias,
                "stores": [{**t._asdict(), "why": t.why._asdict() if t.why else None} for t in done],
                "audit_rows": redacted,
            }
            certificate["digest"] = digest_of(certificate)
            audit.record(session, ctx, clock, audit.ERASED, str(certificate["id"]), certificate)
        self.compact()
        left = sorted({str(path) for path in self.leftovers(who)})
        return {**certificate, "salt": salt, "left": left}

    def compact(self) -> None:
        """Rewrite the databases, so that freed pages and logs hold nothing of what was deleted."""
        self._hub.database.compact()
        compact_sqlite(self._hub.settings.data_dir / "checkpoints.db")

    def leftovers(self, who: Person) -> Iterator[Path]:
        """Files of the data folder in whose bytes something that names the person is left."""
        words = [w.encode() for w in who.named]
        pattern = who.pattern()
        longest = max(map(len, words), default=0)
        for path in sorted(p for p in self._hub.settings.data_dir.rglob("*") if p.is_file()):
            with path.open("rb") as file:
                tail = b""
                while block := file.read(_BLOCK):
                    text = tail + block
                    hit = any(w in text for w in words) and pattern.search(text.decode("latin-1"))
                    if hit:
                        yield path.relative_to(self._hub.settings.data_dir)
                        break
                    tail = text[-longest:]

    def anyone(self, ctx: RequestContext) -> str | None:
        """Some customer of the hub, for trying things on; None when there is none."""
        with self._hub.database.reading() as session:
            return JournalRepository(session, ctx.tenant).some_subject("customer/")

    def certificates(self, ctx: RequestContext) -> list[dict[str, Any]]:
        """The certificates of all erasures, newest first, as the audit log sealed them."""
        return self._audit.certificates(ctx)

    def _seeing_all(self, ctx: RequestContext) -> RequestContext:
        return ctx.for_purpose(Purpose.COMPLIANCE)


def digest_of(certificate: dict[str, Any]) -> str:
    """SHA-256 over a certificate's content without its digest, salt and what is left."""
    body = {k: v for k, v in certificate.items() if k not in ("digest", "salt", "left")}
    return hashlib.sha256(json.dumps(body, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def _nobody(subject: str) -> NotFound:
    return NotFound(Text(f"没有 {subject!r} 的任何记录", f"nothing is kept of {subject!r}"))
