"""The steps of the supervisor's graph. Each takes the state and returns what changed; what reaches the world happens in
`act` alone, under an idempotency key, after the guard and the approvals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import structlog
from langchain_core.messages import AIMessage, AnyMessage, HumanMessage, SystemMessage
from langgraph.runtime import Runtime
from langgraph.types import interrupt
from pydantic import ValidationError

import prompts
from agents import guard
from agents.approvals import Approvals
from agents.budget import BudgetSpent
from agents.decision import Decision, Routing
from agents.envelope import pack
from agents.intake import lang_of, make_case
from agents.models.playbook import openai_tools
from agents.models.resilient import ResilientModel, who_answered
from agents.models.rules import PlaybookGap
from agents.schemas import AgentDeps, ChatEvent
from agents.specialists import SPECIALISTS, Desks
from agents.state import HubState, Proposal, RunContext, read_context
from agents.tables import ApprovalState
from core.telemetry import span
from core.text import Text
from core.times import to_datetime
from tools import TOOLS, ApprovalRequired, Scope, ToolError

log = structlog.get_logger(__name__)

MAX_REPAIRS = 1

HOLDING = Text(
    "您好，您的来信已收到，正在由负责的同事确认，确认后会尽快答复您。",
    "Thank you for your message. A colleague is confirming the details and we will answer you as soon as possible.",
)
TO_A_PERSON = Text(
    "您好，您的来信已转给专人处理，对方会尽快与您联系。",
    "Thank you for your message. We have passed it to a colleague, who will contact you as soon as possible.",
)
NOT_STARTED = Text("这项操作没有获得批准，未执行。", "This was not approved, so nothing was done.")
WENT_ON = Text("您有了新的消息，之前等待批准的操作已取消。", "You wrote on, so the pending approval was withdrawn.")


def adjusted(done: Sequence[Mapping[str, Any]], proposed: Sequence[Mapping[str, Any]]) -> Text | None:
    """What to tell the customer when an approver changed an act's arguments: the drafted reply still promises the old
    ones. None when everything was done as drafted."""
    drafted = [(p["tool"], TOOLS[p["tool"]].read_args(p["args"])) for p in proposed]
    tools = {tool for tool, _ in drafted}
    changed = [
        d for d in done if d["tool"] in tools and (d["tool"], TOOLS[d["tool"]].read_args(d["args"])) not in drafted
    ]
    if not changed:
        return None
    terms = []
    for one in changed:
        params = one["args"].get("params") or {k: v for k, v in one["args"].items() if k != "action"}
        numbers = ", ".join(f"{k} {v:g}" if isinstance(v, float) else f"{k} {v}" for k, v in params.items())
        terms.append(f"{one['result'].get('label', one['tool'])} ({numbers})")
    told = "; ".join(terms)
    return Text(
        f"您好，您的事已由同事核定并办理：{told}。",
        f"Thank you for waiting. A colleague has decided, and this was arranged: {told}.",
    )


class Nodes:
    """The nodes over one hub's services."""

    def __init__(self, deps: AgentDeps, model: ResilientModel) -> None:
        self._deps = deps
        self._tools = deps.tools
        self._model = model
        self._desks = Desks(model)
        self._routing_tools = openai_tools([Routing])
        self.approvals = Approvals(deps.tools)

    def scope(self, state: HubState, **more: Any) -> Scope:
        """What the conversation's owner may touch, for the desk that has it."""
        ctx = replace(read_context(state["owner"]), lang=lang_of(state))
        desk = SPECIALISTS.get(state.get("route", ""))
        if desk is not None and desk.purpose is not None:
            ctx = ctx.for_purpose(desk.purpose)
        turn = state["turn"]
        named: dict[str, Any] = {
            "tools": frozenset(desk.reads) if desk else frozenset(),
            "focus": state.get("focus") or {},
            **more,
        }
        return Scope(self._tools, ctx, state["owner"]["thread"], turn["subject"], message_id=turn["id"], **named)

    def intake(self, state: HubState) -> dict[str, Any]:
        zone = self._tools.catalog(read_context(state["owner"])).timezone
        today = to_datetime(self._tools.clock.now(), zone).date().isoformat()
        return {
            "case": make_case(state, self._deps.read_text, today),
            "routing": None,
            "work": [],
            "decision": None,
            "problems": [],
            "repairs": 0,
            "queue": [],
            "done": [],
            "pending": None,
            "verdict": None,
            "trouble": [],
            "status": "",
            "reply": "",
        }

    def route(self, state: HubState, runtime: Runtime[RunContext]) -> dict[str, Any]:
        """Ask the model for a desk; one that answers otherwise is asked no more, the playbook decides."""
        lang = lang_of(state)
        system = SystemMessage(prompts.load("router", lang).fill(rules=prompts.load("rules", lang).fill()))
        messages = [system, self._task(state)]
        trouble: list[str] = []
        with span("agent.route") as current:
            runtime.context.budget.spend_round(messages)
            answer = self._model.bind_tools([Routing], tool_choice="any", parallel_tool_calls=False).invoke(messages)
            routing = _read_routing(answer)
            if routing is None:
                trouble.append("router: no usable answer")
                routing = _read_routing(self._model.playbook.answer(messages, tools=self._routing_tools))
            routing = routing or Routing(route="person", confidence=0.0, why="no desk could be determined")
            current.set_attribute("zhongshu.route", routing.route)
        trouble += [f"router: {reason}" for _, reason in who_answered([answer]) if reason]
        runtime.context.emit(ChatEvent("routed", routing.model_dump()))
        return {"routing": routing.model_dump(), "route": routing.route, "trouble": state["trouble"] + trouble}

    def specialist(self, state: HubState, runtime: Runtime[RunContext]) -> dict[str, Any]:
        """Let the desk work until it decides; without a usable decision the list of problems says so."""
        messages = [*state["work"]] or [self._task(state)]
        if state["problems"]:
            data = pack({"problems": state["problems"]})
            messages.append(HumanMessage(prompts.load("repair", lang_of(state)).fill(data=data)))
        context = replace(runtime.context, scope=self.scope(state))
        with span("agent.specialist", route=state["route"], repair=state["repairs"]):
            try:
                agent = self._desks.agent(state["route"], lang_of(state))
                # Without a checkpointer of its own it cannot wait for one, as the supervisor's durability asks.
                result = agent.invoke({"messages": messages}, context=context, durability="async")
            except (BudgetSpent, PlaybookGap) as stopped:
                log.warning("agent.stopped", route=state["route"], reason=str(stopped))
                return {"decision": None, "repairs": MAX_REPAIRS, "problems": [f"{type(stopped).__name__}: {stopped}"]}
        work: list[AnyMessage] = result["messages"]
        fell = [f"{state['route']}: {why}" for _, why in who_answered(work[len(messages) :]) if why]
        decided: Decision | None = result.get("structured_response")
        changes: dict[str, Any] = {"work": work, "trouble": state["trouble"] + list(dict.fromkeys(fell))}
        if decided is None:
            return {**changes, "decision": None, "problems": ["no decision was made; call the decision tool"]}
        return {**changes, "decision": decided.model_dump(), "problems": [], "focus": _focus(state, work)}

    def guard(self, state: HubState, runtime: Runtime[RunContext]) -> dict[str, Any]:
        """Check the decision. What passes goes into the queue of acts; what does not is repaired once."""
        desk = SPECIALISTS[state["route"]]
        problems = state["problems"]
        if state["decision"] is not None:
            decision = desk.decision.model_validate(state["decision"])
            problems = guard.check(self.scope(state), desk, decision, state["work"])
        if problems:
            log.info("agent.rejected", route=state["route"], problems=problems)
            trouble = [*state["trouble"], *(f"guard: {p}" for p in problems)]
            return {"problems": problems, "repairs": state["repairs"] + 1, "trouble": trouble}
        runtime.context.emit(ChatEvent("decision", {"route": state["route"], **decision.model_dump()}))
        number = state["turn"]["number"]
        queue: list[Proposal] = [
            {"call": f"{number}.{i}", "tool": act.tool, "args": act.args} for i, act in enumerate(decision.actions)
        ]
        return {"problems": [], "queue": queue}

    def act(self, state: HubState, runtime: Runtime[RunContext]) -> dict[str, Any]:
        """Do what may be done at once, then ask for the first act that needs a person's yes."""
        decision = state["decision"] or {}
        waiting: list[tuple[Proposal, ApprovalRequired]] = []
        done, trouble = list(state["done"]), list(state["trouble"])
        for proposal in state["queue"]:
            scope, exact = self._act_scope(state, proposal)
            try:
                found = TOOLS[exact["tool"]](scope, exact["args"])
            except ApprovalRequired as asks:
                waiting.append((proposal, asks))
            except ToolError as error:
                trouble.append(f"{exact['tool']}: {error.text.en}")
                return {"queue": [], "done": done, "trouble": trouble, "pending": None, "status": "failed"}
            else:
                done.append({"tool": exact["tool"], "args": exact["args"], "result": found.data})
        left = [proposal for proposal, _ in waiting]
        if not waiting:
            return {"queue": [], "done": done, "pending": None, "verdict": None}
        proposal, needed = waiting[0]
        scope, _ = self._act_scope(state, proposal)
        asked = self.approvals.ask(scope, proposal, needed, state["route"], decision.get("reasons", []))
        runtime.context.emit(ChatEvent("approval_requested", asked.model_dump()))
        interim = decision.get("interim") or HOLDING.say(lang_of(state))
        runtime.context.emit(ChatEvent("text", {"text": interim}))
        return {
            "queue": left,
            "done": done,
            "pending": asked.id,
            "verdict": None,
            "reply": interim,
            "status": "waiting",
        }

    def wait(self, state: HubState) -> dict[str, Any]:
        """Pause here, across restarts, until the approval is answered, expires or is superseded. The answer itself is
        read from the approval's row; what resumes the graph only says that it is time to look."""
        interrupt({"approval": state["pending"]})
        ctx = read_context(state["owner"])
        row = self.approvals.get(ctx, state["pending"] or "")
        if row.state == ApprovalState.APPROVED:
            return {"verdict": row.state}
        return {"verdict": row.state, "queue": []}

    def reply(self, state: HubState, runtime: Runtime[RunContext]) -> dict[str, Any]:
        decision = state["decision"] or {}
        text = str(decision.get("reply", ""))
        if state["verdict"] in (ApprovalState.REJECTED, ApprovalState.EXPIRED):
            text = NOT_STARTED.say(lang_of(state))
        elif state["verdict"] == ApprovalState.SUPERSEDED:
            text = WENT_ON.say(lang_of(state))
        elif changed := adjusted(state["done"], decision.get("actions", [])):
            text = changed.say(lang_of(state))
        runtime.context.emit(ChatEvent("text", {"text": text}))
        return {"reply": text, "status": "replied", "pending": None, "history": _history(state, text)}

    def person(self, state: HubState, runtime: Runtime[RunContext]) -> dict[str, Any]:
        """Hand the case over with what is known; the customer hears so in their language."""
        decision = state["decision"] or {}
        passed = not state["problems"] and state["status"] != "failed" and state["verdict"] is None
        text = str(decision.get("reply", "")) if passed else ""
        text = text or TO_A_PERSON.say(lang_of(state))
        already = any(d["tool"] == "escalate_to_person" for d in state["done"])
        done = list(state["done"]) if already else [*state["done"], self._hand_over(state)]
        runtime.context.emit(ChatEvent("text", {"text": text}))
        return {
            "reply": text,
            "status": "handed_over",
            "done": done,
            "queue": [],
            "pending": None,
            "history": _history(state, text),
        }

    def _hand_over(self, state: HubState) -> dict[str, Any]:
        decision, meaning = state["decision"] or {}, state["case"]["meaning"]
        args = {
            "to": "agent",
            "summary": _summary(state, decision),
            "urgency": "high" if float(meaning.get("urgency") or 0) >= 0.7 else "normal",
        }
        scope = self.scope(
            state,
            tools=frozenset({"escalate_to_person"}),
            call=f"{state['turn']['number']}.person",
            evidence=tuple(decision.get("evidence", [])),
        )
        # Asking a person is not the desk's use of data: it must work for whoever may talk to us at all.
        scope = replace(scope, ctx=scope.ctx.for_purpose(read_context(state["owner"]).purpose))
        try:
            found = TOOLS["escalate_to_person"](scope, args).data
        except ToolError as error:
            log.error("agent.hand_over_failed", thread=state["owner"]["thread"], reason=error.text.en)
            found = {"error": error.text.en}
        return {"tool": "escalate_to_person", "args": args, "result": found}

    def _act_scope(self, state: HubState, proposal: Proposal) -> tuple[Scope, Proposal]:
        """The scope of one act, and the act as it was approved: the row's arguments for the row's tool and call."""
        desk = SPECIALISTS[state["route"]]
        approved: frozenset[str] = frozenset()
        if state["verdict"] == ApprovalState.APPROVED and state["pending"]:
            row = self.approvals.get(read_context(state["owner"]), state["pending"])
            if row.state == ApprovalState.APPROVED and (row.tool, row.call) == (proposal["tool"], proposal["call"]):
                approved = frozenset({row.args_hash})
                proposal = {**proposal, "args": row.args}
        evidence = tuple((state["decision"] or {}).get("evidence", []))
        scope = self.scope(
            state, tools=frozenset(desk.acts), approved=approved, call=proposal["call"], evidence=evidence
        )
        return scope, proposal

    def _task(self, state: HubState) -> HumanMessage:
        return HumanMessage(prompts.load("task", lang_of(state)).fill(data=pack({"case": state["case"]})))


def _read_routing(answer: AIMessage) -> Routing | None:
    calls = [c for c in answer.tool_calls if c["name"] == "Routing"]
    if len(calls) != 1:
        return None
    try:
        return Routing.model_validate(calls[0]["args"])
    except ValidationError:
        return None


def _focus(state: HubState, work: Sequence[AnyMessage]) -> dict[str, Any]:
    """The strategy draft the conversation is about after this turn, from what the strategy tools returned."""
    focus = dict(state.get("focus") or {})
    for tool, result in guard.results(work):
        data = result.get("data") or {}
        if tool not in ("draft_strategy", "refine_strategy", "show_strategy") or not result.get("ok"):
            continue
        if data.get("status") in ("drafted", "refined", "shown"):
            kept = ("id", "name", "version", "state", "sentence", "readback", "base")
            focus = {k: data[k] for k in kept if k in data}
        elif data.get("status") == "question":
            asked = ("words", "answers") if "words" in data else ("sentence",)
            focus = {**focus, "open": {k: data[k] for k in (*asked, "choices")}}
    return focus


def _history(state: HubState, reply: str) -> list[dict[str, str]]:
    past = state.get("history") or []
    return [*past, {"from": "customer", "text": state["turn"]["text"]}, {"from": "hub", "text": reply}]


def _summary(state: HubState, decision: dict[str, Any]) -> str:
    """What the person needs at a glance: the message, what was found, what is missing, what went wrong."""
    zh = lang_of(state) == "zh"
    parts = [f"{'来信' if zh else 'Message'}: {state['turn']['text'][:600]}"]
    for name, label in (("reasons", "已知" if zh else "Known"), ("missing", "缺少" if zh else "Missing")):
        if decision.get(name):
            parts.append(f"{label}: {'; '.join(decision[name])}")
    if state["trouble"]:
        parts.append(f"{'经过' if zh else 'On the way'}: {'; '.join(state['trouble'])[:600]}")
    return "\n".join(parts)[:4_000]
