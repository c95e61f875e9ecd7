"""A sentence read twice where a model may read it too: by the grammar and by the model, each checked, and asked about
where they differ. Without a model, or when it fails, the grammar reads alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import structlog
from pydantic import ValidationError

from core.errors import InvalidInput, NeedsAnswer, TooLarge, ZhongshuError
from core.telemetry import span
from core.text import Lang, Text, guess_lang
from knowledge.catalog import Catalog
from strategy.document import Aggregate, All, Any_, Condition, Guards, Not, Rollout, Strategy, Verify
from strategy.engine.check import check_strategy
from strategy.language import Likeness, Phrases, Reading, phrase_key, read_sentence, readback
from strategy.language.colloquial import settled
from strategy.language.faithful import Mismatch, mismatches
from strategy.language.guards import Extras, take_extras
from strategy.language.lexer import lex
from strategy.language.lexicon import lexicon_of
from strategy.language.marks import headed, unbracketed
from strategy.language.normalise import normalise
from strategy.language.quantities import quantities
from strategy.language.read import NO_PHRASES, short_name
from strategy.language.scope import Scope
from strategy.language.zones import split_zones
from strategy.propose import Asked, Proposal, ProposalFailed, Proposer, samples, vocabulary

_log = structlog.get_logger(__name__)
REPAIRS = 1
"""How often the model may mend a proposal that was refused."""
BY_MODEL = Text("这是语言模型的读法，请核对复述", "a language model read this; check the readback")

_FAULTS = {
    "truncated": Text("回答被截断", "its answer was cut off"),
    "malformed": Text("回答不成格式", "its answer has no form"),
    "empty": Text("没有回答", "it said nothing"),
    "refused": Text("它拒绝回答", "it would not answer"),
    "rate_limited": Text("请求过多", "too many requests"),
    "timeout": Text("等待超时", "it took too long"),
    "unreachable": Text("连接不上", "it cannot be reached"),
    "rejected": Text("服务拒绝了请求", "the service rejected the request"),
    "broken": Text("服务出错", "the service failed"),
    "open": Text("服务刚刚多次出错，暂不询问", "it failed several times just now and is left alone"),
}
"""What became of the question, by the proposer's word for it."""

Sayings = Callable[[Lang], Sequence[str]]
"""Sentences of the business in one language, shown to the model with what they mean."""


def _none(_lang: Lang) -> Sequence[str]:
    return ()


@dataclass(frozen=True, slots=True)
class _Proposed:
    """The model's reading, which passed every check; `words` of the sentence are in no vocabulary."""

    document: Strategy
    words: tuple[Mismatch, ...]


class SentenceReader:
    """Reads sentences; `proposer` None: by the grammar alone. `likeness` ranks the names nearest to an unknown one."""

    def __init__(
        self, proposer: Proposer | None = None, sayings: Sayings = _none, likeness: Likeness | None = None
    ) -> None:
        self._proposer = proposer
        self._sayings = sayings
        self._likeness = likeness

    def read(
        self,
        text: str,
        catalog: Catalog,
        *,
        name: str | None = None,
        lang: Lang | None = None,
        phrases: Phrases = NO_PHRASES,
    ) -> Reading:
        """One sentence → its reading; `read_by` says whose it is. `phrases` answer what would be asked; one for
        the whole sentence is a readback, and is read in its place.

        What the grammar finds ambiguous or impossible stays so. Where it does not understand, the model's reading is
        taken if it says no more and no less than the sentence. Where both read and differ, the user is asked.

        Raises:
            As `read_sentence`.
        """
        if (whole := phrases.get(phrase_key(text))) is not None:  # an answer to which of two readings is meant
            return read_sentence(whole, catalog, name=name or short_name(text), lang=lang, likeness=self._likeness)
        lang = lang or guess_lang(text)
        reading: Reading | None = None
        failed: ZhongshuError | None = None
        try:
            reading = read_sentence(text, catalog, name=name, lang=lang, phrases=phrases, likeness=self._likeness)
            limits = reading.document.guards, reading.document.rollout, reading.document.verify
        except InvalidInput as error:
            if self._proposer is None or isinstance(error, TooLarge) or not text.strip():
                raise
            failed = error
            try:
                limits = read_limits(text, catalog, lang)
            except ZhongshuError:
                raise error from None
        if reading is not None and (self._proposer is None or self._known(text, reading, catalog)):
            return reading
        assert self._proposer is not None
        with span("strategy.propose"):
            proposed = self._ask(self._proposer, text, catalog, lang, name or short_name(text), limits)
        if isinstance(proposed, Text):
            if reading is None:
                assert failed is not None
                raise failed
            return replace(reading, warnings=(*reading.warnings, _fell_back(proposed)))
        return _settled(text, catalog, lang, reading, proposed)

    def _known(self, text: str, reading: Reading, catalog: Catalog) -> bool:
        """A readback word for word, or one of the business's own sentences: there is nothing to ask about."""
        text = text.strip()
        return text in self._sayings(reading.lang) or text == readback(reading.document, catalog, reading.lang)

    def _ask(
        self,
        proposer: Proposer,
        text: str,
        catalog: Catalog,
        lang: Lang,
        name: str,
        limits: tuple[Guards, Rollout, Verify | None],
    ) -> _Proposed | Text:
        """The model's reading, or why there is none."""
        shown = samples(catalog, lang, self._sayings(lang))
        asked = Asked(text, lang, vocabulary(catalog), shown)
        why = Text("", "")
        for _ in range(1 + REPAIRS):
            try:
                raw = proposer.propose(asked)
            except ProposalFailed as gone:
                return _FAULTS.get(str(gone), Text(str(gone), str(gone)))
            found = _checked(raw, text, catalog, name, limits)
            if isinstance(found, _Proposed):
                return found
            why = Text("；".join(p.zh for p in found[:3]), "; ".join(p.en for p in found[:3]))
            _log.info("proposal.refused", problems=[problem.en for problem in found])
            asked = replace(asked, problems=tuple(problem.say(lang) for problem in found), previous=raw)
        return why


def _checked(
    raw: dict[str, Any], text: str, catalog: Catalog, name: str, limits: tuple[Guards, Rollout, Verify | None]
) -> _Proposed | list[Text]:
    """The proposal as a document that fits the catalog and the sentence, or what is wrong with it."""
    guards, rollout, verify = limits
    try:
        proposal = Proposal.model_validate(raw)
        if verify is not None and proposal.verify not in (None, verify):
            return [Text("verify：句中说的是另一个", "verify: the sentence names another one")]
        document = Strategy(
            name=name,
            guards=guards,
            rollout=rollout,
            **{**{f: getattr(proposal, f) for f in Proposal.model_fields}, "verify": verify or proposal.verify},
        )
        check_strategy(document, catalog)
    except ValidationError as wrong:
        told = [f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in wrong.errors()[:5]]
        return [Text(each, each) for each in told]
    except ZhongshuError as wrong:
        near = ", ".join(wrong.nearest)
        said = wrong.text
        return [Text(f"{said.zh}（最接近：{near}）", f"{said.en} (nearest: {near})") if near else said]
    found = mismatches(text, document, catalog)
    words = tuple(m for m in found if m.kind == "word")
    invented = [m for m in found if m.kind == "name" and m.missing_in == "sentence"]
    hard = [m for m in found if m not in words and m not in invented]
    if len(invented) > len(words):  # an unknown word may stand for a name that is not said; nothing stands for more
        hard += invented
    return [m.text for m in hard] or _Proposed(document, words)


def _settled(text: str, catalog: Catalog, lang: Lang, reading: Reading | None, proposed: _Proposed) -> Reading:
    """One reading, or the question which."""
    model = proposed.document
    where = {"offset": 0, "length": len(text), "read_by": "model"}
    if reading is not None:
        if meaning(reading.document) == meaning(model):
            return replace(reading, read_by="model")
        raise NeedsAnswer(
            Text("这句话有两种读法，是哪一种？", "this sentence was read in two ways; which one is meant?"),
            choices=[_in_words(reading.document, catalog), _in_words(model, catalog)],
            where=where,
        )
    if proposed.words:
        said_zh = "、".join(f"“{m.said}”" for m in proposed.words)
        said_en = ", ".join(repr(m.said) for m in proposed.words)
        raise NeedsAnswer(
            Text(f"目录里没有{said_zh}。是这个意思吗？", f"the catalog has no {said_en}. Is this what is meant?"),
            choices=[_in_words(model, catalog)],
            where=where,
        )
    return Reading(model, lang, (BY_MODEL,), "model")


def _in_words(document: Strategy, catalog: Catalog) -> Text:
    return Text(readback(document, catalog, "zh"), readback(document, catalog, "en"))


def _fell_back(why: Text) -> Text:
    return Text(
        f"语言模型没有可用的读法（{why.zh}），由语法读出",
        f"the language model had no usable reading ({why.en}); the grammar read it",
    )


def read_limits(text: str, catalog: Catalog, lang: Lang) -> tuple[Guards, Rollout, Verify | None]:
    """How a strategy is to run, as far as a sentence says so, by the grammar's forms; the rest need not be understood.

    Raises:
        InvalidInput: two different values for one thing.
    """
    scope = Scope(catalog, lexicon_of(catalog), normalise(text), lang)
    extras = Extras()
    parts = quantities(settled(lex(scope.normal, scope.lexicon), scope.normal))
    rest = take_extras(headed(unbracketed(parts)), extras, scope, loose=False)
    try:
        _, _, actions = split_zones(rest, scope)
    except ZhongshuError:
        actions = []
    take_extras(actions, extras, scope, loose=True)
    found = extras.documents()
    return found["guards"], found["rollout"], found["verify"]


def meaning(strategy: Strategy) -> Strategy:
    """The strategy in one form for all ways to write it: without its name, conditions flat and in order, counts
    compared with ≥ and <. Equal forms mean the same; unequal ones may still."""
    trigger = _flat(strategy.trigger)
    audience = _flat(strategy.audience) if strategy.audience is not None else None
    return strategy.model_copy(update={"name": "-", "trigger": trigger, "audience": audience})


def _flat(condition: Condition) -> Condition:
    if isinstance(condition, Not):
        inner = _flat(condition.of)
        return inner.of if isinstance(inner, Not) else Not(of=inner)
    if isinstance(condition, All | Any_):
        kind = type(condition)
        parts: list[Condition] = []
        for each in map(_flat, condition.of):
            parts += each.of if isinstance(each, kind) else [each]
        if len(parts) == 1:
            return parts[0]
        return kind(of=tuple(sorted(parts, key=lambda c: c.model_dump_json())))
    if isinstance(condition, Aggregate) and condition.function in ("count", "distinct"):
        op, value = condition.op, condition.value
        if op in (">", "<=") and isinstance(value, float) and value.is_integer():
            return condition.model_copy(update={"op": ">=" if op == ">" else "<", "value": value + 1})
    return condition
