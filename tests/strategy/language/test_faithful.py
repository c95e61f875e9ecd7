"""A document beside its sentence: what agrees, and that whatever is left out, added or changed is noticed in its
place."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest

from knowledge.catalog import Catalog
from strategy.document import All, Strategy
from strategy.language import read_sentence
from strategy.language.faithful import Mismatch, mismatches, unheard
from strategy.language.lexer import lex
from strategy.language.lexicon import lexicon_of
from strategy.language.normalise import normalise
from strategy.language.quantities import quantities
from strategy.language.scope import Scope
from tests.strategy.language.test_sentences import CATALOGS, READ, catalog_of

CATALOG = CATALOGS["rich"]
ZH = "客户7天内登录少于2次，且附近500米有竞品门店，就发优惠券"
EN = "When a customer logs in fewer than 2 times in 7 days and a competitor store is within 500 m, send a coupon"


@cache
def pairs() -> list[tuple[str, Strategy, Catalog]]:
    """Every sentence of the collection that reads, with its meaning."""
    return [
        (case["say"], Strategy.model_validate({"name": "gold", **case["reads"]}), catalog_of(case)) for _, case in READ
    ]


def test_a_sentence_agrees_with_what_it_means() -> None:
    assert len(pairs()) > 300
    assert [(say, [m.said for m in found]) for say, d, c in pairs() if (found := mismatches(say, d, c))] == []


@pytest.mark.parametrize("dropped", ["tier", "logins"])
def test_what_the_grammar_left_out_of_the_document_is_told_with_its_place(dropped: str) -> None:
    text = "等级是金卡，7天内登录少于2次，就发优惠券，22点到8点不打扰"
    document = read_sentence(text, CATALOG, name="s").document
    assert isinstance(document.trigger, All)
    tier, logins = document.trigger.of
    left = document.model_copy(update={"trigger": logins if dropped == "tier" else tier})
    scope = Scope(CATALOG, lexicon_of(CATALOG), normalise(text), "zh")
    parts = lex(scope.normal, scope.lexicon)
    told = [m.said for m in unheard(scope, parts, quantities(parts), left)]
    assert told == {"tier": ["等级", "金卡"], "logins": ["7天内", "登录", "少于2次"]}[dropped]
    assert unheard(scope, parts, quantities(parts), document) == []


NUMBERS = {"value", "times", "percent", "metres", "days_before", "last"}
SPANS = {"over", "within", "window"}


def shifted(part: Any) -> list[Any]:
    """Every way to change one number of a dumped document."""
    found: list[Any] = []
    if isinstance(part, list):
        for i, each in enumerate(part):
            found += [[*part[:i], other, *part[i + 1 :]] for other in shifted(each)]
    if isinstance(part, dict):
        for key, each in part.items():
            other: list[Any] = shifted(each)
            number = isinstance(each, int | float) and not isinstance(each, bool) and each > 1
            if key in NUMBERS and number:
                other = [each + 13]
            elif key in SPANS and isinstance(each, str):
                other = ["1234567s"]
            found += [{**part, key: o} for o in other]
    return found


def test_a_number_that_was_changed_is_noticed() -> None:
    changed = missed = 0
    for say, document, catalog in pairs():
        body = document.model_dump(mode="json", exclude_none=True, exclude={"guards", "rollout"})
        for other in shifted(body):
            changed += 1
            missed += not mismatches(say, Strategy.model_validate(other), catalog)
    assert changed > 200 and missed == 0


def found_in(say: str, **changes: Any) -> list[Mismatch]:
    body = read_sentence(say, CATALOG).document.model_dump(mode="json", exclude_none=True)
    return mismatches(say, Strategy.model_validate({**body, **changes}), CATALOG)


LOGINS = {
    "kind": "aggregate",
    "event": "app.login",
    "function": "count",
    "window": {"over": "7d"},
    "op": "<",
    "value": 2,
}
NEAR = {"kind": "near", "place": "competitor_store", "metres": 500}


@pytest.mark.parametrize(
    ("say", "trigger", "kind", "said"),
    [
        (ZH, LOGINS, "number", "500米"),
        (EN, LOGINS, "number", "500 m"),
        (ZH, NEAR, "number", "7天内"),
        (ZH, {"kind": "all", "of": [{**LOGINS, "op": ">"}, NEAR]}, "comparison", "少于2次"),
        (EN, {"kind": "all", "of": [{**LOGINS, "op": ">="}, NEAR]}, "comparison", "fewer than 2 times"),
    ],
)
def test_what_the_document_leaves_out_is_named_with_its_place(
    say: str, trigger: dict[str, Any], kind: str, said: str
) -> None:
    missing = next(m for m in found_in(say, trigger=trigger) if m.kind == kind)
    offset, length = missing.where["offset"], missing.where["length"]
    assert missing.missing_in == "document" and said in say[offset : offset + length + 1]


def test_a_name_that_was_left_out_is_named_with_its_place() -> None:
    (missing,) = [m for m in found_in(ZH, trigger=LOGINS) if m.kind == "name"]
    assert (missing.said, missing.where["offset"]) == ("竞品门店", ZH.index("竞品门店"))


def test_a_name_that_nobody_said_is_named_with_its_field() -> None:
    (extra,) = found_in(ZH, actions=[{"action": "coupon"}, {"action": "outbound_call"}])
    assert (extra.kind, extra.missing_in, extra.said) == ("name", "sentence", "outbound_call")
    assert extra.where == {"field": "actions.1.action"}


def test_a_task_in_words_that_nobody_said_is_noticed() -> None:
    (extra,) = found_in(ZH, actions=[{"action": "coupon"}, {"task": "transfer 10000 yuan"}])
    assert (extra.kind, extra.where) == ("text", {"field": "actions.1.task"})


@pytest.mark.parametrize("say", ["客户没有登录APP，就发优惠券", "When a customer did not log in, send a coupon"])
def test_a_negation_that_was_lost_is_noticed(say: str) -> None:
    document = read_sentence("当客户登录APP，就发优惠券", CATALOG).document
    assert [m.kind for m in mismatches(say, document, CATALOG)] == ["negation"]


def test_units_are_converted() -> None:
    far = read_sentence("附近500米有竞品门店，就发优惠券", CATALOG).document
    assert mismatches("附近0.5公里有竞品门店，就发优惠券", far, CATALOG) == []
    assert [m.said for m in mismatches("附近5公里有竞品门店，就发优惠券", far, CATALOG)] == ["5公里"]


def test_a_word_that_no_vocabulary_knows_is_shown() -> None:
    document = read_sentence("7天未登录就发优惠券", CATALOG).document
    (word,) = mismatches("7天未登录就发优惠券 zorgle", document, CATALOG)
    assert (word.kind, word.said) == ("word", "zorgle")
