"""Reading the repository's Markdown: pages, code blocks, links, headings, and the commands they show."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
CHINESE = [page for page in PAGES if "zh-CN" in str(page.relative_to(ROOT))]
WRITTEN = [page for page in PAGES if "reference" not in page.parts]

_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"(?<!`)\[[^\]]*\]\(([^)\s]+)\)")
_TICKED = re.compile(r"`([^`\n]+)`")


class Block(NamedTuple):
    """A fenced block. `after`: the block that follows it with nothing between, if any."""

    lang: str
    text: str
    after: Block | None = None


def said(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def name(page: Path) -> str:
    return str(page.relative_to(ROOT))


def blocks(page: Path) -> list[Block]:
    found = list(_FENCE.finditer(said(page)))
    made: list[Block] = []
    for place, match in enumerate(found):
        after = found[place + 1] if place + 1 < len(found) else None
        touching = after is not None and not said(page)[match.end() : after.start()].strip()
        made.append(Block(match[1], match[2], Block(after[1], after[2]) if after and touching else None))
    return made


def prose(page: Path) -> str:
    """The page without its fenced blocks."""
    return _FENCE.sub("", said(page))


def ticked(page: Path) -> list[str]:
    """What stands between backticks in the prose."""
    return _TICKED.findall(prose(page))


def links(page: Path) -> list[str]:
    return _LINK.findall(_TICKED.sub("", prose(page)))


def anchors(page: Path) -> set[str]:
    """Ids that GitHub gives the headings: lower case, no punctuation, hyphens for spaces."""
    return {
        re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")
        for heading in re.findall(r"^#+ (.+)$", prose(page), re.MULTILINE)
    }


def commands(page: Path) -> Iterator[list[str]]:
    """Every `zhongshu` command that the page shows, as words after `zhongshu`."""
    lines = [line for block in blocks(page) if block.lang == "sh" for line in shell_lines(block.text)]
    for line in [*lines, *ticked(page)]:
        if match := re.match(r"(?:\.venv/bin/)?zhongshu (.+)", line):
            yield shlex.split(match[1].replace("…", " "), comments=True)


def shell_lines(text: str) -> list[str]:
    return text.replace("\\\n", " ").splitlines()
