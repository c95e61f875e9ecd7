"""What endpoints ask for: the hub, and the context of the one who calls, checked against policy."""

from __future__ import annotations

import hmac
from collections.abc import Callable
from dataclasses import replace
from typing import Annotated

import structlog
from fastapi import Depends, Header, Request
from fastapi.security import APIKeyHeader, HTTPAuthorizationCredentials, HTTPBearer

from app.api.problems import lang_of
from app.hub import Hub
from core.context import Purpose, RequestContext, Role
from core.errors import InvalidInput, Unauthorized
from core.ids import TenantId
from core.text import Text
from knowledge.governance import Action, default_purpose

bearer_key = HTTPBearer(auto_error=False, description="API key `zs_…`", scheme_name="bearer")
header_key = APIKeyHeader(name="X-API-Key", auto_error=False, description="API key `zs_…`", scheme_name="header")


def the_hub(request: Request) -> Hub:
    hub: Hub = request.app.state.hub
    return hub


def caller(
    request: Request,
    hub: Annotated[Hub, Depends(the_hub)],
    bearer: Annotated[HTTPAuthorizationCredentials | None, Depends(bearer_key)],
    header: Annotated[str | None, Depends(header_key)],
) -> RequestContext:
    """Who calls, by API key, for the usual purpose of its role."""
    key = bearer.credentials if bearer else header
    if not key:
        raise Unauthorized(
            Text("缺少 API 密钥", "the API key is missing"),
            hint=Text("请带上请求头 Authorization: Bearer zs_…", "Send the header Authorization: Bearer zs_…"),
        )
    lang, request_id = lang_of(request), request.state.request_id
    if hmac.compare_digest(key.encode(), hub.owner_token.encode()):
        return replace(hub.context(), lang=lang, request_id=request_id)
    row = hub.keys.authenticate(key)
    return RequestContext(
        TenantId(row.tenant),
        f"key/{row.id}",
        Role(row.role),
        default_purpose(Role(row.role)),
        lang,
        request_id,
    )


def allow(action: Action) -> Callable[..., RequestContext]:
    """A dependency: the caller's context, when policy lets this role do `action` for the purpose that `X-Purpose` names
    (without it, the role's usual one)."""

    def check(
        request: Request,
        hub: Annotated[Hub, Depends(the_hub)],
        who: Annotated[RequestContext, Depends(caller)],
        x_purpose: Annotated[
            str | None, Header(description="why the data is touched; default: what the key's role is usually for")
        ] = None,
    ) -> RequestContext:
        ctx = who.for_purpose(_purpose(x_purpose)) if x_purpose else who
        structlog.contextvars.bind_contextvars(actor=ctx.actor, role=ctx.role.value)
        hub.policy.check(ctx, action, request.url.path)
        return ctx

    return check


def _purpose(text: str) -> Purpose:
    try:
        return Purpose(text.strip().lower())
    except ValueError:
        raise InvalidInput(
            Text(f"没有用途 {text!r}", f"there is no purpose {text!r}"),
            where={"field": "X-Purpose"},
            nearest=[p.value for p in Purpose],
        ) from None
