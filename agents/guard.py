"""The check between a decision and the world: is its evidence real and seen, are its acts allowed and within limits,
does its reply promise only what the acts give. It trusts the graph and the tools' results, never the text."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from langchain_core.messages import AIMessage, BaseMessage, ToolMessage

from agents.decision import Decision
from agents.specialists import UNPROVEN, Specialist
from core.errors import NotFound
from core.telemetry import span
from core.text import Lang, has_chinese
from knowledge.parse.numbers import CHINESE, ENGLISH, number
from tools import TOOLS, ApprovalRequired, Scope, ToolError

_AMOUNT = r"\d[\d,]*(?:\.\d+)?"
_PROMISE = re.compile(
    rf"(?:[¥\uffe5$€]|RMB|CNY|USD)\s?(?P<prefixed>{_AMOUNT})"
    rf"|百分之(?P<share>{_AMOUNT}|[{CHINESE}]+)"
    rf"|(?P<said>{_AMOUNT})\s?(?P<unit>万|元|块|折|成|%|\uff05|(?:percent|yuan|RMB|CNY|dollars?)\b)"
    rf"|(?P<zh>[{CHINESE}]+)(?P<zh_unit>元|折|成)"
    rf"|\b(?P<en>{ENGLISH})(?:[\s-]+(?P<times>hundred|thousand))?[\s-]+(?:percent|yuan|dollars?)\b",
    re.IGNORECASE,
)
_TIMES = {"hundred": 100.0, "thousand": 1_000.0, "万": 10_000.0}
_NUMBER = re.compile(r"\d[\d,]*(?:\.\d+)?")
_CUSTOMER_WORDS = {"search_tickets_and_transcripts"}
"""Tools whose results hold customers' own words: a number in them is no ground for a promise."""


def check(scope: Scope, desk: Specialist, decision: Decision, work: Sequence[BaseMessage]) -> list[str]:
    """What is wrong with the decision, for its repair; empty when it may pass."""
    with span("agent.guard", route=desk.route, action=decision.action) as current:
        problems = [
            *_evidence(scope, decision, work),
            *_acts(replace(scope, tools=frozenset(desk.acts)), desk, decision),
            *(_promises(decision, work) if desk.to_customer else ()),
            *_language(decision, scope.ctx.lang),
        ]
        current.set_attribute("zhongshu.problems", len(problems))
    return problems


def shown_evidence(work: Iterable[BaseMessage]) -> set[str]:
    """The evidence ids that the tools returned in this run."""
    found: set[str] = set()
    for _, result in results(work):
        found.update(i for i in result.get("evidence", []) if isinstance(i, str))
    return found


def _evidence(scope: Scope, decision: Decision, work: Sequence[BaseMessage]) -> list[str]:
    if not decision.evidence:
        return [] if decision.action in UNPROVEN else ["evidence: a decision must cite what it rests on"]
    shown = shown_evidence(work) | {i for i in (scope.message_id, scope.focus.get("id")) if i}
    problems = []
    for evidence_id in decision.evidence:
        if not _exists(scope, evidence_id):
            problems.append(f"evidence: {evidence_id!r} does not exist")
        elif evidence_id not in shown:
            problems.append(f"evidence: {evidence_id!r} was not returned by any tool in this case")
    return problems


def _exists(scope: Scope, evidence_id: str) -> bool:
    if evidence_id == scope.message_id:
        return True
    if evidence_id.startswith("strategy:"):
        name, _, version = evidence_id.removeprefix("strategy:").rpartition("@")
        try:
            return any(str(v.version) == version for v in scope.deps.strategies.versions(scope.ctx, name))
        except NotFound:
            return False
    return scope.deps.graph.exists(scope.ctx, evidence_id) or scope.deps.retriever.exists(scope.ctx, evidence_id)


def _acts(scope: Scope, desk: Specialist, decision: Decision) -> list[str]:
    problems = []
    for act in decision.actions:
        if act.tool not in desk.acts:
            problems.append(f"actions: the tool {act.tool!r} is not one of {', '.join(desk.acts)}")
            continue
        try:
            TOOLS[act.tool].admit(scope, act.args)
        except ApprovalRequired:
            pass
        except ToolError as error:
            near = f" (nearest: {', '.join(error.nearest)})" if error.nearest else ""
            problems.append(f"actions: {act.tool}: {error.text.en}{near}")
    return problems


def _promises(decision: Decision, work: Sequence[BaseMessage]) -> list[str]:
    """Every amount and percentage of the reply must come from an act, or from something the hub itself knows."""
    params = [a.args.get("params") or a.args for a in decision.actions]
    known = {float(v) for p in params if isinstance(p, dict) for v in p.values() if isinstance(v, int | float)}
    for tool, result in results(work):
        if tool not in _CUSTOMER_WORDS:
            known |= _numbers(json.dumps(result, ensure_ascii=False))
    texts = [
        decision.reply,
        decision.interim,
        *(v for p in params if isinstance(p, dict) for v in p.values() if isinstance(v, str)),
    ]
    return [
        f"reply: it promises {match.group(0).strip()}, which no act gives and no record says"
        for text in texts
        for match in _PROMISE.finditer(text)
        if not _meant(match) & known
    ]


def _meant(match: re.Match[str]) -> set[float]:
    """The numbers that a promise may stand for: 9折 is 10% off, 三成 is 30%, 1万 is 10,000."""
    found = match.groupdict()
    said = next(found[name] for name in ("prefixed", "share", "said", "zh", "en") if found[name])
    unit = found["unit"] or found["zh_unit"] or found["times"] or ""
    value = (number(said) or 0.0) * _TIMES.get(unit.lower(), 1.0)
    if unit == "折":
        return {round(100 - value * (10 if value < 10 else 1), 6)}
    return {value * 10} if unit == "成" else {value}


def _language(decision: Decision, lang: Lang) -> list[str]:
    chinese = sum("\u3400" <= c <= "\u9fff" for c in decision.reply)
    if lang == "zh" and not has_chinese(decision.reply):
        return ["reply: it must be in Chinese"]
    if lang == "en" and chinese > len(decision.reply) * 0.3:
        return ["reply: it must be in English"]
    return []


def results(work: Iterable[BaseMessage]) -> list[tuple[str, dict[str, Any]]]:
    """(tool, result) of every answered tool call, in order."""
    names: dict[str | None, str] = {}
    found = []
    for message in work:
        if isinstance(message, AIMessage):
            names.update({c["id"]: c["name"] for c in message.tool_calls})
        elif isinstance(message, ToolMessage) and message.tool_call_id in names:
            try:
                result = json.loads(str(message.content))
            except ValueError:
                continue
            if isinstance(result, dict):
                found.append((names[message.tool_call_id], result))
    return found


def _numbers(text: str) -> set[float]:
    return {_plain(n) for n in _NUMBER.findall(text)}


def _plain(number: str) -> float:
    return float(number.replace(",", ""))
