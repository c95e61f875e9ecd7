"""Labels with something inside them ("misses at least 2 classes", "a coupon is used", 合同还有30天到期), put together:
what stood inside is put beside them. Which labels there are is the lexicon's to say."""

from __future__ import annotations

from strategy.language.atoms import Atom, atoms_of
from strategy.language.lexicon import Lexicon
from strategy.language.numerals import CHINESE_NUMBER, english_number


def whole_labels(text: str, lexicon: Lexicon) -> list[Atom]:
    """The atoms of a text, each label in one piece."""
    return _countdown(_numbers_out(_turn_flags(_split_un(atoms_of(text), lexicon), lexicon), lexicon), lexicon)


def is_number(atom: Atom) -> bool:
    return (
        atom.kind == "number"
        or english_number([atom.text]) is not None
        or CHINESE_NUMBER.fullmatch(atom.text) is not None
    )


def _split_un(atoms: list[Atom], lexicon: Lexicon) -> list[Atom]:
    """ "unopened" is "not" and "opened", unless the vocabulary has the word itself."""
    result = []
    for atom in atoms:
        rest = (
            atoms_of(atom.text[2:])[0]
            if atom.kind == "word" and atom.text.startswith("un") and atom.end - atom.start > 5
            else None
        )
        if rest and not lexicon.knows(atom.key) and lexicon.names_alone(rest.key):
            result.append(Atom("word", "not", "not", atom.start, atom.start + 2))
            result.append(Atom("word", rest.text, rest.key, atom.start + 2, atom.end))
        else:
            result.append(atom)
    return result


_LEFT = frozenset("还有剩再过将在就要只")
_AFTER = frozenset("后以之就才")
_MARKS = _LEFT | _AFTER
_COUNTED = frozenset("天日周个月年") | _AFTER


def _countdown(atoms: list[Atom], lexicon: Lexicon) -> list[Atom]:
    """ "合同还有30天到期", "优惠券3天后过期": so long before the day around whose label the time stands."""
    if _MARKS.isdisjoint(a.text for a in atoms):
        return atoms
    for i in range(1, len(atoms) - 1):
        if not is_number(atoms[i]) or is_number(atoms[i - 1]):
            continue
        head = i
        while head and atoms[head - 1].text in _LEFT:
            head -= 1
        unit = i + 1
        while unit < len(atoms) and (atoms[unit].text in _COUNTED or is_number(atoms[unit])):
            unit += 1
        time = [a for a in atoms[i:unit] if a.text not in _AFTER]
        if len(time) < 2 or (head == i and len(time) == unit - i):  # neither 还有 nor 后: 合同30天到期
            continue
        for before in range(min(head, 6), 0, -1):
            for after in range(min(len(atoms) - unit, 3), 0, -1):
                label = [*atoms[head - before : head], *atoms[unit : unit + after]]
                if lexicon.is_date(tuple(a.key for a in label)):
                    at = label[-1].end
                    ahead = Atom("one", "前", "前", at, at)
                    rest = _countdown(atoms[unit + after :], lexicon)
                    return [*atoms[: head - before], *label, ahead, *time, *rest]
    return atoms


_COUNTING = frozenset(
    ["more", "than", "at", "least", "most", "fewer", "less", "exactly", "over", "only", "up", "to", "no"]
)


def _numbers_out(atoms: list[Atom], lexicon: Lexicon) -> list[Atom]:
    """ "misses at least 2 classes" is at least 2 of "miss a class": the number stands inside the label."""
    i = 0
    while i < len(atoms):
        for tail in lexicon.event_tails(atoms[i].key):
            j = i + 1
            while j < len(atoms) and (atoms[j].text in _COUNTING or is_number(atoms[j])):
                j += 1
            counted = any(is_number(a) for a in atoms[i + 1 : j])
            if counted and tuple(a.key for a in atoms[j : j + len(tail)]) == tail:
                verb = atoms[i]
                moved = Atom(verb.kind, verb.text, verb.key, atoms[j].start, atoms[j].start)
                atoms = [*atoms[:i], *atoms[i + 1 : j], moved, *atoms[j:]]
                break
        i += 1
    return atoms


def _turn_flags(atoms: list[Atom], lexicon: Lexicon) -> list[Atom]:
    """ "whose parent is (not) linked" speaks of "parent linked", "a coupon is used" of "coupon used": the verb stands
    inside the label."""
    for i, atom in enumerate(atoms):
        if atom.text not in ("is", "are", "was", "were", "has", "have") or not i:
            continue
        denied = i + 1 < len(atoms) and atoms[i + 1].text in ("not", "never")
        rest = i + 2 if denied else i + 1
        if rest < len(atoms) and atoms[rest].text == "been":
            rest += 1
        for before in range(1, min(i, 3) + 1):
            for after in range(1, 4):
                label = [*atoms[i - before : i], *atoms[rest : rest + after]]
                keys = tuple(a.key for a in label)
                joins = lexicon.is_flag(keys) or (not denied and lexicon.is_event(keys, before))
                if len(label) == before + after and joins:
                    at = label[0].start
                    no = [Atom("word", "not", "not", at, at)] if denied else []
                    return [*atoms[: i - before], *no, *label, *_turn_flags(atoms[rest + after :], lexicon)]
    return atoms
