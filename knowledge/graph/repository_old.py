"""SQL of what the embedded graph forgets: what is old enough, and words in its texts."""

from __future__ import annotations

import json
from collections.abc import Collection

from core.times import Micros
from knowledge.graph.log import look_up_key, to_json
from knowledge.graph.model import Naming, Outdated, Retraction
from knowledge.graph.repository import EVENT, FACT, MERGE, GraphRepository, event_of, merge_of

_EVENTS = "FROM graph_event WHERE tenant = :tenant AND type = :name AND time < :before"
_OVER = """SELECT seq, value FROM graph_fact WHERE tenant = :tenant AND name = :name AND object IS NULL
    AND subject >= :kind || '/' AND subject < :kind || '0' AND valid_from < :before
    AND (valid_to <= :before OR EXISTS (
        SELECT 1 FROM graph_retraction r WHERE r.seq = graph_fact.seq AND r.recorded_at < :before
    ) OR EXISTS (
        SELECT 1 FROM graph_fact n WHERE n.tenant = graph_fact.tenant AND n.subject = graph_fact.subject
        AND n.name = graph_fact.name AND n.object IS NULL AND n.valid_to IS NULL AND n.valid_from < :before
        AND (n.valid_from, n.recorded_at, n.seq) > (graph_fact.valid_from, graph_fact.recorded_at, graph_fact.seq)
        AND NOT EXISTS (SELECT 1 FROM graph_retraction r WHERE r.seq = n.seq)))"""


def _has(*columns: str) -> str:
    return " OR ".join(f"instr({column}, w.value) > 0" for column in columns)


def _told(columns: str, table: str, has: str, tenant: str = "tenant") -> str:
    words = f"SELECT 1 FROM json_each(:words) w WHERE {has}"
    return f"SELECT {columns} FROM {table} WHERE {tenant} = :tenant AND EXISTS ({words})"


class ForgettingRows(GraphRepository):
    """`FactWriter` on one cursor, but for its audit."""

    def drop_outdated(self, old: Outdated, dry_run: bool) -> int:
        asked = {"name": old.name, "before": old.before}
        if old.object_type is None:
            if dry_run:
                return int(self._rows(f"SELECT count(*) {_EVENTS}", **asked)[0][0])
            count: int = self._cursor.execute(f"DELETE {_EVENTS}", {"tenant": self._tenant, **asked}).rowcount
            return count
        rows = self._rows(_OVER, kind=old.object_type, **asked)
        if not dry_run:
            keys = [(self._tenant, look_up_key(json.loads(value)), seq) for seq, value in rows]
            self._cursor.executemany("DELETE FROM graph_lookup WHERE tenant = ? AND key = ? AND seq = ?", keys)
            for table in ("graph_retraction", "graph_fact"):
                self._cursor.executemany(f"DELETE FROM {table} WHERE seq = ?", [(seq,) for seq, _ in rows])
        return len(rows)

    def naming(self, words: Collection[str]) -> Naming:
        asked = {"words": json.dumps(list(words), ensure_ascii=False)}
        withdrawn = _told(
            "f.id, r.recorded_at, r.reason, r.actor", "graph_retraction r JOIN graph_fact f USING (seq)",
            _has("r.reason"), "f.tenant",
        )  # fmt: skip
        return Naming(
            self._facts(_told(FACT, "graph_fact f", _has("f.value")), **asked),
            [event_of(row) for row in self._rows(_told(EVENT, "graph_event", _has("data")), **asked)],
            [
                merge_of(row)
                for row in self._rows(
                    _told(MERGE, "graph_merge m", _has("m.reason", "m.evidence", "coalesce(m.undone_why, '')")), **asked
                )
            ],
            {fact: Retraction(Micros(at), why, who) for fact, at, why, who in self._rows(withdrawn, **asked)},
        )

    def retell(self, told: Naming) -> None:
        tenant, execute = self._tenant, self._cursor.executemany
        execute("UPDATE graph_fact SET value = ? WHERE seq = ?", [(to_json(f.value), f.seq) for f in told.facts])
        execute("DELETE FROM graph_lookup WHERE tenant = ? AND seq = ?", [(tenant, f.seq) for f in told.facts])
        keys = [(tenant, key, f.seq) for f in told.facts if (key := look_up_key(f.value))]
        self._many("graph_lookup", ("tenant", "key", "seq"), keys)
        execute(
            "UPDATE graph_event SET data = ? WHERE tenant = ? AND source = ? AND id = ?",
            [(to_json(dict(e.data)), tenant, e.source, e.id) for e in told.events],
        )
        execute(
            "UPDATE graph_merge SET reason = ?, evidence = ?, undone_why = ? WHERE seq = ?",
            [
                (m.claim.reason, to_json(dict(m.claim.evidence)), m.undone and m.undone.reason, m.seq)
                for m in told.merges
            ],
        )
        execute(
            "UPDATE graph_retraction SET reason = ?"
            " WHERE seq = (SELECT seq FROM graph_fact WHERE tenant = ? AND id = ?)",
            [(r.reason, tenant, fact) for fact, r in told.retractions.items()],
        )
