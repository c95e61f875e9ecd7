"""What governance itself keeps of a person: consents, which stay as proof under an alias, and the audit log, whose rows
lose what they say and keep their seals."""

from __future__ import annotations

import json
from typing import Any

from sqlmodel import Session, col, select

from core import audit
from core.audit import AuditRow
from core.context import RequestContext
from core.db import Database
from core.text import Text
from core.times import format_time
from knowledge.governance.erasure import Found, Person, Traces
from knowledge.governance.forgetful import ForgetfulTables, Rows
from knowledge.governance.tables import Consent

_PROOF = Text("授权记录留作凭证，已去标识", "consents stay, under an alias, as proof of what was allowed")
_SEALED = Text("审计行去掉内容、保留封印", "audit rows lose their content and keep their seals")


def consent_traces(database: Database) -> ForgetfulTables:
    return ForgetfulTables(
        "consents",
        database,
        (Rows(Consent, owner=("subject",), text=("source",), why=_PROOF, cleared={"source": ""}),),
    )


class AuditTraces:
    """The audit log. `redact` is called in the transaction that also writes the row which announces it."""

    name = "audit"
    holds = frozenset({"audit.target", "audit.detail"})

    def __init__(self, database: Database) -> None:
        self._database = database

    def trace(self, ctx: RequestContext, person: Person) -> Found:
        return Found()

    def export(self, ctx: RequestContext, person: Person) -> list[dict[str, Any]]:
        with self._database.reading() as session:
            return [
                {"at": format_time(row.at), "action": row.action, "target": row.target, "detail": row.detail}
                for row in self._naming(session, ctx, person)
            ]

    def erase(self, ctx: RequestContext, person: Person, dry_run: bool) -> Traces:
        with self._database.reading() as session:
            count = len(self._naming(session, ctx, person))
        return Traces(self.name, redacted=count, why=_SEALED if count else None)

    def redact(self, session: Session, ctx: RequestContext, person: Person) -> list[int]:
        """Empty the rows that name the person; their numbers."""
        rows = self._naming(session, ctx, person)
        for row in rows:
            audit.redact(row)
            session.add(row)
        session.flush()
        return [row.seq for row in rows if row.seq is not None]

    def certificates(self, ctx: RequestContext) -> list[dict[str, Any]]:
        with self._database.reading() as session:
            query = select(AuditRow).where(AuditRow.tenant == ctx.tenant, AuditRow.action == audit.ERASED)
            return [dict(row.detail) for row in session.exec(query.order_by(col(AuditRow.seq).desc()))]

    def _naming(self, session: Session, ctx: RequestContext, person: Person) -> list[AuditRow]:
        pattern = person.pattern()
        query = select(AuditRow).where(AuditRow.tenant == ctx.tenant, col(AuditRow.salt) != "")
        return [
            row
            for row in session.exec(query.execution_options(yield_per=1_000))
            if row.action != audit.ERASED
            and pattern.search(f"{row.target} {json.dumps(row.detail, ensure_ascii=False)}")
        ]
