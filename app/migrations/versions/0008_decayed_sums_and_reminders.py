"""decayed sums and reminders."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "graph_reminder",
        sa.Column("tenant", sa.String(), nullable=False),
        sa.Column("at", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("item", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "at", "item", "subject"),
        sqlite_with_rowid=False,
    )
    with op.batch_alter_table("graph_reminder", schema=None) as batch_op:
        batch_op.create_index("ix_graph_reminder_subject", ["tenant", "subject"], unique=False)

    op.create_table(
        "graph_sum",
        sa.Column("tenant", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("event", sa.String(), nullable=False),
        sa.Column("value", sa.String(), nullable=False),
        sa.Column("half_life", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("total", sa.Float(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "subject", "event", "value", "half_life"),
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    op.drop_table("graph_sum")
    with op.batch_alter_table("graph_reminder", schema=None) as batch_op:
        batch_op.drop_index("ix_graph_reminder_subject")

    op.drop_table("graph_reminder")
