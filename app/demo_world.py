"""The demo world of the retail pack, loaded into a hub once: a month of history, consents, ready strategies, documents.
Each part may be loaded again after a stop in between; `demo.json` in the data folder remembers how far it is."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import structlog

from app import figures
from core.context import Purpose
from core.errors import Refused
from core.telemetry import span
from core.text import Text
from core.times import DAY, Micros
from knowledge.governance.consent import Statement, import_consents
from strategy.tables import State

if TYPE_CHECKING:
    from app.hub import Hub
    from knowledge.packs.retail import World
    from knowledge.retrieval import Document

_log = structlog.get_logger("demo")


@dataclass(frozen=True, slots=True)
class Progress:
    """Which world it is, and which of its parts are loaded."""

    path: Path
    seed: int
    anchor: Micros
    done: tuple[str, ...] = ()

    def having(self, *parts: str) -> Progress:
        """Write down what is loaded now."""
        found = Progress(self.path, self.seed, self.anchor, (*self.done, *parts))
        content = json.dumps({"seed": found.seed, "anchor": found.anchor, "done": found.done})
        self.path.write_text(content, encoding="utf-8")
        return found


def progress(hub: Hub) -> Progress:
    """How far loading has come; a world anchored at now when it has not begun."""
    path = hub.settings.data_dir / "demo.json"
    if not path.exists():
        return Progress(path, hub.settings.demo_seed, hub.clock.now())
    kept: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return Progress(path, kept["seed"], Micros(kept["anchor"]), tuple(kept["done"]))


def history_is_missing(hub: Hub) -> bool:
    """True when the month has yet to be loaded, or the rest of it after a stop. A folder that holds other events takes
    no history: it would all come too late."""
    found = progress(hub)
    return "history" not in found.done and (found.path.exists() or not figures.recorded(hub.database, hub.context()))


def load_demo_world(hub: Hub) -> World:
    """Load what is not loaded yet; returns the world.

    Raises:
        Refused: the data folder holds other events already.
    """
    from knowledge.packs import retail

    found = progress(hub)
    if "history" not in found.done and not history_is_missing(hub):
        raise Refused(
            Text(
                "数据目录里已有别的事件，不能再载入演示数据",
                "the data folder holds other events, so it takes no demo world",
            ),
            hint=Text("换一个空的 ZHONGSHU_DATA_DIR", "Set ZHONGSHU_DATA_DIR to an empty folder"),
        )
    found = found.having()
    world = retail.world(found.seed, anchor=found.anchor)
    loaders = {
        "history": load_history,
        "consents": load_consents,
        "strategies": start_strategies,
        "documents": load_documents,
    }
    try:
        for part, load in loaders.items():
            if part not in found.done:
                with span(f"demo.{part}"):
                    load(hub, world)
                hub.start_engine()
                found = found.having(part)
                _log.info("demo.loaded", part=part)
    finally:
        hub.start_engine()
    return world


def load_history(hub: Hub, world: World) -> None:
    """A month of events, facts and relations: they warm state and the graph and fire nothing."""
    hub.live.load_history(hub.context(), world.inputs())


def load_consents(hub: Hub, world: World) -> None:
    joined = world.anchor - 30 * DAY
    statements = [
        Statement(customer.subject, Purpose.MARKETING, customer.consent_marketing, at=joined)
        for customer in world.customers
    ]
    with hub.database.transaction() as session:
        import_consents(session, hub.context(), hub.clock, statements, "demo world")


def start_strategies(hub: Hub, world: World) -> None:
    """The pack's ready strategies, for all customers: a demo in which 1% hear something would be a quiet one."""
    from knowledge.packs import retail

    ctx = hub.context()
    known = {strategy.name: strategy for strategy in hub.strategies.list(ctx)}
    hub.live.settle(120)
    for ready in retail.strategies():
        found = known.get(ready.name)
        if found is None:
            sentence = ready.sentence.say(hub.settings.lang)
            found = hub.strategies.draft(ctx, sentence=sentence, name=ready.name)
        if found.state is State.DRAFT:
            hub.strategies.approve(ctx, ready.name, found.version, 100.0)


def load_documents(hub: Hub, world: World) -> None:
    """Tickets, transcripts, contracts and articles into the index."""
    hub.retriever.get().add(hub.context(), documents_of(world))


def documents_of(world: World) -> list[Document]:
    """What the retriever is to know. Policies are articles to it; transcripts may serve service only (its own rule)."""
    from knowledge.retrieval import Document

    found = [
        Document(id=t.id, kind="ticket", text=t.text, subject=t.customer, lang=t.lang, at=t.at) for t in world.tickets
    ]
    found += [
        Document(id=t.id, kind="transcript", text=t.text, subject=t.customer, lang=t.lang, at=t.at)
        for t in world.transcripts
    ]
    found += [
        Document(
            id=d.id,
            kind="article" if d.kind == "policy" else d.kind,
            text=d.text,
            title=d.title,
            subject=d.about,
            lang=d.lang,
        )
        for d in world.documents
    ]
    return found
