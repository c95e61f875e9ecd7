"""What endpoints ask for: the hub, and the context of the one who calls, checked against policy."""

from __future__ import annotations

from collections.abc import Callable
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

_bearer = HTTPBearer(auto_error=False, description="API key `zs_…`", scheme_name="bearer")
_header = APIKeyHeader(name="X-API-Key", auto_error=False, description="API key `zs_…`", scheme_name="header")


def the_hub(request: Request) -> Hub:
    hub: Hub = request.app.state.hub
    return hub


def _caller(
    request: Request,
    hub: Annotated[Hub, Depends(the_hub)],
    bearer: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)],
    header: Annotated[str | None, Depends(_header)],
) -> RequestContext:
    """Who calls, by API key; the purpose is the endpoint's until `allow` settles it."""
    key = bearer.credentials if bearer else header
    if not key:
        raise Unauthorized(
            Text("缺少 API 密钥", "the API key is missing"),
            hint=Text("请带上请求头 Authorization: Bearer zs_…", "Send the header Authorization: Bearer zs_…"),
        )
    row = hub.keys.authenticate(key)
    return RequestContext(
        TenantId(row.tenant),
        f"key/{row.id}",
        Role(row.role),
        Purpose.OPERATIONS,
        lang_of(request),
        request.state.request_id,
    )


def allow(action: str, resource: str, purpose: Purpose) -> Callable[..., RequestContext]:
    """A dependency: the caller's context, when policy lets this role do `action` on `resource` for the purpose that
    `X-Purpose` names (or, without it, `purpose`)."""

    def check(
        hub: Annotated[Hub, Depends(the_hub)],
        caller: Annotated[RequestContext, Depends(_caller)],
        x_purpose: Annotated[
            str | None, Header(description=f"why the data is touched; default here: `{purpose.value}`")
        ] = None,
    ) -> RequestContext:
        ctx = caller.for_purpose(_purpose(x_purpose) if x_purpose else purpose)
        structlog.contextvars.bind_contextvars(actor=ctx.actor, role=ctx.role.value)
        hub.policy.check(ctx, action, resource)
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
