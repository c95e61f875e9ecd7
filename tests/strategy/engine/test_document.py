"""The intermediate form survives being written down: as JSON, with or without its empty parts, it is the same strategy
and keeps to the JSON Schema that is published."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from pydantic import ValidationError
from worlds import documents, squeezed

from strategy.document import Strategy, strategy_schema

SCHEMA = Draft202012Validator(strategy_schema())


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.one_of(documents(), squeezed()), st.booleans())
def test_a_strategy_as_json_is_the_same_strategy_and_keeps_to_the_schema(strategy: Strategy, terse: bool) -> None:
    text = strategy.model_dump_json(exclude_none=terse)
    assert Strategy.model_validate_json(text) == strategy
    SCHEMA.validate(json.loads(text))


def attribute(op: str, **value: Any) -> dict[str, Any]:
    return {"kind": "attribute", "name": "a", "op": op, **value}


STEP = {"relation": "owns"}
WRONG: list[tuple[dict[str, Any], str]] = [
    (attribute("=="), "`==` takes a value"),
    (attribute("missing", value=3), "`missing` takes no value"),
    (attribute("between", value=3), "`between` takes [lowest, highest]"),
    (attribute("between", value=[1, 2, 3]), "`between` takes [lowest, highest]"),
    ({"kind": "date", "attribute": "a", "part": "day", "yearly": True}, "`yearly` goes with `days_before`"),
    ({"kind": "date", "attribute": "a", "days_before": 366, "yearly": True}, "at most 365"),
    ({"kind": "path", "steps": []}, "at least 1 item"),
    ({"kind": "path", "steps": [{**STEP, "absent": True}, STEP]}, "only the last step of a path may be absent"),
    ({"kind": "ratio", "of": {"event": "a"}, "per": {"event": "b"}, "op": "between", "value": 1}, "Input should be"),
]


@pytest.mark.parametrize(("trigger", "words"), WRONG)
def test_a_condition_that_cannot_be_is_said_to_be_wrong(trigger: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError) as found:
        Strategy.model_validate({"name": "s", "trigger": trigger, "actions": [{"task": "call"}]})
    assert any(words in problem["msg"] for problem in found.value.errors())
