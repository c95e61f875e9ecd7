"""From claims to rows of the log: checks, ids, repeated claims left out, and the forms of text that `find` compares."""

from __future__ import annotations

import json
import math
import re
import unicodedata
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any
from zlib import crc32

from core.errors import InvalidInput
from core.ids import stable_id
from core.text import Text
from core.times import Micros
from knowledge.graph.backend import FactReader, FactWriter, Keyed
from knowledge.graph.model import Assertion, GraphFact, Merge, SameAs

_SUBJECT = re.compile(r"[A-Za-z][\w.-]*/\S+")
_ENCODER = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)
_MAX_KEY = 64
"""Longer texts are for retrieval, not for look-up."""
_OWN_DIGITS = 20
"""Hexadecimal digits of a fact's id that are its content's."""


def look_up_key(value: object) -> str:
    """The form in which texts are compared: full-width and case folded, letters and digits only, no +86 in front of a
    Chinese mobile number. Empty for what cannot be looked up."""
    if not isinstance(value, str) or len(value) > _MAX_KEY:
        return ""
    folded = value.lower() if value.isascii() else unicodedata.normalize("NFKC", value).casefold()
    key = folded if folded.isalnum() else "".join(filter(str.isalnum, folded))
    return key[2:] if len(key) == 13 and re.fullmatch(r"861\d{10}", key) else key


def to_json(value: Any) -> str:
    """JSON with sorted keys; the same value is always the same text.

    Raises:
        TypeError, ValueError: it has no JSON form (NaN and infinity have none).
    """
    plain = _PLAIN.get(type(value))
    return plain(value) if plain is not None else _ENCODER.encode(value)


def _finite(value: float) -> str:
    return repr(value) if math.isfinite(value) else _ENCODER.encode(value)


_PLAIN: Mapping[type, Callable[[Any], str]] = {
    type(None): lambda value: "null",
    bool: lambda value: "true" if value else "false",
    int: repr,
    float: _finite,
    str: _ENCODER.encode,
}
"""What most values are, written at once: an encoder sets itself up anew for each."""


def subject_key(subject: str) -> str:
    """The key of a subject's own id, without its type."""
    return look_up_key(subject.split("/", 1)[-1])


def check_claim(claim: Assertion, place: int) -> None:
    """
    Raises:
        InvalidInput: no such claim can be recorded; `where` has its place in the batch and the field.
    """

    def wrong(field: str, text: Text) -> InvalidInput:
        return InvalidInput(text, where={"item": place, "field": field})

    for field, end in (("subject", claim.subject), ("object", claim.object)):
        if end is not None and not _SUBJECT.fullmatch(end):
            raise wrong(field, Text(f"{end!r} 不是“类型/编号”", f"{end!r} is not `type/key`"))
    if not claim.name:
        raise wrong("name", Text("缺少属性名或关系名", "the property or relation has no name"))
    if claim.object is not None and claim.value is not None:
        raise wrong("value", Text("关系没有值", "a relation has no value"))
    if claim.valid_to is not None and claim.valid_to <= claim.valid_from:
        raise wrong("valid_to", Text("有效期的终点不晚于起点", "valid_to is not after valid_from"))
    if not 0 <= claim.confidence <= 1:
        raise wrong("confidence", Text(f"置信度 {claim.confidence} 不在 0 到 1 之间", "confidence is not within 0..1"))
    try:
        to_json(claim.value)
    except (TypeError, ValueError) as cause:
        raise wrong("value", Text(f"值无法存为 JSON：{cause}", f"the value has no JSON form: {cause}")) from cause


def check_same(claim: SameAs, place: int) -> None:
    """
    Raises:
        InvalidInput: no such merge can be recorded; `where` has its place in the batch and the field.
    """
    for field, subject in (("kept", claim.kept), ("gone", claim.gone)):
        if not _SUBJECT.fullmatch(subject):
            raise InvalidInput(
                Text(f"{subject!r} 不是“类型/编号”", f"{subject!r} is not `type/key`"),
                where={"item": place, "field": field},
            )
    kinds = [s.split("/", 1)[0] for s in (claim.kept, claim.gone)]
    if claim.kept == claim.gone or kinds[0] != kinds[1]:
        raise InvalidInput(
            Text(f"{claim.kept} 与 {claim.gone} 不能合并", f"{claim.kept} and {claim.gone} cannot be merged"),
            where={"item": place, "field": "gone"},
            hint=Text("须是同一类型的两条记录", "They have to be two records of one type"),
        )
    try:
        to_json(dict(claim.evidence))
    except (TypeError, ValueError) as cause:
        text = Text(f"证据无法存为 JSON：{cause}", f"the evidence has no JSON form: {cause}")
        raise InvalidInput(text, where={"item": place, "field": "evidence"}) from cause


class Intake:
    """Turns the claims of one batch, in order, into new rows. A claim that repeats what its source said last about the
    same property and moment gets the id it has already: a sync that runs again changes nothing, and a source that
    corrects itself back is still heard. `answers` has the id of each claim."""

    def __init__(self, tenant: str, turn: FactWriter, now: Micros, batch: Sequence[Assertion]) -> None:
        self.added: list[GraphFact] = []
        self.keys: list[Keyed] = []
        self.subjects: dict[str, str] = {}
        self._tenant, self._turn, self._now = tenant, turn, now
        self._seq = turn.next_seq()
        self._ids = [_claim_id(tenant, c) for c in batch]
        self._taken = turn.known_ids(set(self._ids))
        self._last: dict[tuple[Any, ...], tuple[str, str]] = {}
        self.answers = [self._add(claim, claim_id) for claim, claim_id in zip(batch, self._ids, strict=True)]

    def _add(self, claim: Assertion, claim_id: str) -> str:
        about = (claim.subject, claim.name, claim.object, claim.valid_from, claim.source)
        if about not in self._last and claim_id in self._taken and (said := self._said(claim)):
            self._last[about] = said
        last = self._last.get(about)
        if last is not None and last[0] == claim_id:
            return last[1]
        fact = self._fact(claim, self._free_id(claim_id))
        self._last[about] = (claim_id, fact.id)
        self.added.append(fact)
        for subject in (claim.subject, claim.object):
            if subject is not None and subject not in self.subjects:
                self.subjects[subject] = subject_key(subject)
        if key := look_up_key(claim.value):
            self.keys.append(Keyed(key, fact.seq))
        return fact.id

    def _said(self, claim: Assertion) -> tuple[str, str] | None:
        """(claim id, fact id) of what the log has as the source's last standing word."""
        fact = self._turn.latest_claim(claim.subject, claim.name, claim.object, claim.valid_from, claim.source)
        return None if fact is None else (_claim_id(self._tenant, fact), fact.id)

    def _free_id(self, claim_id: str) -> str:
        fact_id, again = claim_id, 0
        while fact_id in self._taken or (again and self._turn.known_ids([fact_id])):
            again += 1
            fact_id = stable_id("fact", claim_id, again)
        self._taken.add(fact_id)
        return fact_id

    def _fact(self, claim: Assertion, fact_id: str) -> GraphFact:
        seq, self._seq = self._seq, self._seq + 1
        return GraphFact(
            id=fact_id,
            seq=seq,
            subject=claim.subject,
            name=claim.name,
            value=claim.value,
            object=claim.object,
            ended=claim.ended,
            valid_from=claim.valid_from,
            valid_to=claim.valid_to,
            recorded_at=self._now if claim.recorded_at is None else claim.recorded_at,
            source=claim.source,
            confidence=claim.confidence,
            purposes=claim.purposes,
        )


def _claim_id(tenant: str, claim: Assertion | GraphFact) -> str:
    """The id of a claim by its content; when it was recorded does not matter. It begins with a few bits of its
    subject's, so that facts of one record stand together in an index of ids and a batch writes one page of it a record,
    not one a fact; too few bits to tell whose it is."""
    shelf = crc32(f"{tenant}/{claim.subject}".encode()) & 0xFFFF
    by_content = stable_id(
        "fact",
        tenant,
        claim.subject,
        claim.name,
        claim.object,
        to_json(claim.value),
        claim.ended,
        claim.valid_from,
        claim.valid_to,
        claim.source,
        float(claim.confidence),
        ",".join(sorted(claim.purposes)),
    )
    return f"fact_{shelf:04x}{by_content[-_OWN_DIGITS:]}"


def merge_of(tenant: str, turn: FactWriter, told: SameAs, now: Micros, actor: str) -> Merge:
    """The merge a claim makes: the one that stands already when the same was claimed before, else a new one."""
    claim_id = merge_id = stable_id("merge", tenant, told.kept, told.gone, told.reason, to_json(dict(told.evidence)))
    again = 0
    while known := turn.merges_by_id([merge_id]):
        if known[merge_id].undone is None:
            return known[merge_id]
        again += 1
        merge_id = stable_id("merge", claim_id, again)
    return Merge(merge_id, turn.next_seq("merge"), told, now, actor)


def erased_with(reader: FactReader, subjects: Collection[str], facts: Sequence[GraphFact]) -> list[str]:
    """The records to erase with all facts about `subjects`: what was known only by its relation to them (their device,
    by its number) is theirs too."""
    seqs = {f.seq for f in facts}
    ends = {end for f in facts for end in (f.subject, f.object) if end is not None} - {*subjects}

    def known_by_them(subject: str) -> bool:
        more, events, merges = reader.all_of([subject])
        return not events and not merges and {f.seq for f in more} <= seqs

    return [*subjects, *filter(known_by_them, sorted(ends))]
