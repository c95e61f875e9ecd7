"""The matching model: what agreement and disagreement of each field weigh, and the judgement of one pair by it.
Training is in train.py; this needs no database and judges one record as the batch does."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import log2
from typing import Any, Literal, NamedTuple

from core.text import Text
from knowledge.identity.compare import LEVELS, SAYS, level
from knowledge.identity.fields import Field, Record
from knowledge.identity.rules import Rules

Verdict = Literal["auto", "link", "review", "no"]


class Comparison(NamedTuple):
    """One field's part: probabilities of its levels among pairs of one entity (m) and of two (u)."""

    field: Field
    m: tuple[float, ...]
    u: tuple[float, ...]

    def weight(self, at: int) -> float:
        """In bits: the logarithm to base 2 of how much likelier the level is among pairs of one entity."""
        return log2(self.m[at] / self.u[at])


class Part(NamedTuple):
    """What one field says about a pair. `weight` in bits."""

    field: str
    level: str
    weight: float

    def says(self) -> Text:
        said = SAYS[self.level]
        return Text(f"{self.field}{said.zh}（{self.weight:+.1f}）", f"{self.field} {said.en} ({self.weight:+.1f})")


@dataclass(frozen=True, slots=True)
class Judgement:
    """A pair judged. `weight` in bits over even odds; `probability` that the two are one entity; `barred` says
    what keeps the verdict below what the weight alone would give."""

    verdict: Verdict
    weight: float
    probability: float
    parts: tuple[Part, ...]
    barred: Text | None = None

    def says(self) -> Text:
        """The verdict with its evidence, the heaviest first."""
        ordered = sorted(self.parts, key=lambda p: -abs(p.weight))
        zh, en = "；".join(p.says().zh for p in ordered), "; ".join(p.says().en for p in ordered)
        if self.barred:
            zh, en = f"{self.barred.zh}；{zh}", f"{self.barred.en}; {en}"
        head = _VERDICTS[self.verdict]
        return Text(f"{head.zh} {self.probability:.4f}：{zh}", f"{head.en} {self.probability:.4f}: {en}")


_VERDICTS: dict[Verdict, Text] = {
    "auto": Text("同一主体", "one entity"),
    "link": Text("很可能同一主体", "probably one entity"),
    "review": Text("待人工确认", "for review"),
    "no": Text("不同主体", "two entities"),
}


_FEW_KIN = 5.0
"""Bits of `kin` above which a file has so few families that whoever agrees in all but the name is more likely misspelt
than a twin."""


@dataclass(frozen=True)
class MatchModel:
    """What training found. `prior`: bits for two records taken at random; `kin`: bits for two records that agree
    in what may be shared being one entity rather than kin (a family, a household); `frequencies`: per field, the
    share of the values that several records have, so that agreeing on a rare one weighs more; `common`: the
    blocking keys that must be narrowed."""

    comparisons: tuple[Comparison, ...]
    prior: float
    kin: float
    frequencies: Mapping[str, Mapping[str, float]]
    rarest: float
    common: frozenset[str]
    rules: Rules

    @property
    def fields(self) -> tuple[Field, ...]:
        return tuple(c.field for c in self.comparisons)

    @cached_property
    def personal(self) -> frozenset[str]:
        """The fields that belong to one entity."""
        return frozenset(c.field.name for c in self.comparisons if c.field.role in self.rules.personal)

    @cached_property
    def _tables(self) -> list[tuple[Field, list[float], Mapping[str, float]]]:
        """Per field: its weights by level, and the frequencies of its values."""
        return [
            (c.field, [c.weight(i) for i in range(len(c.m))], self.frequencies.get(c.field.name, {}))
            for c in self.comparisons
        ]

    @cached_property
    def _same(self) -> Mapping[str, float]:
        """Field → log2 m of its first level: what is added to the rarity of an agreed value."""
        return {c.field.name: log2(c.m[0]) for c in self.comparisons}

    def weight(self, a: Record, b: Record) -> float:
        """Bits for the pair being one entity rather than two strangers, the prior included."""
        return self.prior + sum(bits for _, _, bits in self._weigh(a, b))

    def split(self, a: Record, b: Record, fields: Collection[str]) -> tuple[float, float]:
        """Bits of some fields, and of the others; without any prior."""
        weighed = self._weigh(a, b)
        some = sum(bits for field, _, bits in weighed if field.name in fields)
        return some, sum(bits for _, _, bits in weighed) - some

    def _weigh(self, a: Record, b: Record) -> list[tuple[Field, int, float]]:
        found = []
        for field, weights, frequencies in self._tables:
            left, right = a.get(field.name), b.get(field.name)
            if left is None or right is None:
                continue
            beside = field.beside
            at = level(field.kind, left, right, a.get(beside) if beside else None, b.get(beside) if beside else None)
            if at == 0:
                rarity = frequencies.get(left) or rarest(field, self.rarest)
                found.append((field, at, self._same[field.name] - log2(rarity)))
            else:
                found.append((field, at, weights[at]))
        return found

    def judge(self, a: Record, b: Record) -> Judgement:
        """The pair with its evidence."""
        weighed = self._weigh(a, b)
        parts = tuple(Part(field.name, LEVELS[field.kind][at], bits) for field, at, bits in weighed)
        return self._verdict(self.prior + sum(p.weight for p in parts), weighed, parts)

    def _verdict(
        self, weight: float, weighed: Sequence[tuple[Field, int, float]], parts: tuple[Part, ...]
    ) -> Judgement:
        limits = self.rules.thresholds
        by_key = bool({field.role for field, at, _ in weighed if at == 0} & self.rules.keys.keys())
        own = sum(bits for field, _, bits in weighed if field.name in self.personal) + self.kin
        shared = bool(self.personal) and not by_key and own < weight
        if shared:
            weight = own
        probability = 1 / (1 + 2.0 ** -max(-60.0, min(60.0, weight)))
        if by_key:
            probability = max(probability, limits.auto)
        verdict: Verdict = (
            "auto"
            if probability >= limits.auto
            else "link"
            if probability >= limits.link
            else "review"
            if probability >= limits.review
            else "no"
        )
        most, why = self._bar(weighed)
        if why is None and shared and verdict != "auto":
            why = Text("相同的多是可与他人共用的信息", "what agrees is mostly what several may share")
        order: tuple[Verdict, ...] = ("no", "review", "link", "auto")
        return Judgement(min(verdict, most, key=order.index), weight, probability, parts, why)

    def _bar(self, weighed: Sequence[tuple[Field, int, float]]) -> tuple[Verdict, Text | None]:
        """The best verdict that the rules allow, and why, where they limit it."""
        apart = {f.role for f, at, _ in weighed if LEVELS[f.kind][at] in ("family", "different")}
        found: tuple[Verdict, Text | None] = ("auto", None)
        for conflict in self.rules.conflicts:
            if apart.issuperset(conflict.differ):
                if conflict.then == "never":
                    return "no", conflict.says
                doubtful = conflict.then == "ask" or self.kin < _FEW_KIN
                found = found if found[1] else ("review" if doubtful else "link", conflict.says)
        return found

    def as_dict(self) -> dict[str, Any]:
        """Everything but the rules, as JSON."""
        return {
            "comparisons": [
                {"field": c.field.name, "role": c.field.role, "kind": c.field.kind, "beside": c.field.beside}
                | {"m": list(c.m), "u": list(c.u)}
                for c in self.comparisons
            ],
            "prior": self.prior,
            "kin": self.kin,
            "frequencies": {name: dict(values) for name, values in self.frequencies.items()},
            "rarest": self.rarest,
            "common": sorted(self.common),
        }


def rarest(field: Field, share: float) -> float:
    """The share of a value that no more than two records have. A company's name is registered once, so that one
    which is not seen elsewhere says more than its share in a small file tells."""
    return share / 64 if field.kind == "company" else share


def read_model(content: Mapping[str, Any], rules: Rules) -> MatchModel:
    """What `as_dict` gave."""
    comparisons = tuple(
        Comparison(Field(c["field"], c["role"], c["kind"], c["beside"]), tuple(c["m"]), tuple(c["u"]))
        for c in content["comparisons"]
    )
    return MatchModel(
        comparisons,
        content["prior"],
        content["kin"],
        content["frequencies"],
        content["rarest"],
        frozenset(content["common"]),
        rules,
    )
