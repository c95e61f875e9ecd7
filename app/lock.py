"""One hub a data folder: two would both run the engine over one journal. The lock also tells where that hub listens."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from typing import NamedTuple

from core.errors import Conflict
from core.folders import make_folder
from core.text import Text


class Holder(NamedTuple):
    """The process that runs a hub on a folder, and its address once it listens."""

    pid: int
    address: str


class DataLock:
    """An advisory lock on `hub.lock` in the data folder; the system lets go of it when the process ends."""

    def __init__(self, folder: Path) -> None:
        make_folder(folder)
        self._file = os.open(folder / "hub.lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            pid = _read(self._file).pid
            os.close(self._file)
            raise Conflict(
                Text(f"数据目录 {folder} 正被进程 {pid} 使用", f"data folder {folder} is in use by process {pid}"),
                hint=Text("先停掉它，或另设 ZHONGSHU_DATA_DIR", "Stop it first, or set another ZHONGSHU_DATA_DIR"),
            ) from None
        self.tell("")

    def tell(self, address: str) -> None:
        """Write down where the hub listens, for the command line."""
        os.ftruncate(self._file, 0)
        os.pwrite(self._file, f"{os.getpid()}\n{address}".encode(), 0)

    def release(self) -> None:
        os.close(self._file)


def holder(folder: Path) -> Holder | None:
    """Who runs a hub on the folder now; None when nobody does."""
    try:
        file = os.open(folder / "hub.lock", os.O_RDONLY)
    except (FileNotFoundError, NotADirectoryError):
        return None
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return _read(file)
    finally:
        os.close(file)
    return None


def _read(file: int) -> Holder:
    pid, _, address = os.pread(file, 200, 0).decode().partition("\n")
    return Holder(int(pid or 0), address)
