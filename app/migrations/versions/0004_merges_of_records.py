"""merges of records and curves without the edges in their index."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_CURVE = ["tenant", "subject", "name", "valid_from"]


def upgrade() -> None:
    op.drop_index("ix_graph_fact_curve", "graph_fact")
    op.create_index("ix_graph_fact_curve", "graph_fact", _CURVE, sqlite_where=sa.text("object IS NULL"))
    op.create_table(
        "graph_merge",
        sa.Column("seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("tenant", sa.String(), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("kept", sa.String(), nullable=False),
        sa.Column("gone", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("evidence", sa.String(), nullable=False),
        sa.Column("confidence", sa.Float(), nullable=False),
        sa.Column("recorded_at", sa.BigInteger(), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("undone_at", sa.BigInteger(), nullable=True),
        sa.Column("undone_why", sa.String(), nullable=True),
        sa.Column("undone_by", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("seq"),
        sa.UniqueConstraint("tenant", "id"),
    )
    with op.batch_alter_table("graph_merge", schema=None) as batch_op:
        batch_op.create_index("ix_graph_merge_gone", ["tenant", "gone"], unique=False)
        batch_op.create_index("ix_graph_merge_kept", ["tenant", "kept"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("graph_merge", schema=None) as batch_op:
        batch_op.drop_index("ix_graph_merge_kept")
        batch_op.drop_index("ix_graph_merge_gone")

    op.drop_table("graph_merge")
    op.drop_index("ix_graph_fact_curve", "graph_fact")
    op.create_index("ix_graph_fact_curve", "graph_fact", _CURVE)
