"""who read a strategy: the grammar or a language model."""

from __future__ import annotations

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE strategy_version RENAME COLUMN path TO read_by")


def downgrade() -> None:
    op.execute("ALTER TABLE strategy_version RENAME COLUMN read_by TO path")
