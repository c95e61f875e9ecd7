"""What somebody writes, a sentence or a document, as a version that can be stored: read, checked, read back. Storing it
is in service.py."""

from __future__ import annotations

from collections.abc import Callable

from core.clock import Clock
from core.context import RequestContext
from core.db import Database
from core.errors import InvalidInput
from core.text import Text
from knowledge.catalog import Catalog
from strategy.budget import Budget
from strategy.document import Strategy
from strategy.engine.check import check_strategy
from strategy.files import as_strategy
from strategy.language import readback
from strategy.naming import check_name
from strategy.phrases import NO_ANSWERS, Answers, PhraseBook
from strategy.reading import SentenceReader
from strategy.tables import VersionRow

CatalogProvider = Callable[[RequestContext], Catalog]
"""The tenant's catalog as it is now."""


class Writing:
    """Reads for one hub: with its language model, if it has one, its tenants' phrases and its budget of state."""

    def __init__(
        self, db: Database, clock: Clock, catalog_provider: CatalogProvider, budget: Budget, reader: SentenceReader
    ) -> None:
        self._db, self._clock, self._catalog = db, clock, catalog_provider
        self._budget, self._reader = budget, reader
        self.phrases = PhraseBook(db, clock, catalog_provider)

    def row(
        self,
        ctx: RequestContext,
        sentence: str | None,
        document: Strategy | dict[str, object] | None,
        name: str | None,
        answers: Answers = NO_ANSWERS,
    ) -> VersionRow:
        """The sentence or document as a row that still lacks its number; checked against the catalog.

        Raises:
            InvalidInput, UnknownName, NeedsAnswer, Refused: it cannot be read or can never fire.
        """
        catalog = self._catalog(ctx)
        if (sentence is None) == (document is None):
            raise InvalidInput(Text("给出一句话或一个文档，二者取一", "give either a sentence or a document"))
        warnings: tuple[Text, ...] = ()
        lang, read_by = ctx.lang, "document"
        if sentence is not None:
            reading = self._reader.read(sentence, catalog, name=name, phrases=self.phrases.known(ctx, answers))
            strategy, lang, read_by, warnings = reading.document, reading.lang, reading.read_by, reading.warnings
        else:
            strategy = document if isinstance(document, Strategy) else as_strategy(document)
        check_name(name or strategy.name)
        warnings += tuple(w for w in check_strategy(strategy, catalog) if w not in warnings)
        with self._db.reading() as session:
            warnings += tuple(self._budget.warnings(session, ctx, catalog, strategy))
        return VersionRow(
            tenant=ctx.tenant,
            name=name or strategy.name,
            version=0,
            document=strategy.model_dump(mode="json", exclude_none=True),
            sentence=sentence,
            lang=lang,
            read_by=read_by,
            readback_zh=readback(strategy, catalog, "zh"),
            readback_en=readback(strategy, catalog, "en"),
            warnings=[[w.zh, w.en] for w in warnings],
            created_by=ctx.actor,
            created_at=self._clock.now(),
        )
