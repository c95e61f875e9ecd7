"""Numbers with what they count: amounts with units, durations, times of day, counts, comparisons, windows and runs.
Each is one part afterwards; which field or event it belongs to is decided in clauses.py."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from core.times import DAY, WEEK
from strategy.language.amounts import OPPOSITE, OUTSIDE, Comparison, Quantity, Run, Span
from strategy.language.lexer import Part
from strategy.language.literals import LITERALS, join_values, lists, op_of
from strategy.language.patterns import Bindings, Index, rewrite, rule


def _quantity(number: float, unit: str | None = None, times: bool = False) -> dict[str, object]:
    quantity = Quantity(number, unit, times)
    senses: dict[str, object] = {"QTY": quantity}
    if times:
        senses["COUNT"] = quantity
    elif unit == "percent":
        senses["PERCENT"] = quantity
    elif unit == "clock":
        return {"HOUR": number}
    elif quantity.micros is not None:
        senses["DUR"] = quantity
    return senses


def _measured(number: float) -> dict[str, object]:
    """3条, 5 screens: a count like 3次, or the plain value of a field without a unit (3级)."""
    quantity = Quantity(number, times=True, measure=True)
    return {"QTY": quantity, "COUNT": quantity}


def _num(b: Bindings) -> float:
    return float(b["n"].get("NUM"))


def _with_unit(b: Bindings, _: Part) -> dict[str, object] | None:
    if b["u"].get("UNIT") == "points" and b["u"].names:  # "500 points" where points are a thing of the catalog
        return None
    if b["u"].get("UNIT") == "year" and _num(b) in _YEARS:
        return {"CALENDAR": "year"}
    most = {"month": 12, "quarter": 4}.get(b["u"].get("UNIT"), 0) if b["u"].has("OFYEAR") else 0
    return {**_quantity(_num(b), b["u"].get("UNIT")), **({"OFYEAR": None} if 1 <= _num(b) <= most else {})}


_YEARS = range(1900, 2101)
"""2026年 is a year of the calendar, no length. So may 3月 and 二季度 be parts of one, unlike 3个月; a word such as 近
or 内 makes them a length."""


def _half_more(b: Bindings, _: Part) -> dict[str, object] | None:
    return _quantity(_num(b) + 0.5, b["u"].get("UNIT"))


def _half_of(b: Bindings, _: Part) -> dict[str, object] | None:
    return _quantity(6, "month") if b["u"].get("UNIT") == "year" else _quantity(0.5, b["u"].get("UNIT"))


def _one_of(b: Bindings, first: Part) -> dict[str, object] | None:
    senses = _quantity(1, b["u"].get("UNIT"))
    return senses if "DUR" in senses else None


_AMOUNTS = Index(
    rule("n:NUM u:UNIT", _with_unit),
    rule("n:NUM GE HALF u:UNIT", _half_more),
    rule(
        "n:NUM u:UNIT HALF", lambda b, p: _half_more(b, p) if b["u"].get("UNIT") != "clock" else {"HOUR": _num(b) + 0.5}
    ),
    rule("n:NUM AND HALF u:UNIT", _half_more),
    rule("n:NUM u:UNIT AND HALF", _half_more),
    rule("A u:UNIT AND HALF", lambda b, _: _quantity(1.5, b["u"].get("UNIT"))),
    rule("HALF GE? u:UNIT", _half_of),
    rule("A u:UNIT", _one_of),
    rule("u:UNIT n:NUM", lambda b, _: _quantity(_num(b), b["u"].get("UNIT")) if _is_money(b["u"]) else None),
    rule(
        "u:UNIT n:NUM v:UNIT",
        lambda b, _: (
            _quantity(_num(b), b["u"].get("UNIT"))
            if _is_money(b["u"]) and b["v"].get("UNIT") == b["u"].get("UNIT")
            else None
        ),
    ),
    rule("PERCENTOF n:NUM", lambda b, _: _quantity(_num(b), "percent")),
    rule("n:NUM TENTHS", lambda b, _: _quantity(10 * _num(b), "percent")),
    rule("n:NUM TENTHS HALF", lambda b, _: _quantity(10 * _num(b) + 5, "percent")),
    rule("HALFSHARE", lambda b, _: {**_quantity(50, "percent")}),
    rule("n:NUM TIMES", lambda b, _: _quantity(_num(b), times=True)),
    rule("n:NUM GRADE", lambda b, _: {**_quantity(_num(b)), "GRADED": None}),
    rule("n:NUM MEASURE|GE", lambda b, _: _measured(_num(b))),
    rule("n:NUM PLUS TIMES|MEASURE", lambda b, _: {"CMPQ": Comparison(">=", Quantity(_num(b), times=True))}),
    rule("n:NUM FOLD", lambda b, _: {"FOLD": _num(b)}),
    rule("ORDINAL n:NUM TIMES", lambda b, _: {"NTH": _num(b)}),
    rule("ONCE", lambda b, _: {**_quantity(1, times=True), "ONCE": None}),
    rule("TWICE", lambda b, _: _quantity(2, times=True)),
    rule("THRICE", lambda b, _: _quantity(3, times=True)),
    rule("n:NUM", lambda b, _: _quantity(_num(b))),
)


def _is_money(part: Part) -> bool:
    return part.get("UNIT") in ("CNY", "USD", "EUR")


_HOURS = Index(
    rule("d:DAYPART h:HOUR", lambda b, _: _clock(b["h"].get("HOUR"), b["d"].get("DAYPART"))),
    rule("h:HOUR d:DAYPART", lambda b, _: _clock(b["h"].get("HOUR"), b["d"].get("DAYPART"))),
    rule("h:HOUR", lambda b, _: _clock(b["h"].get("HOUR"), None)),
    rule(
        "q:QTY d:DAYPART",
        lambda b, _: (
            _clock(b["q"].get("QTY").number, b["d"].get("DAYPART"))
            if b["q"].get("QTY") == Quantity(b["q"].get("QTY").number)
            else None
        ),
    ),
    rule("d:DAYPART c:CLOCK", lambda b, _: _clock(_hours(b["c"]), b["d"].get("DAYPART"))),
    rule("c:CLOCK d:DAYPART", lambda b, _: _clock(_hours(b["c"]), b["d"].get("DAYPART"))),
    rule("c:CLOCK", lambda b, _: _clock(_hours(b["c"]), None)),
)


def _hours(part: Part) -> float:
    hours, _, minutes = str(part.get("CLOCK")).partition(":")
    return int(hours) + int(minutes) / 60


def _clock(hours: float, daypart: str | None) -> dict[str, object] | None:
    """A local time as `HH:MM`; 晚上10点 and 10 pm are 22:00, 凌晨12点 and midnight 00:00."""
    if daypart == "pm" and hours < 12:
        hours += 12
    elif (daypart == "pm" and hours == 12) or (daypart == "am" and hours == 12):
        hours = 12 if daypart == "pm" else 0
    elif daypart == "noon" and hours < 11:
        hours += 12
    elif daypart == "midnight" and hours == 12:
        hours = 0
    minutes = round(hours * 60)
    if not 0 <= minutes <= 24 * 60:
        return None
    return {"AT": f"{minutes // 60 % 24:02d}:{minutes % 60:02d}"}


def _sum_durations(b: Bindings, _: Part) -> dict[str, object] | None:
    """1小时30分钟: smaller units after larger ones add up."""
    first, second = b["a"].get("DUR"), b["b"].get("DUR")
    one, more = Quantity(1, first.unit).micros or 0, Quantity(1, second.unit).micros or 0
    smaller = more < one if first.unit != "us" else (second.micros or 0) < (first.micros or 0)
    if not smaller:
        return None
    micros = (first.micros or 0) + (second.micros or 0)
    return _quantity(micros, "us")


_COMPOUNDS = Index(rule("a:DUR b:DUR", _sum_durations), rule("a:DUR AND b:DUR", _sum_durations))


def _negative(b: Bindings, _: Part) -> dict[str, object] | None:
    quantity = b["q"].get("QTY")
    return {"CMPQ": Comparison(op_of(b["c"]), replace(quantity, number=-quantity.number))}


def _compare(op: str, b: Bindings) -> dict[str, object]:
    return {"CMPQ": Comparison(op, b["q"].get("QTY"))}


def _range(b: Bindings, _: Part) -> dict[str, object] | None:
    low, high = b["a"].get("QTY"), b["b"].get("QTY")
    if low.unit is None and not low.times:
        wan = high.unit == "万元" and low.number > high.number  # 1万到5万元
        low = replace(low, unit="CNY" if wan else high.unit, times=high.times)
    low, high = (replace(q, number=-q.number) if sign in b else q for q, sign in ((low, "m"), (high, "w")))
    return {"CMPQ": Comparison(">=", low, high, inclusive="i" in b)}


def _outside(b: Bindings, part: Part) -> dict[str, object] | None:
    """不在90到160之间 · not between 90 and 160."""
    found = _range(b, part)
    return {"CMPQ": replace(found["CMPQ"], op=OUTSIDE)} if found else None  # type: ignore[type-var] # a Comparison


def _doubled(b: Bindings, _: Part) -> dict[str, object]:
    """达到1000元以上 says one thing twice; 超过3次以上 leaves open whether 3 counts."""
    same = b["c"].get("CMP") == b["p"].get("POSTCMP")
    return {"CMPQ": Comparison(b["c"].get("CMP"), b["q"].get("QTY"))} if same else {"CLASH": None}


_ENDS = "( m:MINUS )? a:QTY AND|TO|MINUS|VERSUS ( w:MINUS )? b:QTY"

_COMPARISONS = Index(
    rule(f"COP? BETWEEN {_ENDS} BETWEENEND? ( i:INCLUSIVE )? ( LPAR i:INCLUSIVE RPAR )?", _range),
    rule(f"COP? {_ENDS} BETWEENEND ( i:INCLUSIVE )? ( LPAR i:INCLUSIVE RPAR )?", _range),
    rule("SINCEVALUE m:MINUS? a:QTY TO w:MINUS? b:QTY", _range),
    rule("c:CMP|COP|COPNEG MINUS q:QTY", _negative),
    rule("COP c:CMP MINUS q:QTY", _negative),
    rule("c:CMP q:QTY", lambda b, _: _compare(b["c"].get("CMP"), b)),
    rule("COP c:CMP q:QTY", lambda b, _: _compare(b["c"].get("CMP"), b)),
    rule("COPNEG|NEG c:CMP q:QTY", lambda b, _: _compare(OPPOSITE[b["c"].get("CMP")], b)),
    rule("COP q:QTY", lambda b, _: _compare("==", b)),
    rule("COPNEG q:QTY", lambda b, _: _compare("!=", b)),
    rule("q:QTY p:POSTCMP", lambda b, _: _compare(b["p"].get("POSTCMP"), b)),
    rule(
        "q:QTY p:POSTCMP TIMES|MEASURE",
        lambda b, _: (
            {"CMPQ": Comparison(b["p"].get("POSTCMP"), Quantity(b["q"].get("QTY").number, times=True))}
            if b["q"].get("QTY").unit is None
            else None
        ),
    ),
    rule("COP q:QTY p:POSTCMP", lambda b, _: _compare(b["p"].get("POSTCMP"), b)),
    rule("c:CMP q:QTY p:POSTCMP", _doubled),
    rule(f"NEG|COPNEG COP? BETWEEN {_ENDS} BETWEENEND?", _outside),
    rule(f"NEG|COPNEG COP? {_ENDS} BETWEENEND", _outside),
    rule("q:QTY EXCEPTEND", lambda b, _: None if b["q"].has("DUR", "COUNT") else _compare(">", b)),
    rule("WITHIN q:QTY", lambda b, _: None if b["q"].has("DUR") else _compare("<=", b)),
    rule("COP WITHIN q:QTY", lambda b, _: None if b["q"].has("DUR") else _compare("<=", b)),
    rule("q:QTY INSIDE", lambda b, _: None if b["q"].has("DUR") else _compare("<=", b)),
)


def _run_of(quantity: Quantity, op: str = ">=") -> dict[str, object] | None:
    number = quantity.number
    if op == ">":
        number += 1
    elif op not in (">=", "=="):
        return None
    if number != int(number) or number < 1:
        return None
    if quantity.times or quantity.unit is None:
        return {"STREAK": Run(int(number))}
    if quantity.period is not None:
        return {"STREAK": Run(int(number), quantity.period, Quantity(number, quantity.unit).micros)}
    if quantity.micros is not None:
        return {"STREAK": Run(None, "event", quantity.micros)}
    return None


def _run(b: Bindings, _: Part) -> dict[str, object] | None:
    if "c" in b:
        comparison = b["c"].get("CMPQ")
        return None if comparison.high else _run_of(comparison.quantity, comparison.op)
    return _run_of(b["q"].get("QTY"))


def _periodic(quantity: Quantity) -> bool:
    return quantity.times or quantity.period is not None


_RUNS = Index(
    rule("STREAK q:COUNT|DUR", _run),
    rule("STREAK c:CMPQ", _run),
    rule("FORTIME? q:COUNT|DUR STREAK", _run),
    rule("c:CMPQ STREAK", lambda b, p: _run(b, p) if _periodic(b["c"].get("CMPQ").quantity) else None),
    rule(
        "FORTIME? IN? q:QTY STREAK TIMES|MEASURE", lambda b, _: _run_of(Quantity(b["q"].get("QTY").number, times=True))
    ),
    rule(
        "FORTIME? IN? q:QTY STREAK u:UNIT", lambda b, _: _run_of(Quantity(b["q"].get("QTY").number, b["u"].get("UNIT")))
    ),
    rule(
        "FORTIME? q:QTY s:STREAK",
        lambda b, p: _run(b, p) if _periodic(b["q"].get("QTY")) or b["s"].get("STREAK") == "en" else None,
    ),
    rule("s:STREAK", lambda b, _: None if b["s"].has("VALUE") else {"STREAK": Run(None)}),
)


def _span(form: str, quantity: Quantity) -> dict[str, object] | None:
    return {"WINDOW": Span(form, over=quantity.micros, said=quantity)} if quantity.micros is not None else None


def _last_n(b: Bindings, _: Part) -> dict[str, object] | None:
    number = b["q"].get("QTY").number
    if number != int(number) or number < 1:
        return None
    return {"WINDOW": Span("past", last=int(number), said=b["q"].get("QTY"))}


def _period(b: Bindings, _: Part) -> dict[str, object] | None:
    micros = Quantity(1, b["u"].get("UNIT")).micros
    return {"REFERENCE": micros} if micros else None


def _since(b: Bindings, _: Part) -> dict[str, object] | None:
    """ "the last order was more than 30 days ago"."""
    comparison = b["q"].get("CMPQ")
    if comparison and (comparison.quantity.micros is None or comparison.op not in (">", ">=") or comparison.high):
        return None
    return {**b["q"].senses, "AGO": None}


_PASTS = (
    # "last week" is the calendar's, "in the last week" the seven days up to now; beside "versus" it is only a length.
    rule("VERSUS|SINCEVALUE LASTALONE u:UNIT", _period),
    rule("LASTALONE u:UNIT", lambda b, _: {"CALENDAR": "previous"} if _period(b, _) else None),
    rule("q:DUR|CMPQ AGO", _since),
    rule("PASSED q:DUR", lambda b, _: dict(b["q"].senses)),
    rule("LAST q:DUR INSIDE?", lambda b, _: _span("past", b["q"].get("DUR"))),
)
_BEFORE_COMPARISONS = Index(*_PASTS)
_WINDOWS = Index(
    *_PASTS,
    rule(
        "LAST u:UNIT INSIDE?",
        lambda b, _: (
            _span("past", Quantity(1, b["u"].get("UNIT"))) if "DUR" in _quantity(1, b["u"].get("UNIT")) else None
        ),
    ),
    rule("LAST q:COUNT INSIDE?", _last_n),
    rule("LAST q:QTY", lambda b, _: _last_n(b, _) if b["q"].get("QTY").unit is None else None),
    rule("q:DUR INSIDE", lambda b, _: _span("inside", b["q"].get("DUR"))),
    rule("WITHIN q:DUR", lambda b, _: _span("within", b["q"].get("DUR"))),
    rule("IN q:DUR", lambda b, _: _span("in", b["q"].get("DUR"))),
    rule("IN ANY q:DUR", lambda b, _: _span("in", b["q"].get("DUR"))),
    rule("FORTIME q:DUR", lambda b, _: _span("for", b["q"].get("DUR"))),
    rule("IN|FORTIME|CMP PREVIOUS q:DUR", lambda b, _: _span("past", b["q"].get("DUR"))),
    rule("THIS q:DUR INSIDE?", lambda b, _: _span("past", b["q"].get("DUR"))),
    rule("ALLTIME", lambda b, _: {"WINDOW": Span("all")}),
)


_PERIODS_COMPARED = Index(
    rule("VERSUS|SINCEVALUE|ON PREVIOUS u:UNIT", _period),
    rule("SINCEVALUE PREVIOUS q:DUR", lambda b, _: {"REFERENCE": b["q"].get("DUR").micros}),
    rule("VERSUS PREVIOUS|BEFORE q:DUR", lambda b, _: {"REFERENCE": b["q"].get("DUR").micros}),
    rule("VERSUS u:UNIT BEFORE", _period),
    rule("VERSUS q:DUR BEFORE", lambda b, _: {"REFERENCE": b["q"].get("DUR").micros}),
    rule(
        "VERSUS w:WINDOW",
        lambda b, _: (
            {"REFERENCE": b["w"].get("WINDOW").over}
            if b["w"].get("WINDOW").form == "past" and b["w"].get("WINDOW").over
            else None
        ),
    ),
    rule("VERSUS THEBEFORE|PREVIOUS", lambda b, _: {"REFERENCE": None}),
    rule("CHAIN VERSUS? PREVIOUS u:UNIT", _period),
    rule("CHAIN", lambda b, _: {"REFERENCE": None}),
    rule("DAILY", lambda b, _: {"REFERENCE": DAY}),
    rule("WEEKLY", lambda b, _: {"REFERENCE": WEEK}),
    rule("MONTHLY", lambda b, _: {"REFERENCE": 30 * DAY}),
    rule("THIS u:UNIT", lambda b, _: {"CALENDAR": b["u"].get("UNIT")}),
    rule(
        "p:PREVIOUS u:UNIT",
        lambda b, _: {
            "CALENDAR": "previous",
            **({"AHEAD": Quantity(1, b["u"].get("UNIT"))} if b["p"].has("FRONTONE") else {}),
        },
    ),
    rule("YEARLY", lambda b, _: {"CALENDAR": "previous"}),
)


_EVERY = Index(rule("EACH o:OBJECT", lambda b, _: {**b["o"].senses, "EACHONE": None}))
"""每家门店 · each store: of every such thing."""


def _told_apart(parts: Sequence[Part]) -> list[Part]:
    """ "2 stars or fewer" is "2 or fewer stars"; in "等级到30" what a value comes to is what it reaches."""
    result = list(parts)
    for i in range(1, len(result) - 1):
        before, part, after = result[i - 1 : i + 2]
        if before.has("NUM") and after.has("POSTCMP") and part.named("field", "attribute") and not part.has("UNIT"):
            result[i : i + 2] = [after, part]
        elif part.has("TO") and after.has("NUM") and before.named("attribute") and not part.names:
            result[i] = replace(part, senses={"CMP": ">="})
        elif (
            part.has("TO")
            and before.has("NUM")
            and after.has("NUM")
            and i > 1
            and result[i - 2].named("attribute", "field")
        ):  # aged 60 to 75
            result.insert(i - 1, Part(before.start, before.start, {"BETWEEN": None}))
    return result


def quantities(parts: Sequence[Part]) -> list[Part]:
    """All passes, in the order in which they build on one another."""
    parts = rewrite(_told_apart(join_values(parts)), _AMOUNTS)
    parts = rewrite(parts, _HOURS)
    before = 0
    while before != len(parts):
        before = len(parts)
        parts = rewrite(parts, _COMPOUNDS)
    parts = rewrite(parts, _BEFORE_COMPARISONS)
    parts = rewrite(lists(parts), _COMPARISONS)
    parts = rewrite(parts, LITERALS)
    parts = rewrite(parts, _RUNS)
    return rewrite(rewrite(rewrite(parts, _WINDOWS), _PERIODS_COMPARED), _EVERY)
