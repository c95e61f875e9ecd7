"""Alembic's entry: runs the migrations on the connection that `migrate` (or scripts/revision.py) hands over."""

from __future__ import annotations

from typing import Any, Literal

from alembic import context
from sqlmodel.sql.sqltypes import AutoString

from app.migrations.metadata import all_tables


def _plainly(kind: str, item: object, _context: Any) -> str | Literal[False]:
    """Texts as plain strings, so that old migrations do not depend on a library's own types."""
    return "sa.String()" if kind == "type" and isinstance(item, AutoString) else False


connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=all_tables(),
    render_as_batch=True,
    compare_type=True,
    render_item=_plainly,
)
with context.begin_transaction():
    context.run_migrations()
