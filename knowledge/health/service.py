"""The report on the graph's health: what the catalog expects of sources and loops beside what came."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from core.clock import Clock
from core.context import RequestContext, may_use
from core.db import Database
from core.errors import Unavailable
from core.telemetry import span
from core.text import Text
from core.times import DAY, Micros, format_duration
from knowledge.catalog import Catalog, Loop, Source, text_of
from knowledge.catalog.model import Labels
from knowledge.health.loops import walk
from knowledge.health.model import (
    Conflict,
    Coverage,
    Duplicates,
    Health,
    LoopHealth,
    SourceHealth,
    StageHealth,
    State,
)
from knowledge.health.repository import HealthRepository, Volume
from knowledge.sources.identities import TELLING


@dataclass(frozen=True)
class _Counted:
    """What the graph holds, by source."""

    subjects: dict[str, int]
    volumes: dict[str, list[Volume]]
    coverage: dict[str, list[Coverage]]
    conflicts: tuple[Conflict, ...]
    duplicates: dict[str | None, list[Duplicates]]


class GraphHealth:
    """Reports on one hub's embedded graph; each reads the whole graph at one moment.

    Args:
        database: where the embedded graph is kept; None: another store keeps the graph.
        authorize: as of `knowledge.graph.GraphService`: asked for `graph.read`.
    """

    def __init__(
        self,
        database: Database | None,
        clock: Clock,
        catalog: Callable[[], Catalog],
        authorize: Callable[[RequestContext, str, str], None],
    ) -> None:
        self._database, self._clock, self._catalog, self._authorize = database, clock, catalog, authorize

    def report(self, ctx: RequestContext) -> Health:
        """
        Raises:
            Forbidden: the role, or the purpose, may not read the graph.
            Unavailable: the graph is not the embedded one.
        """
        self._authorize(ctx, "graph.read", "health")
        if self._database is None:
            raise Unavailable(
                Text("图谱体检目前只支持内置图谱", "the graph's health can so far be read of the embedded graph only"),
                hint=Text("ZHONGSHU_GRAPH=sqlite 即内置图谱", "ZHONGSHU_GRAPH=sqlite is the embedded one"),
            )
        catalog, now = self._catalog(), self._clock.now()
        hidden = _hidden(catalog, ctx)
        with span("graph.health"), self._database.snapshot() as cursor:
            rows = HealthRepository(cursor, ctx, now, hidden)
            asked, counted = rows.asked(), _count(rows, catalog, now)
            sources = [
                _source(name, catalog, counted, now) for name in [*catalog.sources, *_undeclared(catalog, counted)]
            ]
            loops = [_loop(name, catalog, counted, sources, rows, hidden, now) for name in catalog.loops]
        return Health(
            now,
            counted.subjects,
            rows.merged,
            asked,
            len(hidden),
            tuple(sources),
            counted.conflicts,
            tuple(counted.duplicates.get(None, ())),
            tuple(loops),
        )


def _hidden(catalog: Catalog, ctx: RequestContext) -> set[str]:
    """Properties (`type.name`) and event types that the purpose may not see."""
    owned = [
        (f"{kind}.{name}", attribute.purposes)
        for kind, item in catalog.objects.items()
        for name, attribute in item.attributes.items()
    ]
    owned += [(f"{forecast.subject}.{name}", forecast.purposes) for name, forecast in catalog.forecasts.items()]
    owned += [(name, event.purposes) for name, event in catalog.events.items()]
    return {name for name, purposes in owned if not may_use(ctx.purpose, purposes)}


def source_of(name: str, sources: dict[str, Source]) -> str:
    """The catalog's source that tells under a value of `source`; the value itself when there is none. A whole name
    comes before a beginning, a longer beginning before a shorter one."""
    best, length = name, 0
    for source_id, source in sources.items():
        if name == source_id or name in source.names:
            return source_id
        for start in source.names:
            if start.endswith("/") and name.startswith(start) and len(start) > length:
                best, length = source_id, len(start)
    return best


def label_of(catalog: Catalog, kind: str, name: str) -> Text:
    """A property as people read it, with whose it is."""
    thing, item = catalog.objects.get(kind), catalog.attribute(kind, name) or catalog.forecasts.get(name)
    whose = text_of(thing, kind) if thing else Text(kind, kind)
    own = text_of(item, name) if item else Text(name, name)
    return Text(f"{whose.zh}的{own.zh}", f"{whose.en}: {own.en}")


def _count(rows: HealthRepository, catalog: Catalog, now: Micros) -> _Counted:
    volumes: dict[str, list[Volume]] = {}
    for volume in rows.volumes(Micros(now - 7 * DAY)):
        volumes.setdefault(source_of(volume.name, catalog.sources), []).append(volume)
    rows.name_sources({v.name: source for source, told in volumes.items() for v in told})
    subjects, label = rows.subjects(), partial(label_of, catalog)
    coverage: dict[str, list[Coverage]] = {}
    for source, kind, name, count in rows.properties():
        known = subjects.get(kind, 0)
        coverage.setdefault(source, []).append(Coverage(kind, name, label(kind, name), "property", count, known))
    for source, kind, name, count in rows.events():
        said = text_of(catalog.events[name], name) if name in catalog.events else Text(name, name)
        coverage.setdefault(source, []).append(Coverage(kind, name, said, "event", count, subjects.get(kind, 0)))
    conflicts = tuple(
        Conflict(kind, name, label(kind, name), (one, other), compared, disagree, mean, largest)
        for kind, name, one, other, compared, disagree, mean, largest in rows.conflicts()
    )
    duplicates: dict[str | None, list[Duplicates]] = {}
    for told, kind, name, count, values in rows.duplicates(TELLING):
        duplicates.setdefault(told, []).append(Duplicates(kind, name, label(kind, name), count, values))
    return _Counted(subjects, volumes, coverage, conflicts, duplicates)


def _undeclared(catalog: Catalog, counted: _Counted) -> list[str]:
    return sorted(name for name in counted.volumes if name not in catalog.sources)


def _source(source_id: str, catalog: Catalog, counted: _Counted, now: Micros) -> SourceHealth:
    declared = catalog.sources.get(source_id)
    source = declared or Source()
    volumes = counted.volumes.get(source_id, [])
    last = Micros(min(now, max(v.last for v in volumes))) if volumes else None
    state = _state(last, source.every, now)
    coverage = tuple(counted.coverage.get(source_id, ()))
    return SourceHealth(
        source_id,
        text_of(source, source_id),
        declared is not None,
        _owner(source),
        source.api,
        tuple(source.purposes),
        tuple(v.name for v in volumes),
        source.every,
        last,
        state,
        sum(v.events for v in volumes),
        sum(v.facts for v in volumes),
        sum(v.recent for v in volumes),
        coverage,
        tuple(c for c in counted.conflicts if source_id in c.sources and c.disagree),
        tuple(counted.duplicates.get(source_id, ())),
        tuple(_source_gaps(source if declared else None, state, last, coverage, now)),
    )


def _owner(source: Source) -> Text | None:
    return text_of(source.owner, "") if source.owner != Labels() else None


def _state(last: Micros | None, every: int | None, now: Micros) -> State:
    if last is None:
        return "silent"
    if every is None:
        return "unset"
    return "late" if now - last > every else "fresh"


def _source_gaps(
    source: Source | None, state: State, last: Micros | None, coverage: Sequence[Coverage], now: Micros
) -> list[Text]:
    if source is None:
        return [Text("目录中没有这个来源", "the catalog does not know this source")]
    gaps: list[Text] = []
    if _owner(source) is None:
        gaps.append(Text("没有负责人", "nobody owns it"))
    if source.api is None:
        gaps.append(Text("没有写明接口开放程度", "how far its API opens is not said"))
    if state == "unset":
        gaps.append(Text("没有写明应多久更新一次", "how often it should tell something is not said"))
    if state == "silent":
        return [*gaps, Text("从未收到任何数据", "nothing ever came")]
    if state == "late" and source.every is not None and last is not None:
        age, every = (
            format_duration((now - last) // DAY * DAY) if now - last > DAY else "<1d",
            format_duration(source.every),
        )
        gaps.append(Text(f"已 {age} 没有新数据，应每 {every} 一次", f"nothing new for {age}; expected every {every}"))
    came = {(c.kind, c.type, c.name) for c in coverage}
    for kind, names in source.properties.items():
        for name in names:
            if ("property", kind, name) not in came:
                gaps.append(Text(f"没有属性 {kind}.{name}", f"no value of {kind}.{name}"))
    events = {c.name for c in coverage if c.kind == "event"}
    gaps += [Text(f"没有事件 {name}", f"no event {name}") for name in source.events if name not in events]
    return gaps


def _loop(
    loop_id: str,
    catalog: Catalog,
    counted: _Counted,
    sources: Sequence[SourceHealth],
    rows: HealthRepository,
    hidden: set[str],
    now: Micros,
) -> LoopHealth:
    declared = catalog.loops[loop_id]
    loop, gaps = _visible(declared, hidden)
    types = {event for stage in loop.stages.values() for event in stage.events}
    walked = walk(loop, rows.steps(loop.subject, types), now)
    stages, feeding = [], dict[str, SourceHealth]()
    for stage_id, stage in loop.stages.items():
        tell = [s for s in sources if any(c.kind == "event" and c.name in stage.events for c in s.coverage)]
        feeding.update((s.id, s) for s in tell)
        if stage.events and not tell:
            name = text_of(stage, stage_id)
            gaps.append(Text(f"“{name.zh}”还没有任何事件", f"{name.en}: no event yet"))
        stages.append(
            StageHealth(
                stage_id,
                text_of(stage, stage_id),
                tuple(s.id for s in tell),
                walked.reached[stage_id],
                walked.from_before[stage_id],
                walked.skipped[stage_id],
                walked.waiting[stage_id],
                walked.stalled[stage_id],
            )
        )
    for source in feeding.values():
        if source.state == "late":
            gaps.append(Text(f"来源“{source.label.zh}”数据过期", f"source {source.label.en} is late"))
    return LoopHealth(
        loop_id,
        text_of(declared, loop_id),
        loop.subject,
        counted.subjects.get(loop.subject, 0),
        stages[-1].reached,
        tuple(dict.fromkeys(s.owner for s in feeding.values() if s.owner)),
        tuple(stages),
        tuple(c for c in counted.conflicts if c.type == loop.subject and c.disagree),
        tuple(d for d in counted.duplicates.get(None, ()) if d.type == loop.subject),
        tuple(gaps),
    )


def _visible(loop: Loop, hidden: set[str]) -> tuple[Loop, list[Text]]:
    """The loop with those events that the purpose may see, and what is missing of it."""
    stages, gaps = {}, []
    for stage_id, stage in loop.stages.items():
        name = text_of(stage, stage_id)
        seen = [event for event in stage.events if event not in hidden]
        if not stage.events:
            gaps.append(Text(f"“{name.zh}”没有事件可以反映", f"{name.en}: no event tells of it"))
        elif not seen:
            gaps.append(Text(f"“{name.zh}”的事件不可用于此用途", f"{name.en}: its events may not serve this purpose"))
        stages[stage_id] = stage.model_copy(update={"events": seen})
    return loop.model_copy(update={"stages": stages}), gaps
