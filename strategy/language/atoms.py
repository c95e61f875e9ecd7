"""The smallest pieces of a normalised sentence: Chinese character, English word with its stem, number, mark."""

from __future__ import annotations

import re
from dataclasses import dataclass

from strategy.language.numerals import ARABIC_NUMBER

_PIECE = re.compile(
    r"(?P<date>\d{4}-\d{2}-\d{2}(?:t[\d:.]+(?:z|[+-]\d{2}:\d{2})?)?)"
    r"|(?P<day>\d{4}(?:年\d{1,2}月\d{1,2}[日号]|/\d{1,2}/\d{1,2}(?!\d)))"
    r"|(?P<clock>(?:[01]?\d|2[0-4]):[0-5]\d)"
    rf"|(?P<number>{ARABIC_NUMBER.pattern})"
    r"|(?P<word>[a-zà-ɏ]+n't|[a-zà-ɏ]+\.[a-z]\.(?![a-z])|[a-zà-ɏ]+)"
    r"|(?P<mark>'(?:s|re|ve|d|ll|m)?(?![a-z])|>=|<=|==|!=|=>|->|&&|\|\||≥|≤|≠)"
    r"|(?P<one>\S)"
)

_IRREGULAR = {
    form: lemma
    for lemma, forms in {
        "buy": "bought",
        "send": "sent",
        "make": "made",
        "spend": "spent",
        "leave": "left",
        "lose": "lost",
        "win": "won",
        "write": "wrote written",
        "come": "came",
        "take": "took taken",
        "give": "gave given",
        "see": "saw seen",
        "choose": "chose chosen",
        "break": "broke broken",
        "drive": "drove driven",
        "meet": "met",
        "hold": "held",
        "keep": "kept",
        "sell": "sold",
        "bring": "brought",
        "begin": "began begun",
        "run": "ran",
        "use": "used uses using",
        "fall": "fell fallen",
        "rise": "rose risen",
        "grow": "grew grown",
        "go": "went gone goes",
        "eat": "ate eaten",
        "email": "e-mail",
        "swipe": "swipe",
        "read": "read",
        "speak": "spoke spoken",
        "sleep": "slept",
        "build": "built",
        "find": "found",
        "show": "showed shown",
        # acts named by a noun: "contract expiry" and "the contract expires" are one
        "abandon": "abandonment",
        "activate": "activation",
        "admit": "admission",
        "approve": "approval",
        "arrive": "arrival",
        "attend": "attendance",
        "cancel": "cancellation cancellations cancelled cancelling",
        "complain": "complaint complaints",
        "complete": "completion completions",
        "consult": "consultation consultations",
        "convert": "conversion conversions",
        "deliver": "delivery deliveries",
        "enrol": "enrolment enrolments enrollment enrollments enroll enrolls",
        "expire": "expiry expiration",
        "inspect": "inspection inspections",
        "install": "installation installations",
        "mature": "maturity",
        "pay": "paid payment payments",
        "redeem": "redemption redemptions",
        "register": "registration registrations",
        "reject": "rejection rejections",
        "renew": "renewal renewals",
        "repay": "repaid repayment repayments",
        "resolve": "resolution resolutions",
        "ship": "shipment shipments",
        "submit": "submission submissions",
        "subscribe": "subscription subscriptions",
        "withdraw": "withdrew withdrawn withdrawal withdrawals",
    }.items()
    for form in forms.split()
}


@dataclass(frozen=True, slots=True)
class Atom:
    """`key` is what vocabularies are looked up by; start and end are offsets in the normalised text."""

    kind: str
    text: str
    key: str
    start: int
    end: int


def stem(word: str) -> str:
    """One form for open, opens, opened, opening; crude on purpose, and the same for vocabulary and sentence."""
    word = _IRREGULAR.get(word, word)
    if len(word) < 4 or not word[0].isascii() or word == "running":
        return word
    if word.endswith(("ies", "ied")) and len(word) > 4:
        return word[:-3] + "i"
    if word.endswith("es") and len(word) >= 5 and word[:-2].endswith(("s", "x", "z", "ch", "sh", "o")):
        word = _restored(word[:-2])
    elif word.endswith("s") and not word.endswith(("ss", "us", "is")):
        word = word[:-1]
    if word.endswith("ing") and len(word) >= 6:
        word = _restored(word[:-3])
    elif word.endswith("ed") and not word.endswith("eed") and len(word) >= 5:
        word = _restored(word[:-2])
    elif word.endswith("y") and word[-2] not in "aeiou":
        word = word[:-1] + "i"
    if len(word) >= 5 and word.endswith("e"):
        word = word[:-1]
    if len(word) >= 4 and word[-1] == word[-2] and word[-1] not in "aeiou":
        word = word[:-1]
    return word


def _restored(word: str) -> str:
    """rated is of rate, not of rat: a short vowel before one consonant would have doubled it."""
    short = len(word) == 3 and word[1] in "aeiouy" and word[0] not in "aeiou" and word[2] not in "aeiouwxy"
    return word + "e" if short else word


def atoms_of(text: str) -> list[Atom]:
    """The atoms of a normalised text, white space left out."""
    found: list[Atom] = []
    for match in _PIECE.finditer(text):
        kind, piece = str(match.lastgroup), match.group()
        key = stem(piece) if kind == "word" else piece
        if len(key) == 3 and key.endswith("s") and found and found[-1].text == "-" and found[-1].end == match.start():
            key = key[:-1]  # top-ups, sign-ins
        found.append(Atom(kind, piece, key, match.start(), match.end()))
    return found


def keys_of(words: str) -> tuple[str, ...]:
    """The lookup keys of a vocabulary entry (already normalised): hyphens between words do not count."""
    atoms = atoms_of(words)
    return tuple(a.key for i, a in enumerate(atoms) if not (a.text == "-" and 0 < i < len(atoms) - 1))
