"""What identity keeps of a person, as a store that can forget it: pairs in the database, records in memory."""

from __future__ import annotations

from core.context import RequestContext
from core.db import Database
from knowledge.governance.erasure import Person, Traces
from knowledge.governance.forgetful import ForgetfulTables, Rows
from knowledge.identity.service import IdentityService
from knowledge.identity.tables import PairRow


class IdentityTraces(ForgetfulTables):
    """Pairs of records, with those the hub compares in memory."""

    def __init__(self, database: Database, identity: IdentityService) -> None:
        super().__init__(
            "identity", database, (Rows(PairRow, owner=("left", "right"), text=("why", "parts", "says_zh", "says_en")),)
        )
        self._identity = identity

    def erase(self, ctx: RequestContext, person: Person, dry_run: bool) -> Traces:
        if not dry_run:
            self._identity.forget(ctx, person.subjects)
        return super().erase(ctx, person, dry_run)
