"""Documents with one part changed: a condition in a tree replaced or dropped, a number at its place, a part of the
whole. Everything else stays as it is, to the object."""

from __future__ import annotations

from typing import Any

from strategy.document import All, Any_, Condition, Not, Strategy


def put(strategy: Strategy, **changes: Any) -> Strategy:
    """The strategy with some of its fields changed, checked as a document."""
    return Strategy.model_validate({**{name: getattr(strategy, name) for name in Strategy.model_fields}, **changes})


def conjuncts(condition: Condition | None) -> tuple[Condition, ...]:
    """What has to hold, one by one."""
    if condition is None:
        return ()
    return condition.of if isinstance(condition, All) else (condition,)


def conjoined(*conditions: Condition) -> Condition:
    """All of them; an `all` among them gives its parts."""
    parts = [part for each in conditions for part in conjuncts(each)]
    return parts[0] if len(parts) == 1 else All(of=tuple(parts))


def replaced(root: Condition, at: str, place: str, new: Condition) -> Condition:
    """The tree that stands at `at` with the condition at `place` (as `document.leaves` names it) replaced."""
    if place == at:
        return new
    if isinstance(root, Not):
        return Not(of=replaced(root.of, f"{at}.of", place, new))
    assert isinstance(root, All | Any_)
    parts = [
        replaced(part, here, place, new) if (place + ".").startswith(f"{(here := f'{at}.of.{i}')}.") else part
        for i, part in enumerate(root.of)
    ]
    return type(root)(of=tuple(parts))


def dropped(root: Condition, at: str, place: str) -> Condition | None:
    """The tree without the condition at `place`; None when nothing is left."""
    if place == at:
        return None
    if isinstance(root, Not):
        inner = dropped(root.of, f"{at}.of", place)
        return Not(of=inner) if inner is not None else None
    assert isinstance(root, All | Any_)
    parts = []
    for i, part in enumerate(root.of):
        here = f"{at}.of.{i}"
        left = dropped(part, here, place) if (place + ".").startswith(f"{here}.") else part
        if left is not None:
            parts.append(left)
    if not parts:
        return None
    return parts[0] if len(parts) == 1 else type(root)(of=tuple(parts))


def with_number(strategy: Strategy, place: str, **values: Any) -> Strategy:
    """The strategy with fields of the part that holds `place` set: `with_number(s, "trigger.value", value=3,
    op="<")`."""
    body: Any = _plain({name: getattr(strategy, name) for name in Strategy.model_fields})
    here: Any = body
    *path, _ = place.split(".")
    for step in path:
        here = here[int(step)] if isinstance(here, list) else here[step]
    here.update(values)
    return Strategy.model_validate(body)


def _plain(value: Any) -> Any:
    """As dicts and lists that may be changed; durations stay microseconds."""
    if hasattr(value, "model_dump"):
        return _plain(value.model_dump())
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items()}
    return [_plain(each) for each in value] if isinstance(value, list | tuple) else value
