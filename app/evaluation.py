"""The hub as evals sees it: a throw-away hub with the demo world, asked case by case through the supervisor."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from app.settings import Settings, load_settings
from core.clock import ManualClock
from core.context import Purpose, RequestContext
from core.times import parse_time
from evals.cases import Case
from evals.runner import Answer, Subject

if TYPE_CHECKING:
    from agents.schemas import TicketOutcome
    from app.hub import Hub

ANCHOR = parse_time("2026-06-30T00:00:00+08:00")
"""The demo world's last moment: fixed, so that two runs judge the same world."""


@contextmanager
def demo_subject() -> Iterator[tuple[str, Subject]]:
    """The name of what is judged (`playbook` or the configured model) and a hub that answers cases; gone afterwards."""
    from app.demo_world import load_demo_world
    from app.hub import Hub
    from app.logs import set_up_logs

    set_up_logs("warning", "auto")
    with tempfile.TemporaryDirectory(prefix="zhongshu-eval-") as folder:
        settings = load_settings(data_dir=Path(folder), log_level="warning")
        with Hub.open(settings, ManualClock(ANCHOR)) as hub:
            load_demo_world(hub)
            supervisor = hub.supervisor.get()
            ctx = hub.context(Purpose.SERVICE)

            def subject(case: Case) -> Answer:
                from agents.schemas import TicketIn

                if case.kind == "chat":
                    for said in (*case.before, case.text):
                        for _ in supervisor.chat(ctx, f"eval-{case.id}", said, case.customer):
                            pass
                    outcome = supervisor.outcome(ctx, f"eval-{case.id}")
                else:
                    outcome = supervisor.handle_ticket(ctx, TicketIn(id=case.id, text=case.text, subject=case.customer))
                return answer_of(outcome, [cited(hub, ctx, found) for found in outcome.evidence])

            yield name_of(settings), subject


def name_of(settings: Settings) -> str:
    return settings.llm_model or "playbook"


def cited(hub: Hub, ctx: RequestContext, evidence: str) -> str:
    """Evidence as gold names it: `passage:<document>`, `fact:<property>`, `strategy:<name>@<version>`, `event:<id>`."""
    if evidence.startswith("strategy:"):
        return evidence
    if evidence.startswith("passage_"):
        return f"passage:{hub.retriever.get().get(ctx, evidence).document_id}"
    if evidence.startswith("fact_"):
        return f"fact:{hub.graph_store.explain(ctx, evidence).fact.name}"
    return f"event:{evidence}"


def answer_of(outcome: TicketOutcome, evidence: list[str]) -> Answer:
    """The judged parts of an outcome. A drafted reply that waits for approval counts as the reply."""
    decision = outcome.decision
    calls = [name for done in outcome.done for name in (done.tool, str(done.args.get("action", ""))) if name]
    return Answer(
        route=outcome.route,
        action="hand_over" if decision is None else decision.action,
        evidence=tuple(evidence),
        reply=outcome.reply if decision is None else decision.reply,
        approval=outcome.pending is not None,
        calls=tuple(calls),
    )
