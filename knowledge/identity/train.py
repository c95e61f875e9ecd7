"""Training without labels, and the scoring of a batch: Splink on DuckDB, over the comparisons of compare.py. Nothing is
downloaded: DuckDB runs in memory, its extensions off."""

from __future__ import annotations

import logging
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from itertools import combinations
from math import log2
from typing import Any

import duckdb
import pyarrow as pa
from duckdb.func import FunctionNullHandling
from duckdb.sqltypes import INTEGER, VARCHAR
from splink import DuckDBAPI, Linker, SettingsCreator
from splink.internals.comparison_library import CustomComparison

from knowledge.identity.blocking import CROWDED, common_keys, narrowed, single_keys
from knowledge.identity.compare import LEVELS, level
from knowledge.identity.expected import STRANGERS, expected, rarest_of, untrained
from knowledge.identity.fields import ADDRESS, Field, Record
from knowledge.identity.model import Comparison, MatchModel, rarest
from knowledge.identity.rules import Rules
from knowledge.identity.standard import Kind

THREADS = 2
_RANDOM_PAIRS, _TRAINING_PAIRS = 100_000, 400_000
_PSEUDO_MATCHES, _PSEUDO_PAIRS = 20.0, 500.0
"""How many pairs the expectations below weigh against what a file shows; a file of a few rows hardly moves them."""
_ROUNDS = 5
_EM_ROUNDS = (20, 4, 1)
"""Each round divides the probability of a level that only strangers stand on; Splink refuses what no float can hold any
more, and then fewer rounds are as good: the level is as improbable as can be."""
_MOVING = 0.01
"""From which share of pairs with another address on people count as moving; fewer are errors."""
_SURELY = 10.0
"""Bits from which a pair is one entity for certain."""
_FAMILY = 64
"""Sharing no more than the family name is this much likelier among kin than within one entity."""

logging.getLogger("splink").setLevel(logging.ERROR)


def candidate_pairs(records: Sequence[Record], fields: Sequence[Field]) -> tuple[list[tuple[int, int]], frozenset[str]]:
    """The pairs (i < j) worth scoring, and the keys that were too common to give any by themselves."""
    keys = [single_keys(record, fields) for record in records]
    common = common_keys(keys)
    blocks: defaultdict[str, list[int]] = defaultdict(list)
    for i, own in enumerate(keys):
        for key in narrowed(own, common):
            blocks[key].append(i)
    pairs = {pair for block in blocks.values() if 1 < len(block) <= CROWDED for pair in combinations(block, 2)}
    return sorted(pairs), common


def train(
    records: Sequence[Record], fields: Sequence[Field], rules: Rules, seed: int = 1
) -> tuple[MatchModel, list[tuple[int, int, float]]]:
    """A model from the records themselves, and the weight of each pair worth scoring.

    m comes from expectation maximisation, u from random pairs, both held towards expectations where there is little
    data; the prior is fitted to the pairs' own weights.
    """
    pairs, common = candidate_pairs(records, fields)
    frequencies, least = _frequencies(records, fields)
    base = replace(untrained(fields, rules, len(records)), frequencies=frequencies, common=common)
    if not pairs:
        return base, []
    batch = _Batch(records, fields)
    m, u = batch.learn(seed)
    matches = _expected_matches(base, records, pairs)
    total = len(records) * (len(records) - 1) / 2
    comparisons = tuple(
        Comparison(
            field,
            _settled(m.get(field.name), c.m, matches, _PSEUDO_MATCHES),
            _settled(u.get(field.name), c.u, min(total, _RANDOM_PAIRS), _PSEUDO_PAIRS),
        )
        for field, c in zip(fields, base.comparisons, strict=True)
    )
    comparisons = tuple(_in_order(c) for c in comparisons)
    comparisons = _moving(replace(base, comparisons=comparisons), records, pairs)
    scored = batch.score(comparisons, pairs, frequencies, least)
    prior = _fit_prior([w for _, _, w in scored], total)
    model = MatchModel(comparisons, prior, STRANGERS, frequencies, least, common, rules)
    model = replace(model, kin=_kin(model, records, scored))
    return model, [(i, j, w + prior) for i, j, w in scored]


def _frequencies(records: Sequence[Record], fields: Sequence[Field]) -> tuple[dict[str, dict[str, float]], float]:
    """Per field the share among other entities of each value that at least three records have; and of any other."""
    found: dict[str, dict[str, float]] = {}
    for field in fields:
        counts = Counter(r[field.name] for r in records if field.name in r)
        filled = max(1, sum(counts.values()))
        found[field.name] = {value: (n - 1) / filled for value, n in counts.items() if n > 2}
    return found, rarest_of(len(records))


def _expected_matches(model: MatchModel, records: Sequence[Record], pairs: Sequence[tuple[int, int]]) -> float:
    """How many pairs are of one entity, roughly, by the model as it was before training."""
    step = max(1, len(pairs) // 20_000)
    return step * sum(model.weight(records[i], records[j]) > 0 for i, j in pairs[::step])


def _settled(seen: Sequence[float] | None, expected: Sequence[float], n: float, pseudo: float) -> tuple[float, ...]:
    """What was seen among `n`, held towards what was expected as if that had been seen `pseudo` times."""
    if seen is None:
        return tuple(expected)
    mixed = [(n * s + pseudo * e) / (n + pseudo) for s, e in zip(seen, expected, strict=True)]
    return tuple(x / sum(mixed) for x in mixed)


def _in_order(comparison: Comparison) -> Comparison:
    """A closer agreement never weighs less than a looser one: where training says so, m follows the looser."""
    m = list(comparison.m)
    levels = LEVELS[comparison.field.kind]
    if "family" in levels:
        at = levels.index("family")
        m[at] = min(m[at], comparison.u[at] / _FAMILY)
    for at in range(len(m) - 2, -1, -1):
        ratio = m[at + 1] / comparison.u[at + 1]
        m[at] = max(m[at], min(0.999, ratio * comparison.u[at]))
    return comparison._replace(m=tuple(x / sum(m) for x in m))


def _moving(model: MatchModel, records: Sequence[Record], pairs: Sequence[tuple[int, int]]) -> tuple[Comparison, ...]:
    """The comparisons, where people move: who does changes all parts of an address at once, and together these weigh
    against an entity no more than moving is rare. How rare, those pairs tell that are one entity by all else."""
    parts = {c.field.name for c in model.comparisons if c.field.role in ADDRESS}
    seen, moved = 0, 0
    for i, j in pairs[:: max(1, len(pairs) // 50_000)]:
        at_home, elsewhere = model.split(records[i], records[j], parts)
        if elsewhere + model.prior > _SURELY and at_home != 0:
            seen += 1
            moved += at_home < 0
    share = moved / (seen + _PSEUDO_MATCHES)
    least = share ** (1 / len(parts)) if parts and share >= _MOVING else 0.0
    return tuple(_at_least(c, least) if c.field.name in parts else c for c in model.comparisons)


def _at_least(comparison: Comparison, ratio: float) -> Comparison:
    """Disagreement is at least so likely among pairs of one entity, beside others."""
    *nearer, last = comparison.m
    floor = min(0.5, ratio * comparison.u[-1])
    if last >= floor:
        return comparison
    return comparison._replace(m=(*(x * (1 - floor) / (1 - last) for x in nearer), floor))


def _kin(model: MatchModel, records: Sequence[Record], scored: Sequence[tuple[int, int, float]]) -> float:
    """Bits for being one entity among the pairs that agree in what may be shared. Where more of them disagree in
    what is their own than errors explain, the rest are kin."""
    seen = apart = 0
    step = max(1, len(scored) // 50_000)
    for i, j, _ in scored[::step]:
        own, shared = model.split(records[i], records[j], model.personal)
        if shared + model.prior > 0 and own != 0:
            seen += 1
            apart += own < 0
    share = apart / max(1, seen) - _errors(model, records)
    share = min(0.9, max(2.0**-STRANGERS, share))
    return min(STRANGERS, log2((1 - share) / share))


def _errors(model: MatchModel, records: Sequence[Record]) -> float:
    """The share of pairs of one entity that disagree, all told, in what is their own: every combination of levels
    by its probability."""
    outcomes = {0.0: 1.0}
    for comparison in model.comparisons:
        if comparison.field.role in model.rules.personal:
            both = (sum(comparison.field.name in r for r in records) / len(records)) ** 2
            steps = [(0.0, 1 - both), *((comparison.weight(i), both * m) for i, m in enumerate(comparison.m))]
            found: defaultdict[float, float] = defaultdict(float)
            for bits, share in outcomes.items():
                for more, chance in steps:
                    found[round(bits + more, 1)] += share * chance
            outcomes = found
    return sum(share for bits, share in outcomes.items() if bits < 0)


def _fit_prior(weights: Sequence[float], total: float) -> float:
    """Expectation maximisation of the share of pairs that are one entity, the weights held."""
    share = 1 / max(2.0, total**0.5)
    for _ in range(_ROUNDS):
        odds = share / (1 - share)
        expected = sum(1 / (1 + 2.0 ** -min(60.0, max(-60.0, w + log2(odds)))) for w in weights)
        share = min(0.5, max(0.5, expected) / max(1.0, total))
    return log2(share / (1 - share))


def _comparable(kind: Kind, a: str | None, b: str | None, c: str | None, d: str | None) -> int:
    return level(kind, a or "", b or "", c, d)


class _Batch:
    """The records in DuckDB, as Splink reads them: column `f0`, `f1`, ... for the fields."""

    def __init__(self, records: Sequence[Record], fields: Sequence[Field]) -> None:
        self._records, self._fields = records, fields
        self._columns = {field.name: f"f{i}" for i, field in enumerate(fields)}
        self._connection = duckdb.connect(config={"threads": THREADS, "autoinstall_known_extensions": False})
        self._connection.execute("SET enable_progress_bar = false")  # it would stand in the answer on standard output
        for kind in {f.kind for f in fields}:
            self._connection.create_function(
                f"level_{kind}",
                partial(_comparable, kind),
                [VARCHAR] * 4,
                INTEGER,
                null_handling=FunctionNullHandling.SPECIAL,
            )
        columns: dict[str, Any] = {"unique_id": pa.array(range(len(records)), pa.int64())}
        for field in fields:
            columns[self._columns[field.name]] = pa.array([r.get(field.name) for r in records], pa.string())
        self._table = pa.table(columns)

    def learn(self, seed: int) -> tuple[dict[str, Sequence[float]], dict[str, Sequence[float]]]:
        """m and u by field, for the fields that the data could teach."""
        for rounds in _EM_ROUNDS[:-1]:
            with suppress(ValueError):
                return self._learn(seed, rounds)
        return self._learn(seed, _EM_ROUNDS[-1])

    def _learn(self, seed: int, rounds: int) -> tuple[dict[str, Sequence[float]], dict[str, Sequence[float]]]:
        linker = self._linker([expected(f) for f in self._fields], trained=False, rounds=rounds)
        linker.training.estimate_u_using_random_sampling(
            _RANDOM_PAIRS, seed=seed, min_count_per_level=None, num_chunks=1
        )
        for rule in self._training_rules():
            linker.training.estimate_parameters_using_expectation_maximisation(
                " and ".join(f'l."{c}" = r."{c}"' for c in rule),
                max_pairs=_TRAINING_PAIRS,
                record_sample_proportion=1.0,
            )
        learned = linker.misc.save_model_to_json()["comparisons"]
        return self._read(learned, "m_probability"), self._read(learned, "u_probability")

    def _read(self, learned: Sequence[Mapping[str, Any]], name: str) -> dict[str, Sequence[float]]:
        found: dict[str, Sequence[float]] = {}
        for field, comparison in zip(self._fields, learned, strict=True):
            levels = [lv for lv in comparison["comparison_levels"] if not lv.get("is_null_level")]
            seen = [lv.get(name) for lv in levels]
            if any(s is not None for s in seen):
                found[field.name] = [s or 0.0 for s in seen]
        return found

    def _training_rules(self) -> list[tuple[str, ...]]:
        """Up to three sets of columns, no column twice, on which pairs of one entity often agree and others
        rarely: what agrees there teaches the m of all other columns."""
        n = len(self._records)
        choices = []
        names = [f.name for f in self._fields]
        for size in range(1, min(3, len(names))):
            for fields in combinations(names, size):
                counts = Counter(tuple(r[f] for f in fields) for r in self._records if all(f in r for f in fields))
                pairs = sum(c * (c - 1) // 2 for c in counts.values())
                if 0 < pairs <= 5 * n:
                    choices.append((-min(pairs, n), size, pairs, fields))
        chosen: list[tuple[str, ...]] = []
        for _, _, _, fields in sorted(choices):
            if len(chosen) < 3 and not any(set(fields) & set(other) for other in chosen):
                chosen.append(fields)
        return [tuple(self._columns[f] for f in fields) for fields in chosen]

    def score(
        self,
        comparisons: Sequence[Comparison],
        pairs: Sequence[tuple[int, int]],
        frequencies: Mapping[str, Mapping[str, float]],
        least: float,
    ) -> list[tuple[int, int, float]]:
        """Each pair's weight in bits, without the prior."""
        linker = self._linker(comparisons, trained=True)
        for field in self._fields:
            self._register_frequencies(linker, field, frequencies[field.name], rarest(field, least))
        left, right = zip(*pairs, strict=True)
        blocked = pa.table({"match_key": ["0"] * len(pairs), "join_key_l": left, "join_key_r": right})
        linker.table_management.register_blocked_pairs_for_predict(self._api.register(blocked))
        relation = linker.inference.predict().as_duckdbpyrelation()
        rows = relation.select("unique_id_l, unique_id_r, match_weight").fetchall()
        return sorted((min(i, j), max(i, j), w) for i, j, w in rows)

    def _register_frequencies(self, linker: Linker, field: Field, known: Mapping[str, float], other: float) -> None:
        column = self._columns[field.name]
        values = sorted({r[field.name] for r in self._records if field.name in r})
        table = pa.table({column: values, f"tf_{column}": [known.get(v, other) for v in values]})
        linker.table_management.register_term_frequency_lookup(self._api.register(table), column)

    def _linker(self, comparisons: Sequence[Comparison], *, trained: bool, rounds: int = 1) -> Linker:
        self._api = DuckDBAPI(connection=self._connection)
        settings = SettingsCreator(
            link_type="dedupe_only",
            comparisons=[self._comparison(c, trained) for c in comparisons],
            blocking_rules_to_generate_predictions=[],
            probability_two_random_records_match=0.5 if trained else 2 / max(4, len(self._records)),
            retain_matching_columns=False,
            max_iterations=rounds,
        )
        return Linker(self._api.register(self._table), settings, log_level=None)

    def _comparison(self, comparison: Comparison, trained: bool) -> CustomComparison:
        field = comparison.field
        own = self._columns[field.name]
        beside = self._columns.get(field.beside or "")
        near = f'"{beside}_l", "{beside}_r"' if beside else "NULL, NULL"
        call = f'level_{field.kind}("{own}_l", "{own}_r", {near})'
        levels: list[Any] = [{"sql_condition": f'"{own}_l" IS NULL OR "{own}_r" IS NULL', "is_null_level": True}]
        last = len(LEVELS[field.kind]) - 1
        for at, name in enumerate(LEVELS[field.kind]):
            made: dict[str, Any] = {"sql_condition": f"{call} = {at}", "label_for_charts": name}
            if at == 0:
                made |= {"sql_condition": f'"{own}_l" = "{own}_r"', "tf_adjustment_column": own}
            elif at == last:
                made["sql_condition"] = "ELSE"
            if trained:
                made |= {"m_probability": comparison.m[at], "u_probability": comparison.u[at]}
            levels.append(made)
        return CustomComparison(levels, output_column_name=own)
