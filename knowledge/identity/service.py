"""Identity in a running hub: records are judged as their facts arrive; what is beyond doubt is merged in the graph with
its evidence, what is not is kept for a person, whose answer is final."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from core import audit
from core.clock import Clock
from core.context import Purpose, RequestContext, Role
from core.db import Database
from core.errors import Conflict, NotFound
from core.events import Fact, Input
from core.ids import TenantId
from core.text import Text
from knowledge.catalog import Catalog
from knowledge.graph import GraphService, Identity, Merge, SameAs
from knowledge.identity.known import KnownRecords
from knowledge.identity.model import Judgement
from knowledge.identity.repository import PairRepository
from knowledge.identity.subjects import Compared, compared
from knowledge.identity.tables import PairRow, PairState

_GROUPS_DISAGREE = Text("两者所在的组整体不一致", "the groups they belong to do not agree on the whole")


class Swept(NamedTuple):
    """What a look through all records came to."""

    records: int
    merged: int
    asked: int


class IdentityService:
    """Who is who, for the graph's records. Safe to use from several threads."""

    def __init__(self, database: Database, clock: Clock, graph: GraphService, catalog: Callable[[], Catalog]) -> None:
        self._database, self._clock, self._graph, self._catalog = database, clock, graph, catalog
        self._lock = threading.RLock()
        self._known: dict[tuple[TenantId, str], KnownRecords] = {}

    # --- as facts arrive ---

    def sink(self, ctx: RequestContext, inputs: Sequence[Input]) -> None:
        """Judge the records that the facts are about; the graph has the facts already. Giving them again changes
        nothing."""
        ways = compared(self._catalog())
        touched: dict[str, str] = {}
        for item in inputs:
            if isinstance(item, Fact):
                kind = item.subject.split("/", 1)[0]
                if kind in ways and item.property in ways[kind].roles:
                    touched[item.subject] = kind
        ctx = _own(ctx)
        with self._lock:
            for subject, kind in touched.items():
                known = self._known_of(ctx, kind, ways[kind])
                known.put(subject, self._row(ctx, subject, ways[kind]))
                self._judge(ctx, known, subject)

    def load(self, ctx: RequestContext) -> None:
        """Read the records of the graph and learn from them, if that has not been done since the start."""
        ways, ctx = compared(self._catalog()), _own(ctx)
        with self._lock:
            for kind, how in ways.items():
                self._known_of(ctx, kind, how)

    def sweep(self, ctx: RequestContext) -> Swept:
        """Learn anew from all records that the graph has now, and judge each of them. It takes a millisecond or two a
        record, and facts that arrive wait for it."""
        ways, own = compared(self._catalog()), _own(ctx)
        done = [0, 0, 0]
        with self._lock:
            for kind, how in ways.items():
                self._known.pop((ctx.tenant, kind), None)
                known = self._known_of(own, kind, how)
                for subject in known.subjects:
                    merged, asked = self._judge(own, known, subject)
                    done = [done[0] + 1, done[1] + merged, done[2] + asked]
        swept = Swept(*done)
        with self._database.transaction() as session:
            audit.record(session, ctx, self._clock, "identity.sweep", f"{swept.records} records", swept._asdict())
        return swept

    def forget(self, ctx: RequestContext, subjects: Collection[str]) -> None:
        """Compare these records no more; the graph and the pairs are not this one's to erase."""
        with self._lock:
            for (tenant, _), known in self._known.items():
                for subject in subjects if tenant == ctx.tenant else ():
                    known.drop(subject)

    def _known_of(self, ctx: RequestContext, kind: str, how: Compared) -> KnownRecords:
        at = (ctx.tenant, kind)
        if at not in self._known:
            rows: dict[str, dict[str, Any]] = {}
            while page := self._graph.records(ctx, kind, max(rows, default="")):
                rows |= {subject: self._row(ctx, subject, how) for subject in page}
            self._known[at] = KnownRecords(how, rows)
        return self._known[at]

    def _row(self, ctx: RequestContext, subject: str, how: Compared) -> dict[str, Any]:
        told = self._graph.record(ctx, subject)
        return {name: fact.value for name, fact in told.values.items() if name in how.roles}

    def _judge(self, ctx: RequestContext, known: KnownRecords, subject: str) -> tuple[int, int]:
        """How many records it was merged with, and how many people are newly asked about."""
        doubts: dict[str, Judgement] = {}
        merged = 0
        for other, judgement in known.matches(subject):
            if judgement.verdict == "no":
                continue
            ours, theirs = self._graph.identity(ctx, subject), self._graph.identity(ctx, other)
            if other in ours.members or self._told_apart(ctx, ours, theirs):
                continue
            if judgement.verdict != "auto" or judgement.barred:
                doubts[other] = judgement
            elif not known.agree(ours.members, theirs.members):
                doubts[other] = replace(judgement, verdict="review", barred=_GROUPS_DISAGREE)
            else:
                said = judgement.says()
                self._merge(ctx, ours, theirs, subject, other, said.say(ctx.lang), _evidence(judgement, said))
                merged += 1
        return merged, self._ask(ctx, subject, doubts)

    def _told_apart(self, ctx: RequestContext, ours: Identity, theirs: Identity) -> bool:
        """Has a person said of any two records of the groups that they are two?"""
        with self._database.reading() as session:
            rows = PairRepository(session, ctx.tenant).about(ours.members)
        return any(r.state == PairState.REJECTED and {r.left, r.right} & {*theirs.members} for r in rows)

    def _merge(
        self,
        ctx: RequestContext,
        one: Identity,
        other: Identity,
        subject: str,
        with_: str,
        reason: str,
        evidence: dict[str, Any],
    ) -> None:
        """Tie two records; the id of the larger group stays, of equal ones the lower."""
        first = (-len(one.members), one.canonical) <= (-len(other.members), other.canonical)
        kept, gone = (subject, with_) if first else (with_, subject)
        self._graph.merge(ctx, [SameAs(kept, gone, reason, evidence, evidence["probability"])])
        self._settle(ctx, {*one.members, *other.members})

    def _settle(self, ctx: RequestContext, members: Collection[str]) -> None:
        """Nobody needs to be asked about two records that are one."""
        with self._database.reading() as session:
            rows = PairRepository(session, ctx.tenant).about(members)
        if over := [r.id for r in rows if r.state == PairState.OPEN and {r.left, r.right} <= {*members}]:
            with self._database.transaction() as session:
                PairRepository(session, ctx.tenant).drop(over)

    def _ask(self, ctx: RequestContext, subject: str, doubts: dict[str, Judgement]) -> int:
        """Keep the doubts about a record, and let go those that are none any more."""
        with self._database.reading() as session:
            pairs = PairRepository(session, ctx.tenant)
            held = {r.id: r for r in pairs.about([subject])}
            wanted = {pairs.id_of(subject, other): (other, judgement) for other, judgement in doubts.items()}
        over = [r.id for r in held.values() if r.state == PairState.OPEN and r.id not in wanted]
        rows = [
            _row_of(ctx, pair_id, subject, other, judgement, held[pair_id].found_at if pair_id in held else None)
            for pair_id, (other, judgement) in wanted.items()
        ]
        now = self._clock.now()
        changed = [
            r for r in rows if r.id not in held or (held[r.id].parts, held[r.id].says_en) != (r.parts, r.says_en)
        ]
        if not (over or changed):
            return 0
        new = [r.id for r in changed if r.id not in held]
        with self._database.transaction() as session:
            pairs = PairRepository(session, ctx.tenant)
            pairs.drop(over)
            for row in changed:
                row.found_at = row.found_at or now
                pairs.put(row)
            if new:
                audit.record(session, ctx, self._clock, "identity.ask", f"{len(new)} pairs", {"pairs": new[:100]})
        return len(new)

    # --- what people say ---

    def reviews(
        self, ctx: RequestContext, state: PairState, before: tuple[int, str] | None, limit: int
    ) -> list[PairRow]:
        """Pairs in a state, newest first."""
        with self._database.reading() as session:
            return PairRepository(session, ctx.tenant).listed(state, before, limit)

    def accept(self, ctx: RequestContext, pair_id: str, why: str) -> PairRow:
        """The two records are one: merge them.

        Raises:
            NotFound: there is no such pair.
        """
        with self._lock:
            row = self._pair(ctx, pair_id)
            if row.state != PairState.ACCEPTED:
                one, other = (self._graph.identity(ctx, s) for s in (row.left, row.right))
                evidence = {
                    "probability": row.probability,
                    "weight": row.weight,
                    "comparisons": json.loads(row.parts),
                    "says": {"zh": row.says_zh, "en": row.says_en},
                    "accepted_by": ctx.actor,
                }
                said = Text(row.says_zh, row.says_en).say(ctx.lang)
                self._merge(ctx, one, other, row.left, row.right, why or said, evidence)
                self._answer(ctx, row, PairState.ACCEPTED, why)
            return row

    def reject(self, ctx: RequestContext, pair_id: str, why: str) -> PairRow:
        """The two records are two: nobody is asked again, and nothing merges their groups by itself.

        Raises:
            NotFound: there is no such pair. Conflict: it was accepted.
        """
        with self._lock:
            row = self._pair(ctx, pair_id)
            if row.state == PairState.ACCEPTED:
                raise Conflict(
                    Text(f"{row.left} 与 {row.right} 已合并", f"{row.left} and {row.right} were merged"),
                    hint=Text("请撤销合并", "Unmerge them"),
                )
            if row.state != PairState.REJECTED:
                self._answer(ctx, row, PairState.REJECTED, why)
            return row

    def unmerge(self, ctx: RequestContext, subject: str, merge_id: str, why: str) -> Identity:
        """Withdraw one merge of a record: reads answer as before it, and its two records count as told apart.

        Raises:
            NotFound: no such merge stands for this record.
        """
        with self._lock:
            merges = {m.id: m for m in self._graph.identity(ctx, subject).merges}
            if merge_id not in merges:
                raise NotFound(
                    Text(f"{subject} 没有合并 {merge_id!r}", f"{subject} has no merge {merge_id!r}"),
                    nearest=list(merges)[:5],
                )
            with self._database.reading() as session:
                pairs = PairRepository(session, ctx.tenant)
                claim = merges[merge_id].claim
                pair_id = pairs.id_of(claim.kept, claim.gone)
                row = pairs.get(pair_id) or _row_of_merge(ctx, pair_id, merges[merge_id])
            self._answer(ctx, row, PairState.REJECTED, why)
            self._graph.unmerge(ctx, [merge_id], why)
            return self._graph.identity(ctx, subject)

    def _pair(self, ctx: RequestContext, pair_id: str) -> PairRow:
        with self._database.reading() as session:
            row = PairRepository(session, ctx.tenant).get(pair_id)
        if row is None:
            raise NotFound(Text(f"没有待确认的一对 {pair_id!r}", f"there is no pair {pair_id!r}"))
        return row

    def _answer(self, ctx: RequestContext, row: PairRow, state: PairState, why: str) -> None:
        row.state, row.decided_at, row.decided_by, row.why = state.value, self._clock.now(), ctx.actor, why or None
        with self._database.transaction() as session:
            PairRepository(session, ctx.tenant).put(row)
            detail = {"left": row.left, "right": row.right, "why": why}
            audit.record(session, ctx, self._clock, f"identity.{state.value}", row.id, detail)


def _own(ctx: RequestContext) -> RequestContext:
    """The hub judges by its own right what someone was allowed to send."""
    return replace(ctx, actor="identity", role=Role.ADMIN, purpose=Purpose.OPERATIONS)


def _parts(judgement: Judgement) -> list[dict[str, Any]]:
    return [{"field": p.field, "level": p.level, "weight": round(p.weight, 2)} for p in judgement.parts]


def _evidence(judgement: Judgement, said: Text) -> dict[str, Any]:
    return {
        "probability": judgement.probability,
        "weight": round(judgement.weight, 2),
        "comparisons": _parts(judgement),
        "says": {"zh": said.zh, "en": said.en},
    }


def _row_of(
    ctx: RequestContext, pair_id: str, one: str, other: str, judgement: Judgement, found_at: int | None
) -> PairRow:
    left, right = sorted((one, other))
    said = judgement.says()
    return PairRow(
        tenant=ctx.tenant,
        id=pair_id,
        left=left,
        right=right,
        state=PairState.OPEN.value,
        verdict=judgement.verdict,
        probability=judgement.probability,
        weight=round(judgement.weight, 2),
        parts=json.dumps(_parts(judgement), ensure_ascii=False),
        says_zh=said.zh,
        says_en=said.en,
        found_at=found_at or 0,
    )


def _row_of_merge(ctx: RequestContext, pair_id: str, merge: Merge) -> PairRow:
    """The pair of a merge that nobody was asked about."""
    left, right = sorted((merge.claim.kept, merge.claim.gone))
    evidence = merge.claim.evidence
    said = evidence.get("says", {})
    return PairRow(
        tenant=ctx.tenant,
        id=pair_id,
        left=left,
        right=right,
        state=PairState.OPEN.value,
        verdict="auto",
        probability=merge.claim.confidence,
        weight=evidence.get("weight", 0.0),
        parts=json.dumps(evidence.get("comparisons", []), ensure_ascii=False),
        says_zh=said.get("zh", merge.claim.reason),
        says_en=said.get("en", merge.claim.reason),
        found_at=merge.recorded_at,
    )
