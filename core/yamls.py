"""YAML as our files use it: dates stay text, only true and false are booleans, and each value knows its line."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import yaml


class PlainLoader(yaml.SafeLoader):
    """SafeLoader without YAML 1.1's surprises: `2026-01-01` and `22:00` are text, and so are `yes`, `no`, `on`; a key
    that is there twice is an error, not the later value."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode) and key.tag != _MERGE:
                if key.value in seen:
                    raise yaml.constructor.ConstructorError(None, None, f"{key.value!r} is here twice", key.start_mark)
                seen.add(key.value)
        return super().construct_mapping(node, deep)


_MERGE = "tag:yaml.org,2002:merge"


_DROPPED = ("tag:yaml.org,2002:timestamp", "tag:yaml.org,2002:int", "tag:yaml.org,2002:float")
_BOOL = "tag:yaml.org,2002:bool"
PlainLoader.yaml_implicit_resolvers = {
    first: [
        (tag, pattern) for tag, pattern in resolvers if tag not in _DROPPED and (first not in "yYnNoO" or tag != _BOOL)
    ]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
PlainLoader.add_implicit_resolver("tag:yaml.org,2002:int", re.compile(r"[-+]?\d+$"), list("-+0123456789"))
PlainLoader.add_implicit_resolver(
    "tag:yaml.org,2002:float", re.compile(r"[-+]?(\d+\.\d*|\.\d+|\d+(?=e))(e[-+]?\d+)?$", re.I), list("-+0123456789.")
)


def read_yaml(text: str) -> Any:
    """The content of one YAML document.

    Raises:
        yaml.YAMLError: it is not YAML.
    """
    try:
        return yaml.load(text, Loader=PlainLoader)  # PlainLoader is a SafeLoader
    except RecursionError as cause:
        raise yaml.YAMLError("it is nested too deeply") from cause


def line_of(text: str, path: Sequence[str | int]) -> int:
    """The line (from 1) of the deepest part of `path` that the YAML text has; steps that it has not are passed over."""
    node = yaml.compose(text, Loader=PlainLoader)
    line: int = node.start_mark.line if node is not None else 0
    for part in path:
        child = None
        if isinstance(node, yaml.MappingNode):
            for key, value in node.value:
                if key.value == str(part):
                    line, child = key.start_mark.line, value
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
            child = node.value[part]
            line = child.start_mark.line
        if child is not None:
            node = child
    return line + 1
