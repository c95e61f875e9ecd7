"""House rules that no general linter knows, as one AST walk: no prompt text in Python, one place that commits, one
clock, files of one idea. Prints `file:line: rule: what`, exits 1 when any is broken; `# house: why` waives a line."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOMS = ("core", "knowledge", "strategy", "prompts", "tools", "agents", "evals", "app")
PROMPT_ROOMS = ("tools", "agents", "evals", "app")
MAX_LINES = 450
MAX_TEST_LINES = 650
LONG = 200

_MARKERS = re.compile(r"\byou are\b|\byour task\b|\byou must\b|\brespond (only|with)\b|你是|你的任务|请根据|请你", re.I)
_MESSAGE_CLASSES = {"SystemMessage", "ChatPromptTemplate", "PromptTemplate", "SystemMessagePromptTemplate"}
_CLOCKS = {
    ("datetime", "now"),
    ("datetime", "utcnow"),
    ("datetime", "today"),
    ("date", "today"),
    ("time", "time"),
    ("time", "time_ns"),
}
_RAW_CONNECTION = re.compile(r"(^|_)(conn|connection)$")
"""Stores that own a file of their own (graph log, journal, checkpoints) commit on their raw connection."""


class Broken(NamedTuple):
    path: str
    line: int
    rule: str
    what: str


def check_file(path: Path, root: Path) -> list[Broken]:
    """Every broken rule of one file, in order of lines."""
    name = path.relative_to(root).as_posix()
    text = path.read_text(encoding="utf-8")
    lines = text.splitlines()
    limit = MAX_TEST_LINES if name.startswith(("tests/", "benchmarks/")) else MAX_LINES
    found: list[Broken] = []
    if len(lines) > limit:
        found.append(Broken(name, limit + 1, "length", f"{len(lines)} lines; a file of one idea has at most {limit}"))
    room = name.split("/")[0]
    if room in ROOMS:
        tree = ast.parse(text, filename=name)
        found += _one_commit(tree, name) + _one_clock(tree, name)
        if room in PROMPT_ROOMS:
            found += _no_prompts(tree, name)
    return sorted(b for b in found if "# house: " not in (lines[b.line - 1] if b.line <= len(lines) else ""))


def _one_commit(tree: ast.AST, name: str) -> list[Broken]:
    if name == "core/db.py":
        return []
    return [
        Broken(name, call.lineno, "commit", f"{owner}.{method}(): only core.db.Database.transaction() commits")
        for call, owner, method in _method_calls(tree)
        if method in ("commit", "rollback") and not _RAW_CONNECTION.search(owner)
    ]


def _one_clock(tree: ast.AST, name: str) -> list[Broken]:
    if name == "core/clock.py":
        return []
    return [
        Broken(name, call.lineno, "clock", f"{owner}.{method}(): time enters through core.clock.Clock")
        for call, owner, method in _method_calls(tree)
        if (owner, method) in _CLOCKS
    ]


def _no_prompts(tree: ast.AST, name: str) -> list[Broken]:
    found: list[Broken] = []
    docstrings = set(_docstrings(tree))
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            found += _prompt_call(node, name)
        value = _text_of(node)
        if id(node) not in docstrings and len(value) > LONG and _MARKERS.search(value):
            found.append(Broken(name, node.lineno, "prompt", "a long text that instructs a model belongs in prompts/"))  # type: ignore[attr-defined]  # only Constant and JoinedStr have text
    return found


def _prompt_call(call: ast.Call, name: str) -> list[Broken]:
    func = call.func
    names = {n.id for n in ast.walk(func) if isinstance(n, ast.Name)}
    names |= {n.attr for n in ast.walk(func) if isinstance(n, ast.Attribute)}
    literal_prompt = any(k.arg == "system_prompt" and _text_of(k.value) for k in call.keywords)
    first = [*call.args, *(k.value for k in call.keywords if k.arg in ("content", "template", "messages"))]
    has_text = any(_holds_text(arg) for arg in first)
    if literal_prompt or (names & _MESSAGE_CLASSES and has_text):
        return [Broken(name, call.lineno, "prompt", "a literal prompt; load it from prompts/")]
    return []


def _holds_text(node: ast.AST) -> bool:
    """A literal text, by itself or inside literal lists; the arguments of a call that loads one do not count."""
    if isinstance(node, ast.List | ast.Tuple):
        return any(_holds_text(part) for part in node.elts)
    return bool(_text_of(node))


def _text_of(node: ast.AST) -> str:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(_text_of(part) for part in node.values)
    return ""


def _docstrings(tree: ast.AST) -> Iterator[int]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            yield id(node.value)


def _method_calls(tree: ast.AST) -> Iterator[tuple[ast.Call, str, str]]:
    """(call, last name of the receiver, method) of every `a.b.c()`: receiver `b`, method `c`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            receiver = node.func.value
            if isinstance(receiver, ast.Name):
                yield node, receiver.id, node.func.attr
            elif isinstance(receiver, ast.Attribute):
                yield node, receiver.attr, node.func.attr


def check_tree(root: Path) -> list[Broken]:
    folders = [root / name for name in (*ROOMS, "tests", "benchmarks", "scripts")]
    files = sorted(
        p for folder in folders if folder.is_dir() for p in folder.rglob("*.py") if "node_modules" not in p.parts
    )
    return [broken for path in files for broken in check_file(path, root)]


def main() -> int:
    found = check_tree(Path(__file__).resolve().parent.parent)
    for b in found:
        sys.stdout.write(f"{b.path}:{b.line}: {b.rule}: {b.what}\n")
    return 1 if found else 0


if __name__ == "__main__":
    raise SystemExit(main())
