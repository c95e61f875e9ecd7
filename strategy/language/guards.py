"""What a sentence says about how a strategy runs: caps, quiet hours, cooldown, budget, consent, rollout, holdout,
variants and verification. They may stand anywhere between commas, and directly after an action."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

from core.times import DAY
from strategy.document import Cap, Guards, QuietHours, Rollout, Variant, Verify
from strategy.language.amounts import Comparison, Quantity
from strategy.language.lexer import Part
from strategy.language.normalise import plain
from strategy.language.patterns import Bindings, Index, Pattern, pattern
from strategy.language.scope import Scope
from strategy.language.segment import choose

_SEPARATORS = ("COMMA", "STOP", "LIST", "AND", "NEXT", "LPAR", "RPAR", "PLUS")

_PURPOSES = {
    "营销": "marketing",
    "服务": "service",
    "留存": "retention",
    "挽留": "retention",
    "分析": "analytics",
    "运营": "operations",
    "合规": "compliance",
}


@dataclass(slots=True)
class Extras:
    """Everything but trigger and actions, as far as it was said."""

    guards: dict[str, Any] = field(default_factory=dict)
    rollout: dict[str, Any] = field(default_factory=dict)
    variants: list[Variant] = field(default_factory=list)
    verify: Verify | None = None

    def documents(self) -> dict[str, Any]:
        rollout = {**self.rollout, **({"variants": tuple(self.variants)} if self.variants else {})}
        return {"guards": Guards(**self.guards), "rollout": Rollout(**rollout), "verify": self.verify}


class _Form(NamedTuple):
    pattern: Pattern
    read: Callable[[Bindings, Sequence[Part], Extras, Scope], bool]
    loose: bool
    """Unmistakable enough to stand right after an action, without a comma."""


def _once(extras: dict[str, Any], key: str, value: object, parts: Sequence[Part], scope: Scope) -> bool:
    if key in extras and extras[key] != value:
        scope.invalid(parts, "前面已经说过一个不同的值", "a different value was given before")
    extras[key] = value
    return True


def _micros(part: Part) -> int | None:
    if part.has("DUR"):
        micros: int | None = part.get("DUR").micros
        return micros
    if part.has("UNIT"):
        return Quantity(1, part.get("UNIT")).micros
    if part.has("WINDOW"):
        over: int | None = part.get("WINDOW").over
        return over
    return None


def _cap(b: Bindings, parts: Sequence[Part], extras: Extras, scope: Scope) -> bool:
    counted = b["n"]
    if counted.has("CMPQ"):
        comparison: Comparison = counted.get("CMPQ")
        if not comparison.quantity.times or comparison.op not in ("<=", "<"):
            return False
        number = comparison.quantity.number - (1 if comparison.op == "<" else 0)
    else:
        number = counted.get("COUNT").number
    per = Quantity(1, "year").micros if b["p"].has("ANNUAL") else _micros(b["p"])
    if per is None or number != int(number):
        return False
    if number < 1:
        scope.invalid(parts, "次数上限至少是1", "a cap must be at least 1")
    return _once(extras.guards, "cap", Cap(times=int(number), per=per), parts, scope)


def _cap_implied(b: Bindings, parts: Sequence[Part], extras: Extras, scope: Scope) -> bool:
    """ "…，每年一次", "…, once a year": said last it is a limit. (Twice a week may be how often they do something.)"""
    last = not scope.normal.text[parts[-1].end :].strip("。.!！ ")
    found = last and b["n"].get("COUNT").number == 1 and _cap(b, parts, extras, scope)
    if found:
        said = scope.said(*parts)
        scope.warn(f"“{said}”按“最多{said}”理解", f"{said!r} was read as “at most {said}”")
    return found


def _quiet(b: Bindings, parts: Sequence[Part], extras: Extras, scope: Scope) -> bool:
    start = b["a"].get("AT")
    end = b["b"].get("AT") if "b" in b else None
    if end is None:
        end = "08:00"
        scope.warn(f"没说到几点为止，按到次日 {end} 理解", f"no end was said; taken as until {end} the next morning")
    mode: Literal["defer", "drop"] = "drop" if any(p.has("DROPMODE") for p in parts) else "defer"
    return _once(extras.guards, "quiet_hours", QuietHours(start=start, end=end, mode=mode), parts, scope)


def _cooldown(b: Bindings, parts: Sequence[Part], extras: Extras, scope: Scope) -> bool:
    micros = _micros(b["d"])
    return micros is not None and _once(extras.guards, "cooldown", micros, parts, scope)


def _budget(b: Bindings, parts: Sequence[Part], extras: Extras, scope: Scope) -> bool:
    counted = b["n"]
    if counted.has("CMPQ"):
        if counted.get("CMPQ").op != "<=":
            return False
        quantity: Quantity = counted.get("CMPQ").quantity
    else:
        quantity = counted.get("QTY")
    if quantity.unit is not None:
        scope.refuse(parts, "预算按次数计，不按金额", "a budget counts deliveries, not money")
    if quantity.number != int(quantity.number) or quantity.number < 1:
        scope.invalid(parts, "预算应是至少为1的整数", "a budget must be a whole number of at least 1")
    return _once(extras.guards, "budget", int(quantity.number), parts, scope)


def _consent(b: Bindings, parts: Sequence[Part], extras: Extras, scope: Scope) -> bool:
    part = b["c"]
    said = part.get("STRING") if part.has("STRING") else scope.said(part)
    return _once(extras.guards, "consent", _PURPOSES.get(plain(said), said), parts, scope)


def _percent(part: Part, parts: Sequence[Part], scope: Scope) -> float:
    number: float = part.get("PERCENT").number
    if not 0 <= number <= 100:
        scope.refuse(parts, "比例应在 0 与 100% 之间", "a share must lie between 0 and 100%")
    return number


def _rollout(b: Bindings, parts: Sequence[Part], extras: Extras, scope: Scope) -> bool:
    return _once(extras.rollout, "percent", _percent(b["q"], parts, scope), parts, scope)


def _full(b: Bindings, parts: Sequence[Part], extras: Extras, scope: Scope) -> bool:
    return _once(extras.rollout, "percent", 100.0, parts, scope)


def _holdout(b: Bindings, parts: Sequence[Part], extras: Extras, scope: Scope) -> bool:
    return _once(extras.rollout, "holdout", _percent(b["q"], parts, scope), parts, scope)


def _no_holdout(b: Bindings, parts: Sequence[Part], extras: Extras, scope: Scope) -> bool:
    return _once(extras.rollout, "holdout", 0.0, parts, scope)


def _unlimited(key: str) -> Callable[[Bindings, Sequence[Part], Extras, Scope], bool]:
    """A default said in words: no cap, no quiet hours, no cooldown."""
    return lambda b, parts, extras, scope: _once(extras.guards, key, None, parts, scope)


def _variant(b: Bindings, parts: Sequence[Part], extras: Extras, scope: Scope) -> bool:
    params = b["j"].get("JSON") if "j" in b else {}
    extras.variants.append(Variant(name=b["s"].get("STRING"), weight=b["w"].get("QTY").number, params=params))
    return True


def _verify(b: Bindings, parts: Sequence[Part], extras: Extras, scope: Scope) -> bool:
    if b["x"].has("UNKNOWN"):
        scope.unknown(b["x"], ("event", "metric"))
    found = choose([(b["x"], b["x"].named("event", "metric"))] if b["x"].named("event", "metric") else [], scope)
    if found is None:
        return False
    within = _micros(b["d"]) if "d" in b else None
    if within is None:
        within = 7 * DAY
        scope.warn("没说看多久的效果，按7天", "no time was said for the verification; 7 days are taken")
    name = found[1]
    verify = Verify(event=name.id, within=within) if name.kind == "event" else Verify(metric=name.id, within=within)
    if extras.verify not in (None, verify):
        scope.invalid(parts, "只能有一个验证目标", "there can be only one verification")
    extras.verify = verify
    return True


_TAIL = "OBJECT? SHARE? ROLLOUT? START? VERB? SHARE? FIRST?"
_MODE = "COMMA? ( LPAR? DEFERMODE|DROPMODE RPAR? )?"

_FORMS = Index(
    *(
        _Form(pattern(text), _cap, True)
        for text in (
            "EACHONE? EACH p:UNIT|DUR n:CMPQ EACHONE?",
            "EACHONE? EACH p:UNIT|DUR CMP VERB n:COUNT EACHONE?",
            "n:CMPQ EACH p:UNIT|DUR EACHONE?",
            "EACHONE? p:ANNUAL n:CMPQ EACHONE?",
            "n:CMPQ p:ANNUAL EACHONE?",
            "n:CMPQ p:DUR|WINDOW EACHONE",
            "EACHONE n:CMPQ p:DUR|WINDOW",
            "EACHONE n:CMPQ EACH p:UNIT|DUR",
            "n:CMPQ EACHONE EACH p:UNIT|DUR",
            "EACHONE p:WINDOW|DUR n:CMPQ",
            "EACHONE p:WINDOW|DUR CMP VERB n:COUNT",
            "EACHONE? EACH p:UNIT|DUR ONLY VERB? n:COUNT EACHONE?",
            "n:CMPQ p:DUR",
            "ONLY n:COUNT EACH p:UNIT|DUR EACHONE?",
            "EACHONE? VERB CMP n:COUNT EACH p:UNIT|DUR",
            "p:WINDOW CMP VERB n:COUNT",
        )
    ),
    *(
        _Form(pattern(text), _cap_implied, False)
        for text in (
            "p:ANNUAL n:COUNT",
            "EACH p:UNIT n:COUNT",
            "n:COUNT EACH p:UNIT",
            "n:COUNT p:ANNUAL",
            "n:COUNT p:DUR",
        )
    ),
    *(
        _Form(pattern(text), _quiet, True)
        for text in (
            f"DISTANCE? a:AT TO|MINUS|AND FILLERDAY? b:AT BETWEENEND? QUIET {_MODE}",
            f"BETWEEN a:AT AND|TO|MINUS FILLERDAY? b:AT BETWEENEND? QUIET {_MODE}",
            f"a:AT AFTER QUIET {_MODE}",
            f"QUIET COLON? DISTANCE? a:AT TO|MINUS FILLERDAY? b:AT {_MODE}",
            f"QUIET BETWEEN a:AT AND|TO FILLERDAY? b:AT {_MODE}",
            f"QUIET AFTER a:AT ( TO|BEFORE FILLERDAY? b:AT )? {_MODE}",
            f"AFTER a:AT QUIET {_MODE}",
        )
    ),
    *(
        _Form(pattern(text), _cooldown, True)
        for text in (
            "COOL COLON? d:DUR",
            "COOL FORTIME? d:DUR",
            "COOL d:WINDOW",
            "d:DUR COOL",
            "d:WINDOW|DUR NOREPEAT",
            "NOREPEAT d:WINDOW|DUR",
            "EACHONE d:WINDOW|DUR NOREPEAT",
            "NOREPEAT FORTIME d:DUR",
            "NOREPEAT EACHONE d:WINDOW|DUR",
        )
    ),
    *(
        _Form(pattern(text), _budget, True)
        for text in (
            "BUDGET COLON? n:QTY|CMPQ INALL?",
            "n:CMPQ INALL INALL?",
            "CMP n:QTY INALL",
            "n:QTY INALL CMP? INALL",
            "CUMULATIVE CMP? VERB n:QTY",
        )
    ),
    *(_Form(pattern(text), _consent, True) for text in ("CONSENT c:STRING|UNKNOWN OBJECT?", "CONSENT c:NAME OBJECT?")),
    *(
        _Form(pattern(text), _rollout, True)
        for text in (
            f"FIRST? ROLLOUT COLON? q:PERCENT {_TAIL}",
            f"q:PERCENT OBJECT? SHARE? ROLLOUT {_TAIL}",
            "q:PERCENT START",
            "ONLY VERB? GIVE|TO|FOR? q:PERCENT OBJECT",
            "q:PERCENT DISTANCE? OBJECT ONLY",
            f"FOR q:PERCENT OBJECT|SHARE {_TAIL}",
            f"FIRST FOR? q:PERCENT {_TAIL}",
        )
    ),
    _Form(pattern("EACHONE? NOCAP EACHONE?"), _unlimited("cap"), True),
    _Form(pattern("VERB? NOQUIET"), _unlimited("quiet_hours"), True),
    _Form(pattern("FIRES? REARM"), _unlimited("cooldown"), True),
    _Form(pattern("ROLLOUT? FULL"), _full, False),
    *(
        _Form(pattern(text), _holdout, True)
        for text in (
            "HOLDOUT q:PERCENT OBJECT? HOLDOUT? HOLDOUT?",
            "q:PERCENT OBJECT? HOLDOUT",
            "HOLDOUT COLON? q:PERCENT",
            "q:PERCENT OBJECT? COP HOLDOUT",
        )
    ),
    _Form(pattern("NOHOLDOUT"), _no_holdout, True),
    _Form(pattern("VARIANT s:STRING WEIGHT w:QTY ( PARAMS j:JSON )?"), _variant, False),
    *(
        _Form(pattern(text), _verify, True)
        for text in (
            "VERIFY COLON? VERIFY? d:WINDOW|DUR WHETHER|IF? HAPPEN? ANOTHER|NEXT? x:NAME|UNKNOWN HAPPEN? ASTEST?",
            "VERIFY COLON? VERIFY? WHETHER|IF? OBJECT? ANOTHER|NEXT? x:NAME|UNKNOWN HAPPEN? d:WINDOW|DUR ASTEST?",
            "VERIFY COLON? WHETHER|IF? OBJECT? x:NAME|UNKNOWN ASTEST?",
            "d:WINDOW|DUR WHETHER? x:NAME|UNKNOWN ASTEST",
            "x:NAME d:WINDOW|DUR ASTEST",
        )
    ),
)


def take_extras(parts: Sequence[Part], extras: Extras, scope: Scope, *, loose: bool) -> list[Part]:
    """Move every guard among the parts into `extras`; return the rest. `loose`: among actions, where a guard may follow
    without a comma."""
    rest: list[Part] = []
    i = 0
    while i < len(parts):
        begins = not rest or rest[-1].has(*_SEPARATORS) or _only_filler(rest)
        found = _longest(parts, i, begins, loose)
        taken = 0
        for stop, bound, form in found:
            if form.read(bound, parts[i:stop], extras, scope):
                taken = stop
                scope.running += parts[i:stop]
                break
        if taken:
            while rest and rest[-1].has("FILLER", "AND") and not rest[-1].has("NAME"):
                rest.pop()
            i = taken
            continue
        rest.append(parts[i])
        i += 1
    return rest


def _only_filler(rest: Sequence[Part]) -> bool:
    tail: list[Part] = []
    for part in reversed(rest):
        if part.has(*_SEPARATORS):
            break
        tail.append(part)
    return all(p.has("FILLER", "IF", "GIVE", "THEN") for p in tail)


def _longest(parts: Sequence[Part], i: int, begins: bool, loose: bool) -> list[tuple[int, Bindings, _Form]]:
    """Matches that end where a clause ends, longest first."""
    found = []
    for form in _FORMS.at(parts[i]):
        if not begins and not (loose and form.loose):
            continue
        match = form.pattern.match(parts, i)
        if match is None:
            continue
        stop = match.stop
        while stop < len(parts) and parts[stop].has("FILLER") and not parts[stop].has("NAME", "VERB"):
            stop += 1
        ends = stop == len(parts) or parts[stop].has(*_SEPARATORS) or (loose and bool(parts[stop].named("action")))
        if ends or (loose and form.loose and any(f.pattern.match(parts, stop) for f in _FORMS.at(parts[stop]))):
            found.append((stop, match.bound, form))
    return sorted(found, key=lambda f: -f[0])
