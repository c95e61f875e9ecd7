"""The documents hold: links lead somewhere, commands and options exist, files and paths named are there, examples run
and print what the page shows."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pages as docs
import pytest
import yaml
from typer.main import get_command

from app.cli.commands import build
from app.settings import Settings
from core.errors import NeedsAnswer, ZhongshuError
from core.text import Lang
from knowledge.catalog import read_catalog
from knowledge.packs import retail
from strategy.language import read_sentence, readback

ROOT = docs.ROOT
ROOMS = ("app", "evals", "agents", "tools", "strategy", "knowledge", "prompts", "core", "tests", "docs", "benchmarks")
pages = pytest.mark.parametrize("page", docs.WRITTEN, ids=docs.name)


@pages
def test_every_relative_link_leads_to_a_file_and_a_heading(page: Path) -> None:
    for link in docs.links(page):
        if re.match(r"https?:|mailto:", link):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), f"{link}: no such file"
        if anchor:
            assert anchor in docs.anchors(target), f"{link}: no such heading; there are {docs.anchors(target)}"


@pages
def test_every_command_and_option_shown_exists(page: Path) -> None:
    for words in docs.commands(page):
        command: Any = get_command(build([], complete=True))
        rest = [word for word in words if word not in ("--debug",)]
        if "--lang" in rest and "simulate" not in rest:
            del rest[rest.index("--lang") : rest.index("--lang") + 2]
        while getattr(command, "commands", None) and rest and not rest[0].startswith("-"):
            verb = rest.pop(0)
            for one in verb.split("|"):
                assert one in command.commands, f"zhongshu {' '.join(words)}: no command {one!r}"
            command = command.commands[verb.split("|")[0]]
        known = {option for param in command.params for option in (*param.opts, *param.secondary_opts)}
        for option in rest:
            if re.match(r"--\w", option):
                assert option.split("=")[0] in known, f"zhongshu {' '.join(words)}: no option {option}"


@pages
def test_every_setting_named_exists(page: Path) -> None:
    known = {f"ZHONGSHU_{field.upper()}" for field in Settings.model_fields}
    named = set(re.findall(r"\bZHONGSHU_[A-Z_]+[A-Z]\b", docs.said(page)))
    assert named <= known, f"no such settings: {named - known}"


@pages
def test_every_make_target_named_exists(page: Path) -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    shown = [line for block in docs.blocks(page) if block.lang == "sh" for line in block.text.splitlines()]
    for text in [*shown, *docs.ticked(page)]:
        if match := re.match(r"make ([a-z]+)", text):
            assert re.search(rf"^{match[1]}:", makefile, re.MULTILINE), f"no target {match[1]}"


@pages
def test_every_file_of_the_repository_that_is_named_is_there(page: Path) -> None:
    for text in docs.ticked(page):
        if not re.fullmatch(rf"(?:{'|'.join(ROOMS)}|scripts|examples)/[\w./*-]*", text):
            continue
        found = any(any(base.glob(text.rstrip("/"))) for base in (ROOT, ROOT / "strategy", ROOT / "knowledge"))
        assert found, f"there is no {text}"


@pages
def test_every_path_of_the_api_that_is_named_exists(page: Path) -> None:
    api = json.loads((ROOT / "docs" / "reference" / "openapi.json").read_text(encoding="utf-8"))["paths"]
    known = {re.sub(r"\{[^}]+\}", "{}", path): methods for path, methods in api.items()}
    for method, path in re.findall(r"`(?:(GET|POST|DELETE) )?(/v1/[^\s`?]*)", docs.said(page)):
        spelled = re.sub(r"\{[^}]+\}|…", "{}", path.rstrip("*"))
        assert spelled in known, f"no path {path}"
        assert not method or method.lower() in known[spelled], f"{path} does not take {method}"


@pytest.mark.parametrize("page", docs.CHINESE, ids=docs.name)
def test_chinese_stands_with_full_width_punctuation(page: Path) -> None:
    shell = "\n".join(block.text for block in docs.blocks(page) if block.lang == "sh")
    text = re.sub(r"`[^`]*`|\]\([^)]*\)", "", docs.prose(page)) + shell
    assert not (found := re.findall(r".{0,8}(?:[\u4e00-\u9fff][,;:!?(]|[,;:!?)][\u4e00-\u9fff]).{0,8}", text)), found


def test_both_languages_have_the_same_tutorials_of_the_same_shape() -> None:
    english, chinese = ROOT / "docs" / "tutorials", ROOT / "docs" / "zh-CN" / "tutorials"
    assert {page.name for page in english.iterdir()} == {page.name for page in chinese.iterdir()}
    for page in english.iterdir():
        other = chinese / page.name
        assert [b.lang for b in docs.blocks(page)] == [b.lang for b in docs.blocks(other)], page.name
        assert len(docs.anchors(page)) == len(docs.anchors(other)), page.name


def test_the_index_names_every_page() -> None:
    index = ROOT / "docs" / "README.md"
    named = {(index.parent / link.partition("#")[0]).resolve() for link in docs.links(index)}
    decided = {(ROOT / "docs/decisions" / link).resolve() for link in docs.links(ROOT / "docs/decisions/README.md")}
    missing = [docs.name(p) for p in docs.PAGES if "docs" in p.parts and p not in named | decided | {index}]
    assert not missing


def _examples() -> list[tuple[str, str, str]]:
    """Page, `zhongshu simulate …` with its redirections, and the output shown beneath it."""
    found = []
    for page in docs.WRITTEN:
        for block in docs.blocks(page):
            runs = [line for line in docs.shell_lines(block.text) if "zhongshu simulate" in line]
            if block.lang == "sh" and runs:
                shown = block.after.text if block.after and block.after.lang in ("text", "json") else ""
                found.append((docs.name(page), runs[-1], shown))
    return found


@pytest.mark.parametrize(
    ("page", "line", "shown"), _examples(), ids=[f"{p}-{i}" for i, (p, *_) in enumerate(_examples())]
)
def test_every_simulate_example_runs_and_prints_what_the_page_shows(page: str, line: str, shown: str) -> None:
    words = shlex.split(line)
    command = [str(Path(sys.executable).with_name("zhongshu")), *words[words.index("simulate") :]]
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False, env={**os.environ, "COLUMNS": "200"}
    )
    assert done.returncode == 0, done.stderr
    printed, place = done.stdout + done.stderr, 0
    for part in [p.strip() for shown_line in shown.splitlines() for p in shown_line.split("…")]:
        at = printed.find(part, place)
        assert at >= 0, f"{page}: {part!r} is not in\n{printed[place:]}"
        place = at + len(part)


def _drafts() -> list[tuple[str, list[str], str]]:
    """Page, the words of the last `zhongshu strategy draft …` of a block, and the answer shown beneath it."""
    found = []
    for page in docs.WRITTEN:
        for block in docs.blocks(page):
            lines = [line for line in docs.shell_lines(block.text) if "strategy draft" in line]
            if lines and block.after and block.after.lang == "text" and not block.after.text.startswith("…"):
                found.append((docs.name(page), shlex.split(lines[-1], comments=True), block.after.text))
    return found


@pytest.mark.parametrize(("page", "words", "shown"), _drafts(), ids=[f"{p}-{i}" for i, (p, *_) in enumerate(_drafts())])
def test_every_sentence_drafted_in_a_tutorial_is_answered_as_shown(page: str, words: list[str], shown: str) -> None:
    lang: Lang = "zh" if "zh-CN" in page else "en"
    catalog = retail.catalog().catalog
    try:
        answers = [readback(read_sentence(words[words.index("draft") + 1], catalog).document, catalog, lang)]
    except NeedsAnswer as question:
        answers = [question.say(lang).splitlines()[0], *(choice.say(lang) for choice in question.choices)]
    for answer in answers:
        assert answer in shown, answer


def test_tutorials_draft_a_strategy_and_ask_a_question_in_both_languages() -> None:
    assert len(_drafts()) == 4


def test_simulate_examples_were_found() -> None:
    assert {page for page, *_ in _examples()} >= {"README.md", "README.zh-CN.md", "docs/simulate.md"}


def test_every_catalog_of_the_catalog_page_loads() -> None:
    found = [b.text for b in docs.blocks(ROOT / "docs" / "catalog.md") if b.lang == "yaml"]
    assert found
    for text in found:
        whole = text if text.startswith("catalog:") else f"catalog: 1\n{text}"
        try:
            read_catalog(whole)
        except ZhongshuError as error:
            pytest.fail(f"{error.say('en')}\n{yaml.safe_load(whole)}")


def test_bad_lines_are_set_aside_as_the_simulate_page_says(tmp_path: Path) -> None:
    page = docs.said(ROOT / "docs" / "simulate.md")
    shown = re.findall(r"^\| [^|]+ \| `(line \d+, [^`]+)` \|$", page, re.MULTILINE)
    assert len(shown) >= 5
    base = {"type": "app.login", "time": "2026-05-01T08:00:00Z", "subject": "customer/c1"}
    pressure = {**base, "type": "vitals.pressure", "data": {"systolic": "16 kg"}}
    lines = [
        json.dumps({**base, "id": "a"}),
        "",
        '{"id": "b",',
        json.dumps({**base, "id": "c", "type": "app.logn"}),
        json.dumps({**pressure, "id": "d"}),
        json.dumps({**base, "id": "e", "subject": "device/d1"}),
        json.dumps({**base, "id": "f", "time": "2026-05-01T08:00:00"}),
    ]
    events = tmp_path / "events.ndjson"
    events.write_text("\n".join(lines), encoding="utf-8")
    command = [
        str(Path(sys.executable).with_name("zhongshu")),
        "simulate",
        "--lang",
        "en",
        "--catalog",
        "examples/catalog.yaml",
    ]
    done = subprocess.run(
        [*command, "--events", str(events), "--say", "when systolic is above 160, schedule an outbound call"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0
    for message in shown:
        for part in message.split("…"):
            assert part.strip() in done.stderr, part
