"""The doctor looks at everything, whatever is broken."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.doctor import Finding, examine
from app.hub import Hub
from core.errors import InvalidInput
from tests.app.hubclient import settings_for


@pytest.fixture
def folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    import os

    for name in list(os.environ):
        if name.startswith("ZHONGSHU_"):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ZHONGSHU_PORT", "0")
    return tmp_path


def found() -> dict[str, Finding]:
    return {finding.name.en: finding for finding in examine()}


def test_a_data_folder_that_is_a_file_is_said_and_the_rest_is_looked_at(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "file").write_text("")
    monkeypatch.setenv("ZHONGSHU_DATA_DIR", str(folder / "file"))
    seen = found()
    assert seen["data folder"].status == "bad"
    assert "traces" in seen


@pytest.mark.parametrize("url", ["nonsense", "nothing://x", "sqlite:////proc/nowhere/x.db"])
def test_a_database_that_cannot_be_opened_is_said_and_the_rest_is_looked_at(
    folder: Path, monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    monkeypatch.setenv("ZHONGSHU_DATABASE_URL", url)
    seen = found()
    assert seen["store"].status == "bad"
    assert "traces" in seen


def test_a_start_on_a_folder_that_cannot_be_made_says_which(folder: Path) -> None:
    (folder / "file").write_text("")
    with pytest.raises(InvalidInput, match="cannot be used"):
        Hub.open(settings_for(folder / "file" / "deeper"))


def test_a_data_folder_that_the_hub_makes_is_its_owners_alone(folder: Path) -> None:
    Hub.open(settings_for(folder / "new")).close()
    assert (folder / "new").stat().st_mode & 0o077 == 0
