"""Comparisons with something else than an amount: values of the catalog, quoted texts, dates, lists, parts of a text,
and whether there is a value at all. Each is one part (CMPV: operator and what it is compared with) afterwards."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from strategy.language.amounts import NOT
from strategy.language.lexer import Part
from strategy.language.patterns import Bindings, Index, rule


def op_of(part: Part) -> str:
    if part.has("CMP"):
        return str(part.get("CMP"))
    return "!=" if part.has("COPNEG") else "=="


def _literal(b: Bindings, _: Part) -> dict[str, object] | None:
    if b["v"].has("NAME") and not b["v"].has("VALUE", "STRING"):
        return None
    op = op_of(b["c"])
    if b["v"].has("VALUES") and op in ("==", "!="):
        return {"CMPV": ("in" if op == "==" else "not_in", b["v"].get("VALUES"))}
    return {"CMPV": (op, b["v"])}


def _text(op: str, b: Bindings) -> dict[str, object] | None:
    """包含“急” · does not start with "SH"."""
    if (b["v"].has("NAME") and not b["v"].has("VALUE", "STRING")) or b["v"].has("VALUES"):
        return None
    return {"CMPV": (NOT + op if "n" in b else op, b["v"])}


def _blank(b: Bindings, _: Part) -> dict[str, object]:
    missing = (b["b"].get("BLANK") == "missing") != ("n" in b)
    return {"CMPV": ("missing" if missing else "present", None)}


_DAYS, _BOTH = "a:DATE|STRING AND|TO|MINUS|VERSUS c:DATE|STRING", "( INCLUSIVE )? ( LPAR INCLUSIVE RPAR )?"

LITERALS = Index(
    rule("n:NEG|COPNEG? t:TEXTOP v:VALUE|STRING|DATE|UNKNOWN", lambda b, _: _text(b["t"].get("TEXTOP"), b)),
    rule("n:NEG|COPNEG? WITHTEXT v:VALUE|STRING|DATE|UNKNOWN t:TEXTEND", lambda b, _: _text(b["t"].get("TEXTEND"), b)),
    rule("t:TEXTEND n:COPNEG v:VALUE|STRING|DATE|UNKNOWN", lambda b, _: _text(b["t"].get("TEXTEND"), b)),
    rule("t:TEXTEND COP v:VALUE|STRING|DATE|UNKNOWN", lambda b, _: _text(b["t"].get("TEXTEND"), b)),
    rule("COP? b:BLANK", _blank),
    rule("n:NEG|COPNEG b:BLANK", _blank),
    rule(f"COP? BETWEEN {_DAYS} BETWEENEND? {_BOTH}", lambda b, _: {"CMPV": ("between", [b["a"], b["c"]])}),
    rule(f"COP? {_DAYS} BETWEENEND {_BOTH}", lambda b, _: {"CMPV": ("between", [b["a"], b["c"]])}),
    rule("c:CMP|COP|COPNEG v:VALUE|STRING|DATE|TRUE|FALSE|UNKNOWN", _literal),
    rule("COP? NEITHER v:VALUE|STRING NOR w:VALUE|STRING", lambda b, _: {"CMPV": ("not_in", [b["v"], b["w"]])}),
    rule("COP c:CMP v:VALUE|STRING|DATE|TRUE|FALSE", _literal),
    rule("COP? BEFORE v:DATE", lambda b, _: {"CMPV": ("<", b["v"])}),
    rule("COP? AFTER v:DATE", lambda b, _: {"CMPV": (">", b["v"])}),
    rule("v:DATE BEFORE", lambda b, _: {"CMPV": ("<", b["v"])}),
    rule("v:DATE AFTER", lambda b, _: {"CMPV": (">", b["v"])}),
)


def lists(parts: Sequence[Part]) -> list[Part]:
    """ "属于[a、b]", "is one of [a, b]": everything in the bracket is one comparison with a list."""
    result: list[Part] = []
    i = 0
    while i < len(parts):
        part = parts[i]
        opens = part.has("ONEOF", "NOTONEOF") and i + 1 < len(parts) and parts[i + 1].has("LBRK")
        stop = next((j for j in range(i, len(parts)) if parts[j].has("RBRK")), None) if opens else None
        if stop is None:
            result.append(part)
            i += 1
            continue
        values: list[Part] = []
        negative = False
        for item in parts[i + 2 : stop]:
            if item.has("LIST", "COMMA", "OR", "AND") and not item.has("STRING"):
                continue
            if item.has("MINUS"):
                negative = True
                continue
            if negative and item.has("QTY"):
                quantity = item.get("QTY")
                item = Part(item.start, item.end, {"QTY": replace(quantity, number=-quantity.number)})
            negative = False
            values += item.get("VALUES") or [item]
        op = "in" if part.has("ONEOF") else "not_in"
        result.append(Part(part.start, parts[stop].end, {"CMPV": (op, values)}))
        i = stop + 1
    return result


def join_values(parts: Sequence[Part]) -> list[Part]:
    """ "金卡、银卡或大客户", "gold or silver": values of one attribute side by side are one alternative."""
    result: list[Part] = []
    for part in parts:
        last = result[-2:] if len(result) >= 2 else []
        if _more_text(result, part):
            said = result[-2].get("VALUES") or [result[-2]]
            kind = "STRING" if said[0].has("STRING") else "UNKNOWN"
            texts = Part(result[-2].start, part.end, {kind: said[0].get(kind), "VALUES": [*said, part]})
            result[-2:] = [texts]
            continue
        if part.has("STRING") and not part.names and result and result[-1].named("field", "attribute"):
            result.append(Part(part.start, part.start, {"COP": None}))  # drink "latte"
        if result and result[-1].end == part.start and _only_value(result[-1]) and _only_value(part):  # 初一|初二
            values = [*(result[-1].get("VALUES") or [result[-1]]), part]
            if len({(n.of, n.owner, n.item) for v in values for n in v.named("value")}) == 1:
                result[-1] = replace(result[-1], end=part.end, senses={**result[-1].senses, "VALUES": values})
                continue
        if (
            last
            and last[0].has("VALUE")
            and last[1].has("OR", "LIST", "AND")
            and not last[1].has("VERSUS")
            and _only_value(part)
        ):
            values = [*(last[0].get("VALUES") or [last[0]]), part]
            shared = set.intersection(*({(n.of, n.owner, n.item) for n in v.named("value")} for v in values))
            if shared:
                result[-2:] = [Part(last[0].start, part.end, {"VALUE": None, "VALUES": values, "NAME": last[0].names})]
                continue
        result.append(part)
    return result


def _more_text(result: Sequence[Part], part: Part) -> bool:
    """ "drink is "latte" or "americano"", "城市是上海或苏州": one more text that the same thing may be."""
    if len(result) < 3 or not result[-1].has("OR", "LIST"):
        return False
    if not any(part.has(kind) and result[-2].has(kind) for kind in ("STRING", "UNKNOWN")):
        return False
    return result[-3].has("COP", "COPNEG") and not (part.names or result[-2].names or result[-1].names)


def _only_value(part: Part) -> bool:
    return part.has("VALUE") and all(n.kind == "value" for n in part.names)
