"""Searching tickets, transcripts, contracts and articles; only what the request's purpose may read."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, Field

from app.api.deps import allow, the_hub
from app.api.shapes import Page
from app.hub import Hub
from core.context import RequestContext
from knowledge.governance import Action

router = APIRouter(prefix="/v1/search", tags=["customers"])


class PassageOut(BaseModel):
    id: str = Field(description="may be cited as evidence")
    document: str
    kind: str
    title: str
    text: str
    subject: str | None
    score: float


@router.get("", summary="Search documents")
def search(
    ctx: Annotated[RequestContext, Depends(allow(Action.RETRIEVAL_SEARCH))],
    hub: Annotated[Hub, Depends(the_hub)],
    q: Annotated[str, Query(min_length=1, max_length=2_000, description="a question or words, zh or en")],
    k: Annotated[int, Query(ge=1, le=50)] = 5,
    kind: Annotated[list[str] | None, Query(description="ticket, transcript, faq, contract, article")] = None,
    subject: Annotated[str | None, Query(description="only about this subject")] = None,
) -> Page[PassageOut]:
    """Best first. Transcripts serve the purpose `service` only."""
    found = hub.retriever.get().search(ctx, q, k, kind, subject)
    return Page(
        items=[
            PassageOut(
                id=p.id,
                document=p.document_id,
                kind=p.kind,
                title=p.title,
                text=p.text,
                subject=p.subject,
                score=round(p.score, 4),
            )
            for p in found
        ]
    )
