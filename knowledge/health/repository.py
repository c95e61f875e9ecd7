"""SQL that counts over the whole graph of one tenant. Every answer is about many subjects; records that are one
customer count as one, and facts that the purpose may not see do not count."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from typing import Any, NamedTuple

from core.context import RequestContext
from core.times import Micros
from knowledge.graph.backend import ALWAYS
from knowledge.graph.identity import identities
from knowledge.graph.repository import GraphRepository

_FACT_STANDS = "f.tenant = :tenant AND NOT EXISTS (SELECT 1 FROM graph_retraction r WHERE r.seq = f.seq)"
_TYPE = "substr({0}, 1, instr({0}, '/') - 1)"

_WHO = """who(subject, canonical) AS MATERIALIZED (SELECT key, value FROM json_each(:who)),
known(name, source) AS MATERIALIZED (SELECT key, value FROM json_each(:names))"""

# What each source said last of each property of a subject, if it still holds, has a value and may be seen. The window
# comes before the purposes: a newer fact that is withheld is not replaced by an older one.
_NOW = f"""{_WHO},
said AS (
  SELECT coalesce(w.canonical, f.subject) AS who, {_TYPE.format("f.subject")} AS type, f.name, k.source, f.seq, f.value,
    f.purposes, row_number() OVER (
      PARTITION BY coalesce(w.canonical, f.subject), f.name, k.source
      ORDER BY f.valid_from DESC, f.recorded_at DESC, f.seq DESC) AS place
  FROM graph_fact f JOIN known k ON k.name = f.source LEFT JOIN who w ON w.subject = f.subject
  WHERE {_FACT_STANDS} AND f.object IS NULL AND f.valid_from <= :now AND (f.valid_to IS NULL OR f.valid_to > :now)),
now AS MATERIALIZED (
  SELECT who, type, name, source, seq, value FROM said
  WHERE place = 1 AND value <> 'null' AND (purposes = '' OR instr(',' || purposes || ',', ',' || :purpose || ',') > 0)
    AND type || '.' || name NOT IN (SELECT value FROM json_each(:hidden)))"""

_VOLUME = f"""
SELECT name, max(last), sum(events), sum(facts), sum(recent) FROM (
  SELECT source AS name, max(time) AS last, count(*) AS events, 0 AS facts, sum(time > :week) AS recent
  FROM graph_event WHERE tenant = :tenant GROUP BY source
  UNION ALL SELECT f.source, max(f.recorded_at), 0, count(*), sum(f.recorded_at > :week)
  FROM graph_fact f WHERE {_FACT_STANDS} GROUP BY f.source) GROUP BY name ORDER BY name"""

_SUBJECTS = f"""
WITH {_WHO} SELECT {_TYPE.format("s.subject")}, count(DISTINCT coalesce(w.canonical, s.subject))
FROM graph_subject s LEFT JOIN who w ON w.subject = s.subject WHERE s.tenant = :tenant GROUP BY 1"""

_PROPERTIES = f"WITH {_NOW} SELECT source, type, name, count(*) FROM now GROUP BY source, type, name ORDER BY 1, 2, 3"

_EVENTS = f"""
WITH {_WHO}
SELECT k.source, {_TYPE.format("e.subject")}, e.type, count(DISTINCT coalesce(w.canonical, e.subject))
FROM graph_event e JOIN known k ON k.name = e.source LEFT JOIN who w ON w.subject = e.subject
WHERE e.tenant = :tenant AND e.type NOT IN (SELECT value FROM json_each(:hidden)) GROUP BY 1, 2, 3 ORDER BY 1, 2, 3"""

_NUMBERS = "json_type(a.value) IN ('integer', 'real') AND json_type(b.value) IN ('integer', 'real')"
_GAP = f"CASE WHEN {_NUMBERS} THEN nullif(abs(a.value - b.value), 0) END"
_CONFLICTS = f"""
WITH {_NOW},
several AS (SELECT who, name FROM now GROUP BY who, name HAVING count(*) > 1),
told AS MATERIALIZED (SELECT now.* FROM several CROSS JOIN now ON now.who = several.who AND now.name = several.name)
SELECT a.type, a.name, a.source, b.source, count(*),
  sum(CASE WHEN {_NUMBERS} THEN a.value + 0 <> b.value + 0 ELSE a.value <> b.value END), avg({_GAP}), max({_GAP})
FROM told a JOIN told b ON b.who = a.who AND b.name = a.name AND b.source > a.source
GROUP BY a.type, a.name, a.source, b.source ORDER BY 1, 2, 3, 4"""

_DUPLICATES = f"""
WITH {_NOW},
keyed AS MATERIALIZED (
  SELECT n.who, n.type, n.name, n.source, l.key FROM graph_lookup l JOIN now n ON n.seq = l.seq
  WHERE l.tenant = :tenant AND n.name IN (SELECT value FROM json_each(:telling))),
shared AS MATERIALIZED (SELECT type, name, key FROM keyed GROUP BY type, name, key HAVING count(DISTINCT who) > 1)
SELECT source, type, name, count(DISTINCT who), count(DISTINCT key) FROM keyed JOIN shared USING (type, name, key)
GROUP BY source, type, name
UNION ALL
SELECT NULL, type, name, count(DISTINCT who), count(DISTINCT key) FROM keyed JOIN shared USING (type, name, key)
GROUP BY type, name ORDER BY 1, 2, 3"""

_STEPS = f"""
WITH {_WHO} SELECT coalesce(w.canonical, e.subject) AS who, e.type, e.time FROM graph_event e
LEFT JOIN who w ON w.subject = e.subject
WHERE e.tenant = :tenant AND e.type IN (SELECT value FROM json_each(:types)) AND e.time <= :now
  AND e.subject >= :first AND e.subject < :after
ORDER BY who, e.time, e.id"""


class Volume(NamedTuple):
    """What came under one value of `source`; `last` is the newest event's time or newest fact's recording."""

    name: str
    last: int
    events: int
    facts: int
    recent: int


class Step(NamedTuple):
    who: str
    type: str
    time: Micros


class HealthRepository:
    """Counts at one moment, for one tenant and purpose.

    Args:
        hidden: properties (`type.name`) and event types that the purpose may not see.
    """

    def __init__(self, cursor: Any, ctx: RequestContext, now: Micros, hidden: Collection[str]) -> None:
        self._cursor = cursor
        self._given: dict[str, Any] = {
            "tenant": ctx.tenant,
            "purpose": ctx.purpose.value,
            "now": now,
            "hidden": json.dumps(sorted(hidden)),
            "names": "{}",
        }
        self._given["who"] = json.dumps(self._canonical(GraphRepository(cursor, ctx.tenant)))

    def _canonical(self, graph: GraphRepository) -> dict[str, str]:
        """Record → the id of the customer it is one with, for those that were given up."""
        rows = self._rows("SELECT kept FROM graph_merge WHERE tenant = :tenant AND undone_at IS NULL")
        merges = graph.merges_of({kept for (kept,) in rows}, ALWAYS)
        ends = {end for m in merges for end in (m.claim.kept, m.claim.gone)}
        found = identities(merges, ends)
        self.merged = sum(found[end].canonical != end for end in ends)
        return {end: found[end].canonical for end in ends if found[end].canonical != end}

    def asked(self) -> int:
        """Pairs of records that a person is still asked about."""
        rows = self._rows("SELECT count(*) FROM identity_pair WHERE tenant = :tenant AND state = 'open'")
        return int(next(rows)[0])

    def name_sources(self, names: Mapping[str, str]) -> None:
        """Value of `source` → the source it belongs to; what is not named is not counted."""
        self._given["names"] = json.dumps(dict(names))

    def volumes(self, week: Micros) -> list[Volume]:
        return [Volume(*row) for row in self._rows(_VOLUME, week=week)]

    def subjects(self) -> dict[str, int]:
        return dict(self._rows(_SUBJECTS))

    def properties(self) -> Iterator[tuple[str, str, str, int]]:
        """(source, type, property, subjects that have a value of it now)."""
        return self._rows(_PROPERTIES)

    def events(self) -> Iterator[tuple[str, str, str, int]]:
        """(source, type, event type, subjects that have one)."""
        return self._rows(_EVENTS)

    def conflicts(self) -> Iterator[tuple[str, str, str, str, int, int, float | None, float | None]]:
        """(type, property, source, other source, compared, disagree, mean gap, largest gap)."""
        return self._rows(_CONFLICTS)

    def duplicates(self, telling: Collection[str]) -> Iterator[tuple[str | None, str, str, int, int]]:
        """(source, or None for all together; type, property, subjects, values)."""
        return self._rows(_DUPLICATES, telling=json.dumps(list(telling)))

    def steps(self, object_type: str, types: Collection[str]) -> Iterator[Step]:
        """Events of some types of all subjects of a type until now: by subject, in order of time."""
        given = {"types": json.dumps(list(types)), "first": f"{object_type}/", "after": f"{object_type}0"}
        return (Step(who, kind, Micros(time)) for who, kind, time in self._rows(_STEPS, **given))

    def _rows(self, statement: str, **given: Any) -> Iterator[Any]:
        """Read as they are asked for: one statement has to be read before the next one is."""
        self._cursor.execute(statement, {**self._given, **given})
        return iter(self._cursor)
