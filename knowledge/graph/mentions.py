"""Customers named in the records of others: values, events, and reasons of withdrawals and merges in the graph forget
them. What is about a customer goes through `GraphStore.erase`."""

from __future__ import annotations

from typing import Any

from core.context import RequestContext
from knowledge.governance.erasure import Found, Person, Traces, redact
from knowledge.graph.port import GraphStore


class MentionTraces:
    """`Erasable`; a value that named the person is looked up by what is left of it."""

    name = "graph, of others"
    holds = frozenset(
        {
            *("graph_fact.value", "graph_event.data", "graph_retraction.reason"),
            *("graph_merge.reason", "graph_merge.evidence", "graph_merge.undone_why"),
        }
    )

    def __init__(self, store: GraphStore) -> None:
        self._store = store

    def trace(self, ctx: RequestContext, person: Person) -> Found:
        return Found()

    def erase(self, ctx: RequestContext, person: Person, dry_run: bool) -> Traces:
        pattern = person.pattern()

        def without(value: Any) -> Any:
            return redact(value, pattern, person.alias)

        return Traces(
            self.name, redacted=self._store.redact(ctx, person.named, without, but=person.subjects, dry_run=dry_run)
        )

    def export(self, ctx: RequestContext, person: Person) -> list[dict[str, Any]]:
        return []
