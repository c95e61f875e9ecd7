"""What customers allow: statements with their history; the newest counts."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, ConfigDict, Field

from app.api.deps import allow, the_hub
from app.api.shapes import Page
from app.hub import Hub
from core.context import Purpose, RequestContext
from core.times import format_time, parse_time
from knowledge.governance import Action, Consent, consent_history, record_consent

router = APIRouter(prefix="/v1/consents", tags=["customers"])
TheHub = Annotated[Hub, Depends(the_hub)]
Subject = Annotated[str, Query(pattern=r"^customer/\S+$", examples=["customer/c0001"])]


class ConsentIn(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"subject": "customer/c0001", "purpose": "marketing", "given": False}]},
    )

    subject: str = Field(pattern=r"^customer/\S+$")
    purpose: Purpose
    given: bool = Field(description="true: gives consent; false: withdraws it")
    channel: str | None = Field(default=None, max_length=50, description="on this channel only; null: in general")
    at: str | None = Field(default=None, description="when it was stated (RFC 3339); null: now")
    source: str = Field(default="api", max_length=100, description="where it was stated")


class ConsentOut(BaseModel):
    subject: str
    purpose: str
    given: bool
    channel: str | None
    at: str
    source: str

    @staticmethod
    def of(row: Consent) -> ConsentOut:
        return ConsentOut(
            subject=row.subject,
            purpose=row.purpose,
            given=row.given,
            channel=row.channel,
            at=format_time(row.at),
            source=row.source,
        )


@router.post("", status_code=201, summary="Record a consent or its withdrawal")
def record(
    body: ConsentIn, ctx: Annotated[RequestContext, Depends(allow(Action.CONSENT_WRITE))], hub: TheHub
) -> Page[ConsentOut]:
    """It counts from the next decision on, and for messages that wait to go out. The answer is the whole history."""
    at = parse_time(body.at, "at") if body.at else None
    with hub.database.transaction() as session:
        record_consent(
            session,
            ctx,
            hub.clock,
            body.subject,
            body.purpose,
            body.given,
            channel=body.channel,
            at=at,
            source=body.source,
        )
        rows = consent_history(session, ctx, body.subject)
    return Page(items=[ConsentOut.of(row) for row in rows])


@router.get("", summary="A customer's statements, oldest first")
def history(
    subject: Subject, ctx: Annotated[RequestContext, Depends(allow(Action.CONSENT_READ))], hub: TheHub
) -> Page[ConsentOut]:
    with hub.database.reading() as session:
        return Page(items=[ConsentOut.of(row) for row in consent_history(session, ctx, subject)])
