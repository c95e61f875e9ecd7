"""The layers of docs/architecture.md hold, and the check would notice if they did not."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
ROOMS = ["app", "evals", "agents", "tools", "strategy", "knowledge", "prompts", "core"]


def lint_imports(config: Path, folder: Path) -> subprocess.CompletedProcess[str]:
    tool = Path(sys.executable).with_name("lint-imports")
    return subprocess.run(
        [tool, "--config", config, "--no-cache"], cwd=folder, capture_output=True, text=True, timeout=120, check=False
    )


def test_imports_point_down_only() -> None:
    result = lint_imports(ROOT / "pyproject.toml", ROOT)
    assert result.returncode == 0, result.stdout


def test_an_import_that_points_up_is_caught(tmp_path: Path) -> None:
    for room in ROOMS:
        (tmp_path / room).mkdir()
        (tmp_path / room / "__init__.py").write_text("import app\n" if room == "core" else "")
    contract = "[importlinter]\nroot_packages =\n" + "".join(f"    {r}\n" for r in ROOMS)
    contract += "[importlinter:contract:1]\nname = layers\ntype = layers\nlayers =\n" + "".join(
        f"    {r}\n" for r in ROOMS
    )
    (tmp_path / ".importlinter").write_text(contract)
    result = lint_imports(tmp_path / ".importlinter", tmp_path)
    assert result.returncode != 0
    assert "core -> app" in result.stdout


def test_the_house_rules_hold() -> None:
    result = subprocess.run(
        [sys.executable, ROOT / "scripts" / "house_rules.py"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert result.returncode == 0, result.stdout


def test_the_lock_names_no_host() -> None:
    assert "://" not in (ROOT / "requirements.lock").read_text()
