"""A hub without a service, for tests of tools and agents: real graph, index, policy, strategies and delivery over a
part of the demo world, small enough to load in a few seconds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from agents.models.resilient import ModelSettings
from agents.schemas import AgentDeps
from agents.supervisor import Supervisor
from core.clock import ManualClock
from core.context import Purpose, RequestContext, Role
from core.db import Database
from core.ids import DEFAULT_TENANT
from core.text import Lang
from core.times import Micros, parse_time
from knowledge.catalog import Catalog
from knowledge.governance import Policy, audit_refusals
from knowledge.graph import CatalogLimits, GraphService, SqliteGraphStore
from knowledge.packs import retail
from knowledge.parse import read_text
from knowledge.retrieval import Document, Retriever, use_embedder
from strategy.cards import CardService
from strategy.delivery.channels import Channels, InboxChannel
from strategy.delivery.decider import Decider
from strategy.service import StrategyService
from tools import ToolDeps

ANCHOR = parse_time("2026-06-01T08:00:00+08:00")


@dataclass(frozen=True)
class AgentWorld:
    """`clock` stands at the world's anchor; `tools` are the services over the loaded part of it."""

    world: retail.World
    clock: ManualClock
    db: Database
    tools: ToolDeps
    folder: Path

    def supervisor(self, name: str, model: ModelSettings | None = None) -> Supervisor:
        """A supervisor with a checkpoint file of that name; the same name again is the same file."""
        checkpoints = self.folder / f"{name}.db"
        return Supervisor(AgentDeps(self.tools, read_text, checkpoints, model or ModelSettings()))

    def ticket(self, ticket_id: str) -> retail.Ticket:
        return next(t for t in self.world.tickets if t.id == ticket_id)


def context(
    role: Role = Role.SERVICE_AGENT, purpose: Purpose = Purpose.SERVICE, actor: str = "agent-1", lang: Lang = "en"
) -> RequestContext:
    return RequestContext(DEFAULT_TENANT, actor, role, purpose, lang)


ADMIN = context(Role.ADMIN, Purpose.OPERATIONS, "owner")
STRATEGIST = context(Role.STRATEGIST, Purpose.MARKETING, "strategist-1")


@cache
def retail_world() -> retail.World:
    return retail.world(7, anchor=Micros(ANCHOR))


@cache
def retail_catalog() -> Catalog:
    return retail.catalog().catalog


def story_customers(world: retail.World) -> set[str]:
    truths = world.truths
    return {truths.leaver, truths.renewer, truths.breach.customer, *truths.namesakes}


def open_world(folder: Path, customers: set[str] | None = None) -> AgentWorld:
    """Load these customers (default: those of the stories) with all that is theirs, and the articles."""
    world = retail_world()
    clock = ManualClock(world.anchor)
    db = Database(f"sqlite:///{folder / 'hub.db'}")
    catalog = retail_catalog()
    graph = SqliteGraphStore(db, clock, CatalogLimits(lambda: catalog))
    db.create_tables()
    wanted = _subjects_of(world, customers or story_customers(world))
    GraphService(graph).sink(ADMIN, [i for i in world.inputs() if i.subject in wanted])
    retriever = Retriever(use_embedder(), folder / "index")
    retriever.add(ADMIN, _documents(world, wanted))
    channels = Channels(InboxChannel(db, clock))
    strategies = StrategyService(db, clock, lambda ctx: catalog)
    tools = ToolDeps(
        graph=graph,
        retriever=retriever,
        strategies=strategies,
        cards=CardService(db, clock, lambda ctx: catalog, strategies),
        decider=Decider(lambda ctx: catalog, clock, channels),
        policy=Policy(audit_refusals(db, clock)),
        db=db,
        clock=clock,
        catalog=lambda ctx: catalog,
    )
    return AgentWorld(world, clock, db, tools, folder)


_shared: list[AgentWorld] = []


def shared_world(make_folder: Callable[[], Path]) -> AgentWorld:
    """The one world of this test process; tests keep apart by their conversations."""
    if not _shared:
        _shared.append(open_world(make_folder()))
    return _shared[0]


def _subjects_of(world: retail.World, customers: set[str]) -> set[str]:
    return customers | {r.object for r in world.relations if r.subject in customers}


def _documents(world: retail.World, wanted: set[str]) -> list[Document]:
    found = [
        Document(t.id, "ticket", t.text, lang=t.lang, subject=t.customer, at=t.at)
        for t in world.tickets
        if t.customer in wanted
    ]
    found += [
        Document(t.id, "transcript", t.text, lang=t.lang, subject=t.customer, at=t.at)
        for t in world.transcripts
        if t.customer in wanted
    ]
    return found + [
        Document(d.id, "article" if d.kind == "policy" else d.kind, d.text, d.title, d.lang, d.about)
        for d in world.documents
        if d.about is None or d.about in wanted
    ]
