"""Folders that the hub keeps its files in."""

from __future__ import annotations

from pathlib import Path

from core.errors import InvalidInput
from core.text import Text


def make_folder(folder: Path) -> Path:
    """The folder; when it is missing it is made, for its owner alone.

    Raises:
        InvalidInput: it cannot be made.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as cause:
        raise InvalidInput(
            Text(f"目录 {folder} 不能用：{cause.strerror}", f"folder {folder} cannot be used: {cause.strerror}"),
            hint=Text("换一个 ZHONGSHU_DATA_DIR", "Set another ZHONGSHU_DATA_DIR"),
        ) from cause
    return folder
