"""What strategies keep of a customer, and how they forget it: the journal and the engine that lives by it, decisions
and messages, replays, and the histories that were uploaded for them."""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import orjson

from core.context import RequestContext
from core.db import Database
from core.text import Text
from knowledge.governance.erasure import Found, Person, Traces
from knowledge.governance.forgetful import ForgetfulTables, Rows
from strategy.delivery.tables import Decision, InboxRow, OutboxRow
from strategy.histories import Histories
from strategy.live import LiveEngine
from strategy.tables import JournalRow, ReplayJobRow, SetAsideRow, VersionRow

_EVIDENCE = Text(
    "决策留作自动化决策与效果的凭证，已去标识", "decisions stay, under an alias, as evidence of automated decisions"
)


class JournalTraces(ForgetfulTables):
    """The journal and what was set aside of it. The engine's memory is made anew from what is left."""

    def __init__(self, database: Database, live: LiveEngine) -> None:
        super().__init__(
            "journal",
            database,
            (
                Rows(JournalRow, owner=("subject", "object"), text=("body", "id"), events="id"),
                Rows(SetAsideRow, text=("raw", "error"), mentions_go=True),
                Rows(ReplayJobRow, text=("asked", "report", "error", "progress"), mentions_go=True),
                Rows(VersionRow, text=("document", "sentence", "readback_zh", "readback_en", "warnings")),
            ),
        )
        self._live = live

    @property
    def holds(self) -> frozenset[str]:
        return super().holds | {"engine_snapshot.body"}

    def erase(self, ctx: RequestContext, person: Person, dry_run: bool) -> Traces:
        if dry_run:
            return super().erase(ctx, person, dry_run)
        return self._live.forget(ctx, lambda session: self.erase_in(session, ctx, person, dry_run))


def delivery_traces(database: Database) -> ForgetfulTables:
    """Decisions stay under an alias, without what was observed; messages go, sent or not."""
    return ForgetfulTables(
        "delivery",
        database,
        (
            Rows(
                Decision,
                owner=("subject",),
                text=("firing",),
                by_event=("why", "actions"),
                why=_EVIDENCE,
                cleared={"why": {}, "actions": [], "firing": ""},
            ),
            Rows(OutboxRow, owner=("subject",), text=("payload", "address", "last_error")),
            Rows(InboxRow, owner=("subject",), text=("content",)),
        ),
    )


class HistoryTraces:
    """Uploaded histories: lines and rows that name the person are taken out of the files."""

    name = "histories"
    holds = frozenset[str]()

    def __init__(self, histories: Histories) -> None:
        self._histories = histories

    def trace(self, ctx: RequestContext, person: Person) -> Found:
        return Found(events={str(row["id"]) for row in self._lines(ctx, person) if row.get("id")})

    def export(self, ctx: RequestContext, person: Person) -> list[dict[str, Any]]:
        return list(self._lines(ctx, person))

    def erase(self, ctx: RequestContext, person: Person, dry_run: bool) -> Traces:
        erased = 0
        for found in self._histories.all(ctx.tenant):
            path = self._histories.path(ctx.tenant, found.name)
            erased += (_without_rows if _is_columnar(path) else _without_lines)(path, person, dry_run)
        return Traces(self.name, erased)

    def _lines(self, ctx: RequestContext, person: Person) -> Iterable[dict[str, Any]]:
        pattern = person.pattern()
        for found in self._histories.all(ctx.tenant):
            path = self._histories.path(ctx.tenant, found.name)
            rows = _frame(path).to_dicts() if _is_columnar(path) else map(_parsed, _read(path))
            yield from ({"history": found.name, **row} for row in rows if _names(row, pattern))


def _is_columnar(path: Path) -> bool:
    with path.open("rb") as file:
        begin = file.read(6)
    return begin[:4] == b"PAR1" or begin == b"ARROW1"


def _read(path: Path) -> list[bytes]:
    raw = path.read_bytes()
    return (gzip.decompress(raw) if raw[:2] == b"\x1f\x8b" else raw).splitlines(keepends=True)


def _parsed(line: bytes) -> dict[str, Any]:
    try:
        item = orjson.loads(line)
    except orjson.JSONDecodeError:
        return {"raw": line.decode("utf-8", "replace")}
    return item if isinstance(item, dict) else {"raw": item}


def _names(row: dict[str, Any], pattern: re.Pattern[str]) -> bool:
    return pattern.search(orjson.dumps(row, default=str).decode()) is not None


def _without_lines(path: Path, person: Person, dry_run: bool) -> int:
    lines, pattern = _read(path), person.pattern()
    kept = [line for line in lines if not pattern.search(line.decode("utf-8", "replace"))]
    if len(kept) < len(lines) and not dry_run:
        raw = b"".join(kept)
        _put(path, gzip.compress(raw, mtime=0) if path.read_bytes()[:2] == b"\x1f\x8b" else raw)
    return len(lines) - len(kept)


def _frame(path: Path) -> Any:
    import polars as pl

    return pl.read_parquet(path) if path.open("rb").read(4) == b"PAR1" else pl.read_ipc(path)


def _without_rows(path: Path, person: Person, dry_run: bool) -> int:
    import polars as pl

    frame, pattern = _frame(path), person.pattern()
    gone = [_names(row, pattern) for row in frame.iter_rows(named=True)]
    if any(gone) and not dry_run:
        part = path.with_name(f".part.{path.name}")
        rest = frame.filter(~pl.Series(gone))
        parquet = path.open("rb").read(4) == b"PAR1"
        (rest.write_parquet if parquet else rest.write_ipc)(part)
        part.replace(path)
    return sum(gone)


def _put(path: Path, raw: bytes) -> None:
    part = path.with_name(f".part.{path.name}")
    part.write_bytes(raw)
    part.replace(path)
