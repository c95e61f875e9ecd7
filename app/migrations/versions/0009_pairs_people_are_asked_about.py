"""pairs of records that people are asked about."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "identity_pair",
        sa.Column("tenant", sa.String(), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("left", sa.String(), nullable=False),
        sa.Column("right", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("verdict", sa.String(), nullable=False),
        sa.Column("probability", sa.Float(), nullable=False),
        sa.Column("weight", sa.Float(), nullable=False),
        sa.Column("parts", sa.String(), nullable=False),
        sa.Column("says_zh", sa.String(), nullable=False),
        sa.Column("says_en", sa.String(), nullable=False),
        sa.Column("found_at", sa.BigInteger(), nullable=False),
        sa.Column("decided_at", sa.BigInteger(), nullable=True),
        sa.Column("decided_by", sa.String(), nullable=True),
        sa.Column("why", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("tenant", "id"),
    )
    with op.batch_alter_table("identity_pair", schema=None) as batch_op:
        batch_op.create_index("ix_identity_pair_left", ["tenant", "left"], unique=False)
        batch_op.create_index("ix_identity_pair_right", ["tenant", "right"], unique=False)
        batch_op.create_index("ix_identity_pair_state", ["tenant", "state", "found_at"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("identity_pair", schema=None) as batch_op:
        batch_op.drop_index("ix_identity_pair_state")
        batch_op.drop_index("ix_identity_pair_right")
        batch_op.drop_index("ix_identity_pair_left")

    op.drop_table("identity_pair")
