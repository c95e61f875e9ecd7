"""What has been kept long enough goes: by the catalog's periods, from the graph and from the journal, each in one
transaction with its audit row; by a command, and by itself once a day. Running strategies go on as if nothing had
happened."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import structlog
from sqlmodel import Session

from core import audit
from core.context import Purpose, RequestContext
from core.text import Lang, Text
from core.times import MINUTE, SECOND, Micros, format_duration, format_time
from knowledge.catalog import name_of
from knowledge.graph.model import Outdated
from knowledge.graph.pattern import read_pattern
from strategy.repository import JournalRepository
from strategy.retention import Cut, Reader, cuts_of, readers_of

if TYPE_CHECKING:
    from app.hub import Hub

_FIRST = MINUTE
"""From the start to the first time by itself."""
_FADED = 20
"""Half-lives after which an event adds nothing to a weight that anybody could see."""

_log = structlog.get_logger("hub")


@dataclass(frozen=True, slots=True)
class Dropped:
    """What went, or would go, of one class. `label`: what people call it."""

    cut: Cut
    label: Text
    journal: int
    graph: int

    def as_dict(self, lang: Lang) -> dict[str, Any]:
        cut = self.cut
        return {
            "kind": cut.kind,
            "name": cut.name,
            "label": self.label.say(lang),
            "keep": format_duration(cut.keep),
            "before": None if cut.before is None else format_time(cut.before),
            "journal": self.journal,
            "graph": self.graph,
            "held_by": list(cut.held_by),
        }


class Retention:
    """One hub's. Start it to let it work by itself."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._stop = threading.Event()
        self._worker: threading.Thread | None = None
        self.errors = 0

    def cuts(self, ctx: RequestContext) -> list[Cut]:
        """What may go now, class by class."""
        hub = self._hub
        readers: dict[str, list[Reader]] = readers_of((v.strategy for v in hub.strategies.running(ctx)), hub.catalog)
        for name, event, span in self._derived():
            readers.setdefault(event, []).append(Reader(name, span))
        return cuts_of(hub.catalog, readers, min(hub.clock.now(), hub.live.journal.event_clock(ctx.tenant)))

    def run(self, ctx: RequestContext, *, dry_run: bool) -> list[Dropped]:
        """Let go what may go, or count it. What was set aside goes by the day on which it came."""
        ctx = ctx.for_purpose(Purpose.COMPLIANCE)
        cuts = self.cuts(ctx)
        if not dry_run and not cuts and self._hub.catalog.keep.set_aside is None:
            return []
        in_graph = self._from_graph(ctx, cuts, dry_run)
        if dry_run:
            with self._hub.database.reading() as session:
                return self._drop(session, ctx, in_graph, None)
        return self._hub.live.trim(ctx, lambda session, until: self._drop(session, ctx, in_graph, until))

    def _from_graph(self, ctx: RequestContext, cuts: Iterable[Cut], dry_run: bool) -> list[tuple[Cut, int]]:
        """Each cut, and how many records of the graph went with it."""
        old = {
            cut: Outdated(cut.name, cut.before, None if cut.kind == "event" else cut.subject)
            for cut in cuts
            if cut.before is not None
        }
        gone = dict(zip(old, self._hub.graph_store.let_go(ctx, [*old.values()], dry_run), strict=True))
        return [(cut, gone.get(cut, 0)) for cut in cuts]

    def _drop(
        self, session: Session, ctx: RequestContext, cuts: Iterable[tuple[Cut, int]], until: int | None
    ) -> list[Dropped]:
        """`until`: the last row of the journal that the engine's saved state holds; None: only count."""
        journal, dry_run = JournalRepository(session, ctx.tenant), until is None
        found = []
        for cut, things in cuts:
            rows = 0
            if cut.before is not None and cut.kind == "event":
                rows = journal.drop_events(cut.name, cut.before, until)
            elif cut.before is not None:
                rows = journal.drop_replaced(cut.subject, cut.name, cut.before, until)
            found.append(Dropped(cut, self._label(cut), rows, things))
        found += self._set_aside(journal, dry_run)
        if not dry_run and any(each.journal or each.graph for each in found):
            detail = {f"{d.cut.kind} {d.cut.name}": d.journal + d.graph for d in found if d.journal or d.graph}
            audit.record(session, ctx, self._hub.clock, "privacy.retention", f"{sum(detail.values())} records", detail)
        return found

    def _set_aside(self, journal: JournalRepository, dry_run: bool) -> list[Dropped]:
        keep = self._hub.catalog.keep.set_aside
        if keep is None:
            return []
        before = Micros(self._hub.clock.now() - keep)
        cut = Cut("set_aside", "set_aside", "", keep, before)
        return [Dropped(cut, Text("被搁置的输入", "inputs set aside"), journal.drop_aside(before, dry_run), 0)]

    def _label(self, cut: Cut) -> Text:
        catalog = self._hub.catalog
        item = catalog.events[cut.name] if cut.kind == "event" else catalog.objects[cut.subject].attributes[cut.name]
        own = Text(name_of(item, cut.name, "zh"), name_of(item, cut.name, "en"))
        if cut.kind == "event":
            return own
        thing = catalog.objects[cut.subject]
        zh, en = name_of(thing, cut.subject, "zh"), name_of(thing, cut.subject, "en")
        return Text(f"{zh}的旧{own.zh}", f"earlier {own.en} of a {en}")

    def _derived(self) -> Iterable[tuple[str, str, int | None]]:
        """What the graph keeps up to date from events: patterns, which look at all of them, and weights, which fade."""
        for name, pattern in self._hub.catalog.patterns.items():
            for event in read_pattern(pattern.path, self._hub.catalog).events:
                yield f"pattern.{name}", event, None
        for name, profile in self._hub.catalog.weights.items():
            for term in profile.terms:
                yield f"weight.{name}", term.event, _FADED * term.half_life

    # by itself

    def start(self) -> None:
        self._worker = threading.Thread(target=self.work, args=(self._stop.wait,), name="retention", daemon=True)
        self._worker.start()

    def stop(self) -> None:
        self._stop.set()
        if self._worker is not None:
            self._worker.join(30)

    def work(self, stopped: Callable[[float], bool]) -> None:
        """Again and again. `stopped`: waits so many seconds, and is true when it is to end."""
        pause = min(_FIRST, self._hub.settings.retention_every)
        while not stopped(pause / SECOND):
            pause = self._hub.settings.retention_every
            try:
                gone = self.run(self._hub.context(), dry_run=False)
                _log.info("retention", records=sum(d.journal + d.graph for d in gone))
            except Exception:
                # What should have gone is still there for the next time; the hub goes on meanwhile.
                self.errors += 1
                _log.exception("retention_failed")
