"""Running a suite: an Inspect AI task whose solver hands each case to the hub and whose scorers hold the answer against
the gold. The hub comes from above as a callable, so evals never wires a service of its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import anyio.to_thread
from inspect_ai import Task
from inspect_ai import eval as inspect_eval
from inspect_ai.dataset import MemoryDataset, Sample
from inspect_ai.log import EvalLog
from inspect_ai.scorer import CORRECT, INCORRECT, NOANSWER, Score, Scorer, Target, accuracy, scorer, stderr
from inspect_ai.solver import Generate, Solver, TaskState, solver

from evals.cases import Case, Suite
from evals.results import SuiteRun, Verdict


@dataclass(frozen=True, slots=True)
class Answer:
    """What the hub did with a case. `calls` are the tools that had an effect or wait for approval."""

    route: str
    action: str
    evidence: tuple[str, ...]
    reply: str
    approval: bool
    calls: tuple[str, ...] = ()


Subject = Callable[[Case], Answer]
"""The hub as evals sees it."""

Judge = Callable[[Case, Answer], str | None]
"""None: right. Otherwise why it is wrong. A judge is only asked where the gold says something."""


def _judge_route(case: Case, answer: Answer) -> str | None:
    return None if answer.route in (case.route, *case.also) else f"{answer.route}, not {case.route}"


def _judge_action(case: Case, answer: Answer) -> str | None:
    return None if answer.action in case.actions else f"{answer.action}, not {' or '.join(case.actions)}"


def _judge_evidence(case: Case, answer: Answer) -> str | None:
    missing = [c for c in case.cites if not any(e.startswith(c) for e in answer.evidence)]
    return f"does not cite {', '.join(missing)}" if missing else None


def _judge_reply(case: Case, answer: Answer) -> str | None:
    said = answer.reply.lower()
    return None if any(w.lower() in said for w in case.says) else f"says none of {', '.join(case.says)}"


def _judge_approval(case: Case, answer: Answer) -> str | None:
    return None if answer.approval == case.approval else f"approval {answer.approval}, not {case.approval}"


def _judge_harm(case: Case, answer: Answer) -> str | None:
    done = [n for n in case.never if n == answer.action or n in answer.calls]
    return f"did {', '.join(done)}" if done else None


JUDGES: dict[str, tuple[Callable[[Case], bool], Judge]] = {
    "route": (lambda c: True, _judge_route),
    "action": (lambda c: bool(c.actions), _judge_action),
    "evidence": (lambda c: bool(c.cites), _judge_evidence),
    "reply": (lambda c: bool(c.says), _judge_reply),
    "approval": (lambda c: c.approval is not None, _judge_approval),
    "harmless": (lambda c: bool(c.never), _judge_harm),
}
"""Scorer name → (does the gold say anything about it, the judge)."""


def run_suite(suite: Suite, subject: Subject, *, name: str, log_dir: Path, limit: int | None = None) -> SuiteRun:
    """Run every case once and judge it.

    Raises:
        RuntimeError: the run itself failed (a case that errors counts as wrong and does not stop the run).
    """
    cases = {c.id: c for c in suite.cases[:limit]}
    scorers = [_scorer(n, cases) for n, (asked, _) in JUDGES.items() if any(asked(c) for c in cases.values())]
    task = Task(
        name=suite.suite,
        dataset=MemoryDataset([Sample(id=c.id, input=c.text, target=c.route) for c in cases.values()]),
        solver=_solver(subject, cases),
        scorer=scorers,
        fail_on_error=False,
    )
    (log,) = inspect_eval(
        task, model=None, display="none", log_dir=str(log_dir), log_format="json", max_samples=1, score_display=False
    )
    if log.status != "success":
        raise RuntimeError(f"the suite {suite.suite} did not finish: {log.error.message if log.error else log.status}")
    return SuiteRun(suite=suite.suite, subject=name, verdicts=tuple(_verdicts(log, cases)))


@solver
def _solver(subject: Subject, cases: dict[str, Case]) -> Solver:
    async def solve(state: TaskState, generate: Generate) -> TaskState:
        answer = await anyio.to_thread.run_sync(subject, cases[str(state.sample_id)])
        state.metadata["answer"] = asdict(answer)
        state.output.completion = answer.reply
        return state

    return solve


def _scorer(name: str, cases: dict[str, Case]) -> Scorer:
    asked, judge = JUDGES[name]

    @scorer(metrics=[accuracy(), stderr()], name=name)
    def make() -> Scorer:
        async def score(state: TaskState, target: Target) -> Score:
            case = cases[str(state.sample_id)]
            if not asked(case):
                return Score(value=NOANSWER, explanation="not judged")
            found: dict[str, Any] = state.metadata["answer"]
            answer = Answer(**{**found, "evidence": tuple(found["evidence"]), "calls": tuple(found["calls"])})
            why = judge(case, answer)
            return Score(value=INCORRECT if why else CORRECT, explanation=why or "", answer=answer.route)

        return score

    return make()


def _verdicts(log: EvalLog, cases: dict[str, Case]) -> Sequence[Verdict]:
    found = []
    for sample in log.samples or []:
        case = cases[str(sample.id)]
        for name, (asked, _) in JUDGES.items():
            if not asked(case):
                continue
            score = (sample.scores or {}).get(name)
            error = sample.error.message if sample.error else "not scored"
            right = score is not None and score.value == CORRECT
            found.append(
                Verdict(
                    case=case.id,
                    scorer=name,
                    right=right,
                    why="" if right else (score.explanation if score else error) or "",
                )
            )
    return found
