"""The house's own lint: each rule finds what it is for, and lets alone what it is not for."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def rules() -> ModuleType:
    spec = importlib.util.spec_from_file_location("house_rules", ROOT / "scripts" / "house_rules.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def broken(rules: ModuleType, tmp_path: Path, name: str, text: str) -> list[tuple[int, str]]:
    path = tmp_path / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return [(b.line, b.rule) for b in rules.check_file(path, tmp_path)]


@pytest.mark.parametrize(
    "line",
    [
        'SystemMessage("Be kind.")',
        'SystemMessage(content=f"Be kind to {x}.")',
        'ChatPromptTemplate.from_messages([("system", "Be kind.")])',
        'create_agent(model, system_prompt="Be kind.")',
        "TEXT = '''" + "You are a helper. " * 20 + "'''",
        "TEXT = '''" + "你是一个助手。" * 40 + "'''",
    ],
)
def test_prompt_text_in_an_agent_is_found(rules: ModuleType, tmp_path: Path, line: str) -> None:
    assert broken(rules, tmp_path, "agents/a.py", f'"""Doc."""\n{line}\n') == [(2, "prompt")]


@pytest.mark.parametrize(
    "line",
    [
        "SystemMessage(prompts.load(name, lang).fill(x=1))",
        'Text("你是谁", "You are welcome")',
        'def f():\n    """' + "You are reading a docstring. " * 20 + '"""',
    ],
)
def test_loaded_prompts_short_texts_and_docstrings_are_no_prompts(rules: ModuleType, tmp_path: Path, line: str) -> None:
    assert broken(rules, tmp_path, "agents/a.py", f"{line}\n") == []


def test_a_commit_outside_the_database_module_is_found(rules: ModuleType, tmp_path: Path) -> None:
    text = "session.commit()\nself.db.session.rollback()\nself._connection.commit()\n"
    assert broken(rules, tmp_path, "strategy/s.py", text) == [(1, "commit"), (2, "commit")]
    assert broken(rules, tmp_path, "core/db.py", text) == []


def test_a_clock_outside_the_clock_module_is_found(rules: ModuleType, tmp_path: Path) -> None:
    text = "datetime.now(UTC)\ntime.time()\ntime.perf_counter()\nself.clock.now()\n"
    assert broken(rules, tmp_path, "knowledge/k.py", text) == [(1, "clock"), (2, "clock")]


def test_a_line_with_its_reason_is_waived(rules: ModuleType, tmp_path: Path) -> None:
    assert broken(rules, tmp_path, "app/a.py", "time.time()  # house: uvicorn wants it\n") == []


def test_a_long_file_is_found(rules: ModuleType, tmp_path: Path) -> None:
    assert broken(rules, tmp_path, "app/a.py", "x = 1\n" * 451) == [(451, "length")]
    assert broken(rules, tmp_path, "tests/test_a.py", "x = 1\n" * 451) == []


def test_the_rooms_of_this_helper_keep_the_rules(rules: ModuleType) -> None:
    assert [b for b in rules.check_tree(ROOT) if b.path.startswith(("agents/", "tools/", "prompts/"))] == []
