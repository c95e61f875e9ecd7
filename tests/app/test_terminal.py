"""What is printed for people: data never acts on their terminal."""

from __future__ import annotations

from io import StringIO

import pytest
from rich.markup import escape

from app.terminal import Terminal


@pytest.mark.parametrize(
    ("data", "shown"),
    [
        ("customer/\x1b[31mred", "customer/␛[31mred"),
        ("title\x1b]0;mine\x07", "title␛]0;mine"),
        ("over\rwritten", "overwritten"),
        ("c1 \x9b2J", "c1 \ufffd2J"),
        ("turned \u202egnp", "turned \ufffdgnp"),
        ("two\nlines 客户 👍", "two\nlines 客户 👍"),
    ],
)
def test_control_characters_are_shown_and_not_obeyed(data: str, shown: str) -> None:
    file = StringIO()
    Terminal(file=file, soft_wrap=True).print(escape(data))
    assert file.getvalue() == f"{shown}\n"


def test_styles_still_reach_a_terminal() -> None:
    file = StringIO()
    Terminal(file=file, force_terminal=True, color_system="standard").print("a\x1b[2Jb", style="red")
    assert file.getvalue() == "\x1b[31ma␛[2Jb\x1b[0m\n"
