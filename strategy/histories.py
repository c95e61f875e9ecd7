"""Recorded histories by name: files of events or facts for a tenant's replays. They never enter the live engine."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from core.clock import Clock
from core.errors import Conflict, InvalidInput, NotFound
from core.folders import make_folder
from core.ids import TenantId, new_id
from core.text import Text
from knowledge.catalog import Catalog, nearest
from strategy.recorded import open_events, open_facts

MOST = 20
"""Histories a tenant may upload."""
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}")


@dataclass(frozen=True, slots=True)
class History:
    name: str
    size: int


class Histories:
    """One folder a tenant under `folder`."""

    def __init__(self, folder: Path, clock: Clock) -> None:
        self._folder = folder
        self._clock = clock

    def all(self, tenant: TenantId) -> list[History]:
        """By name; uploads under way are not among them."""
        folder = self._folder / tenant
        files = sorted(folder.iterdir()) if folder.is_dir() else []
        return [History(path.name, path.stat().st_size) for path in files if _NAME.fullmatch(path.name)]

    def path(self, tenant: TenantId, name: str) -> Path:
        """Where a history is kept.

        Raises:
            NotFound: there is none of that name.
        """
        path = self._folder / tenant / name
        if not _NAME.fullmatch(name) or not path.is_file():
            raise NotFound(
                Text(f"没有名为 {name!r} 的历史", f"there is no history named {name!r}"),
                nearest=nearest(name, [found.name for found in self.all(tenant)]),
            )
        return path

    def receive(self, tenant: TenantId, name: str) -> Path:
        """Where to write an upload of that name before `keep` takes it (or the caller unlinks it).

        Raises:
            InvalidInput: the name cannot be used. Conflict: it is taken, or there are too many histories.
        """
        if not _NAME.fullmatch(name):
            raise InvalidInput(
                Text(f"名字 {name!r} 不能用", f"the name {name!r} cannot be used"),
                where={"field": "name"},
                hint=Text("用字母、数字、_ . -，以字母或数字开头", "Letters, digits, _ . -, a letter or digit first"),
            )
        names = [found.name for found in self.all(tenant)]
        if name in names:
            raise Conflict(Text(f"已有名为 {name!r} 的历史", f"there is a history named {name!r} already"))
        if len(names) >= MOST:
            raise Conflict(
                Text(f"最多保存 {MOST} 份历史", f"at most {MOST} histories are kept"),
                hint=Text("请先删除一份", "Delete one first"),
            )
        return make_folder(self._folder / tenant) / f".{new_id('part', self._clock)}{Path(name).suffix}"

    def keep(self, tenant: TenantId, name: str, part: Path, catalog: Catalog, *, facts: bool = False) -> History:
        """Take what was received, once its columns (if it has any) are found to be readable.

        Raises:
            InvalidInput: they are not.
        """
        try:
            (open_facts if facts else open_events)(str(part), catalog)
        except InvalidInput as error:
            error.where["file"] = name
            raise
        part.rename(self._folder / tenant / name)
        return History(name, self.path(tenant, name).stat().st_size)

    def remove(self, tenant: TenantId, name: str) -> None:
        self.path(tenant, name).unlink(missing_ok=True)
