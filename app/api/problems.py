"""Every error as RFC 9457 problem+json, in Chinese or English by `Accept-Language`."""

from __future__ import annotations

import re
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException

from app.validation import first_problem, place, say
from core.errors import (
    InvalidInput,
    NeedsAnswer,
    NotFound,
    TooLarge,
    Unauthorized,
    ZhongshuError,
)
from core.text import Lang, Text, negotiate_lang

MEDIA_TYPE = "application/problem+json"
_log = structlog.get_logger("http")

TITLES = {
    "invalid-input": Text("输入不可用", "Invalid input"),
    "unknown-name": Text("没有这个名字", "Unknown name"),
    "too-large": Text("太大", "Too large"),
    "needs-answer": Text("有一个问题要先回答", "A question to answer first"),
    "refused": Text("不予执行", "Refused"),
    "not-found": Text("没有找到", "Not found"),
    "conflict": Text("状态不允许", "Conflict"),
    "unauthorized": Text("没有有效的密钥", "No valid key"),
    "forbidden": Text("没有权限", "Not allowed"),
    "unavailable": Text("暂时不可用", "Unavailable for now"),
    "method-not-allowed": Text("不支持这个方法", "Method not allowed"),
    "unsupported-media-type": Text("不支持这种内容类型", "Unsupported content type"),
    "error": Text("内部错误", "Internal error"),
}


class MethodNotAllowed(ZhongshuError):
    code, status = "method-not-allowed", 405


class UnsupportedMediaType(InvalidInput):
    code, status = "unsupported-media-type", 415


def lang_of(request: Request) -> Lang:
    """The language to answer in: `Accept-Language`, else the hub's."""
    hub = getattr(request.app.state, "hub", None)
    return negotiate_lang(request.headers.get("accept-language"), hub.settings.lang if hub else "en")


def problem(error: ZhongshuError, lang: Lang, path: str, request_id: str) -> dict[str, Any]:
    """The problem document: the RFC's members, then ours (code, where, nearest, hint, choices, request_id)."""
    title = TITLES.get(error.code) or next(TITLES[c.code] for c in type(error).__mro__ if c.code in TITLES)  # type: ignore[attr-defined]  # every class up to ZhongshuError has a code
    body: dict[str, Any] = {
        "type": f"urn:zhongshu:problem:{error.code}",
        "title": title.say(lang),
        "status": error.status,
        "detail": error.say(lang),
        "instance": path,
        "code": error.code,
        "request_id": request_id,
    }
    if error.where:
        body["where"] = error.where
    if error.nearest:
        body["nearest"] = error.nearest
    if error.hint:
        body["hint"] = error.hint.say(lang)
    if isinstance(error, NeedsAnswer):
        body["choices"] = [choice.say(lang) for choice in error.choices]
    return body


def respond(request: Request, error: ZhongshuError, headers: dict[str, str] | None = None) -> Response:
    lang = lang_of(request)
    request_id = getattr(request.state, "request_id", "")
    headers = {"Content-Language": lang, **(headers or {})}
    if isinstance(error, Unauthorized):
        headers["WWW-Authenticate"] = "Bearer"
    return JSONResponse(problem(error, lang, request.url.path, request_id), error.status, headers, MEDIA_TYPE)


def install(app: FastAPI) -> None:
    """Let every error of the application end as a problem document."""
    app.add_exception_handler(ZhongshuError, _ours)
    app.add_exception_handler(RequestValidationError, _validation)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(Exception, _unexpected)


def _ours(request: Request, error: Exception) -> Response:
    assert isinstance(error, ZhongshuError)
    return respond(request, error)


def _validation(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    problems = error.errors()
    lang, first = lang_of(request), first_problem(problems)
    response = problem(first, lang, request.url.path, getattr(request.state, "request_id", ""))
    response["errors"] = [{"field": place(p["loc"]), "message": say(p).say(lang)} for p in problems[:20]]
    return JSONResponse(response, first.status, {"Content-Language": lang}, MEDIA_TYPE)


def _http(request: Request, error: Exception) -> Response:
    """What the framework raises by itself: no such path, wrong method, a body that is too large."""
    assert isinstance(error, HTTPException)
    method, path, headers = request.method, request.url.path, dict(error.headers or {})
    found: ZhongshuError
    if isinstance(error.__cause__, ZhongshuError):
        found = error.__cause__  # raised while the framework read the body
    elif error.status_code == 404:
        found = NotFound(
            Text(f"没有路径 {path}", f"there is no path {path}"),
            hint=Text("接口一览见 /docs", "See /docs for what there is"),
        )
    elif error.status_code == 405:
        allowed = _methods(request.app, path)
        headers["Allow"] = ", ".join(allowed)
        found = MethodNotAllowed(
            Text(f"{path} 不支持 {method}", f"{path} does not take {method}"),
            nearest=allowed,
        )
    elif error.status_code == 413:
        found = TooLarge(Text("请求体太大", "the body is too large"))
    else:
        found = InvalidInput(Text(f"请求不可用（{error.detail}）", f"the request cannot be used ({error.detail})"))
    return respond(request, found, headers)


def _methods(app: FastAPI, path: str) -> list[str]:
    """Every method that the path takes; the framework names those of the first route only."""
    described = app.openapi()["paths"]
    found = {
        verb.upper()
        for template, verbs in described.items()
        if re.fullmatch(re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(template)), path)
        for verb in verbs
    }
    return sorted(found) or ["GET"]


def _unexpected(request: Request, error: Exception) -> Response:
    _log.error("request.failed", path=request.url.path, exc_info=error)
    text = Text("内部出错，已记入日志；请凭 request_id 查找", "something broke inside; the log has it under request_id")
    return respond(request, ZhongshuError(text))
