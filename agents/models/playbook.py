"""The playbook as a chat model: it is offered tools, calls them, reads their results and ends in the decision tool, as
a language model does, but decides by the written rules of agents/playbooks/. The same messages give the same answer."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models import LanguageModelInput
from langchain_core.language_models.chat_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, ToolMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_core.runnables import Runnable
from langchain_core.tools import BaseTool
from langchain_core.utils.function_calling import convert_to_openai_tool

from agents.envelope import unpack
from agents.models.rules import (
    Facts,
    Playbook,
    PlaybookGap,
    Read,
    Rule,
    Value,
    bind,
    fill_args,
    look,
    playbooks,
)
from core.ids import stable_id
from core.text import Lang

_converted: dict[tuple[int, ...], tuple[tuple[Any, ...], list[dict[str, Any]]]] = {}


def openai_tools(tools: Sequence[dict[str, Any] | type | Callable[..., Any] | BaseTool]) -> list[dict[str, Any]]:
    """Tools in the form in which both kinds of model take them. An agent binds the same objects in every round, so the
    conversion of each list is kept beside its objects."""
    key = tuple(id(tool) for tool in tools)
    if key not in _converted:
        _converted[key] = (tuple(tools), [convert_to_openai_tool(tool) for tool in tools])
    return _converted[key][1]


class PlaybookModel(BaseChatModel):
    """Decides by the playbook whose decision tool is among the tools it is bound to."""

    @property
    def _llm_type(self) -> str:
        return "zhongshu-playbook"

    def bind_tools(
        self,
        tools: Sequence[dict[str, Any] | type | Callable[..., Any] | BaseTool],
        *,
        tool_choice: str | None = None,
        **kwargs: Any,
    ) -> Runnable[LanguageModelInput, AIMessage]:
        return self.bind(tools=openai_tools(tools), tool_choice=tool_choice, **kwargs)

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        return ChatResult(generations=[ChatGeneration(message=self.answer(messages, **kwargs))])

    def answer(self, messages: Sequence[BaseMessage], *, tools: Sequence[dict[str, Any]] = (), **_: Any) -> AIMessage:
        """The next message: the reads that are due, or the decision.

        Raises:
            PlaybookGap: no playbook for these tools, no rule for this case, or a rule needs what the case lacks.
        """
        names = [tool["function"]["name"] for tool in tools]
        book = next((found for name in names if (found := playbooks().get(name))), None)
        if book is None:
            raise PlaybookGap(f"no playbook decides any of {names}")
        return _next_message(book, messages, allowed=set(names))


def _next_message(book: Playbook, messages: Sequence[BaseMessage], allowed: set[str]) -> AIMessage:
    facts, answered = gather(book, messages)
    due = [read for read in book.reads if read.tool in allowed and _is_due(read, facts, answered)]
    if due:
        calls = [(read.tool, _args_of(read, facts)) for read in due]
        return _call(calls, messages, {"playbook": f"{book.playbook}@{book.version}"})
    facts = bind(book.let, facts)
    rule = next((r for r in book.rules if r.when is None or r.when.holds(facts)), None)
    if rule is None:
        raise PlaybookGap(f"no rule of {book.playbook} holds")
    decided = decide(rule, facts) if book.playbook != "router" else _route(rule, facts)
    return _call([(book.decides, decided)], messages, {"playbook": f"{book.playbook}@{book.version}", "rule": rule.id})


def gather(book: Playbook, messages: Sequence[BaseMessage]) -> tuple[dict[str, Any], set[str]]:
    """What the conversation shows: the case and the results of the playbook's reads, and which reads were answered."""
    facts: dict[str, Any] = {}
    for message in messages:
        if isinstance(message, HumanMessage):
            facts.update(unpack(str(message.content)))
    results = _results(messages)
    answered: set[str] = set()
    for read in book.reads:
        try:
            wanted = _key(read.tool, _args_of(read, facts))
        except PlaybookGap:
            continue
        if wanted in results:
            answered.add(read.name)
            facts[read.name] = results[wanted]
    return facts, answered


def _results(messages: Sequence[BaseMessage]) -> dict[str, Any]:
    """(tool, arguments) → what it returned, for every answered call of the conversation."""
    calls = {c["id"]: _key(c["name"], c["args"]) for m in messages if isinstance(m, AIMessage) for c in m.tool_calls}
    found: dict[str, Any] = {}
    for message in messages:
        if isinstance(message, ToolMessage) and message.tool_call_id in calls:
            try:
                result = json.loads(str(message.content))
            except ValueError:
                result = {"ok": False}
            if isinstance(result, dict):
                data = result.get("data")
                shown = data if isinstance(data, dict) else {"items": data}
                found[calls[message.tool_call_id]] = {
                    **shown,
                    "ok": bool(result.get("ok")),
                    "error": result.get("error"),
                    "ids": result.get("evidence", []),
                }
    return found


def _is_due(read: Read, facts: Facts, answered: set[str]) -> bool:
    if read.name in answered or (read.when is not None and not read.when.holds(facts)):
        return False
    try:
        _args_of(read, facts)
    except PlaybookGap:
        return False
    return True


def _args_of(read: Read, facts: Facts) -> dict[str, Any]:
    args: dict[str, Any] = _in_lang(fill_args(read.args, facts), _lang_of(facts))
    return args


def _lang_of(facts: Facts) -> Lang:
    return "zh" if look(facts, "case.lang") == "zh" else "en"


def decide(rule: Rule, facts: Facts) -> dict[str, Any]:
    """The arguments of the decision tool.

    Raises:
        PlaybookGap: a text of the rule needs a value that the case does not have.
    """
    facts = bind(rule.let, facts)
    lang = _lang_of(facts)
    reasons = [b for b in rule.because if b.when is None or b.when.holds(facts)]
    return {
        "action": rule.action,
        "reasons": [b.fill(facts, lang) for b in reasons],
        "evidence": _evidence([path for b in reasons for path in b.evidence], facts),
        "confidence": _number(rule.confidence, facts),
        "missing": [m.fill(facts, lang) for m in rule.missing if m.when.holds(facts)],
        "reply": rule.reply.fill(facts, lang),
        "interim": rule.interim.fill(facts, lang) if rule.interim else "",
        "actions": [
            {"tool": act.tool, "args": _in_lang(fill_args(act.args, facts), lang)}
            for act in rule.actions
            if act.when is None or act.when.holds(facts)
        ],
    }


def _route(rule: Rule, facts: Facts) -> dict[str, Any]:
    decided = decide(rule, facts)
    return {"route": decided["action"], "confidence": decided["confidence"], "why": "; ".join(decided["reasons"])}


def _evidence(paths: Sequence[str], facts: Facts) -> list[str]:
    found: dict[str, None] = {}
    for path in paths:
        value = look(facts, path)
        for item in value if isinstance(value, list) else [value]:
            if isinstance(item, str) and item:
                found[item] = None
    return list(found)


def _in_lang(args: Any, lang: Lang) -> Any:
    """Arguments whose value is written in both languages take the case's."""
    if isinstance(args, Mapping):
        if set(args) == {"zh", "en"}:
            return args[lang]
        return {k: _in_lang(v, lang) for k, v in args.items()}
    return args


def _number(value: Value | float, facts: Facts) -> float:
    number = value.of(facts) if isinstance(value, Value) else value
    return min(1.0, max(0.0, float(number if number is not None else 0.5)))


def _key(tool: str, args: Mapping[str, Any]) -> str:
    return f"{tool} {json.dumps(args, sort_keys=True, ensure_ascii=False, default=str)}"


def _call(
    calls: Sequence[tuple[str, dict[str, Any]]], messages: Sequence[BaseMessage], basis: dict[str, Any]
) -> AIMessage:
    """Call ids follow from the conversation, so that a step repeated after a crash asks for the same effect."""
    tool_calls = [
        {"name": name, "args": args, "id": stable_id("call", len(messages), i, _key(name, args)), "type": "tool_call"}
        for i, (name, args) in enumerate(calls)
    ]
    return AIMessage(
        content="",
        tool_calls=tool_calls,
        response_metadata={"finish_reason": "tool_calls", "model_name": "playbook", **basis},
    )
