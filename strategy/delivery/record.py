"""Observations and guard layers as JSON, as the decision row keeps them, and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core.text import Text
from core.times import Micros
from strategy.delivery.decide import Layer, Reason
from strategy.engine.port import Firing, Observation, Truth


def record_why(firing: Firing, layers: tuple[Layer, ...]) -> dict[str, Any]:
    """Everything needed to answer "why?" later: `{"trigger", "audience", "layers"}`."""
    return {
        "trigger": write_observation(firing.trigger),
        "audience": write_observation(firing.audience) if firing.audience else None,
        "layers": [
            {"guard": x.guard, "said": x.said._asdict(), "reason": x.reason, "detail": x.detail} for x in layers
        ],
    }


def read_layers(why: Mapping[str, Any]) -> tuple[Layer, ...]:
    return tuple(
        Layer(x["guard"], Text(**x["said"]), Reason(x["reason"]) if x["reason"] else None, x["detail"])
        for x in why.get("layers", ())
    )


def write_observation(seen: Observation) -> dict[str, Any]:
    """A JSON object; parts at their default are left out."""
    full = {
        "path": seen.path,
        "kind": seen.kind,
        "truth": seen.truth.value,
        "observed": _plain(seen.observed),
        "op": seen.op,
        "threshold": _plain(seen.threshold),
        "window": list(seen.window) if seen.window else None,
        "evidence": list(seen.evidence) or None,
        "note": seen.note,
        "children": [write_observation(c) for c in seen.children] or None,
    }
    return {name: value for name, value in full.items() if value is not None}


def read_observation(obj: Mapping[str, Any]) -> Observation:
    window = obj.get("window")
    return Observation(
        path=obj["path"],
        kind=obj["kind"],
        truth=Truth(obj["truth"]),
        observed=obj.get("observed"),
        op=obj.get("op"),
        threshold=obj.get("threshold"),
        window=(Micros(window[0]), Micros(window[1])) if window else None,
        evidence=tuple(obj.get("evidence", ())),
        note=obj.get("note"),
        children=tuple(read_observation(c) for c in obj.get("children", ())),
    )


def _plain(value: Any) -> Any:
    """Tuples and sets as lists, mappings with text keys; what JSON cannot hold as text."""
    if isinstance(value, Mapping):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(v) for v in value]
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)
