"""The benchmark's retail-like catalog: 20 types of event with 8 fields each, how often each type comes and how each
field's values are spread. Everything is discrete and independent, so that the share of events that pass a filter is
known exactly and not estimated."""

from __future__ import annotations

import json
import math
from bisect import bisect_left
from dataclasses import dataclass
from functools import cached_property, lru_cache
from statistics import NormalDist
from typing import Any, Literal

from knowledge.catalog import Catalog, read_catalog

LEVELS = 10_000
"""Distinct values of a number field, each as likely as any other."""
SKEW = 0.7
"""An enum's i-th value comes in proportion to 1 / i**SKEW."""
WORDS = 5_000
"""Distinct values of a text field, all equally likely."""


@dataclass(frozen=True, eq=False)
class Field:
    """A field's type and its values with their likelihoods. With `present` below 1 the rest of the events lack it."""

    name: str
    type: Literal["number", "enum", "boolean", "text"]
    values: tuple[Any, ...]
    weights: tuple[float, ...]
    present: float = 1.0

    @property
    def whole(self) -> bool:
        return isinstance(self.values[0], int)

    def share(self, op: str, value: Any) -> float:
        """The share of events whose field passes the comparison."""
        if self.type == "number":
            below = bisect_left(self.values, value) / LEVELS
            return self.present * (1 - below if op == ">=" else below)
        return self.present * sum(self._likely[each] for each in (value if op == "in" else [value]))

    @cached_property
    def _likely(self) -> dict[Any, float]:
        return dict(zip(self.values, self.weights, strict=True))


def _number(name: str, median: float, sigma: float, digits: int | None = 2) -> Field:
    """Log-normal, to the cent or (without digits) whole."""
    normal = NormalDist()
    levels = (median * math.exp(sigma * normal.inv_cdf((i + 0.5) / LEVELS)) for i in range(LEVELS))
    return Field(name, "number", tuple(round(x, digits) for x in levels), (1 / LEVELS,) * LEVELS)


def _enum(name: str, count: int) -> Field:
    weights = [1 / i**SKEW for i in range(1, count + 1)]
    values = tuple(f"{name}_{i}" for i in range(count))
    return Field(name, "enum", values, tuple(w / sum(weights) for w in weights))


def _flag(name: str, share: float) -> Field:
    return Field(name, "boolean", (True, False), (share, 1 - share))


def _text(name: str, present: float = 1.0) -> Field:
    return Field(name, "text", tuple(f"{name}-{i:04x}" for i in range(WORDS)), (1 / WORDS,) * WORDS, present)


FIELDS = {
    field.name: field
    for field in (
        *(
            _number(name, median, sigma)
            for name, median, sigma in (
                ("seconds", 25, 1.1),
                ("amount", 68, 1.0),
                ("price", 45, 0.9),
                ("discount", 8, 0.8),
                ("minutes", 4, 0.9),
                ("distance", 6, 1.0),
                ("score", 50, 0.5),
            )
        ),
        *(
            _number(name, median, sigma, None)
            for name, median, sigma in (("items", 3, 0.7), ("points", 120, 1.2), ("results", 400, 1.3))
        ),
        *(
            _enum(name, count)
            for name, count in (
                ("channel", 5),
                ("device", 6),
                ("payment", 8),
                ("reason", 12),
                ("category", 40),
                ("carrier", 20),
                ("brand", 150),
                ("store", 120),
                ("city", 200),
            )
        ),
        *(
            _flag(name, share)
            for name, share in (("returning", 0.6), ("gift", 0.08), ("mobile", 0.7), ("opened", 0.25), ("solved", 0.5))
        ),
        _text("query"),
        _text("product"),
        _text("campaign", 0.4),
        _text("coupon", 0.3),
    )
}
"""Every field there is; an event has eight of them. `campaign` and `coupon` are often missing."""

_EVENTS = """
page.view        24   seconds results score channel city returning mobile campaign
product.view     16   seconds price discount category brand city mobile product
search            9   results seconds score category city device returning query
app.open          9   seconds score points channel device city returning campaign
login             6   score points distance channel device city mobile campaign
cart.add          6   price items discount category brand city gift product
cart.remove       2   price items seconds category brand reason mobile product
checkout.start    3   amount items discount payment city device gift coupon
order.placed      3   amount items discount payment store city gift coupon
order.paid        2.5 amount points score payment store city mobile coupon
order.cancelled   0.4 amount items minutes payment reason city gift coupon
order.returned    0.6 amount items minutes category reason store gift product
delivery.update   3   distance minutes items carrier city reason gift campaign
mail.sent         5   score discount points category channel city opened campaign
push.sent         4   score discount points category device city opened campaign
coupon.used       1.5 amount discount points category store city returning coupon
review.posted     1   score price minutes category brand store solved product
call.ended        1   minutes seconds score reason channel city solved campaign
store.visit       2   minutes distance amount store category city returning coupon
points.earned     1   points amount score category store city mobile campaign
"""
"""Type, how often in 100 events, its fields."""

EVENTS: dict[str, tuple[Field, ...]] = {
    line.split()[0]: tuple(FIELDS[name] for name in line.split()[2:]) for line in _EVENTS.split("\n") if line
}
_OFTEN = {line.split()[0]: float(line.split()[1]) for line in _EVENTS.split("\n") if line}
RATES: dict[str, float] = {name: often / sum(_OFTEN.values()) for name, often in _OFTEN.items()}
"""The share of all events that each type has."""

TIERS = ("vip", "gold", "plain", "new")
"""Values of the one attribute that strategies ask for: 5%, 15%, 60% and 20% of customers have them."""
TIER_STEPS = (0.05, 0.20, 0.80, 1.0)


@lru_cache(maxsize=1)
def catalog() -> Catalog:
    """All history is there since 2020, so that no window is short and every condition is true or false."""

    def declared(field: Field) -> dict[str, Any]:
        if field.type == "enum":
            return {"type": "enum", "values": {value: {} for value in field.values}}
        return {"type": field.type} | ({"min": 0} if field.type == "number" else {})

    events = {
        name: {"subject": "customer", "fields": {f.name: declared(f) for f in fields}}
        for name, fields in EVENTS.items()
    }
    tier = {"type": "enum", "values": {name: {} for name in TIERS}}
    text = {
        "catalog": 1,
        "history_from": "2020-01-01T00:00:00Z",
        "objects": {"customer": {"attributes": {"tier": tier}}},
        "events": events,
    }
    return read_catalog(json.dumps(text)).catalog
