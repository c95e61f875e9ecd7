"""The tree of a condition: parts → clauses joined by and/or/not, commas and brackets, through the grammar in
outline.lark. Mixtures that people read in two ways become a question."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal

from lark import Lark, Token, Tree, UnexpectedInput
from lark.lexer import Lexer

from core.text import Text
from strategy.language.lexer import Part
from strategy.language.scope import Scope


@dataclass(frozen=True, slots=True, eq=False)
class Clause:
    """Parts between connectives. A part with the sense TESTS holds the tree of a bracket."""

    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Joined:
    """`bracketed` when the user wrote the brackets, so that the node is kept as it is."""

    kind: Literal["all", "any", "not"]
    of: tuple[Node, ...]
    bracketed: bool = False
    marks: tuple[str, ...] = ()
    """How the members were joined: COMMA, AND, COMMAAND, OR, COMMAOR."""


Node = Clause | Joined


class _Tokens(Lexer):
    """Hands prepared tokens to lark as they are."""

    def __init__(self, _conf: object) -> None: ...

    def lex(self, tokens: Any) -> Iterator[Token]:  # type: ignore[override] # lark hands a custom lexer its raw input
        yield from tokens


@lru_cache(maxsize=1)
def _parser() -> Lark:
    text = Path(__file__).with_name("outline.lark").read_text(encoding="utf-8")
    return Lark(text, parser="lalr", lexer=_Tokens, keep_all_tokens=True)


def parse_conditions(parts: Sequence[Part], scope: Scope) -> Node:
    """The condition tree of the parts.

    Raises:
        InvalidInput: brackets or connectives that do not fit.
        NeedsAnswer: "A, and B or C", which has two readings.
    """
    tokens = _tokens(parts, scope)
    try:
        tree = _parser().parse(tokens)
    except UnexpectedInput as problem:
        token = getattr(problem, "token", None)
        part = token.value if token is not None and isinstance(token.value, Part) else None
        at = [part] if part else list(parts[-1:])
        said = scope.said(*at) if at else ""
        scope.invalid(
            at,
            f"“{said}”这里的连接不完整：前后各要有一个条件，括号要成对",
            f"the sentence does not hold together at {said!r}: connectives need a condition on both sides, "
            "brackets a pair",
        )
    return _list(_members(tree)[0], scope)


# ---- tokens ----------------------------------------------------------------------------------------------------------

_JOINTS = ("COMMA", "STOP", "LIST", "AND", "OR", "NEXT")
_GLUED_AFTER = ("DURING", "WITHOUT", "UNFOLLOWED", "WHOLEDAY")
_CARRIERS = ("WINDOW", "OBJECT", "VALUE", "FILLER", "DE", "IF", "ANY", "FIRST", "FOR", "EACHONE", "BOTH", "DUR", "WHO")


def _joint(part: Part) -> bool:
    return part.has(*_JOINTS) and not part.has("NAME", "STRING")


def _tokens(parts: Sequence[Part], scope: Scope) -> list[Token]:
    parts = [p for p in parts if p.senses.keys() != {"FILLER"}]
    for at, (mark, after) in enumerate(pairwise(parts)):
        if mark.has("COLON") and after.has("IF"):  # customers whose tier is gold: when …
            parts[at] = Part(mark.start, mark.end, {"COMMA": None})
    tokens: list[Token] = []
    groups: list[bool] = []
    closed = False
    i = 0
    while i < len(parts):
        part = parts[i]
        if closed and part.has(*_SUFFIX) and not part.has("LPAR", "RPAR"):
            scope.mention(part.named("object"))
            i += 1
            continue
        closed = False
        if _joint(part):
            stop = i
            while stop < len(parts) and (_joint(parts[stop]) or (stop > i and parts[stop].has("IF"))):
                stop += 1
            tokens += _join_run(parts, i, stop, tokens, scope)
            i = stop
        elif (part.has("IF") and (not tokens or tokens[-1].type in ("LPAR",))) or (
            part.has("FIRST") and _followed(parts[i + 1 :])
        ):
            i += 1
        elif part.has("WHENEND") and _splits(tokens, parts, i):
            tokens.append(Token("AND", part))
            i += 1
        elif part.has("UNLESS"):
            leading = not tokens
            tokens += _unless(tokens, part)
            stop = (
                next((j for j in range(i + 1, len(parts)) if parts[j].has("COMMA")), len(parts))
                if leading
                else len(parts)
            )
            inner = _tokens(parts[i + 1 : stop], scope)
            tokens += [Token("LPAR", part), *inner, Token("RPAR", part)]
            i = stop
        else:
            token = _plain(part, parts[i + 1] if i + 1 < len(parts) else None)
            if token.type in ("NOT", "ALLOF", "ANYOF", "LPAR"):
                _drop_carriers(tokens, scope)
            if token.type == "LPAR":
                groups.append(not tokens or tokens[-1].type != "PART")
            elif token.type == "RPAR" and groups:
                closed = groups.pop()
            tokens.append(token)
            i += 1
    while tokens and tokens[-1].type in ("COMMA", "LIST"):
        tokens.pop()
    return _settle_lists(tokens)


_SUFFIX = ("WHENEND", "DE", "OBJECT", "FILLER")
"""What may still follow a bracketed condition: "…(…)的客户", "…(…)时"."""
_PREFIX = ("OBJECT", "FILLER", "DE", "IF", "ANY", "FIRST", "FOR", "EACHONE", "FIT", "A", "WHO")


def _followed(parts: Sequence[Part]) -> bool:
    """ "先访问价格页，2天内提交工单，之后…": what comes after the comma says that it follows."""
    comma = next((i for i, p in enumerate(parts) if p.has("COMMA")), len(parts))
    return not any(p.has("NEXT", "AFTER") for p in parts[:comma]) and any(
        p.has("NEXT", "AFTER", "WINDOW") and not p.names for p in parts[comma : comma + 3]
    )


def _drop_carriers(tokens: list[Token], scope: Scope) -> None:
    """ "当客户满足(…)", "when for a customer not (…)": the words before only say of whom."""
    at = len(tokens)
    while at and tokens[at - 1].type == "PART":
        at -= 1
    carriers: list[Part] = [t.value for t in tokens[at:]]
    if all(p.has(*_PREFIX) for p in carriers):
        for part in carriers:
            scope.mention(part.named("object"))
        del tokens[at:]


def _splits(tokens: list[Token], parts: Sequence[Part], i: int) -> bool:
    """ "登录时停留不足15秒": 时 in the middle joins two conditions that hold at one moment."""
    before = tokens[-1].value if tokens and tokens[-1].type in ("PART", "RPAR") else None
    following = next((p for p in parts[i + 1 :] if not p.has("FILLER")), None)
    return (
        before is not None
        and following is not None
        and not _joint(following)
        and not following.has("RPAR", "DE", "THEN")
    )


def _plain(part: Part, after: Part | None) -> Token:
    kind = "PART"
    if part.has("LPAR"):
        kind = "LPAR"
    elif part.has("RPAR"):
        kind = "RPAR"
    elif part.has("ALLOF"):
        kind = "ALLOF"
    elif part.has("ANYOF"):
        kind = "ANYOF"
    elif part.has("NEG", "NOTW", "COPNEG") and after is not None and after.has("LPAR") and not part.has("NAME"):
        kind = "NOT"
    return Token(kind, part)


def _unless(tokens: list[Token], part: Part) -> list[Token]:
    if tokens and tokens[-1].type in ("COMMA", "COMMAAND", "AND"):
        tokens.pop()
    joint = [Token("COMMAAND", part)] if tokens else []
    return [*joint, Token("NOT", part)]


def _join_run(parts: Sequence[Part], i: int, stop: int, before: list[Token], scope: Scope) -> list[Token]:
    """One token for a run of connectives such as ",且"; none where the comma only sets off what carries on."""
    run, after = parts[i:stop], parts[stop] if stop < len(parts) else None
    comma = any(p.has("COMMA", "STOP") for p in run)
    has_and, has_or = any(p.has("AND") for p in run), any(p.has("OR") for p in run)
    if has_and and has_or:
        scope.ask(
            run,
            f"“{scope.said(*run)}”是“且”还是“或”？",
            f"does {scope.said(*run)!r} mean “and” or “or”?",
            [Text("且", "and"), Text("或", "or")],
        )
    following = next((p for p in run if p.has("NEXT")), None)
    if following is not None:
        return [Token("PART", following)] if before else []
    if after is None or not before or before[-1].type == "LPAR" or after.has("RPAR"):
        return [] if not (after is None and (has_and or has_or)) else [Token("AND" if has_and else "OR", run[0])]
    if after.has("WITHOUT") and comma and not has_or and _counted(before):
        return [Token("COMMAAND", run[0])]
    if after.has(*_GLUED_AFTER) and not has_or:
        return []
    if not has_or and _awaits(before):
        return []
    if comma and not has_or and not has_and and after.has("STREAK") and _stands_alone(parts[stop + 1 :]):
        return []  # 扣款没成功,|连续2次,
    if comma and not has_or and not has_and and _carries_on(before):
        return []
    if has_or:
        kind = "COMMAOR" if comma else "OR"
    elif has_and:
        kind = "COMMAAND" if comma else "AND"
    else:
        kind = "COMMA" if comma else "LIST"
    return [Token(kind, run[0])]


def _stands_alone(after: Sequence[Part]) -> bool:
    rest = next((p for p in after if not p.has("FILLER", "COUNT")), None)
    return rest is None or rest.has("COMMA", "STOP", "WHENEND", "RPAR")


def _counted(before: list[Token]) -> bool:
    """ "浏览至少3次，却没有申购": after a count, what did not happen is a condition of its own."""
    clause: list[Part] = []
    for token in reversed(before):
        if token.type != "PART":
            break
        clause.append(token.value)
    counts = any(p.has("COUNT") or (p.has("CMPQ") and p.get("CMPQ").quantity.times) for p in clause)
    return counts and not any(p.has("STREAK") for p in clause)


def _awaits(before: list[Token]) -> bool:
    """ "投诉后2小时内|又…": an act, 后 and a time, and what has to happen within it still to come."""
    timed = False
    for token in reversed(before):
        if token.type != "PART" or token.value.names:
            return False
        if token.value.has("AFTER"):
            return timed
        timed = timed or token.value.has("WINDOW")
        if not token.value.has("WINDOW", "FILLER", "DE", "IF"):
            return False
    return False


def _carries_on(before: list[Token]) -> bool:
    """What stands before the comma is no condition of its own: "过去30天内," "客户," "after a complaint,"."""
    clause: list[Part] = []
    for token in reversed(before):
        if token.type != "PART":
            break
        clause.append(token.value)
    if not clause:
        return False
    if clause[0].has("AFTER") or clause[-1].has("AFTER"):
        return True
    if clause[-1].has("AMONG") and any(p.has("WINDOW") for p in clause):  # 30天内的评价里,
        return True
    said = [p for p in reversed(clause) if p.has("AFTER", "DISTANCE") or not p.has("FILLER", "OBJECT")]
    if len(said) == 3 and said[0].has("WINDOW") and said[1].has("AFTER", "DISTANCE") and said[2].named("event"):
        return True  # within 2 hours of adding to cart,
    return all(p.has(*_CARRIERS) for p in clause)


def _settle_lists(tokens: list[Token]) -> list[Token]:
    """ "A、B或C": the mark 、 means what the next connective of the list says; alone it means "and"."""
    result = list(tokens)
    for i, token in enumerate(tokens):
        if token.type != "LIST":
            continue
        depth, kind = 0, "AND"
        for later in tokens[i + 1 :]:
            depth += (later.type == "LPAR") - (later.type == "RPAR")
            if depth < 0 or (depth == 0 and later.type in ("COMMA", "COMMAAND", "COMMAOR")):
                break
            if depth == 0 and later.type in ("AND", "OR"):
                kind = later.type
                break
        result[i] = Token(kind, token.value)
    return result


# ---- tree ------------------------------------------------------------------------------------------------------------


def _members(tree: Tree[Any]) -> list[Tree[Any]]:
    return [c for c in tree.children if isinstance(c, Tree)]


def _list(tree: Tree[Any], scope: Scope) -> Node:
    """Commas: all "and", or all "or"; a mixture with an unbracketed other connective has two readings."""
    nodes = [_choice(c, scope) for c in _members(tree)]
    marks = [c for c in tree.children if isinstance(c, Token)]
    if not marks:
        return nodes[0]
    kinds = {m.type for m in marks}
    any_inside = [n for n in nodes if isinstance(n, Joined) and n.kind == "any" and not n.bracketed]
    where = [m.value for m in marks]
    if "COMMAOR" in kinds:
        if "COMMAAND" in kinds:
            _ask_grouping(where, scope)
        if any_inside and len(kinds) > 1:
            _ask_grouping(where, scope)
        return _flat("any", nodes, tuple(m.type for m in marks))
    doubtful = [n for n in any_inside if not _only_values(n)]
    if doubtful:
        if kinds == {"COMMA"} and scope.lang == "en" and doubtful == [nodes[-1]] and _is_plain_list(nodes):
            return _flat("any", nodes, ("COMMA",))
        if nodes[-1] in doubtful:
            _ask_grouping(where, scope)
        scope.warn(
            "逗号前的“或”先结合；不是这个意思就加括号",
            "“or” before a comma was grouped first; add brackets if you meant otherwise",
        )
    return _flat("all", nodes, tuple(m.type for m in marks))


def _only_values(node: Joined) -> bool:
    """ "等级是金卡或银卡": what follows "or" is only another value or number for the same comparison."""
    return all(
        isinstance(n, Clause)
        and all(p.has("VALUE", "CMPV", "CMPQ", "QTY") or p.senses.keys() <= {"FILLER", "DE"} for p in n.parts)
        for n in node.of[1:]
    )


def _is_plain_list(nodes: Sequence[Node]) -> bool:
    return all(isinstance(n, Clause) for n in nodes[:-1])


def _ask_grouping(parts: Sequence[Part], scope: Scope) -> None:
    scope.ask(
        parts,
        "“且”“或”和逗号连用，有两种读法；请用括号分组",
        "“and”, “or” and commas together can be grouped in two ways; please add brackets",
        [Text("(A 且 B)或 C", "(A and B) or C"), Text("A 且(B 或 C)", "A and (B or C)")],
    )


def _choice(tree: Tree[Any], scope: Scope) -> Node:
    nodes = [_both(c, scope) for c in _members(tree)]
    if len(nodes) == 1:
        return nodes[0]
    mixed = [n for n in nodes if isinstance(n, Joined) and n.kind == "all" and not n.bracketed]
    if mixed:
        scope.warn(
            "“且”先于“或”结合；不是这个意思就加括号",
            "“and” was grouped before “or”; add brackets if you meant otherwise",
        )
    return _flat("any", nodes, ("OR",))


def _both(tree: Tree[Any], scope: Scope) -> Node:
    nodes = [_unary(c, scope) for c in _members(tree)]
    return nodes[0] if len(nodes) == 1 else _flat("all", nodes, ("AND",) * (len(nodes) - 1))


def _flat(kind: Literal["all", "any"], nodes: Sequence[Node], marks: tuple[str, ...]) -> Joined:
    members: list[Node] = []
    joined: list[str] = []
    for i, node in enumerate(nodes):
        if i:
            joined.append(marks[i - 1] if i - 1 < len(marks) else marks[-1])
        if isinstance(node, Joined) and node.kind == kind and not node.bracketed:
            members += node.of
            joined += node.marks
        else:
            members.append(node)
    return Joined(kind, tuple(members), marks=tuple(joined))


def _unary(tree: Tree[Any], scope: Scope) -> Node:
    inner = _members(tree)
    if tree.data == "negated":
        return Joined("not", (_unary(inner[0], scope),), bracketed=True)
    if tree.data == "bracket":
        node = _list(inner[0], scope)
        return Joined(node.kind, node.of, True, node.marks) if isinstance(node, Joined) else node
    if tree.data in ("allof", "anyof"):
        node = _list(inner[0], scope)
        kind: Literal["all", "any"] = "all" if tree.data == "allof" else "any"
        if isinstance(node, Joined) and not node.bracketed and node.kind != "not":
            return Joined(kind, node.of, True, node.marks)
        return Joined(kind, (node,), True)
    parts: list[Part] = []
    for child in tree.children:
        if isinstance(child, Token):
            parts.append(child.value)
        else:
            marks = [c.value for c in child.children if isinstance(c, Token)]
            first, last = marks[0], marks[-1]
            parts.append(Part(first.start, last.end, {"TESTS": _list(_members(child)[0], scope)}))
    return Clause(tuple(parts))
