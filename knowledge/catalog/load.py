"""Reading a catalog file: YAML to checked models; each error has the line, the field and the nearest valid choice."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError
from rapidfuzz import fuzz, process, utils

from core.errors import InvalidInput
from core.text import Text
from core.yamls import line_of, read_yaml
from knowledge.catalog.model import Action, Catalog, EventType, Labels, ObjectType


class InvalidCatalog(InvalidInput):
    """A catalog file that cannot be used; `where` has the file, line and field."""

    code = "invalid-catalog"


@dataclass(frozen=True, slots=True)
class LoadedCatalog:
    """The catalog and what was taken for granted while reading it."""

    catalog: Catalog
    warnings: tuple[Text, ...]


def nearest(name: str, choices: Iterable[str], limit: int = 3) -> list[str]:
    """The known names most like `name`, best first; empty when none is close."""
    found = process.extract(
        name, list(dict.fromkeys(choices)), scorer=fuzz.WRatio, processor=utils.default_process, limit=limit
    )
    return [choice for choice, score, _ in found if score >= 50]


def load_catalog(path: Path) -> LoadedCatalog:
    """Read and check a catalog file.

    Raises:
        InvalidCatalog: the file cannot be read, is not YAML, or breaks the format.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as cause:
        why = cause.strerror if isinstance(cause, OSError) else "not UTF-8"
        raise InvalidCatalog(
            Text(f"读不了目录文件：{why}", f"the catalog cannot be read: {why}"), where={"file": str(path)}
        ) from cause
    try:
        return read_catalog(text)
    except InvalidCatalog as error:
        error.where = {"file": str(path), **error.where}
        raise


def read_catalog(text: str) -> LoadedCatalog:
    """As `load_catalog`, from the text itself."""
    try:
        content = read_yaml(text)
    except yaml.MarkedYAMLError as cause:
        mark = cause.problem_mark
        raise InvalidCatalog(
            Text(f"不是合法的 YAML:{cause.problem}", f"not valid YAML: {cause.problem}"),
            where={"line": mark.line + 1, "column": mark.column + 1} if mark else {},
        ) from cause
    except yaml.YAMLError as cause:
        raise InvalidCatalog(Text(f"不是合法的 YAML:{cause}", f"not valid YAML: {cause}")) from cause
    if not isinstance(content, dict):
        raise InvalidCatalog(
            Text("目录应是键值结构", "a catalog must be a mapping"),
            hint=Text("以 catalog: 1 开头", "It starts with catalog: 1"),
        )
    try:
        catalog = Catalog.model_validate(content)
    except ValidationError as cause:
        raise _first_problem(cause, text) from cause
    return _complete(catalog, text)


def _first_problem(cause: ValidationError, text: str) -> InvalidCatalog:
    problem = cause.errors()[0]
    path = problem["loc"]
    where = {"line": line_of(text, path), "field": ".".join(str(p) for p in path)}
    if problem["type"] == "extra_forbidden":
        return InvalidCatalog(
            Text(f"不认识的键 {path[-1]!r}", f"unknown key {path[-1]!r}"),
            where=where,
            nearest=nearest(str(path[-1]), _known_keys(path[:-1])),
        )
    if problem["type"] == "missing":
        return InvalidCatalog(Text(f"缺少 {path[-1]!r}", f"{path[-1]!r} is missing"), where=where)
    return InvalidCatalog(
        Text(
            f"{problem['msg']}(给出的是 {problem['input']!r:.80})", f"{problem['msg']} (got {problem['input']!r:.80})"
        ),
        where=where,
    )


def _known_keys(path: Sequence[str | int]) -> list[str]:
    """The keys the format has at a place, found by walking the models along the path."""
    model: Any = Catalog
    for part in path:
        if isinstance(model, type) and hasattr(model, "model_fields"):
            fields = model.model_fields
            found = next((f for n, f in fields.items() if part in (n, f.alias)), None)
            model = found.annotation if found else None
        else:
            args = getattr(model, "__args__", ())
            model = args[-1] if args else None
    if not (isinstance(model, type) and hasattr(model, "model_fields")):
        return []
    return [f.alias or n for n, f in model.model_fields.items()]


def _check_group(event_id: str, event: EventType, kind: str, text: str) -> None:
    """A group is another object type than the event's own, and its key stands in a declared text, enum or number."""

    def where() -> dict[str, Any]:
        path = ["events", event_id, "groups", kind]
        return {"line": line_of(text, path), "field": ".".join(path)}

    if kind == event.subject:
        raise InvalidCatalog(
            Text(f"{event_id!r} 本来就发生在 {kind!r} 上", f"{event_id!r} happens to a {kind!r} anyway"),
            where=where(),
            hint=Text("这里写其他对象，例如 store", "Name another object here, such as store"),
        )
    name = event.groups[kind]
    keys = [field for field, attribute in event.fields.items() if attribute.type in ("text", "enum", "number")]
    if name not in event.fields:
        raise InvalidCatalog(
            Text(f"事件 {event_id!r} 没有字段 {name!r}", f"event {event_id!r} has no field {name!r}"),
            where=where(),
            nearest=nearest(name, keys) or keys[:3],
        )
    if name not in keys:
        held = event.fields[name].type
        raise InvalidCatalog(
            Text(f"字段 {name!r} 是 {held}，不能作编号", f"field {name!r} is {held} and cannot hold a key"),
            where=where(),
            nearest=keys[:3],
            hint=Text("用 text、enum 或 number 字段", "Use a text, enum or number field"),
        )


def _check_action(action_id: str, action: Action, actions: Collection[str], events: Collection[str], text: str) -> None:
    """The actions and events that an action names are there."""
    named: list[tuple[str, Sequence[str], Collection[str], Text]] = [
        ("opposite", [action.opposite] if action.opposite is not None else [], actions, Text("动作", "action")),
        ("excludes", action.excludes, actions, Text("动作", "action")),
        ("causes", action.causes, events, Text("事件", "event")),
    ]
    for key, names, known, what in named:
        for name in names:
            _need(what, name, known, ["actions", action_id, key], text)


def _check_identity(catalog: Catalog, text: str) -> None:
    """Records of declared types are told apart by their declared attributes."""
    for kind, rules in catalog.identity.items():
        _need(Text("对象", "object"), kind, catalog.objects, ["identity", kind], text)
        known = catalog.objects[kind].attributes
        for name in rules.properties:
            _need(Text("属性", "attribute"), name, known, ["identity", kind, "properties", name], text)


def _check_patterns(catalog: Catalog, text: str) -> None:
    """What they propose is there. Whether their paths can be read is asked where they are used."""
    for name, pattern in catalog.patterns.items():
        if pattern.action is not None:
            path = ["patterns", name, "action"]
            _need(Text("动作", "action"), pattern.action, catalog.actions, path, text)


def _need(kind: Text, name: str, known: Collection[str], path: list[str], text: str) -> None:
    if name not in known:
        raise InvalidCatalog(
            Text(f"没有{kind.zh} {name!r}", f"there is no {kind.en} {name!r}"),
            where={"line": line_of(text, path), "field": ".".join(path)},
            nearest=nearest(name, known) or [*known][:3],
        )


def _check_sources_and_loops(catalog: Catalog, text: str) -> None:
    """They name what the catalog has; what only they mention is a slip."""
    for source_id, source in catalog.sources.items():
        path = ["sources", source_id]
        for event in source.events:
            _need(Text("事件", "event"), event, catalog.events, [*path, "events"], text)
        for kind, names in source.properties.items():
            _need(Text("对象", "object"), kind, catalog.objects, [*path, "properties", kind], text)
            for name in names:
                known = catalog.objects[kind].attributes
                _need(Text("属性", "attribute"), name, known, [*path, "properties", kind], text)
    for loop_id, loop in catalog.loops.items():
        _need(Text("对象", "object"), loop.subject, catalog.objects, ["loops", loop_id, "subject"], text)
        of_subject = [name for name, event in catalog.events.items() if event.subject == loop.subject]
        for stage_id, stage in loop.stages.items():
            for event in stage.events:
                what = Text(f"发生在 {loop.subject} 上的事件", f"event of a {loop.subject}")
                _need(what, event, of_subject, ["loops", loop_id, "stages", stage_id, "events"], text)


def _complete(catalog: Catalog, text: str) -> LoadedCatalog:
    """Check references; declare the object and event types that are only mentioned, with a warning each."""
    warnings: list[Text] = []
    objects, events = dict(catalog.objects), dict(catalog.events)

    def need_object(name: str, path: list[str]) -> None:
        if name not in objects:
            line = line_of(text, path)
            if (close := nearest(name, objects, 1)) and fuzz.ratio(name, close[0]) >= 80:
                raise InvalidCatalog(
                    Text(f"没有对象 {name!r}", f"there is no object {name!r}"),
                    where={"line": line, "field": ".".join(path)},
                    nearest=close,
                )
            objects[name] = ObjectType(labels=Labels(zh=[name], en=[name]))
            warnings.append(
                Text(
                    f"第 {line} 行：对象 {name!r} 只被提到、未定义，按没有属性的对象处理",
                    f"line {line}: object {name!r} is mentioned but not defined; taken as one without attributes",
                )
            )

    for event_id, event in catalog.events.items():
        need_object(event.subject, ["events", event_id, "subject"])
        for kind in event.groups:
            need_object(kind, ["events", event_id, "groups", kind])
            _check_group(event_id, event, kind, text)
    for forecast_id, forecast in catalog.forecasts.items():
        need_object(forecast.subject, ["forecasts", forecast_id, "subject"])
    for relation_id, relation in catalog.relations.items():
        need_object(relation.source, ["relations", relation_id, "from"])
        need_object(relation.target, ["relations", relation_id, "to"])
    for metric_id, metric in catalog.metrics.items():
        need_object(metric.subject, ["metrics", metric_id, "subject"])
        for end, name in (("of", metric.ratio.of), ("per", metric.ratio.per)):
            if name in events:
                continue
            line = line_of(text, ["metrics", metric_id, "ratio", end])
            events[name] = EventType(subject=metric.subject)
            warnings.append(
                Text(
                    f"第 {line} 行：事件 {name!r} 只被指标提到、未定义，按没有字段的事件处理",
                    f"line {line}: event {name!r} is mentioned by a metric but not defined; taken as having no fields",
                )
            )
    for action_id, action in catalog.actions.items():
        _check_action(action_id, action, catalog.actions, events, text)
    _check_patterns(catalog, text)
    _check_identity(catalog, text)
    for owner, attributes in [
        *((f"objects.{n}.attributes", o.attributes) for n, o in objects.items()),
        *((f"events.{n}.fields", e.fields) for n, e in events.items()),
    ]:
        for name, attribute in attributes.items():
            if attribute.type == "enum" and not attribute.values:
                raise InvalidCatalog(
                    Text(f"枚举 {name!r} 没有取值", f"enum {name!r} has no values"),
                    where={"line": line_of(text, [*owner.split("."), name]), "field": f"{owner}.{name}"},
                    hint=Text("加上 values", "Add values"),
                )
    whole = catalog.model_copy(update={"objects": objects, "events": events})
    _check_sources_and_loops(whole, text)
    return LoadedCatalog(whole, tuple(warnings))
