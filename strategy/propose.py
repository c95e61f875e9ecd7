"""What a language model is asked when it may read sentences, and the port it answers through. The model behind it is
wired in by the app; whether its answer is believed is decided in reading.py."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple, Protocol

from pydantic import BaseModel, ConfigDict, Field

from core.errors import ZhongshuError
from core.text import Lang
from core.times import DAY
from knowledge.catalog import Catalog
from knowledge.catalog.model import Attribute, Labels
from strategy.document import (
    ActionCall,
    Aggregate,
    AttributeIs,
    Condition,
    Filter,
    Step,
    Strategy,
    Streak,
    Verify,
    Window,
)
from strategy.document import (
    Sequence as Ordered,
)
from strategy.engine.check import check_strategy
from strategy.language import read_sentence, readback


class Proposal(BaseModel):
    """The part of a strategy that a model may propose. How it runs (guards, rollout) is not among it: that is read from
    the sentence by the grammar's closed forms alone, so that no text can talk a model into changing it."""

    model_config = ConfigDict(extra="forbid")

    subject: str = "customer"
    audience: Condition | None = None
    trigger: Condition
    actions: tuple[ActionCall, ...] = Field(min_length=1)
    verify: Verify | None = None


class Sample(NamedTuple):
    """A sentence with what it means."""

    sentence: str
    proposal: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Asked:
    """One question to the model. `problems`: what was wrong with `previous`, its first answer, which it is to
    repair."""

    sentence: str
    lang: Lang
    vocabulary: str
    samples: tuple[Sample, ...]
    problems: tuple[str, ...] = ()
    previous: dict[str, Any] | None = None


class ProposalFailed(Exception):
    """There is no proposal: the endpoint is down, its answer is cut off, or it is none. The message says which."""


class Proposer(Protocol):
    """Something that reads a sentence in its own way."""

    def propose(self, asked: Asked) -> dict[str, Any]:
        """What it takes the sentence to mean, in the shape of `Proposal`, unchecked.

        Raises:
            ProposalFailed: it has no answer.
        """
        ...


def proposal_of(strategy: Strategy) -> dict[str, Any]:
    """The proposable part of a strategy, as a model would have to write it."""
    kept = strategy.model_dump(mode="json", exclude_none=True, include=set(Proposal.model_fields))
    return {key: value for key, value in kept.items() if value not in ([], {})}


def vocabulary(catalog: Catalog) -> str:
    """Every name of the catalog, one a line: what it is, its id, what people call it, its unit or values."""
    lines: list[str] = []
    for object_id, kind in catalog.objects.items():
        lines.append(f"object {object_id}: {_said(kind.labels)}")
        lines += [_attribute(f"  attribute {name}", a) for name, a in kind.attributes.items()]
    for event_id, event in catalog.events.items():
        lines.append(f"event {event_id} (of {event.subject}): {_said(event.labels)}")
        lines += [_attribute(f"  field {name}", a) for name, a in event.fields.items()]
    lines += [
        f"metric {m} (of {x.subject}, {x.unit or 'number'}): {_said(x.labels)}" for m, x in catalog.metrics.items()
    ]
    lines += [
        f"forecast {f} (of {x.subject}, {x.unit or 'number'}): {_said(x.labels)}" for f, x in catalog.forecasts.items()
    ]
    lines += [f"place {p} ({x.radius:g} m): {_said(x.labels)}" for p, x in catalog.places.items()]
    lines += [f"action {a}: {_said(x.labels)}" for a, x in catalog.actions.items()]
    lines += [f"relation {r} ({x.source} to {x.target}): {_said(x.labels)}" for r, x in catalog.relations.items()]
    return "\n".join(lines)


def _attribute(head: str, attribute: Attribute) -> str:
    unit = f" in {attribute.unit}" if attribute.unit else ""
    values = "; ".join(f"{value} = {_said(labels)}" for value, labels in attribute.values.items())
    return f"{head} ({attribute.type}{unit}): {_said(attribute.labels)}" + (f"; values: {values}" if values else "")


def _said(labels: Labels) -> str:
    return ", ".join(labels.all())


@lru_cache(maxsize=32)
def _read(sentence: str, catalog: _Same, lang: Lang) -> Sample | None:
    try:
        return Sample(sentence, proposal_of(read_sentence(sentence, catalog.catalog, lang=lang).document))
    except ZhongshuError:
        return None


class _Same:
    """A catalog by identity: what is worked out for it is kept while it is the same one."""

    def __init__(self, catalog: Catalog) -> None:
        self.catalog = catalog

    def __hash__(self) -> int:
        return id(self.catalog)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and other.catalog is self.catalog


def samples(catalog: Catalog, lang: Lang, sayings: Sequence[str] = ()) -> tuple[Sample, ...]:
    """Sentences with their meaning over this catalog: those of `sayings` that the grammar reads, and some that are made
    from the catalog's own names and read back."""
    same = _Same(catalog)
    read = [found for sentence in sayings if (found := _read(sentence, same, lang))]
    return (*read, *_made(same, lang))


@lru_cache(maxsize=32)
def _made(same: _Same, lang: Lang) -> tuple[Sample, ...]:
    catalog = same.catalog
    found = []
    for strategy in _plain_strategies(catalog):
        try:
            check_strategy(strategy, catalog)
            found.append(Sample(readback(strategy, catalog, lang), proposal_of(strategy)))
        except ZhongshuError:
            continue
    return tuple(found)


def _plain_strategies(catalog: Catalog) -> list[Strategy]:
    """One of each common kind, as far as the catalog has what it takes."""
    action = next(iter(catalog.actions), None)
    call = ActionCall(action=action) if action else ActionCall(task="call")
    made: list[tuple[str, Condition | None, Condition]] = []
    events = list(catalog.events.items())
    for event_id, event in events[:1]:
        few = Aggregate(event=event_id, function="count", window=Window(over=7 * DAY), op="<", value=2)
        made.append((event.subject, None, few))
        made.append((event.subject, _value_of(catalog, event.subject), few))
    for event_id, event in events:
        flags = [name for name, f in event.fields.items() if f.type == "boolean"]
        if flags:
            missed = (Filter(field=flags[0], op="==", value=False),)
            made.append((event.subject, None, Streak(event=event_id, where=missed, times=3)))
            break
    for (first, a), (second, b) in itertools.pairwise(events):
        if a.subject == b.subject:
            steps = (Step(event=first), Step(event=second, absent=True, within=DAY))
            made.append((a.subject, None, Ordered(steps=steps)))
            break
    return [
        Strategy(name="sample", subject=subject, audience=audience, trigger=trigger, actions=(call,))
        for subject, audience, trigger in made
    ]


def _value_of(catalog: Catalog, subject: str) -> Condition | None:
    for name, attribute in catalog.objects[subject].attributes.items():
        if attribute.type == "enum" and attribute.values:
            return AttributeIs(name=name, op="==", value=next(iter(attribute.values)))
    return None


__all__ = [
    "Asked",
    "Proposal",
    "ProposalFailed",
    "Proposer",
    "Sample",
    "proposal_of",
    "samples",
    "vocabulary",
]
