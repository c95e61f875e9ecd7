"""Request bodies that are streams of inputs: one JSON object, an array, NDJSON, an Arrow stream, or a CloudEvent in
binary mode."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import unquote

import orjson
from fastapi import Request
from fastapi.concurrency import run_in_threadpool

from app.api.problems import UnsupportedMediaType
from core.errors import InvalidInput, TooLarge
from core.text import Text
from strategy.stream import number_lines, read_json

if TYPE_CHECKING:
    import polars as pl

MOST = 100_000
"""Inputs of one request: a body of the largest size may hold millions of lines, each of which may need an answer."""
NDJSON = ("application/x-ndjson", "application/ndjson", "application/jsonl", "application/x-jsonlines")
ARROW = "application/vnd.apache.arrow.stream"
JSON = ("application/json", "application/cloudevents+json", "application/cloudevents-batch+json")


class Batch(NamedTuple):
    """Inputs as they came: lines of JSON text or objects, or the rows of a frame. `numbers` are the lines of a body
    that has lines; `single`: one input was sent, so that a fault in it is a fault of the request."""

    items: list[Any]
    numbers: list[int] | None = None
    single: bool = False
    frame: pl.DataFrame | None = None


async def read_batch(request: Request) -> Batch:
    """The body by its content type.

    Raises:
        UnsupportedMediaType: none of the forms.
        TooLarge: more than `MOST` inputs.
        InvalidInput: empty, not JSON as a whole (`where` has the column), or not an Arrow stream.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    body = await request.body()
    if kind not in JSON[1:] and "ce-type" in request.headers:
        return Batch([_binary_mode(request, kind, body)], single=True)
    if kind not in (*JSON, *NDJSON, ARROW):
        raise UnsupportedMediaType(
            Text(f"不接受内容类型 {kind or '(无)'}", f"content type {kind or '(none)'} is not accepted"),
            where={"field": "Content-Type"},
            nearest=[JSON[1], JSON[2], NDJSON[0], ARROW],
        )
    if not body.strip():
        raise InvalidInput(Text("请求体是空的", "the body is empty"))
    if kind == ARROW:
        from strategy.arrow_stream import read_stream  # polars takes its time to import

        return Batch([], frame=await run_in_threadpool(read_stream, body, MOST))
    if kind in NDJSON:
        numbered = list(islice(number_lines(BytesIO(body)), MOST + 1))
        _check_count(numbered)
        return Batch([line for _, line in numbered], [number for number, _ in numbered])
    value = _whole(body)
    if not isinstance(value, list):
        return Batch([value], single=True)
    _check_count(value)
    return Batch(value)


def _check_count(items: Sequence[object]) -> None:
    if len(items) > MOST:
        raise TooLarge(
            Text(f"一次请求最多 {MOST} 条", f"at most {MOST} inputs a request"),
            hint=Text("请拆成几次发送", "Send it in several parts"),
        )


def _whole(body: bytes) -> object:
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as cause:
        raise InvalidInput(
            Text(f"请求体不是合法的 JSON({cause.msg})", f"the body is not valid JSON ({cause.msg})"),
            where={"line": cause.lineno, "column": cause.colno},
            hint=Text("每行一个对象请用 application/x-ndjson", "For one object a line use application/x-ndjson"),
        ) from cause


def _binary_mode(request: Request, kind: str, body: bytes) -> dict[str, Any]:
    """CloudEvents' HTTP binding: attributes in `ce-` headers, percent-encoded; the body is the data."""
    event: dict[str, Any] = {
        name.removeprefix("ce-"): unquote(value) for name, value in request.headers.items() if name.startswith("ce-")
    }
    if kind and kind != "application/json" and not kind.endswith("+json"):
        raise UnsupportedMediaType(
            Text(f"data 不接受 {kind}", f"data of type {kind} is not accepted"), nearest=["application/json"]
        )
    if body.strip():
        event["data"] = read_json(body)
    return event
