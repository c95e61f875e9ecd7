"""For developers: `python -m app.migrations.revise "what changed"` writes the migration from the newest revision to the
tables as the code has them. Read it before you commit it."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from app.migrations import config, migrate, newest_revision
from core.db import Database


def revise(message: str) -> Path:
    """Write the next numbered revision; returns its file."""
    from alembic import command

    number = f"{int(newest_revision() or 0) + 1:04d}"
    with tempfile.TemporaryDirectory() as folder:
        database = Database(f"sqlite:///{folder}/empty.db")
        migrate(database)
        settings = config()
        settings.set_main_option("file_template", "%%(rev)s_%%(slug)s")
        with database.engine.begin() as connection:
            settings.attributes["connection"] = connection
            script = command.revision(settings, message, autogenerate=True, rev_id=number)
        database.close()
    assert script is not None and not isinstance(script, list)
    return Path(script.path)


if __name__ == "__main__":
    sys.stdout.write(f"{revise(sys.argv[1])}\n")
