"""Strategy files: YAML or JSON ↔ the checked document; each error has line, field and the nearest valid choice."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, get_args

import yaml
from pydantic import BaseModel, ValidationError

from core.errors import InvalidInput
from core.text import Text
from core.yamls import line_of, read_yaml
from knowledge.catalog import nearest
from strategy.document import All, Any_, Leaf, Not, Strategy


class InvalidStrategy(InvalidInput):
    """A strategy file that cannot be used; `where` has the file, line and field."""

    code = "invalid-strategy"


def load_strategy(path: Path | str) -> Strategy:
    """Read and check a strategy file.

    Raises:
        InvalidStrategy: the file cannot be read, is neither YAML nor JSON, or breaks the format.
    """
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as cause:
        why = cause.strerror if isinstance(cause, OSError) else "not UTF-8"
        raise InvalidStrategy(
            Text(f"读不了策略文件：{why}", f"the strategy file cannot be read: {why}"), where={"file": str(path)}
        ) from cause
    try:
        return read_strategy(text)
    except InvalidStrategy as error:
        error.where = {"file": str(path), **error.where}
        raise


def read_strategy(text: str) -> Strategy:
    """As `load_strategy`, from the text itself (JSON is YAML too)."""
    try:
        content = read_yaml(text)
    except yaml.MarkedYAMLError as cause:
        mark = cause.problem_mark
        raise InvalidStrategy(
            Text(f"不是合法的 YAML：{cause.problem}", f"not valid YAML: {cause.problem}"),
            where={"line": mark.line + 1, "column": mark.column + 1} if mark else {},
        ) from cause
    except (yaml.YAMLError, ValueError) as cause:
        raise InvalidStrategy(Text(f"不是合法的 YAML：{cause}", f"not valid YAML: {cause}")) from cause
    if not isinstance(content, dict):
        raise InvalidStrategy(
            Text("策略文件应是键值结构", "a strategy file must be a mapping"),
            hint=Text("以 strategy: 1 开头", "It starts with strategy: 1"),
        )
    try:
        return Strategy.model_validate(content)
    except ValidationError as cause:
        raise _first_problem(cause, text) from cause


def dump_strategy(strategy: Strategy) -> str:
    """The strategy as YAML that reads back equal: keeps `strategy` and each `kind`, drops what equals its default."""
    body = {
        "strategy": strategy.strategy,
        **strategy.model_dump(mode="json", exclude_defaults=True),
        **_kinds(strategy),
    }
    return yaml.safe_dump(body, allow_unicode=True, sort_keys=False, width=120)


def _kinds(strategy: Strategy) -> dict[str, Any]:
    """Trigger and audience again, now with the `kind` of every condition, which is a default but tells them apart."""
    conditions: dict[str, Any] = {"audience": strategy.audience, "trigger": strategy.trigger}
    return {name: _condition(part) for name, part in conditions.items() if part is not None}


def _condition(part: BaseModel) -> dict[str, Any]:
    body = {"kind": getattr(part, "kind", None), **part.model_dump(mode="json", exclude_defaults=True)}
    inner = getattr(part, "of", None)
    if isinstance(inner, tuple):
        body["of"] = [_condition(c) for c in inner]
    elif isinstance(part, Not):
        body["of"] = _condition(part.of)
    return body


def _kind_models() -> dict[str, type[BaseModel]]:
    models: list[type[BaseModel]] = [*get_args(Leaf), All, Any_, Not]
    return {str(m.model_fields["kind"].default): m for m in models}


def as_strategy(document: dict[str, object] | None) -> Strategy:
    """A document that came as JSON.

    Raises:
        InvalidInput: it breaks the format; `where["field"]` is the place.
    """
    try:
        return Strategy.model_validate(document)
    except ValidationError as cause:
        problem = cause.errors()[0]
        raise InvalidInput(
            Text(f"策略文档不合格式：{problem['msg']}", f"the strategy document breaks the format: {problem['msg']}"),
            where={"field": ".".join(str(part) for part in problem["loc"])},
        ) from cause


def _first_problem(cause: ValidationError, text: str) -> InvalidStrategy:
    problems = cause.errors()
    problem = next((p for p in problems if p["type"] == "extra_forbidden"), problems[0])
    kinds = _kind_models()
    path = [p for p in problem["loc"] if p not in kinds or not _is_tag(p, problem["loc"])]
    where = {"line": line_of(text, path), "field": ".".join(str(p) for p in path)}
    last = str(problem["loc"][-1]) if problem["loc"] else ""
    if problem["type"] == "union_tag_invalid":
        given = str(problem["ctx"]["tag"])
        return InvalidStrategy(
            Text(f"没有条件类型 {given!r}", f"there is no condition kind {given!r}"),
            where=where, nearest=nearest(given, kinds) or list(kinds)[:5],
        )  # fmt: skip
    if problem["type"] == "union_tag_not_found":
        return InvalidStrategy(
            Text("条件缺少 kind", "the condition has no kind"),
            where=where,
            nearest=["event", "aggregate", "attribute", "streak", "all"],
        )
    if problem["type"] == "extra_forbidden":
        return InvalidStrategy(
            Text(f"不认识的键 {last!r}", f"unknown key {last!r}"),
            where=where,
            nearest=nearest(last, _known_keys(problem["loc"][:-1])),
        )
    if problem["type"] == "missing":
        return InvalidStrategy(Text(f"缺少 {last!r}", f"{last!r} is missing"), where=where)
    return InvalidStrategy(
        Text(
            f"{problem['msg']}（给出的是 {problem['input']!r:.80}）", f"{problem['msg']} (got {problem['input']!r:.80})"
        ),
        where=where,
    )


def _is_tag(part: str | int, path: Sequence[str | int]) -> bool:
    """The tag of a union stands right after the key that holds the condition, or after an index."""
    at = list(path).index(part)
    return at > 0 and (path[at - 1] in ("trigger", "audience", "of") or isinstance(path[at - 1], int))


def _known_keys(path: Sequence[str | int]) -> list[str]:
    """The keys the format has at a place, found by walking the models along the path."""
    kinds = _kind_models()
    model: Any = Strategy
    for part in path:
        if str(part) in kinds and str(part) not in getattr(model, "model_fields", {}):
            model = kinds[str(part)]
        elif isinstance(model, type) and issubclass(model, BaseModel):
            field = model.model_fields.get(str(part))
            model = _model_in(field.annotation) if field else None
    if not (isinstance(model, type) and issubclass(model, BaseModel)):
        return []
    fields: dict[str, Any] = model.model_fields
    return list(fields)


def _model_in(annotation: Any) -> Any:
    """The model inside `X | None` or `tuple[X, ...]`; None for unions of several."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    inner = [m for a in get_args(annotation) if (m := _model_in(a)) is not None]
    return inner[0] if len(inner) == 1 else None
