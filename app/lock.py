"""One hub a data folder: two would both run the engine over one journal."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from core.errors import Conflict
from core.text import Text


class DataLock:
    """An advisory lock on `hub.lock` in the data folder; the system lets go of it when the process ends."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._file = os.open(folder / "hub.lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            holder = os.pread(self._file, 20, 0).decode().strip() or "?"
            os.close(self._file)
            raise Conflict(
                Text(
                    f"数据目录 {folder} 正被进程 {holder} 使用", f"data folder {folder} is in use by process {holder}"
                ),
                hint=Text("先停掉它,或另设 ZHONGSHU_DATA_DIR", "Stop it first, or set another ZHONGSHU_DATA_DIR"),
            ) from None
        os.ftruncate(self._file, 0)
        os.pwrite(self._file, str(os.getpid()).encode(), 0)

    def release(self) -> None:
        os.close(self._file)
