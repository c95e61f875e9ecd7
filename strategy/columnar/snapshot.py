"""The engine's whole state as bytes and back. Numbers of conditions and strategies are given anew by deploying the same
versions in the same order; state refers to conditions by their place in that order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import orjson
from numpy.typing import NDArray

from core.errors import InvalidInput
from core.events import Fact, Relation
from core.text import Text
from core.times import Micros
from strategy.columnar import codes as c
from strategy.columnar.plan import Entry, Leaf

if TYPE_CHECKING:
    from strategy.columnar.engine import ColumnarEngine

FORMAT = 1
_MAGIC = b"zhongshu-columnar\n"
Arrays = dict[str, NDArray[Any]]


def dump(engine: ColumnarEngine) -> bytes:
    """Compact first, so that nothing is written that no result can depend on."""
    deployed = engine.deployments
    deployed.settle()
    closed = engine.closed
    arrays: Arrays = {}
    entries = sorted(deployed.tables.entries.values(), key=lambda entry: entry.order)
    listed = dict.fromkeys(leaf.number for entry in entries for _, leaf in (*entry.trigger, *entry.audience))
    places = {number: place for place, number in enumerate(listed)}
    for k, shard in enumerate(engine.shards):
        shard.compact(int(c.NEVER) // 2 if closed is None else int(closed))
        arrays |= {f"shard{k}.{name}": array for name, array in shard.dump(places, deployed.name_places()).items()}
    for name, part in (
        ("names", engine.names),
        ("texts", engine.ready.texts),
        ("seen", engine.seen),
        ("queue", engine.queue),
    ):
        arrays |= {f"{name}.{key}": array for key, array in part.dump().items()}
    facts = engine.facts
    world = facts.world.dump()
    head = {
        "format": FORMAT,
        "shards": len(engine.shards),
        "clock": [int(x) for x in engine.clock],
        "begin": engine.begin,
        "count": deployed.count,
        "names": sorted(deployed.tables.names, key=deployed.tables.names.__getitem__),
        "entries": [_entry(entry, deployed.current.get(entry.strategy.name) is entry) for entry in entries],
        "leaves": [_leaf(deployed.tables.by_number[number]) for number in places],
        "facts": world["facts"],
        "links": world["links"],
        "timers": sorted(
            [due, places[number], subject] for due, number, subject in facts.timers.dump() if number in places
        ),
        "waiting": [[at, n, *_fact(item)] for at, n, item in sorted(facts.queue, key=lambda each: each[:2])],
        "arrivals": facts.arrivals,
        "side": None if engine.side.python is None else engine.side.python.snapshot().decode(),
        "orders": engine.side.orders,
        "arrays": [[name, str(array.dtype), list(array.shape)] for name, array in arrays.items()],
    }
    body = b"".join(np.ascontiguousarray(array).tobytes() for array in arrays.values())
    said = orjson.dumps(head)
    return _MAGIC + len(said).to_bytes(8, "little") + said + body


def load(engine: ColumnarEngine, snapshot: bytes) -> None:
    """Into a fresh engine on the same catalog.

    Raises:
        InvalidInput: it is no snapshot of this engine, has another format, or another number of shards.
    """
    if not snapshot.startswith(_MAGIC):
        raise InvalidInput(Text("不是列式引擎的快照", "this is not a snapshot of the columnar engine"))
    at = len(_MAGIC) + 8
    end = at + int.from_bytes(snapshot[at - 8 : at], "little")
    head = orjson.loads(snapshot[at:end])
    if head["format"] != FORMAT or head["shards"] != len(engine.shards):
        raise InvalidInput(
            Text(
                f"快照格式 {head['format']}、{head['shards']} 个分片，与本引擎不符",
                f"the snapshot has format {head['format']} and {head['shards']} shards, which is not this engine's",
            ),
            hint=Text("从日志重建", "Rebuild it from the journal"),
        )
    arrays = _arrays(head["arrays"], snapshot, end)
    engine.clock[:] = head["clock"]
    engine.begin = head["begin"]
    engine.names.load(_part(arrays, "names"))
    engine.ready.texts.load(_part(arrays, "texts"))
    engine.seen.load(_part(arrays, "seen"))
    engine.queue.load(_part(arrays, "queue"))
    engine.meet_all()
    world = engine.facts.world
    world.load({"known": [], "facts": head["facts"], "links": head["links"]})
    numbers = engine.deployments.rebuild(head)
    for k, shard in enumerate(engine.shards):
        shard.load(_part(arrays, f"shard{k}"), numbers)
    facts = engine.facts
    facts.timers.load([[due, numbers[place], subject] for due, place, subject in head["timers"]])
    for moment, n, *fields in head["waiting"]:
        facts.arrivals = n - 1
        facts.put(_read_fact(fields), Micros(moment))
    facts.arrivals = head["arrivals"]
    engine.side.restore(head["side"], head["orders"])
    engine.deployments.settle()


def _arrays(listed: list[Any], snapshot: bytes, at: int) -> Arrays:
    found = {}
    for name, dtype, shape in listed:
        size = int(np.prod(shape)) * np.dtype(dtype).itemsize
        found[name] = np.frombuffer(snapshot, dtype, int(np.prod(shape)), at).reshape(shape)
        at += size
    return found


def _part(arrays: Arrays, name: str) -> Arrays:
    return {key.partition(".")[2]: array for key, array in arrays.items() if key.partition(".")[0] == name}


def _entry(entry: Entry, current: bool) -> dict[str, Any]:
    return {
        "strategy": entry.strategy.model_dump(mode="json"),
        "version": entry.version,
        "begin": entry.begin,
        "order": entry.order,
        "draining": entry.draining,
        "current": current,
    }


def _leaf(leaf: Leaf) -> list[Any]:
    return list(leaf.key)


def _fact(item: Fact | Relation) -> list[Any]:
    if isinstance(item, Fact):
        return ["fact", item.subject, item.property, item.value, item.time]
    return ["relation", item.subject, item.relation, item.object, item.time, item.ended]


def _read_fact(fields: list[Any]) -> Fact | Relation:
    kind, *rest = fields
    return Fact(*rest) if kind == "fact" else Relation(*rest)
