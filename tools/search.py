"""Searching what was written: the scoped customer's own tickets and calls, and what is for everyone (articles,
policies) or about the customer's contracts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import Field

from tools.base import AnyTool, Args, Scope, ToolResult, tool
from tools.customer import contracts

if TYPE_CHECKING:
    from knowledge.retrieval import Passage

OWN_KINDS = ("ticket", "transcript")
SHARED_KINDS = ("faq", "article")
CONTRACT_KINDS = ("contract",)
_SHOWN = 1_200
"""Characters of a passage that are shown; the whole stands under its id."""


class Search(Args):
    query: str = Field(min_length=1, max_length=2_000)
    k: int = Field(default=4, ge=1, le=10)


def _own(scope: Scope, args: Search) -> ToolResult:
    found = scope.deps.retriever.search(scope.ctx, args.query, args.k + 1, kinds=OWN_KINDS, subject=scope.customer)
    return _result(scope, [p for p in found if p.document_id != scope.message_id][: args.k])


def _knowledge(scope: Scope, args: Search) -> ToolResult:
    retriever, ctx = scope.deps.retriever, scope.ctx
    found = list(retriever.search(ctx, args.query, args.k, kinds=SHARED_KINDS))
    if scope.subject is not None:
        for subject in _contract_subjects(scope):
            found += retriever.search(ctx, args.query, 2, kinds=CONTRACT_KINDS, subject=subject)
    return _result(scope, found)


def _contract_subjects(scope: Scope) -> list[str]:
    return [c["subject"] for c in contracts(scope)["contracts"]]


def _result(scope: Scope, found: list[Passage]) -> ToolResult:
    """`best` is the first in the reader's language, if there is one: what may be quoted to them."""
    rows = [_row(p) for p in found]
    best = next((r for r in rows if r["lang"] == scope.ctx.lang), rows[0] if rows else None)
    by_kind: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        by_kind.setdefault(str(row["kind"]), []).append(row)
    data = {"passages": rows, "count": len(rows), "best": best, "by_kind": by_kind}
    return ToolResult(data, tuple(p.id for p in found))


def _row(passage: Passage) -> dict[str, Any]:
    return {
        "kind": passage.kind,
        "title": passage.title,
        "text": passage.text[:_SHOWN],
        "lang": passage.lang,
        "similarity": round(passage.similarity, 3),
        "score": round(passage.score, 2),
        "evidence": passage.id,
    }


TOOLS: tuple[AnyTool, ...] = (
    tool("search_tickets_and_transcripts", "read", Search, _own),
    tool("search_knowledge", "read", Search, _knowledge),
)
