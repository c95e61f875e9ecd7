"""A partition as JSON and back, exactly: what `restore` builds continues as if nothing had happened."""

from __future__ import annotations

from typing import Any

from core.events import Event, Fact, Input, Relation
from core.times import EARLIEST, Micros
from knowledge.catalog.model import Catalog
from strategy.document import Strategy
from strategy.engine.compile import compile_strategy
from strategy.engine.memory import Memory
from strategy.engine.nodes import Leaf
from strategy.engine.state import Partition, Running, key_of


def dump(part: Partition, closed: Micros | None) -> dict[str, Any]:
    """`closed`: the last instant that has passed."""
    at = EARLIEST if closed is None else closed
    return {
        "running": [_dump_running(running) for running in part.running.values()],
        "memories": [_dump_memory(memory, at) for _, memory in sorted(part.memories.items())],
        "world": part.world.dump(),
        "timers": part.timers.dump(),
        "queue": [[at, arrival, *_dump_input(item)] for at, _, _, _, arrival, item in part.queue],
        "begin": part.begin,
        "fired": part.fired,
        "arrivals": part.arrivals,
        "deployments": part.deployments,
        "numbers": part.numbers,
    }


def load(data: dict[str, Any], catalog: Catalog) -> Partition:
    part = Partition(catalog, begin=None if data["begin"] is None else Micros(data["begin"]))
    part.world.load(data["world"])
    part.timers.load(data["timers"])
    for at, arrival, *fields in data["queue"]:
        part.arrivals = arrival - 1
        part.put(_load_input(fields), Micros(at))
    part.arrivals, part.deployments, part.numbers = data["arrivals"], data["deployments"], data["numbers"]
    part.fired = {name: {s: Micros(at) for s, at in last.items()} for name, last in data["fired"].items()}
    kept = {number: rest for number, *rest in data["memories"]}
    pairs = [_load_running(each, catalog) for each in data["running"]]
    for running, numbers in pairs:
        for leaf, number in zip(running.program.leaves, numbers, strict=True):
            if number not in part.memories:
                part.memories[number] = _load_memory(number, kept[number], leaf, running)
            part.memories[number].uses += 1
        running.memories = tuple(part.memories[number] for number in numbers)
    part.restore([running for running, _ in pairs])
    return part


def _dump_running(running: Running) -> dict[str, Any]:
    return {
        "strategy": running.strategy.model_dump(mode="json"),
        "version": running.version,
        "number": running.number,
        "begin": running.begin,
        "draining": running.draining,
        "memories": [memory.number for memory in running.memories],
    }


def _load_running(data: dict[str, Any], catalog: Catalog) -> tuple[Running, list[int]]:
    strategy = Strategy.model_validate(data["strategy"])
    program = compile_strategy(strategy, catalog)
    begin = None if data["begin"] is None else Micros(data["begin"])
    running = Running(strategy, data["version"], data["number"], program, begin, data["draining"])
    return running, data["memories"]


def _dump_memory(memory: Memory, at: Micros) -> list[Any]:
    memory.sweep(at)
    cells = [[subject, memory.lead.dump(cell)] for subject, cell in memory.cells.items()]
    return [memory.number, memory.begin, memory.draining, cells]


def _load_memory(number: int, data: list[Any], leaf: Leaf, running: Running) -> Memory:
    begin, draining, cells = data
    kind, _, _, owner = key_of(leaf, running)
    memory = Memory(number, kind, leaf, None if begin is None else Micros(begin), owner)
    if draining:
        memory.drain()
    memory.cells = {subject: leaf.load(cell) for subject, cell in cells}
    memory.room = max(memory.room, 2 * len(memory.cells))
    return memory


def _dump_input(item: Input) -> list[Any]:
    if isinstance(item, Event):
        return ["event", item.id, item.type, item.time, item.subject, dict(item.data), item.source]
    if isinstance(item, Fact):
        return ["fact", item.subject, item.property, item.value, item.time]
    return ["relation", item.subject, item.relation, item.object, item.time, item.ended]


def _load_input(fields: list[Any]) -> Input:
    kind, *rest = fields
    if kind == "event":
        return Event(*rest)
    return Fact(*rest) if kind == "fact" else Relation(*rest)
