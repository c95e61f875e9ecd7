"""The catalog's shapes: business objects, events, metrics, forecasts, places, actions, relations, sources and loops as
data, each with labels and synonyms in Chinese and English. docs/catalog.md documents the format from these models."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, WithJsonSchema, model_validator

from core.text import Lang, Text
from core.times import Duration, Micros, check_zone, format_time, parse_time, pydantic_reader
from knowledge.catalog.identity import IdentityRules


def _as_list(value: object) -> object:
    return [value] if isinstance(value, str) else value


def _metres(value: object) -> object:
    if isinstance(value, str) and (m := re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*(m|km)\s*", value)):
        return float(m.group(1)) * (1000 if m.group(2) == "km" else 1)
    return value


Words = Annotated[list[str], BeforeValidator(_as_list)]
"""The name first, then synonyms; a single string stands for a list of one."""

Distance = Annotated[
    float,
    BeforeValidator(_metres),
    WithJsonSchema({"anyOf": [{"type": "number"}, {"type": "string", "examples": ["500m", "2km"]}]}),
]
"""Metres; `500m` and `2km` in files."""

Moment = Annotated[
    Micros,
    BeforeValidator(pydantic_reader(parse_time)),
    PlainSerializer(format_time, return_type=str),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]

AttributeType = Literal["number", "boolean", "enum", "text", "date", "geo"]


class _Item(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Labels(_Item):
    """What people call it. The first word of a language is the name shown; all are understood."""

    zh: Words = Field(default_factory=list)
    en: Words = Field(default_factory=list)

    def all(self) -> list[str]:
        return [*self.zh, *self.en]


class Named(_Item):
    labels: Labels = Labels()
    purposes: list[str] = Field(default_factory=list, description="what it may be used for; empty: any purpose")


class Attribute(Named):
    """A property of an object, or a field of an event."""

    type: AttributeType
    unit: str | None = None
    values: dict[str, Labels] = Field(default_factory=dict, description="the values of an enum")
    min: float | None = Field(
        default=None, description="smallest value that makes sense; below 0 marks a signed number"
    )
    max: float | None = None
    sources: list[str] = Field(
        default_factory=list, description="whose value survives where merged records disagree, the most trusted first"
    )


class ObjectType(Named):
    attributes: dict[str, Attribute] = Field(default_factory=dict)
    keep: Duration | None = Field(
        default=None, gt=0, description="how long values that another has replaced are kept; default: `keep.facts`"
    )


class EventType(Named):
    subject: str = Field(description="the object type it happens to")
    fields: dict[str, Attribute] = Field(default_factory=dict)
    keep: Duration | None = Field(default=None, gt=0, description="how long it is kept; default: `keep.events`")
    groups: dict[str, str] = Field(
        default_factory=dict, description="further object types it counts for → the field that holds the key"
    )


class Ratio(_Item):
    of: str = Field(description="event type counted above the line")
    per: str = Field(description="event type counted below the line")


class Metric(Named):
    """A named number over a subject's events, such as an open rate."""

    subject: str
    ratio: Ratio
    unit: str | None = None


class Forecast(Named):
    """A model's score, delivered as a fact on its subject."""

    subject: str
    horizon: Duration
    unit: str | None = None


class Point(_Item):
    id: str
    lat: float = Field(ge=-90, le=90)
    lon: float = Field(ge=-180, le=180)


class Place(Named):
    points: list[Point]
    radius: Distance = Field(default=500.0, description="what `near` means here unless a sentence says otherwise")


class Action(Named):
    channel: str | None = Field(default=None, description="the channel it goes out on; none: an inner task")
    opposite: str | None = Field(default=None, description="the action that undoes or contradicts it")
    excludes: list[str] = Field(
        default_factory=list, description="actions that must not reach the same subject at about the same time"
    )
    causes: list[str] = Field(
        default_factory=list, description="events that doing it brings about, for the same subject"
    )


class Pattern(Named):
    """A path with missing steps; the hub keeps the attribute `pattern.<id>` of its subjects up to date with it."""

    subject: str
    path: str = Field(description="such as `customer then checkup[result = abnormal] then no visit within 30d`")
    action: str | None = Field(default=None, description="the action that it proposes where it holds")


class WeightTerm(_Item):
    """What one kind of event adds to a weight."""

    event: str
    value: str | None = Field(default=None, description="the numeric field to add up; none: each event counts 1")
    half_life: Duration = Field(gt=0, description="an event counts half after this time")
    points: float = Field(default=1.0, gt=0)
    cap: float | None = Field(default=None, gt=0, description="the most that this term adds")


class WeightProfile(Named):
    """A decaying weight; the hub keeps the attribute `weight.<id>` of its subjects up to date with it."""

    subject: str
    terms: list[WeightTerm] = Field(min_length=1)
    cap: float | None = Field(default=None, gt=0)
    step: float = Field(default=1.0, gt=0, description="strategies see the weight rounded down to a multiple of it")


class RelationType(_Item):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    source: str = Field(alias="from")
    target: str = Field(alias="to")
    labels: Labels = Labels()
    purposes: list[str] = Field(default_factory=list)


class Source(Named):
    """A system that tells the hub something: what it is expected to tell, how often, and who answers for it."""

    owner: Labels = Field(default=Labels(), description="who answers for it")
    api: Literal["open", "partner", "export", "none"] | None = Field(
        default=None,
        description="how far it opens: `open` to any client, `partner` by agreement, `export` as files, `none`",
    )
    every: Duration | None = Field(default=None, description="something new is expected at least this often")
    names: Words = Field(
        default_factory=list,
        description="further values of `source` under which it tells, beside its id; one that ends in / stands for all "
        "that begin so",
    )
    properties: dict[str, list[str]] = Field(
        default_factory=dict, description="object type → the attributes that it is expected to tell"
    )
    events: list[str] = Field(default_factory=list, description="the event types that it is expected to tell")


class Stage(Named):
    """A step of a loop; reached by the first of its events that comes after the step before."""

    events: list[str] = Field(
        default_factory=list, description="event types of which one is enough; none: not told yet"
    )
    within: Duration | None = Field(
        default=None, description="after the step before; later than this a subject is stalled; default: the loop's"
    )


class Loop(Named):
    """A way that subjects are to go again and again, such as from consultation to repurchase."""

    subject: str
    stages: dict[str, Stage] = Field(min_length=2, description="in their order")
    within: Duration = Field(description="the longest that a step may take")


class Keep(_Item):
    """How long things are kept where they say nothing of their own; none: for ever. What holds now always stays."""

    events: Duration | None = Field(default=None, gt=0)
    facts: Duration | None = Field(default=None, gt=0, description="values that another has replaced, from then on")
    set_aside: Duration | None = Field(default=None, gt=0, description="inputs that were not taken")


class Catalog(_Item):
    """One business's vocabulary. Build it with `knowledge.catalog.load_catalog`, which checks references."""

    catalog: Literal[1] = Field(description="version of this format")
    timezone: Annotated[str, BeforeValidator(pydantic_reader(check_zone))] = "Asia/Shanghai"
    history_from: Moment | None = Field(
        default=None, description="the moment from which the event history is complete; default: the earliest event"
    )
    keep: Keep = Keep()
    objects: dict[str, ObjectType] = Field(default_factory=dict)
    events: dict[str, EventType] = Field(default_factory=dict)
    metrics: dict[str, Metric] = Field(default_factory=dict)
    forecasts: dict[str, Forecast] = Field(default_factory=dict)
    places: dict[str, Place] = Field(default_factory=dict)
    actions: dict[str, Action] = Field(default_factory=dict)
    relations: dict[str, RelationType] = Field(default_factory=dict)
    patterns: dict[str, Pattern] = Field(default_factory=dict)
    weights: dict[str, WeightProfile] = Field(default_factory=dict)
    identity: dict[str, IdentityRules] = Field(
        default_factory=dict, description="object type → how its records are told apart; default: by attributes' names"
    )
    sources: dict[str, Source] = Field(default_factory=dict)
    loops: dict[str, Loop] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _derive(self) -> Catalog:
        """Patterns and weights are attributes of their subjects to whoever asks for one."""
        derived: list[tuple[str, Pattern | WeightProfile, AttributeType]] = [
            *((f"pattern.{name}", p, "boolean") for name, p in self.patterns.items()),
            *((f"weight.{name}", w, "number") for name, w in self.weights.items()),
        ]
        for name, item, kind in derived:
            if item.subject in self.objects:
                attribute = Attribute(type=kind, labels=item.labels, purposes=item.purposes)
                self.objects[item.subject].attributes.setdefault(name, attribute)
        return self

    def attribute(self, object_type: str, name: str) -> Attribute | None:
        found = self.objects.get(object_type)
        return found.attributes.get(name) if found else None

    def field(self, event_type: str, name: str) -> Attribute | None:
        found = self.events.get(event_type)
        return found.fields.get(name) if found else None


def name_of(item: Named | RelationType | Labels, item_id: str, lang: Lang) -> str:
    """What a person calls it in `lang`: the first label, else the other language's, else the id."""
    labels = item if isinstance(item, Labels) else item.labels
    words = (labels.zh or labels.en) if lang == "zh" else (labels.en or labels.zh)
    return words[0] if words else item_id


def text_of(item: Named | RelationType | Labels, item_id: str) -> Text:
    return Text(name_of(item, item_id, "zh"), name_of(item, item_id, "en"))


def catalog_schema() -> dict[str, Any]:
    """The JSON Schema of a catalog file, made from these models."""
    schema = Catalog.model_json_schema(by_alias=True)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}
