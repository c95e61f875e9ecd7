"""Lines of JSON → what an engine can use, on one core: the columnar scanner against orjson, msgspec (where installed),
polars, and the plain path with all its checks. CPU time, median of rounds in which all take their turn.

Run: python -m benchmarks.decode [--lines 50000] [--rounds 5] [--json]
"""

from __future__ import annotations

import argparse
import contextlib
import gc
import importlib
import io
import json
import os
import random
import statistics
import time
from collections.abc import Callable
from typing import Any

os.environ["POLARS_MAX_THREADS"] = "1"

import orjson
import polars as pl

from benchmarks.machine import machine_facts
from core.times import MINUTE, format_time, parse_time
from knowledge.catalog import Catalog
from strategy.columnar.columns import Layout
from strategy.columnar.decode import Decoder
from strategy.stream import input_of, read_json, read_lines

FIELDS = {
    "amount": {"type": "number", "unit": "CNY", "min": 0},
    "store": {"type": "text"},
    "opened": {"type": "boolean"},
    "level": {"type": "enum", "values": {"low": {}, "high": {}}},
}
CATALOG = Catalog.model_validate(
    {"catalog": 1, "events": {f"shop.event{n}": {"subject": "customer", "fields": FIELDS} for n in range(12)}}
)
LAYOUT = Layout(tuple(sorted(CATALOG.events)), tuple(("amount", "opened", "store") for _ in CATALOG.events))
BATCHES = (1, 8, 64, 512, 4_096)


def lines(count: int, *, odd: float = 0.0) -> list[bytes]:
    """Flat CloudEvents of about 200 bytes; of `odd` of them the amount has a unit, which only the plain path reads."""
    chance, start = random.Random(5), parse_time("2026-05-01T00:00:00Z")
    made = []
    for n in range(count):
        amount = round(chance.random() * 500, 2)
        event = {
            "specversion": "1.0",
            "id": f"e{n:07d}",
            "source": "till",
            "type": chance.choice(LAYOUT.types),
            "time": format_time(start + n * MINUTE // 100),
            "subject": f"customer/c{chance.randrange(100_000)}",
            "data": {
                "amount": f"{amount} CNY" if chance.random() < odd else amount,
                "store": f"s{chance.randrange(50)}",
                "opened": chance.random() < 0.5,
            },
        }
        made.append(orjson.dumps(event))
    return made


def readers(made: list[bytes]) -> dict[str, Callable[[], object]]:
    """Each reads all lines. Only the last three check what the catalog says; polars and msgspec check types."""
    whole, decoder = b"\n".join(made), Decoder(LAYOUT, CATALOG)
    data = pl.Struct({"amount": pl.Float64, "store": pl.String, "opened": pl.Boolean})
    texts = dict.fromkeys(("specversion", "id", "source", "type", "time", "subject"), pl.String)

    def both() -> int:
        found = decoder.decode(whole)
        return len(found.lines) + sum(1 for _ in read_lines(found.leftovers, CATALOG, input_of))

    found: dict[str, Callable[[], object]] = {
        "orjson.loads": lambda: [orjson.loads(line) for line in made],
        "polars.read_ndjson": lambda: pl.read_ndjson(io.BytesIO(whole), schema={**texts, "data": data}),
    }
    with contextlib.suppress(ImportError):
        found["msgspec typed"] = _msgspec(made)
    return {**found, "plain path": lambda: [input_of(read_json(line), CATALOG) for line in made], "scanner": both}


def _msgspec(made: list[bytes]) -> Callable[[], object]:
    msgspec: Any = importlib.import_module("msgspec")
    of_data = msgspec.defstruct("Data", [("amount", float), ("store", str), ("opened", bool)])
    of_event = msgspec.defstruct(
        "Event",
        [*((name, str) for name in ("specversion", "id", "source", "type", "time", "subject")), ("data", of_data)],
    )
    decode = msgspec.json.Decoder(of_event).decode
    return lambda: [decode(line) for line in made]


def rates(reads: dict[str, Callable[[], object]], count: int, rounds: int) -> dict[str, float]:
    """Lines a CPU second of each, all of them once a round."""
    spent: dict[str, list[float]] = {name: [] for name in reads}
    for _ in range(rounds):
        for name, read in reads.items():
            gc.collect()
            started = time.process_time()
            read()
            spent[name].append(time.process_time() - started)
    return {name: round(count / statistics.median(times)) for name, times in spent.items()}


def run(count: int, rounds: int) -> dict[str, Any]:
    made = lines(count)
    reads = readers(made)
    started = time.process_time()
    reads["scanner"]()
    found: dict[str, Any] = {
        "bytes_per_line": round(sum(map(len, made)) / count),
        "first_use_s": round(time.process_time() - started, 2),
        "lines_per_s": rates(reads, count, rounds),
        "one_in_ten_left_over": rates(
            {name: read for name, read in readers(lines(count, odd=0.1)).items() if name in ("plain path", "scanner")},
            count,
            rounds,
        ),
    }
    decoder, by_size = Decoder(LAYOUT, CATALOG), {}
    for size in BATCHES:
        some = [b"\n".join(made[n : n + size]) for n in range(0, min(count, 200 * size), size)]
        by_size[size] = rates(
            {"scanner": lambda some=some: [decoder.decode(part) for part in some]}, min(count, 200 * size), rounds
        )["scanner"]
    return {**found, "scanner_by_batch": by_size}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--lines", type=int, default=50_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    found = {"machine": machine_facts(), **run(args.lines, args.rounds)}
    if args.json:
        print(json.dumps(found))
        return
    slowest = found["lines_per_s"]["plain path"]
    print(f"{found['bytes_per_line']} bytes a line; first use (compiled or loaded) {found['first_use_s']} s\n")
    for name, rate in found["lines_per_s"].items():
        print(f"{name:20} {rate:>10,} lines/s a core  {rate / slowest:5.1f} × the plain path")
    print("\none line in ten left over:")
    for name, rate in found["one_in_ten_left_over"].items():
        print(f"{name:20} {rate:>10,}")
    print("\nlines a batch, scanner alone:")
    for size, rate in found["scanner_by_batch"].items():
        print(f"{size:>20} {rate:>10,}")


if __name__ == "__main__":
    main()
