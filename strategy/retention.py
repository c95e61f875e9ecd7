"""How long events and facts are kept, as the catalog says, and how much longer running strategies need them: what goes
is what none of them reads any more, so that they see what they saw before."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from core.errors import Refused
from core.text import Text
from core.times import Micros, format_duration
from knowledge.catalog import Catalog, name_of
from strategy.document import Aggregate, MetricIs, Ratio, Strategy
from strategy.engine.check import check_strategy
from strategy.engine.compile import compile_strategy


class Reader(NamedTuple):
    """What reads a type of event, and how far back (None: all of it)."""

    name: str
    span: int | None


@dataclass(frozen=True, slots=True)
class Cut:
    """Events of a type, or values of a property that were replaced, from before a moment may go. `before` None: none,
    because of `held_by`. `keep`: what the catalog asks for."""

    kind: Literal["event", "fact", "set_aside"]
    name: str
    subject: str
    keep: int
    before: Micros | None
    held_by: tuple[str, ...] = field(default=())


def cuts_of(catalog: Catalog, readers: Mapping[str, Sequence[Reader]], now: Micros) -> list[Cut]:
    """What may go now.

    Args:
        readers: event type → whatever goes on reading such events.
        now: the hub's clock, or event time if it is behind.
    """
    found = []
    for name, event in catalog.events.items():
        keep = event.keep if event.keep is not None else catalog.keep.events
        if keep is None:
            continue
        mine = readers.get(name, ())
        longer = tuple(r.name for r in mine if r.span is None or r.span > keep)
        endless = any(r.span is None for r in mine)
        needed = max([keep, *(r.span for r in mine if r.span is not None)])
        found.append(Cut("event", name, event.subject, keep, None if endless else Micros(now - needed), longer))
    for kind, thing in catalog.objects.items():
        keep = thing.keep if thing.keep is not None else catalog.keep.facts
        if keep is not None:
            found += [Cut("fact", name, kind, keep, Micros(now - keep)) for name in thing.attributes]
    return found


def readers_of(strategies: Iterable[Strategy], catalog: Catalog) -> dict[str, list[Reader]]:
    """Event type → the strategies that read it, and how far back each condition of theirs looks."""
    found: dict[str, list[Reader]] = {}
    for strategy in strategies:
        check_strategy(strategy, catalog)
        for leaf in compile_strategy(strategy, catalog).leaves:
            for event in leaf.events:
                found.setdefault(event, []).append(Reader(strategy.name, leaf.history))
    return found


def check_kept(strategy: Strategy, catalog: Catalog) -> None:
    """
    Raises:
        Refused: a condition counts over a longer time than its events are kept, so that it would count too few.
    """
    for leaf in compile_strategy(strategy, catalog).leaves:
        if not isinstance(leaf.condition, Aggregate | MetricIs | Ratio) or getattr(leaf, "newest", None) is not None:
            continue
        for event in leaf.events:
            keep = catalog.events[event].keep or catalog.keep.events
            if keep is not None and (leaf.history is None or leaf.history > keep):
                raise _too_long(leaf.path, event, keep, leaf.history, catalog)


def _too_long(path: str, event: str, keep: int, span: int | None, catalog: Catalog) -> Refused:
    zh, en = (name_of(catalog.events[event], event, lang) for lang in ("zh", "en"))
    back_zh = "全部历史" if span is None else format_duration(span)
    back_en = "all history" if span is None else format_duration(span)
    kept = format_duration(keep)
    return Refused(
        Text(
            f"“{zh}”只保留 {kept}，而这一条件回看{back_zh}",
            f"{en!r} is kept for {kept}, and this condition looks at {back_en}",
        ),
        where={"field": path},
        hint=Text(
            f"把时间窗缩短到 {kept} 以内，或在目录里延长 keep",
            f"Look back {kept} at most, or raise `keep` in the catalog",
        ),
    )
