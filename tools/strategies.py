"""Strategies by conversation: drafting from a sentence, changing the draft in everyday words, comparing, replaying and
showing it, starting it small, and how it is doing. What is
wrong with a sentence comes back as data (which word, where, the nearest names, the choices), not as a failure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from pydantic import Field

from core.errors import Conflict, InvalidInput, NeedsAnswer, NotFound, Refused, UnknownName, ZhongshuError
from core.text import Text, guess_lang
from strategy.differences import differences
from strategy.language import read_sentence
from strategy.refine import refine
from strategy.results import results
from strategy.wishes import is_undo
from tools.base import AnyTool, Args, Scope, ToolFailed, ToolResult, tool
from tools.limits import limits, require_approval

if TYPE_CHECKING:
    from strategy.versions import StrategyVersion

_SENTENCES = re.compile(r"[^。!?\n\uff01\uff1f.]*(?:[.](?=\S)[^。!?\n\uff01\uff1f.]*)*[。!?\n\uff01\uff1f.]*\s*")
"""A sentence with its end; a full stop inside a number or address does not end one."""
_MOST_SENTENCES = 4


class DraftStrategy(Args):
    sentence: str = Field(min_length=1, max_length=2_000)
    choice: str | None = Field(default=None, max_length=500)
    name: str | None = Field(default=None, max_length=80)


class RefineStrategy(Args):
    words: str = Field(min_length=1, max_length=500)
    answers: list[str] = Field(default_factory=list, max_length=5)


class NamedStrategy(Args):
    name: str | None = Field(default=None, max_length=200)


class CompareStrategy(NamedStrategy):
    version: int | None = Field(default=None, ge=1)


class ShowStrategy(Args):
    name: str | None = None


class StartStrategy(Args):
    name: str
    version: int = Field(ge=1)
    percent: float = Field(default=1.0, gt=0, le=100)


def _draft_strategy(scope: Scope, args: DraftStrategy) -> ToolResult:
    _check(scope, "strategies.draft")
    try:
        found = _drafted(scope, args.sentence, args.name)
    except NeedsAnswer as question:
        if args.choice is None:
            return ToolResult(_unread(scope, args.sentence, question))
        return _answered(scope, args, question)
    except ZhongshuError as error:
        return _part_of(scope, args) or ToolResult(_unread(scope, args.sentence, error))
    return ToolResult({"status": "drafted", **_shown(scope, found)}, (_id(found),))


def _part_of(scope: Scope, args: DraftStrategy) -> ToolResult | None:
    """A message often says more than the strategy ("…, thanks, Leo"): the longest run of its sentences that reads, with
    a warning that names what was left out."""
    sentences = [s for s in _SENTENCES.findall(args.sentence) if s.strip()][:_MOST_SENTENCES]
    for size in range(len(sentences) - 1, 0, -1):
        for start in range(len(sentences) - size + 1):
            part = "".join(sentences[start : start + size]).strip()
            try:
                read_sentence(part, scope.deps.catalog(scope.ctx))  # a model is asked once at most, about what reads
                found = _drafted(scope, part, args.name)
            except ZhongshuError:
                continue
            left = " ".join(s.strip() for s in [*sentences[:start], *sentences[start + size :]])
            shown = _shown(scope, found)
            note = Text(f"这些话没有用到：{left}", f"this was not used: {left}").say(scope.ctx.lang)
            shown["warnings"] = [*shown["warnings"], note]
            return ToolResult({"status": "drafted", **shown}, (_id(found),))
    return None


def _answered(scope: Scope, args: DraftStrategy, question: NeedsAnswer) -> ToolResult:
    """Draft the reading that was chosen: it stands for the piece that was asked about, or for the whole sentence."""
    choice = args.choice or ""
    if choice not in [text for c in question.choices for text in c]:
        return ToolResult(_unread(scope, args.sentence, question))
    for sentence in (_put(args.sentence, question.where, choice), choice):
        try:
            found = _drafted(scope, sentence, args.name)
        except ZhongshuError as error:
            last = ToolResult(_unread(scope, sentence, error))
        else:
            return ToolResult({"status": "drafted", **_shown(scope, found)}, (_id(found),))
    return last


def _put(sentence: str, where: dict[str, Any], choice: str) -> str:
    """The sentence with the choice in place of what was asked about; words that the choice repeats stand once."""
    start = int(where.get("offset", 0))
    head, tail = sentence[:start], sentence[start + int(where.get("length", len(sentence))) :]
    repeated = next((n for n in range(min(len(head), len(choice)), 0, -1) if head.endswith(choice[:n])), 0)
    return head[: len(head) - repeated] + choice + tail


def _drafted(scope: Scope, sentence: str, name: str | None) -> StrategyVersion:
    """The draft of this sentence: the same sentence again (a repeated step, an impatient user) is the same draft."""
    return _draft_of(scope, sentence) or scope.deps.strategies.draft(scope.ctx, sentence=sentence, name=name)


def _draft_of(scope: Scope, sentence: str) -> StrategyVersion | None:
    return next(
        (
            v
            for v in scope.deps.strategies.list(scope.ctx)
            if v.sentence == sentence and str(v.state) == "draft" and v.created_by == scope.ctx.actor
        ),
        None,
    )


def _refine_strategy(scope: Scope, args: RefineStrategy) -> ToolResult:
    """Change the strategy in focus by what the words mean; "undo" goes back one version further each time."""
    _check(scope, "strategies.edit")
    now = _in_focus(scope, None)
    lang = guess_lang(args.words)
    service, catalog = scope.deps.strategies, scope.deps.catalog(scope.ctx)
    back: dict[str, Any] = {}
    warnings: tuple[Text, ...] = ()
    try:
        if is_undo(args.words):
            before = int(scope.focus.get("base") or now.version) - 1
            if before < 1:
                return ToolResult(_unread(scope, args.words, _nothing_before()))
            changed = service.show(scope.ctx, now.name, before).strategy
            back = {"base": before}
        else:
            refined = refine(now.strategy, args.words, catalog, lang=lang, answers=args.answers)
            changed, warnings = refined.document, refined.warnings
        found = service.edit(scope.ctx, now.name, document=changed, base_version=now.newest)
    except ZhongshuError as error:
        return ToolResult({**_unread(scope, args.words, error), "words": args.words, "answers": args.answers})
    shown = _shown(scope, found)
    shown["warnings"] = [*(w.say(scope.ctx.lang) for w in warnings), *shown["warnings"]]
    changes = [c.say(scope.ctx.lang) for c in differences(now.strategy, found.strategy, catalog)]
    data = {"status": "refined", **shown, **back, "changes": changes, "changed": "\n".join(changes)}
    return ToolResult(data, (_id(found),))


def _nothing_before() -> InvalidInput:
    return InvalidInput(Text("这是第一版，没有可撤销的修改", "this is the first version; there is no change to undo"))


def _in_focus(scope: Scope, name: str | None) -> StrategyVersion:
    """The strategy by name, else the version that the conversation is about.

    Raises:
        ToolFailed: there is none.
    """
    if name:
        return scope.deps.strategies.show(scope.ctx, name)
    if not scope.focus.get("name"):
        raise ToolFailed(Text("当前没有正在讨论的策略", "there is no strategy in focus"))
    return scope.deps.strategies.show(scope.ctx, scope.focus["name"], int(scope.focus["version"]))


def _compare_strategy(scope: Scope, args: CompareStrategy) -> ToolResult:
    """What changed from an earlier version (default: the one before) to this one, in words."""
    _check(scope, "strategies.read")
    now = _in_focus(scope, args.name)
    other = args.version or now.version - 1
    if other < 1:
        return ToolResult({"status": "first", **_brief(now)}, (_id(now),))
    before = scope.deps.strategies.show(scope.ctx, now.name, other)
    found = differences(before.strategy, now.strategy, scope.deps.catalog(scope.ctx))
    changes = [c.say(scope.ctx.lang) for c in found]
    data = {"status": "compared", **_brief(now), "before": other, "changes": changes, "changed": "\n".join(changes)}
    return ToolResult(data, (_id(now), _id(before)))


def _rehearse_strategy(scope: Scope, args: NamedStrategy) -> ToolResult:
    """What it would have done over everything recorded; nothing is sent."""
    _check(scope, "strategies.simulate")
    now = _in_focus(scope, args.name)
    found = scope.deps.strategies.rehearse(scope.ctx, now.name, now.version)
    data = {"firings": found.firings, "subjects": found.subjects, "last_week": found.last_week}
    return ToolResult({"status": "rehearsed", **_brief(now), **data}, (_id(now),))


def _strategy_results(scope: Scope, args: NamedStrategy) -> ToolResult:
    """How it is doing since it runs."""
    _check(scope, "decisions.read")
    now = _in_focus(scope, args.name)
    catalog, deps = scope.deps.catalog(scope.ctx), scope.deps
    with deps.db.reading() as session:
        found = results(session, scope.ctx, catalog, now.strategy, deps.clock.now())
    data = {"firings": found.firings, "reached": found.reached, "verdicts": found.verdicts, "messages": found.messages}
    return ToolResult({"status": "results", **_brief(now), **data, "said": found.said.say(scope.ctx.lang)}, (_id(now),))


def _show_strategy(scope: Scope, args: ShowStrategy) -> ToolResult:
    _check(scope, "strategies.read")
    service = scope.deps.strategies
    if args.name is None:
        rows = [_brief(v) for v in service.list(scope.ctx)]
        table = "\n".join(f"- {r['name']} v{r['version']} · {r['state']} · {r['percent']:g}%" for r in rows)
        data = {"status": "listed", "count": len(rows), "strategies": rows, "table": table}
        return ToolResult(data, tuple(r["id"] for r in rows))
    try:
        found = service.show(scope.ctx, args.name)
    except NotFound as error:
        return ToolResult({"status": "unknown", "message": error.text.say(scope.ctx.lang), "nearest": error.nearest})
    return ToolResult({"status": "shown", **_shown(scope, found)}, (_id(found),))


def _check_start(scope: Scope, args: StartStrategy) -> None:
    most = limits().start_percent
    if args.percent > most:
        raise ToolFailed(
            Text(f"专员启动策略的比例不超过 {most:g}%", f"an agent starts a strategy on at most {most:g}%"),
            where={"field": "percent", "limit": most},
        )
    scope.deps.strategies.show(scope.ctx, args.name, args.version)
    require_approval(scope, "start_strategy", args.model_dump())


def _start_strategy(scope: Scope, args: StartStrategy) -> ToolResult:
    service = scope.deps.strategies
    found = service.show(scope.ctx, args.name, args.version)
    if str(found.state) not in ("canary", "live"):
        try:
            found = service.approve(scope.ctx, args.name, args.version, args.percent)
        except Conflict as error:
            raise ToolFailed(error.text) from error
    return ToolResult({"status": "started", **_shown(scope, found)}, (_id(found),))


def _check(scope: Scope, action: str) -> None:
    scope.deps.policy.check(scope.ctx, action, scope.thread)


def _unread(scope: Scope, sentence: str, error: ZhongshuError) -> dict[str, Any]:
    """Why a sentence is no strategy yet, for a reader that can ask or explain.

    Raises:
        ZhongshuError: the error is not about the sentence.
    """
    lang = scope.ctx.lang
    about: dict[str, Any] = {"sentence": sentence, "message": error.say(lang)}
    if isinstance(error, NeedsAnswer):
        return {"status": "question", **about, **_choices([c.say(lang) for c in error.choices])}
    if isinstance(error, UnknownName):
        offset, length = error.where.get("offset"), error.where.get("length")
        word = sentence[offset : offset + (length or 0)] if isinstance(offset, int) else ""
        return {"status": "unknown_name", **about, "offset": offset, "word": word, "nearest": error.nearest}
    if isinstance(error, Refused | InvalidInput | Conflict):
        return {"status": "refused", **about, "nearest": error.nearest, "offset": error.where.get("offset")}
    raise error


def _choices(choices: list[str]) -> dict[str, Any]:
    return {"choices": choices, "numbered": "\n".join(f"{i}. {c}" for i, c in enumerate(choices, start=1))}


def _shown(scope: Scope, found: StrategyVersion) -> dict[str, Any]:
    lang = scope.ctx.lang
    return {
        **_brief(found),
        "sentence": found.sentence or found.readback.say(lang),
        "read_by": found.read_by,
        "readback": found.readback.say(lang),
        "warnings": [w.say(lang) for w in (*found.warnings, *_conflicts(scope, found))],
    }


def _conflicts(scope: Scope, found: StrategyVersion) -> list[Text]:
    """What a version that does not run yet would do wrong beside those that run, are approved or paused."""
    if str(found.state) != "draft":
        return []
    return [clash.said for clash in scope.deps.cards.beside(scope.ctx, found.strategy) if clash.decided]


def _brief(found: StrategyVersion) -> dict[str, Any]:
    return {
        "id": _id(found),
        "name": found.name,
        "version": found.version,
        "state": str(found.state),
        "percent": found.percent,
    }


def _id(found: StrategyVersion) -> str:
    """A strategy version as evidence: `strategy:name@version`."""
    return f"strategy:{found.name}@{found.version}"


TOOLS: tuple[AnyTool, ...] = (
    tool("draft_strategy", "draft", DraftStrategy, _draft_strategy),
    tool("refine_strategy", "draft", RefineStrategy, _refine_strategy),
    tool("compare_strategy", "read", CompareStrategy, _compare_strategy),
    tool("rehearse_strategy", "read", NamedStrategy, _rehearse_strategy),
    tool("strategy_results", "read", NamedStrategy, _strategy_results),
    tool("show_strategy", "read", ShowStrategy, _show_strategy),
    tool("start_strategy", "act", StartStrategy, _start_strategy, _check_start),
)
