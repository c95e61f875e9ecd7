"""Reading YAML: what people write is what they get."""

from __future__ import annotations

import pytest
import yaml

from core.yamls import read_yaml


def test_a_key_that_is_there_twice_is_an_error_with_its_line() -> None:
    with pytest.raises(yaml.MarkedYAMLError) as caught:
        read_yaml("a: {x: 1}\nb:\n  x: 1\n  'x': 2\n")
    assert caught.value.problem_mark is not None
    assert (caught.value.problem_mark.line, caught.value.problem) == (3, "'x' is here twice")


def test_merged_keys_may_be_written_over() -> None:
    assert read_yaml("a: &a {x: 1, y: 2}\nb: {<<: *a, x: 3}") == {"a": {"x": 1, "y": 2}, "b": {"x": 3, "y": 2}}


def test_what_is_nested_too_deeply_is_no_yaml_for_us() -> None:
    with pytest.raises(yaml.YAMLError, match="too deeply"):
        read_yaml("[" * 5_000)
