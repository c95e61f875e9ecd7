"""The phrase book: what a tenant's words stand for where a sentence alone would be a question or an unknown name. It
never changes what the grammar reads without asking."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from core import audit
from core.clock import Clock
from core.context import RequestContext
from core.db import Database
from core.errors import InvalidInput, NotFound
from core.text import Text
from core.times import Micros
from knowledge.catalog import nearest
from strategy.language import check_phrase, phrase_key
from strategy.phrases.repository import PhraseRepository
from strategy.phrases.tables import PhraseRow

if TYPE_CHECKING:
    from strategy.writing import CatalogProvider

Answers = Mapping[str, str]
"""Words as the user wrote them → what they stand for."""
NO_ANSWERS: Answers = {}
LONGEST = 200
"""Characters that words, and what they stand for, may have."""


@dataclass(frozen=True, slots=True)
class Phrase:
    said: str
    means: str
    learned_by: str
    learned_at: Micros


Phrases = list[Phrase]


class PhraseBook:
    """Every change is one transaction with its audit row."""

    def __init__(self, db: Database, clock: Clock, catalog_provider: CatalogProvider) -> None:
        self._db = db
        self._clock = clock
        self._catalog = catalog_provider

    def list(self, ctx: RequestContext) -> Phrases:
        """All of the tenant's, in order of the words."""
        with self._db.reading() as session:
            return [_view(row) for row in PhraseRepository(session, ctx.tenant).all()]

    def known(self, ctx: RequestContext, answers: Answers = NO_ANSWERS) -> dict[str, str]:
        """Words in the form sentences are compared in → what they stand for, for `read_sentence`; `answers` to the
        sentence at hand come before what was learned."""
        with self._db.reading() as session:
            learned = {row.key: row.means for row in PhraseRepository(session, ctx.tenant).all()}
        return {**learned, **{phrase_key(said): means for said, means in answers.items()}}

    def learn(self, ctx: RequestContext, answers: Answers) -> Phrases:
        """Remember what words (the keys) stand for; a later answer takes the place of an earlier one.

        Raises:
            InvalidInput: empty or too long, or the same words on both sides.
            UnknownName: what they should stand for is itself unknown.
        """
        catalog = self._catalog(ctx)
        rows = []
        for said, means in answers.items():
            said, means = said.strip(), means.strip()
            if not (0 < len(said) <= LONGEST and 0 < len(means) <= LONGEST):
                raise InvalidInput(
                    Text(
                        f"词语和它的含义各应有 1 到 {LONGEST} 个字符",
                        f"words and meaning take 1 to {LONGEST} characters",
                    )
                )
            if phrase_key(said) == phrase_key(means):
                raise InvalidInput(Text(f"“{said}”的含义不能是它自己", f"{said!r} cannot stand for itself"))
            check_phrase(means, catalog)
            rows.append((phrase_key(said), said, means))
        now = Micros(self._clock.now())
        with self._db.transaction() as session:
            repository = PhraseRepository(session, ctx.tenant)
            for key, said, means in rows:
                before = repository.get(key)
                detail = {"means": means, **({"before": before.means} if before else {})}
                audit.record(session, ctx, self._clock, "phrase.learn", f"phrase/{said}", detail)
                repository.put(
                    PhraseRow(tenant=ctx.tenant, key=key, said=said, means=means, learned_by=ctx.actor, learned_at=now)
                )
        return [Phrase(said, means, ctx.actor, now) for _, said, means in rows]

    def forget(self, ctx: RequestContext, said: str) -> None:
        """Ask again from now on.

        Raises:
            NotFound: there is no such phrase; `nearest` has those most like it.
        """
        with self._db.transaction() as session:
            repository = PhraseRepository(session, ctx.tenant)
            row = repository.get(phrase_key(said))
            if row is None:
                raise NotFound(
                    Text(f"没有记住“{said}”", f"{said!r} has not been learned"),
                    nearest=nearest(said, [r.said for r in repository.all()]),
                )
            repository.remove(row)
            audit.record(session, ctx, self._clock, "phrase.forget", f"phrase/{row.said}", {"means": row.means})


def _view(row: PhraseRow) -> Phrase:
    return Phrase(row.said, row.means, row.learned_by, Micros(row.learned_at))
