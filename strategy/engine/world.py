"""What holds about subjects apart from events: newest facts, relations both ways, and which subjects are known."""

from __future__ import annotations

import json
from typing import Any

from core.events import Fact, Relation
from core.times import Micros


class World:
    """Facts and relations as of the last applied instant. Of two values of one property the one with the later `time`
    holds; at equal time the one whose JSON sorts last, and an end after a beginning, so that arrival order never
    matters."""

    __slots__ = ("_facts", "_links", "_objects", "_subjects", "known", "of_kind")

    def __init__(self) -> None:
        self.known: dict[str, str] = {}
        """Every subject heard of → its object type."""
        self.of_kind: dict[str, list[str]] = {}
        """Object type → its subjects, in order of being heard of."""
        self._facts: dict[str, dict[str, tuple[Micros, Any]]] = {}
        self._links: dict[tuple[str, str, str], tuple[Micros, bool]] = {}
        self._objects: dict[tuple[str, str], set[str]] = {}
        self._subjects: dict[tuple[str, str], set[str]] = {}

    def meet(self, subject: str) -> bool:
        """Note that a subject exists; True the first time."""
        if subject in self.known:
            return False
        kind = self.known[subject] = subject.partition("/")[0]
        self.of_kind.setdefault(kind, []).append(subject)
        return True

    def learn(self, fact: Fact) -> bool:
        """Take a fact; False when a newer one is known already."""
        mine = self._facts.setdefault(fact.subject, {})
        old = mine.get(fact.property)
        if old is not None and fact.time <= old[0] and (fact.time < old[0] or _rank(fact.value) <= _rank(old[1])):
            return False
        mine[fact.property] = (fact.time, fact.value)
        return True

    def relate(self, relation: Relation) -> bool:
        """Take a relation's beginning or end; False when a newer word on it is known already."""
        key = (relation.relation, relation.subject, relation.object)
        new = (relation.time, relation.ended)
        if key in self._links and new <= self._links[key]:
            return False
        self._links[key] = new
        objects = self._objects.setdefault((relation.relation, relation.subject), set())
        subjects = self._subjects.setdefault((relation.relation, relation.object), set())
        if relation.ended:
            objects.discard(relation.object)
            subjects.discard(relation.subject)
        else:
            objects.add(relation.object)
            subjects.add(relation.subject)
        return True

    def fact(self, subject: str, name: str) -> tuple[Micros, Any] | None:
        """The newest (since, value) of a property, or None when there is none (any more)."""
        mine = self._facts.get(subject)
        found = mine.get(name) if mine else None
        return None if found is None or found[1] is None else found

    def objects(self, relation: str, subject: str) -> list[str]:
        """What the subject has that relation to now, in order of id."""
        return sorted(self._objects.get((relation, subject), ()))

    def subjects(self, relation: str, object_: str) -> list[str]:
        """Who has that relation to the object now, in order of id."""
        return sorted(self._subjects.get((relation, object_), ()))

    def dump(self) -> dict[str, Any]:
        return {
            "known": list(self.known),
            "facts": self._facts,
            "links": [[*key, *value] for key, value in self._links.items()],
        }

    def load(self, data: dict[str, Any]) -> None:
        for subject in data["known"]:
            self.meet(subject)
        for subject, mine in data["facts"].items():
            self._facts[subject] = {name: (Micros(since), value) for name, (since, value) in mine.items()}
        for relation, subject, object_, time, ended in data["links"]:
            self.relate(Relation(subject, relation, object_, Micros(time), ended))


def _rank(value: Any) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=False, default=str)
