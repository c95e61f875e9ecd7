"""history that is no longer kept."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("engine_position", schema=None) as batch_op:
        batch_op.add_column(sa.Column("history_from", sa.BigInteger(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("engine_position", schema=None) as batch_op:
        batch_op.drop_column("history_from")
