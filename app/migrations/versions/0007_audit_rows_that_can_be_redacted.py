"""audit rows whose content can be taken out, sealed anew."""

from __future__ import annotations

import hashlib
import json
import secrets
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_AUDIT = sa.table(
    "audit",
    *(sa.column(name) for name in ("seq", "tenant", "actor", "role", "purpose", "action", "target")),
    sa.column("detail", sa.JSON),
    *(sa.column(name) for name in ("at", "previous", "hash", "salt", "content")),
)


def upgrade() -> None:
    """Each row gets a salted digest of its content, and the chain is sealed over that. A log that was whole is whole
    afterwards; where it was not, the old seals from the broken row on are kept, so that it stays broken there."""
    op.add_column("audit", sa.Column("salt", sa.String(), nullable=False, server_default=""))
    op.add_column("audit", sa.Column("content", sa.String(), nullable=False, server_default=""))
    bind = op.get_bind()
    heads: dict[str, tuple[str, str]] = {}
    broken: set[str] = set()
    for row in bind.execute(sa.select(_AUDIT).order_by(_AUDIT.c.seq)).mappings().all():
        old, new = heads.get(row["tenant"], ("", ""))
        if row["previous"] != old or row["hash"] != _old_seal(row):
            broken.add(row["tenant"])
        if row["tenant"] in broken:
            continue
        salt = secrets.token_hex(16)
        content = _sha([salt, row["target"], row["detail"]])
        who = [row[name] for name in ("tenant", "actor", "role", "purpose", "action", "at")]
        seal = hashlib.sha256(json.dumps([*who, new, content], ensure_ascii=False).encode()).hexdigest()
        values = {"salt": salt, "content": content, "previous": new, "hash": seal}
        bind.execute(_AUDIT.update().where(_AUDIT.c.seq == row["seq"]).values(**values))
        heads[row["tenant"]] = (row["hash"], seal)


def downgrade() -> None:
    with op.batch_alter_table("audit") as audit:
        audit.drop_column("content")
        audit.drop_column("salt")


def _old_seal(row: Any) -> str:
    names = ("tenant", "actor", "role", "purpose", "action", "target", "detail", "at", "previous")
    return _sha([row[name] for name in names])


def _sha(body: list[Any]) -> str:
    return hashlib.sha256(json.dumps(body, sort_keys=True, ensure_ascii=False).encode()).hexdigest()
