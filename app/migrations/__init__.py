"""The schema of the relational store, as Alembic migrations that run at start."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from core.db import Database
from core.errors import Refused
from core.text import Text

if TYPE_CHECKING:
    from alembic.config import Config


def migrate(database: Database, rejoin_audit: bool = False) -> list[str]:
    """Bring the schema to this version of the program; returns the revisions that were applied, in order.

    Args:
        rejoin_audit: put the branches of an audit log that has forked behind each other.

    Raises:
        Refused: the store was written by a newer version of the program, or its audit log has forked and nobody said
            what to do about it; nothing was changed.
    """
    from alembic import command
    from alembic.script import ScriptDirectory

    settings = config()
    scripts = ScriptDirectory.from_config(settings)
    known = [script.revision for script in reversed(list(scripts.walk_revisions()))]
    current = current_revision(database)
    if current is not None and current not in known:
        raise Refused(
            Text(f"数据库的版本 {current} 比程序新", f"the database is at version {current}, newer than the program"),
            hint=Text("请升级程序，或换一个数据目录", "Upgrade the program, or use another data folder"),
        )
    missing = known[known.index(current) + 1 :] if current else known
    if missing:
        with database.engine.begin() as connection:
            settings.attributes.update(connection=connection, rejoin_audit=rejoin_audit)
            command.upgrade(settings, "head")
    return missing


def current_revision(database: Database) -> str | None:
    """The revision the store is at; None for an empty one."""
    from alembic.migration import MigrationContext

    with database.engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def newest_revision() -> str | None:
    """The revision this version of the program needs."""
    from alembic.script import ScriptDirectory

    return ScriptDirectory.from_config(config()).get_current_head()


def config() -> Config:
    """Alembic's settings for the migrations of this package."""
    from alembic.config import Config

    settings = Config()
    settings.set_main_option("script_location", str(Path(__file__).parent))
    settings.set_main_option("path_separator", "os")
    return settings
