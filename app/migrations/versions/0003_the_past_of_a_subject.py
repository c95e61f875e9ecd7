"""the journal by subject and by related object, for questions about a past moment."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_RELATED = sa.text("object IS NOT NULL")


def upgrade() -> None:
    op.add_column("journal", sa.Column("object", sa.String(), nullable=True))
    journal = sa.table(
        "journal",
        sa.column("kind"),
        sa.column("type"),
        sa.column("subject"),
        sa.column("object"),
        sa.column("body", sa.JSON),
    )
    related = journal.c.body["object"].as_string()
    op.execute(journal.update().where(journal.c.kind == "relation").values(object=related))
    steps = journal.c.kind.in_(["deploy", "retire"])
    op.execute(journal.update().where(steps).values(subject=sa.literal("strategy/") + journal.c.type))
    op.create_index("journal_subject", "journal", ["tenant", "subject", "time"])
    op.create_index("journal_object", "journal", ["tenant", "object"], sqlite_where=_RELATED, postgresql_where=_RELATED)


def downgrade() -> None:
    op.drop_index("journal_object", "journal")
    op.drop_index("journal_subject", "journal")
    with op.batch_alter_table("journal") as journal:
        journal.drop_column("object")
