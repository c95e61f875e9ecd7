"""A partition as JSON and back, exactly: what `restore` builds continues as if nothing had happened."""

from __future__ import annotations

from typing import Any

from core.events import Event, Fact, Input, Relation
from core.times import Micros
from knowledge.catalog.model import Catalog
from strategy.document import Strategy
from strategy.engine.compile import compile_strategy
from strategy.engine.groups import groups_of
from strategy.engine.state import Partition, Running, State


def dump(part: Partition) -> dict[str, Any]:
    return {
        "running": [_dump_running(running) for running in part.running.values()],
        "world": part.world.dump(),
        "timers": part.timers.dump(),
        "queue": [[at, arrival, *_dump_input(item)] for at, _, _, _, arrival, item in part.queue],
        "begin": part.begin,
        "fired": part.fired,
        "arrivals": part.arrivals,
        "deployments": part.deployments,
    }


def load(data: dict[str, Any], catalog: Catalog) -> Partition:
    part = Partition(groups_of(catalog), begin=None if data["begin"] is None else Micros(data["begin"]))
    part.world.load(data["world"])
    part.timers.load(data["timers"])
    for at, arrival, *fields in data["queue"]:
        part.arrivals = arrival - 1
        part.put(_load_input(fields), Micros(at))
    part.arrivals, part.deployments = data["arrivals"], data["deployments"]
    part.fired = {name: {s: Micros(at) for s, at in last.items()} for name, last in data["fired"].items()}
    for each in data["running"]:
        part.add(_load_running(each, catalog))
    return part


def _dump_running(running: Running) -> dict[str, Any]:
    leaves = running.program.leaves
    return {
        "strategy": running.strategy.model_dump(mode="json"),
        "version": running.version,
        "number": running.number,
        "begin": running.begin,
        "draining": running.draining,
        "states": [
            [
                subject,
                state.true,
                [None if c is None else leaf.dump(c) for leaf, c in zip(leaves, state.cells, strict=True)],
            ]
            for subject, state in running.states.items()
        ],
    }


def _load_running(data: dict[str, Any], catalog: Catalog) -> Running:
    strategy = Strategy.model_validate(data["strategy"])
    program = compile_strategy(strategy, catalog)
    begin = None if data["begin"] is None else Micros(data["begin"])
    running = Running(strategy, data["version"], data["number"], program, begin, data["draining"])
    for subject, true, cells in data["states"]:
        state = State(len(program.leaves))
        state.true = true
        state.cells = [None if c is None else leaf.load(c) for leaf, c in zip(program.leaves, cells, strict=True)]
        running.states[subject] = state
    return running


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
