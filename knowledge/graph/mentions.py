"""Customers named in the records of others: values, events, and reasons of withdrawals and merges in the embedded graph
forget them. What is about a customer goes through `GraphStore.erase`."""

from __future__ import annotations

import json

from sqlalchemy import delete, func, insert
from sqlmodel import Session, col, select

from core.context import RequestContext
from core.db import Database
from knowledge.governance.erasure import Person, Traces
from knowledge.governance.forgetful import ForgetfulTables, Rows
from knowledge.graph.log import look_up_key
from knowledge.graph.tables import FactRow, GraphEventRow, LookupRow, MergeRow, RetractionRow


class MentionTraces(ForgetfulTables):
    """A value that named the person is looked up by what is left of it."""

    def __init__(self, database: Database) -> None:
        tables = (
            Rows(GraphEventRow, text=("data",)),
            Rows(FactRow, text=("value",)),
            Rows(RetractionRow, text=("reason",)),
            Rows(MergeRow, text=("reason", "evidence", "undone_why")),
        )
        super().__init__("graph, of others", database, tables)

    def erase_in(self, session: Session, ctx: RequestContext, person: Person, dry_run: bool) -> Traces:
        traces = super().erase_in(session, ctx, person, dry_run)
        if traces.redacted and not dry_run:
            changed = select(FactRow.seq, FactRow.value).where(
                FactRow.tenant == ctx.tenant, func.instr(FactRow.value, person.alias) > 0
            )
            keys = {seq: look_up_key(json.loads(value)) for seq, value in session.exec(changed)}
            for seq, key in keys.items():
                session.execute(delete(LookupRow).where(col(LookupRow.tenant) == ctx.tenant, col(LookupRow.seq) == seq))
                if key:
                    session.execute(insert(LookupRow).values(tenant=ctx.tenant, key=key, seq=seq))
        return traces
