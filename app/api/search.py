"""Searching tickets, transcripts, contracts and articles; only what the request's purpose may read."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, Field

from app.api.deps import allow, the_hub
from app.api.nextactions import WeightOut
from app.api.shapes import Page
from app.hub import Hub
from core.context import RequestContext
from knowledge.governance import Action
from knowledge.nextbest import by_weight
from knowledge.retrieval import Passage

_WIDER = 4
"""Times as many passages are weighed as are shown."""

router = APIRouter(prefix="/v1/search", tags=["customers"])


class PassageOut(BaseModel):
    id: str = Field(description="may be cited as evidence")
    document: str
    kind: str
    title: str
    text: str
    subject: str | None
    score: float
    weight: WeightOut | None = Field(description="of its subject, where one was asked for; it adds to the score")

    @staticmethod
    def of(passage: Passage, score: float, weight: WeightOut | None = None) -> PassageOut:
        return PassageOut(
            id=passage.id,
            document=passage.document_id,
            kind=passage.kind,
            title=passage.title,
            text=passage.text,
            subject=passage.subject,
            score=round(score, 4),
            weight=weight,
        )


@router.get("", summary="Search documents")
def search(
    ctx: Annotated[RequestContext, Depends(allow(Action.RETRIEVAL_SEARCH))],
    hub: Annotated[Hub, Depends(the_hub)],
    q: Annotated[str, Query(min_length=1, max_length=2_000, description="a question or words, zh or en")],
    k: Annotated[int, Query(ge=1, le=50)] = 5,
    kind: Annotated[list[str] | None, Query(description="ticket, transcript, faq, contract, article")] = None,
    subject: Annotated[str | None, Query(description="only about this subject")] = None,
    weight: Annotated[str | None, Query(description="a weight of the catalog that moves heavy subjects up")] = None,
) -> Page[PassageOut]:
    """Best first. Transcripts serve the purpose `service` only."""
    retriever = hub.retriever.get()
    if weight is None:
        return Page(items=[PassageOut.of(p, p.score) for p in retriever.search(ctx, q, k, kind, subject)])
    found = by_weight(hub.graph, ctx, hub.catalog, retriever.search(ctx, q, _WIDER * k, kind, subject), weight)[:k]
    return Page(
        items=[PassageOut.of(w.passage, w.score, WeightOut.of(w.weight, hub) if w.weight else None) for w in found]
    )
