"""API keys and who one is."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict, Field

from app.api.deps import allow, caller, the_hub
from app.api.shapes import Done, Page
from app.auth.tables import ApiKey
from app.hub import Hub
from core.context import Purpose, RequestContext, Role
from core.times import DAY, format_time
from knowledge.governance import Action

router = APIRouter(prefix="/v1", tags=["keys"])
MayManage = Annotated[RequestContext, Depends(allow(Action.KEYS_MANAGE))]


class KeyIn(BaseModel):
    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"name": "crm", "role": "service_agent", "days": 90}]}
    )

    name: str = Field(min_length=1, max_length=100, description="whom or what it is for")
    role: Role
    days: int | None = Field(default=None, ge=1, le=3650, description="expires after so many days; null: never")


class KeyOut(BaseModel):
    id: str
    name: str
    role: Role
    state: Literal["active", "expired", "revoked"]
    created_at: str
    created_by: str
    expires_at: str | None

    @classmethod
    def of(cls, row: ApiKey, now: int) -> KeyOut:
        expired = row.expires_at is not None and row.expires_at <= now
        return cls(
            id=row.id,
            name=row.name,
            role=Role(row.role),
            state="revoked" if row.revoked_at is not None else "expired" if expired else "active",
            created_at=format_time(row.created_at),
            created_by=row.created_by,
            expires_at=format_time(row.expires_at) if row.expires_at is not None else None,
        )


class NewKeyOut(KeyOut):
    key: str = Field(description="the whole key, shown this once")


class MeOut(BaseModel):
    tenant: str
    actor: str
    role: Role
    purpose: Purpose


@router.get("/me", summary="Who am I?")
def me(ctx: Annotated[RequestContext, Depends(caller)]) -> MeOut:
    """The key's tenant, actor, role and usual purpose."""
    return MeOut(tenant=ctx.tenant, actor=ctx.actor, role=ctx.role, purpose=ctx.purpose)


@router.post("/keys", status_code=201, summary="Create a key")
def create(body: KeyIn, ctx: MayManage, hub: Annotated[Hub, Depends(the_hub)]) -> NewKeyOut:
    now = hub.clock.now()
    issued = hub.keys.create(ctx, body.name, body.role, now + body.days * DAY if body.days else None)
    return NewKeyOut(**KeyOut.of(issued.row, now).model_dump(), key=issued.text)


@router.get("/keys", summary="List keys")
def list_keys(ctx: MayManage, hub: Annotated[Hub, Depends(the_hub)]) -> Page[KeyOut]:
    now = hub.clock.now()
    return Page(items=[KeyOut.of(row, now) for row in hub.keys.list(ctx)])


@router.delete("/keys/{key_id}", summary="Revoke a key")
def revoke(key_id: str, ctx: MayManage, hub: Annotated[Hub, Depends(the_hub)]) -> Done:
    """At once: the next request with this key is refused."""
    hub.keys.revoke(ctx, key_id)
    return Done()
