"""Prompt files: each exists in both languages with the same variables, and mistakes in them are named."""

from __future__ import annotations

import pytest

import prompts
from core.errors import InvalidInput, NotFound


@pytest.mark.parametrize("prompt_id", prompts.all_ids())
def test_a_prompt_exists_in_both_languages_with_the_same_version_and_variables(prompt_id: str) -> None:
    zh, en = prompts.load(prompt_id, "zh"), prompts.load(prompt_id, "en")
    assert (zh.version, zh.variables) == (en.version, en.variables)
    assert zh.body and en.body and zh.body != en.body


def test_every_desk_has_a_prompt() -> None:
    assert {"router", "churn", "renewal", "service", "strategist", "faq", "repair", "task"} <= set(prompts.all_ids())


def test_a_missing_variable_is_an_error_that_names_it() -> None:
    with pytest.raises(InvalidInput, match="data"):
        prompts.load("task", "en").fill()


def test_an_undeclared_variable_is_an_error() -> None:
    with pytest.raises(InvalidInput, match="extra"):
        prompts.load("task", "en").fill(data="{}", extra="x")


def test_a_dollar_inside_a_value_is_not_expanded() -> None:
    assert "$data and $$" in prompts.load("task", "en").fill(data="$data and $$")


def test_an_unknown_prompt_names_the_known_ones() -> None:
    with pytest.raises(NotFound) as caught:
        prompts.load("nobody", "zh")
    assert "router" in caught.value.nearest


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("no front matter", "x.en.md"),
        ("---\nid: x\nversion: 1\nlanguage: en\nvariables: []\n---\nuses $name\n", "x.en.md"),
        ("---\nid: x\nversion: 1\nlanguage: en\nvariables: [name]\n---\nuses nothing\n", "x.en.md"),
        ("---\nid: x\nversion: 1\nlanguage: zh\nvariables: []\n---\nbody\n", "x.en.md"),
        ("---\nid: x\nversion: 1\nlanguage: en\nvariables: []\n---\ncosts 5$ \n", "x.en.md"),
    ],
)
def test_a_broken_file_is_refused(text: str, name: str) -> None:
    with pytest.raises(InvalidInput):
        prompts.read_prompt(text, name)


def test_tool_descriptions_have_the_same_names_in_both_languages() -> None:
    assert prompts.sections("tools", "zh").keys() == prompts.sections("tools", "en").keys()
