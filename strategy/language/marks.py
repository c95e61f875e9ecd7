"""Marks that only set something off: brackets around a window, a colon or dash after whom a sentence is about."""

from __future__ import annotations

from collections.abc import Sequence

from strategy.language.amounts import Comparison, Quantity, Span
from strategy.language.lexer import Part


def unbracketed(parts: Sequence[Part]) -> list[Part]:
    """ "登录少于2次(7天内)", "fewer than 2 logins (in 7 days)": brackets around a window alone only set it off."""
    result = list(parts)
    for i in range(len(result) - 3, -1, -1):
        opened, inner, closed = result[i : i + 3]
        if not (i and opened.has("LPAR") and closed.has("RPAR")) or inner.names:
            continue
        compared: Comparison | None = result[i - 1].get("CMPQ")
        counts = result[i - 1].has("COUNT") or (compared is not None and compared.quantity.times)
        if inner.has("WINDOW", "STREAK"):
            result[i : i + 3] = [inner]
        elif inner.has("DUR") and counts:
            over: Quantity = inner.get("DUR")
            result[i : i + 3] = [Part(inner.start, inner.end, {"WINDOW": Span("inside", over=over.micros, said=over)})]
    return result


_HEADING = ("FOR", "GIVE", "OBJECT", "VALUE", "FILLER", "A", "ANY", "EACHONE", "DE", "OR", "LIST")


def headed(parts: Sequence[Part]) -> list[Part]:
    """ "客户:7天内…", "For gold customers: …": the mark after whom it is about joins what follows."""
    at = next((i for i, p in enumerate(parts) if not p.has(*_HEADING) or p.has("STRING")), len(parts))
    stop = at
    while stop < len(parts) and parts[stop].has("COLON", "MINUS"):
        stop += 1
    if stop in (at, len(parts)) or not any(p.has("OBJECT", "VALUE") for p in parts[:at]):
        return list(parts)
    lead = next(p for p in parts if not p.has("FILLER") or p.has("FOR"))
    comma = [Part(parts[at].start, parts[stop - 1].end, {"COMMA": None})] if lead.has("FOR", "GIVE") else []
    return [*parts[:at], *comma, *parts[stop:]]
