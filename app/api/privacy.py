"""A customer's rights: a copy, erasure with a dry run, certificates, and checklists that check themselves."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path
from pydantic import BaseModel, ConfigDict, Field

from app.api.deps import allow, the_hub
from app.api.shapes import Page
from app.checklist import LAWS, run_checklist
from app.hub import Hub
from core.context import RequestContext
from core.errors import NotFound
from core.text import Text
from knowledge.catalog import nearest
from knowledge.governance import Action

router = APIRouter(prefix="/v1/privacy", tags=["privacy"])
TheHub = Annotated[Hub, Depends(the_hub)]
MayRead = Annotated[RequestContext, Depends(allow(Action.PRIVACY_READ))]


class WhomIn(BaseModel):
    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"subject": "customer/c0001"}]})

    subject: str = Field(pattern=r"^[A-Za-z][\w.-]*/\S+$", description="any record of theirs")


class EraseIn(WhomIn):
    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"subject": "customer/c0001", "dry_run": True}]}
    )

    dry_run: bool = Field(default=True, description="only count what would go, where, and what would stay")


class TracesOut(BaseModel):
    store: str
    erased: int
    kept: int = Field(description="records that stay under an alias; `why` says why")
    redacted: int = Field(description="records of others in which they were named")
    why: str | None


class ErasedOut(BaseModel):
    subjects: list[str]
    dry_run: bool
    stores: list[TracesOut]
    certificate: dict[str, Any] | None = Field(description="says what was done, not whose it was; null for a dry run")


class RetentionIn(BaseModel):
    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"dry_run": True}]})

    dry_run: bool = Field(default=True, description="only count what would go")


class ClassOut(BaseModel):
    kind: str = Field(description="event, fact (values that another replaced) or set_aside")
    name: str
    label: str
    keep: str
    before: str | None = Field(description="what is older goes; null: all of it is still looked at")
    journal: int
    graph: int
    held_by: list[str] = Field(description="strategies, patterns and weights that look further back than `keep`")


class RetentionOut(BaseModel):
    dry_run: bool
    classes: list[ClassOut]


class LineOut(BaseModel):
    id: str
    article: str
    says: str
    passed: bool | None = Field(description="null: there is nothing yet that it could be tried on")
    found: str


class ChecklistOut(BaseModel):
    law: str
    title: str
    passed: bool
    lines: list[LineOut]


@router.post("/export", summary="Everything that is kept of a customer")
def export(
    body: WhomIn, ctx: Annotated[RequestContext, Depends(allow(Action.PRIVACY_EXPORT))], hub: TheHub
) -> dict[str, Any]:
    """By store. It is written to the audit log."""
    return hub.privacy.export(ctx, body.subject)


@router.post("/erase", summary="Erase a customer, or see what would go")
def erase(
    body: EraseIn, ctx: Annotated[RequestContext, Depends(allow(Action.PRIVACY_ERASE))], hub: TheHub
) -> ErasedOut:
    """From every store, with all their records. The databases are written anew, so that nothing is left in their files:
    on a large hub this takes a while, and writers wait."""
    return ErasedOut.model_validate(hub.privacy.erase(ctx, body.subject, dry_run=body.dry_run).as_dict(ctx.lang))


@router.post("/retention", summary="Let go of what is kept no longer, or see what would go")
def retention(
    body: RetentionIn, ctx: Annotated[RequestContext, Depends(allow(Action.PRIVACY_ERASE))], hub: TheHub
) -> RetentionOut:
    """By the periods of the catalog (`keep`). The hub does it by itself as well, as often as `ZHONGSHU_RETENTION_EVERY`
    says. What running strategies still look at stays."""
    found = hub.retention.run(ctx, dry_run=body.dry_run)
    return RetentionOut(dry_run=body.dry_run, classes=[ClassOut(**each.as_dict(ctx.lang)) for each in found])


@router.get("/certificates", summary="Certificates of erasures, newest first")
def certificates(ctx: MayRead, hub: TheHub) -> Page[dict[str, Any]]:
    """As the audit log sealed them."""
    return Page(items=hub.privacy.certificates(ctx))


@router.get("/checklists/{law}", summary="Run a checklist")
def checklist(law: Annotated[str, Path(examples=["gdpr"])], ctx: MayRead, hub: TheHub) -> ChecklistOut:
    """`gdpr` or `pipl`: each line runs its check against this hub."""
    if law not in LAWS:
        raise NotFound(
            Text(f"没有清单 {law!r}", f"there is no checklist {law!r}"), nearest=nearest(law, LAWS) or list(LAWS)
        )
    return ChecklistOut.model_validate(run_checklist(hub, ctx, law))
