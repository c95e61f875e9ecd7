"""ledger of ingestion."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "source_entry",
        sa.Column("tenant", sa.String(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=True),
        sa.Column("rejected", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "source", "name", "key"),
    )
    with op.batch_alter_table("source_entry", schema=None) as batch_op:
        batch_op.create_index("source_entry_subject", ["tenant", "subject"], unique=False)

    op.create_table(
        "source_lineage",
        sa.Column("tenant", sa.String(), nullable=False),
        sa.Column("claim", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("file", sa.String(), nullable=False),
        sa.Column("part", sa.String(), nullable=True),
        sa.Column("line", sa.Integer(), nullable=False),
        sa.Column("taken_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "claim"),
    )
    with op.batch_alter_table("source_lineage", schema=None) as batch_op:
        batch_op.create_index("source_lineage_subject", ["tenant", "subject"], unique=False)

    op.create_table(
        "source_table",
        sa.Column("tenant", sa.String(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("file", sa.String(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("mapping", sa.String(), nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("added", sa.Integer(), nullable=False),
        sa.Column("unchanged", sa.Integer(), nullable=False),
        sa.Column("rejected", sa.Integer(), nullable=False),
        sa.Column("watermark", sa.BigInteger(), nullable=True),
        sa.Column("taken_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "source", "name"),
    )


def downgrade() -> None:
    op.drop_table("source_table")
    with op.batch_alter_table("source_lineage", schema=None) as batch_op:
        batch_op.drop_index("source_lineage_subject")

    op.drop_table("source_lineage")
    with op.batch_alter_table("source_entry", schema=None) as batch_op:
        batch_op.drop_index("source_entry_subject")

    op.drop_table("source_entry")
