"""What pydantic says about a bad value, in Chinese and English: used for settings and for request bodies alike."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from core.errors import InvalidInput
from core.text import Text

_SAID = {
    "missing": Text("缺少", "is missing"),
    "extra_forbidden": Text("不认识这个字段", "is not a known field"),
    "int_parsing": Text("应为整数", "must be a whole number"),
    "int_type": Text("应为整数", "must be a whole number"),
    "float_parsing": Text("应为数字", "must be a number"),
    "bool_parsing": Text("应为 true 或 false", "must be true or false"),
    "bool_type": Text("应为 true 或 false", "must be true or false"),
    "string_type": Text("应为文本", "must be text"),
    "list_type": Text("应为列表", "must be a list"),
    "dict_type": Text("应为 JSON 对象", "must be a JSON object"),
    "model_type": Text("应为 JSON 对象", "must be a JSON object"),
    "model_attributes_type": Text("应为 JSON 对象", "must be a JSON object"),
    "json_invalid": Text("不是合法的 JSON", "is not valid JSON"),
    "url_parsing": Text("不是合法的网址", "is not a valid URL"),
    "url_scheme": Text("网址应以 http:// 或 https:// 开头", "must be an http:// or https:// URL"),
}
_BOUNDS = {
    "greater_than": ("ge", Text("应大于 {gt}", "must be greater than {gt}")),
    "greater_than_equal": ("ge", Text("不应小于 {ge}", "must be at least {ge}")),
    "less_than": ("lt", Text("应小于 {lt}", "must be less than {lt}")),
    "less_than_equal": ("le", Text("不应大于 {le}", "must be at most {le}")),
    "string_too_short": ("min_length", Text("至少 {min_length} 个字符", "needs at least {min_length} character(s)")),
    "string_too_long": ("max_length", Text("最多 {max_length} 个字符", "may have at most {max_length} characters")),
    "string_pattern_mismatch": ("pattern", Text("应符合 {pattern}", "must match {pattern}")),
    "literal_error": ("expected", Text("应为 {expected} 之一", "must be one of {expected}")),
    "enum": ("expected", Text("应为 {expected} 之一", "must be one of {expected}")),
}


def say(problem: Mapping[str, Any]) -> Text:
    """One pydantic error → one sentence. What has no Chinese of ours is quoted in pydantic's words in both."""
    kind = problem["type"]
    if kind in _SAID:
        return _SAID[kind]
    if kind in _BOUNDS:
        template = _BOUNDS[kind][1]
        values = {k: v for k, v in problem.get("ctx", {}).items() if isinstance(v, str | int | float)}
        return Text(template.zh.format(**values), template.en.format(**values))
    message = str(problem["msg"]).removeprefix("Value error, ")
    return Text(f"不可用（{message}）", f"cannot be used ({message})")


def place(path: Sequence[object]) -> str:
    """`("body", "items", 3, "name")` → `items.3.name`; where it came from (body, query, …) is dropped."""
    parts = [str(p) for p in path]
    if parts[:1] in (["body"], ["query"], ["path"], ["header"], ["cookie"]) and len(parts) > 1:
        parts = parts[1:]
    return ".".join(parts)


def first_problem(problems: Sequence[Mapping[str, Any]]) -> InvalidInput:
    """The error for the first of pydantic's problems, naming the field; a JSON syntax error names its offset."""
    problem = problems[0]
    said = say(problem)
    if problem["type"] == "json_invalid":
        offset = problem["loc"][-1]
        return InvalidInput(
            Text(f"请求体{said.zh}", f"the body {said.en}"),
            where={"offset": offset} if isinstance(offset, int) else {},
        )
    field = place(problem["loc"])
    more = len(problems) - 1
    return InvalidInput(
        Text(
            f"{field} {said.zh}" + (f"（另有 {more} 处）" if more else ""),
            f"{field} {said.en}" + (f" (and {more} more)" if more else ""),
        ),
        where={"field": field},
    )
