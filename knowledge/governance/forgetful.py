"""Tables that forget: one description a table says which columns name whom, which hold text, and whether rows go or
stay under an alias. All SQL of erasure and export over relational tables is here."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, String, Table, and_, cast, delete, false, func, or_, select, update
from sqlmodel import Session, SQLModel

from core.context import RequestContext
from core.db import Database
from core.text import Text
from knowledge.governance.erasure import Found, Person, Traces, redact

_TOGETHER = 40
"""Words looked for in one statement: SQLite nests conditions at most 1,000 deep."""


@dataclass(frozen=True)
class Rows:
    """One table.

    Args:
        owner: columns with the subject (or thread, or ticket) whose row it is.
        text: columns in which people may be named.
        ids: columns whose values name the person's rows elsewhere (a ticket's id in a conversation).
        events: column of event ids; `by_event`: text columns that may name an event.
        why: why rows stay under an alias; None: they go.
        cleared: with `why`, what columns are set to.
        mentions_go: rows in which the person is named go as a whole.
    """

    table: type[SQLModel]
    owner: tuple[str, ...] = ()
    text: tuple[str, ...] = ()
    ids: tuple[str, ...] = ()
    events: str | None = None
    by_event: tuple[str, ...] = ()
    why: Text | None = None
    cleared: Mapping[str, Any] = field(default_factory=dict)
    mentions_go: bool = False

    @property
    def rows(self) -> Table:
        return SQLModel.metadata.tables[str(self.table.__tablename__)]

    @property
    def columns(self) -> set[str]:
        """Those that it names."""
        events = {self.events} if self.events else set()
        return {*self.owner, *self.text, *self.ids, *self.by_event, *self.cleared, *events}


class ForgetfulTables:
    """Several tables of one room as one store. `erase` is one transaction."""

    def __init__(self, name: str, database: Database, tables: Collection[Rows]) -> None:
        self.name = name
        self._database, self.tables = database, tables

    @property
    def holds(self) -> frozenset[str]:
        return frozenset(f"{each.rows.name}.{column}" for each in self.tables for column in each.columns)

    def trace(self, ctx: RequestContext, person: Person) -> Found:
        words, events = set[str](), set[str]()
        with self._database.reading() as session:
            for each in self.tables:
                for row in _theirs(session, ctx, each, person):
                    words.update(str(row[name]) for name in each.ids if row[name])
                    if each.events and row[each.events]:
                        events.add(str(row[each.events]))
        return Found(words, events)

    def export(self, ctx: RequestContext, person: Person) -> list[dict[str, Any]]:
        with self._database.reading() as session:
            return [
                {"table": each.rows.name, **_plain(row)}
                for each in self.tables
                for row in _theirs(session, ctx, each, person)
            ]

    def erase(self, ctx: RequestContext, person: Person, dry_run: bool) -> Traces:
        if dry_run:
            with self._database.reading() as session:
                return self.erase_in(session, ctx, person, dry_run)
        with self._database.transaction() as session:
            return self.erase_in(session, ctx, person, dry_run)

    def erase_in(self, session: Session, ctx: RequestContext, person: Person, dry_run: bool) -> Traces:
        """As `erase`, in the caller's transaction."""
        total, whys = Traces(self.name), []
        for each in self.tables:
            found = _erase(session, ctx, each, person, dry_run)
            whys += [each.why] if found.kept and each.why else []
            total = Traces(
                self.name, total.erased + found.erased, total.kept + found.kept, total.redacted + found.redacted
            )
        why = Text("；".join(w.zh for w in whys), "; ".join(w.en for w in whys)) if whys else None
        return total._replace(why=why)


def _erase(session: Session, ctx: RequestContext, each: Rows, person: Person, dry_run: bool) -> Traces:
    table, mine = each.rows, _mine(each, ctx, person)
    gone = kept = 0
    if each.why is None:
        gone = _count(session, table, mine)
        if gone and not dry_run:
            session.execute(delete(table).where(mine))
    else:
        kept = _count(session, table, mine)
        if kept and not dry_run:
            aliased = {name: person.alias for name in each.owner if name in table.c}
            session.execute(update(table).where(mine).values({**each.cleared, **aliased}))
    redacted = 0
    pattern = person.pattern(person.events if each.by_event else ())
    for row in _naming(session, ctx, each, person, mine if dry_run else None):
        if not any(pattern.search(_as_text(row[name])) for name in {*each.text, *each.by_event}):
            continue
        where = and_(*(column == row[column.name] for column in table.primary_key.columns))
        if each.mentions_go:
            gone += 1
            if not dry_run:
                session.execute(delete(table).where(where))
            continue
        redacted += 1
        if not dry_run:
            values = {n: redact(row[n], pattern, person.alias) for n in {*each.text, *each.by_event}}
            session.execute(update(table).where(where).values(values))
    return Traces("", gone, kept, redacted)


def _mine(each: Rows, ctx: RequestContext, person: Person) -> ColumnElement[bool]:
    table, names = each.rows, [*person.subjects, *person.words, *(f"conversation/{word}" for word in person.words)]
    owned = [table.c[name].in_(names) for name in each.owner]
    return and_(table.c.tenant == ctx.tenant, or_(false(), *owned))


def _theirs(session: Session, ctx: RequestContext, each: Rows, person: Person) -> list[dict[str, Any]]:
    """The person's own rows, and those that would go because they name them."""
    mine = _mine(each, ctx, person)
    rows = [dict(row._mapping) for row in session.execute(select(each.rows).where(mine))]
    if each.mentions_go:
        pattern = person.pattern()
        named = _naming(session, ctx, each, person, mine)
        rows += [row for row in named if any(pattern.search(_as_text(row[name])) for name in each.text)]
    return rows


def _naming(
    session: Session, ctx: RequestContext, each: Rows, person: Person, but: ColumnElement[bool] | None
) -> list[dict[str, Any]]:
    """Rows whose text has one of the words, as a first sieve; `but`: rows that are counted already."""
    table, found = each.rows, dict[tuple[Any, ...], dict[str, Any]]()
    for names, columns in ((person.named, {*each.text, *each.by_event}), (sorted(person.events), {*each.by_event})):
        for start in range(0, len(names) if columns else 0, _TOGETHER):
            part = names[start : start + _TOGETHER]
            has = or_(*(func.instr(cast(table.c[c], String), word) > 0 for c in sorted(columns) for word in part))
            query = select(table).where(table.c.tenant == ctx.tenant, has)
            for row in session.execute(query if but is None else query.where(~func.coalesce(but, false()))):
                key = tuple(row._mapping[column.name] for column in table.primary_key.columns)
                found[key] = dict(row._mapping)
    return list(found.values())


def _count(session: Session, table: Table, where: ColumnElement[bool]) -> int:
    return int(session.execute(select(func.count()).select_from(table).where(where)).scalar_one())


def _as_text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


def _plain(row: Mapping[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in row.items() if k != "tenant" and v is not None and not isinstance(v, bytes)}
