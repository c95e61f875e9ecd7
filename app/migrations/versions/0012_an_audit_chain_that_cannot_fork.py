"""an audit chain that cannot fork."""

from __future__ import annotations

import hashlib
import json
import secrets
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from alembic import context, op

from core.clock import SystemClock
from core.errors import Refused
from core.text import Text

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

_AUDIT = sa.table(
    "audit",
    sa.column("seq", sa.Integer),
    *(sa.column(name) for name in ("tenant", "actor", "role", "purpose", "action", "target")),
    sa.column("detail", sa.JSON),
    *(sa.column(name) for name in ("at", "previous", "hash", "salt", "content")),
)
_SHOWN = 5


def upgrade() -> None:
    """Where two rows follow one already, `rejoin_audit` says to put the branches behind each other.

    Raises:
        Refused: the log forks, and nobody said so.
    """
    forks = _forks(op.get_bind())
    if forks and not context.config.attributes.get("rejoin_audit"):
        raise _refused(forks)
    for tenant in sorted({each[0]["tenant"] for each in forks}):
        _rejoin(op.get_bind(), tenant, [each for each in forks if each[0]["tenant"] == tenant])
    with op.batch_alter_table("audit", schema=None) as batch_op:
        batch_op.create_unique_constraint("audit_chain", ["tenant", "previous"])


def downgrade() -> None:
    with op.batch_alter_table("audit", schema=None) as batch_op:
        batch_op.drop_constraint("audit_chain", type_="unique")


Row = sa.RowMapping


def _forks(bind: sa.Connection) -> list[list[Row]]:
    """Rows that follow one and the same row, each time two or more."""
    shared = (
        sa.select(_AUDIT.c.tenant, _AUDIT.c.previous)
        .group_by(_AUDIT.c.tenant, _AUDIT.c.previous)
        .having(sa.func.count() > 1)
        .subquery()
    )
    same = sa.and_(_AUDIT.c.tenant == shared.c.tenant, _AUDIT.c.previous == shared.c.previous)
    forks: dict[tuple[str, str], list[Row]] = defaultdict(list)
    for row in bind.execute(sa.select(_AUDIT).join(shared, same).order_by(_AUDIT.c.seq)).mappings():
        forks[row["tenant"], row["previous"]].append(row)
    return list(forks.values())


def _refused(forks: Sequence[Sequence[Row]]) -> Refused:
    shown = [(each[0]["tenant"], [str(row["seq"]) for row in each]) for each in forks[:_SHOWN]]
    more = len(forks) - len(shown)
    zh = "；".join(f"租户 {tenant} 的第 {'、'.join(rows)} 行接在同一行之后" for tenant, rows in shown)
    en = "; ".join(f"rows {', '.join(rows)} of tenant {tenant} follow one and the same row" for tenant, rows in shown)
    return Refused(
        Text(
            f"审计日志有分叉：{zh}" + (f"；另有 {more} 处" if more else ""),
            f"the audit log forks: {en}" + (f"; and {more} more" if more else ""),
        ),
        hint=Text(
            "数据未改动。请备份后运行 zhongshu migrate --rejoin-audit：它把各分支接成一条链，原来的封印仍可核对",
            "Nothing was changed. Make a backup and run zhongshu migrate --rejoin-audit: it puts the branches behind"
            " each other in one chain, and their old seals can still be checked",
        ),
    )


def _rejoin(bind: sa.Connection, tenant: str, forks: Sequence[Sequence[Row]]) -> None:
    """Of each fork the branch that reached furthest stays as it is. The rows of the others come after it, sealed anew,
    and one more row says how they were sealed before (core/audit.py checks it)."""
    rows = {r["seq"]: r for r in bind.execute(sa.select(_AUDIT).where(_AUDIT.c.tenant == tenant)).mappings()}
    after: dict[str, list[int]] = defaultdict(list)
    for seq in sorted(rows):
        after[rows[seq]["previous"]].append(seq)

    def branch(seq: int) -> set[int]:
        found, ahead = set[int](), [seq]
        while ahead:
            found.add(seq := ahead.pop())
            ahead += set(after[rows[seq]["hash"]]) - found
        return found

    aside = set[int]()
    for fork in forks:
        kept, *others = sorted((branch(row["seq"]) for row in fork), key=max, reverse=True)
        aside |= set[int]().union(*others) - kept
    last, told, numbers = rows[max(rows)]["hash"], [], dict[int, int]()
    for seq in sorted(aside):
        old = rows[seq]
        new = _sealed({**old, "previous": last})
        numbers[seq], last = _append(bind, new), new["hash"]
        told.append({"seq": numbers[seq], "was": seq, "previous": old["previous"], "hash": old["hash"]})
    bind.execute(_AUDIT.delete().where(_AUDIT.c.seq.in_(aside)))
    detail = {"rows": told, "audit_rows": sorted(numbers[seq] for seq in _announced(rows.values()) & aside)}
    who = {"tenant": tenant, "actor": "system", "role": "admin", "purpose": "operations", "action": "audit.rejoin"}
    said = {**who, "target": f"{len(told)} rows", "detail": detail, "at": SystemClock().now(), "previous": last}
    salt = secrets.token_hex(16)
    _append(bind, _sealed({**said, "salt": salt, "content": _sha([salt, said["target"], detail], sort_keys=True)}))


def _announced(rows: Iterable[Row]) -> set[int]:
    """Rows that the log says were emptied when somebody was erased."""
    return {seq for row in rows if row["action"] == "privacy.erase" for seq in row["detail"].get("audit_rows", ())}


def _append(bind: sa.Connection, row: Mapping[str, Any]) -> int:
    values = {name: value for name, value in row.items() if name != "seq"}
    return int(bind.execute(_AUDIT.insert().values(**values).returning(_AUDIT.c.seq)).scalar_one())


def _sealed(row: dict[str, Any]) -> dict[str, Any]:
    names = ("tenant", "actor", "role", "purpose", "action", "at", "previous", "content")
    return {**row, "hash": _sha([row[name] for name in names])}


def _sha(body: list[Any], sort_keys: bool = False) -> str:
    return hashlib.sha256(json.dumps(body, ensure_ascii=False, sort_keys=sort_keys).encode()).hexdigest()
