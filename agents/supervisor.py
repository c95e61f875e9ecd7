"""The supervisor: what other rooms call. It owns the conversations' checkpoints, one lock a thread, and the order of
things: an approval that waits is settled before anything new is read."""

from __future__ import annotations

import threading
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, cast
from weakref import WeakValueDictionary

import structlog
from langchain_core.runnables import RunnableConfig
from langgraph.types import Command

from agents.approvals import Answer
from agents.budget import Budget
from agents.checkpoints import Checkpoints
from agents.decision import Decision, Routing
from agents.graph import build
from agents.intake import check_text, lang_of, new_turn
from agents.models.resilient import build_model, who_answered
from agents.models.rules import playbooks
from agents.nodes import Nodes
from agents.schemas import AgentDeps, ApprovalView, ChatEvent, Done, TicketIn, TicketOutcome
from agents.state import Emit, HubState, RunContext, read_context, write_context
from agents.stream import events_of
from agents.tables import Approval, ApprovalState
from agents.wording import says_yes_or_no
from core.context import RequestContext, Role
from core.errors import Conflict, Forbidden, NotFound, ZhongshuError
from core.ids import stable_id
from core.telemetry import span
from core.text import Text
from tools import limits

log = structlog.get_logger(__name__)


class Supervisor:
    """Answers tickets and chats. Thread-safe; conversations survive a restart."""

    def __init__(self, deps: AgentDeps) -> None:
        self._deps = deps
        playbooks(), limits()  # a slip in either is to stop the start, not a customer's case
        self._checkpoints = Checkpoints(deps.checkpoints)
        self.model = build_model(deps.model, deps.tools.clock)
        self._nodes = Nodes(deps, self.model)
        self._graph = build(self._nodes, self._checkpoints)
        self._locks: WeakValueDictionary[str, _Lock] = WeakValueDictionary()
        self._guard = threading.Lock()

    def close(self) -> None:
        self._checkpoints.close()

    def handle_ticket(self, ctx: RequestContext, ticket: TicketIn) -> TicketOutcome:
        """Read, route, decide and answer one message.

        Raises:
            InvalidInput, TooLarge: the text is empty or too long.
            Forbidden: the role may not hand in tickets.
        """
        check_text(ticket.text)
        self._deps.tools.policy.check(ctx, "tickets.write", ticket.id)
        thread = stable_id("thread", ctx.tenant, "ticket", ticket.id)
        with span("agent.ticket", ticket=ticket.id), self._locked(ctx, thread):
            state = self._state(ctx, thread)
            if not state:
                turn = new_turn("ticket", ticket.id, 0, ticket.text, ticket.subject, ctx.lang)
                self._run(ctx, thread, {"owner": self._owner(ctx, thread), "turn": turn}, _silent)
            elif self._unfinished(ctx, thread):
                self._run(ctx, thread, None, _silent)
            return self._outcome(ctx, thread)

    def chat(self, ctx: RequestContext, thread_id: str, text: str, subject: str | None = None) -> Iterator[ChatEvent]:
        """One turn of a conversation, as events. The last event is `done` (or `error`, then `done` without outcome).

        `subject` names the customer it is about; it stays until another one is named.
        """
        try:
            check_text(text)
            self._deps.tools.policy.check(ctx, "chat.use", thread_id)
            with span("agent.chat", thread=thread_id), self._locked(ctx, thread_id):
                yield from self._chat(ctx, thread_id, text, subject)
                yield ChatEvent("done", self._outcome(ctx, thread_id).model_dump(mode="json"))
        except ZhongshuError as error:
            yield ChatEvent("error", error.as_dict(ctx.lang))
            yield ChatEvent("done", {"thread": thread_id})

    def approve(
        self,
        ctx: RequestContext,
        approval_id: str,
        decision: Answer,
        edited_args: dict[str, Any] | None = None,
        note: str | None = None,
    ) -> TicketOutcome:
        """Answer an approval and go on with its conversation.

        `edited_args` replaces the arguments of the same tool, within the same limits.

        Raises:
            NotFound: no such approval. Forbidden: this role may not decide it.
            Conflict: it is answered already, or expired. InvalidInput: the edit does not fit tool or limits.
        """
        row = self._nodes.approvals.get(ctx, approval_id)
        with span("agent.approve", approval=approval_id), self._locked(ctx, row.thread):
            row = self._nodes.approvals.get(ctx, approval_id)
            if row.state == ApprovalState.PENDING and row.expires_at <= self._deps.tools.clock.now():
                self._settle(ctx, row, ApprovalState.EXPIRED, _silent)
                row = self._nodes.approvals.get(ctx, approval_id)
                raise Conflict(
                    Text(f"审批 {row.id} 已过期", f"approval {row.id} has expired"), where={"state": row.state}
                )
            scope = self._nodes.scope(self._state(ctx, row.thread))
            self._nodes.approvals.answer(ctx, row, decision, edited_args, note, scope)
            self._resume(ctx, row, _silent)
            return self._outcome(ctx, row.thread)

    def approvals(self, ctx: RequestContext, states: Sequence[str] = ("pending",)) -> list[ApprovalView]:
        """Approvals in these states, newest first."""
        return self._nodes.approvals.listed(ctx, states)

    def outcome(self, ctx: RequestContext, thread_id: str) -> TicketOutcome:
        """How a conversation stands.

        Raises:
            NotFound: there is no such conversation.
        """
        return self._outcome(ctx, thread_id)

    def sweep(self, ctx: RequestContext) -> int:
        """Go on with conversations whose approval was answered just before a stop, and close those past their time;
        returns how many. To be called at start and now and then."""
        rows = self._nodes.approvals.unfinished(ctx)
        for row in rows:
            with self._locked(ctx, row.thread):
                if row.state == ApprovalState.PENDING:
                    self._settle(ctx, row, ApprovalState.EXPIRED, _silent)
                else:
                    self._resume(ctx, row, _silent)
        return len(rows)

    def _chat(self, ctx: RequestContext, thread: str, text: str, subject: str | None) -> Iterator[ChatEvent]:
        state = self._state(ctx, thread)
        if state:
            self._check_owner(ctx, state)
            if pending := self._pending(ctx, thread):
                settled = yield from self._answer_first(ctx, pending, text)
                if settled:
                    return
            elif self._unfinished(ctx, thread):
                yield from self._stream(ctx, thread, None)
        before = self._state(ctx, thread)
        number = before["turn"]["number"] + 1 if before else 0
        subject = subject or (before["turn"]["subject"] if before else None)
        lang = lang_of(before) if before else ctx.lang
        turn = new_turn("chat", f"{thread}.{number}", number, text, subject, lang)
        yield from self._stream(ctx, thread, {"owner": self._owner(ctx, thread), "turn": turn})

    def _answer_first(self, ctx: RequestContext, row: Approval, text: str) -> Generator[ChatEvent, None, bool]:
        """Settle the approval that waits: a plain yes or no of one who may decide is the answer; anything else means
        that the conversation goes on without it. Returns whether the text is used up."""
        expired = row.expires_at <= self._deps.tools.clock.now()
        answer = says_yes_or_no(text)
        if answer is None or expired:
            state = ApprovalState.EXPIRED if expired else ApprovalState.SUPERSEDED
            yield from events_of(lambda emit: self._settle(ctx, row, state, emit))
            return answer is not None
        scope = self._nodes.scope(self._state(ctx, row.thread))
        self._nodes.approvals.answer(ctx, row, answer, None, None, scope)
        yield from events_of(lambda emit: self._resume(ctx, row, emit))
        return True

    def _settle(self, ctx: RequestContext, row: Approval, state: ApprovalState, emit: Emit) -> None:
        self._nodes.approvals.lapse(ctx, row, state)
        self._resume(ctx, row, emit)

    def _resume(self, ctx: RequestContext, row: Approval, emit: Emit) -> None:
        """Go on behind the approval, if the conversation still stands there."""
        waiting = self._pending_id(ctx, row.thread)
        if waiting == row.id:
            self._run(ctx, row.thread, Command(resume={"approval": row.id}), emit)
        elif self._unfinished(ctx, row.thread):
            self._run(ctx, row.thread, None, emit)
        self._nodes.approvals.resumed(ctx, row.id)

    def _run(self, ctx: RequestContext, thread: str, given: Any, emit: Emit) -> None:
        """Run the graph until it ends or waits. Each step is on disk before the next one begins."""
        context = RunContext(emit=emit, budget=Budget())
        config = self._config(ctx, thread)
        self._graph.invoke(given, config, context=context, durability="sync")
        self._checkpoints.keep_newest(config["configurable"]["thread_id"])

    def _stream(self, ctx: RequestContext, thread: str, given: Any) -> Iterator[ChatEvent]:
        yield from events_of(lambda emit: self._run(ctx, thread, given, emit))

    def _outcome(self, ctx: RequestContext, thread: str) -> TicketOutcome:
        state = self._state(ctx, thread)
        if not state:
            raise NotFound(Text(f"没有对话 {thread}", f"there is no conversation {thread}"))
        decision = Decision.model_validate(state["decision"]) if state.get("decision") else None
        pending = self._pending(ctx, thread)
        status: Any = state.get("status") or "handed_over"
        route: Any = state["route"]
        return TicketOutcome(
            id=state["turn"]["id"],
            thread=thread,
            lang="zh" if state["turn"]["lang"] == "zh" else "en",
            status="waiting" if pending else status,
            route=route,
            routing=Routing.model_validate(state["routing"]) if state.get("routing") else None,
            decision=decision,
            reply=state.get("reply", ""),
            evidence=decision.evidence if decision else [],
            pending=ApprovalView.of(pending) if pending else None,
            done=[Done.model_validate(d) for d in state.get("done", [])],
            models=sorted({name for name, _ in who_answered(state.get("work", [])) if name}),
            trouble=state.get("trouble", []),
        )

    def _pending_id(self, ctx: RequestContext, thread: str) -> str | None:
        found = self._graph.get_state(self._config(ctx, thread)).interrupts
        return str(found[0].value["approval"]) if found else None

    def _pending(self, ctx: RequestContext, thread: str) -> Approval | None:
        waiting = self._pending_id(ctx, thread)
        return self._nodes.approvals.get(ctx, waiting) if waiting else None

    def _unfinished(self, ctx: RequestContext, thread: str) -> bool:
        """A run was cut off (the process stopped): there is a next step, and nothing that it waits for."""
        snapshot = self._graph.get_state(self._config(ctx, thread))
        return bool(snapshot.next) and not snapshot.interrupts

    def _state(self, ctx: RequestContext, thread: str) -> HubState:
        return cast(HubState, self._graph.get_state(self._config(ctx, thread)).values)

    def _owner(self, ctx: RequestContext, thread: str) -> dict[str, str]:
        return {**write_context(ctx), "thread": thread}

    def _check_owner(self, ctx: RequestContext, state: HubState) -> None:
        if ctx.role != Role.ADMIN and read_context(state["owner"]).actor != ctx.actor:
            raise Forbidden(Text("这是别人的对话", "this is someone else's conversation"))

    def _config(self, ctx: RequestContext, thread: str) -> RunnableConfig:
        return {"configurable": {"thread_id": f"{ctx.tenant}/{thread}"}, "recursion_limit": 40}

    @contextmanager
    def _locked(self, ctx: RequestContext, thread: str) -> Iterator[None]:
        key = f"{ctx.tenant}/{thread}"
        with self._guard:
            lock = self._locks.get(key)
            if lock is None:
                lock = self._locks[key] = _Lock()
        with lock.held:
            yield


class _Lock:
    """A lock that may be referred to weakly, so that a conversation's lock goes when nobody holds it."""

    def __init__(self) -> None:
        self.held = threading.Lock()


def _silent(_event: ChatEvent) -> None:
    pass
