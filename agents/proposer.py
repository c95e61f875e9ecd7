"""A language model that reads sentences into strategies, behind the port of strategy/propose.py: one forced tool call
with the proposal as its arguments. What it answers is not believed here; strategy/reading.py checks it."""

from __future__ import annotations

import json
from typing import Any

from langchain_core.messages import HumanMessage, SystemMessage

import prompts
from agents.envelope import pack
from agents.models.answers import ModelFault
from agents.models.resilient import ResilientModel
from core.text import Lang
from strategy.propose import Asked, Proposal, ProposalFailed, Sample

TOOL = "propose_strategy"


class ModelProposer:
    """Proposals of one chat model."""

    def __init__(self, model: ResilientModel) -> None:
        self._model = model
        self._asking = {
            "tools": [{"type": "function", "function": {"name": TOOL, "parameters": Proposal.model_json_schema()}}],
            "tool_choice": {"type": "function", "function": {"name": TOOL}},
            "parallel_tool_calls": False,
        }

    def propose(self, asked: Asked) -> dict[str, Any]:
        """
        Raises:
            ProposalFailed: no endpoint, none that answers, an answer that is cut off or is no single call of the tool.
        """
        prompt = prompts.load("sentence", asked.lang)
        system = prompt.fill(vocabulary=asked.vocabulary, samples=_shown(asked.samples, asked.lang))
        material: dict[str, Any] = {"sentence": asked.sentence}
        if asked.problems:
            material |= {"problems": asked.problems, "previous": asked.previous}
        task = prompts.load("task", asked.lang).fill(data=pack(material))
        try:
            answer = self._model.consult([SystemMessage(system), HumanMessage(task)], self._asking)
        except ModelFault as fault:
            raise ProposalFailed(fault.fault) from fault
        calls = [call for call in answer.tool_calls if call["name"] == TOOL]
        if len(calls) != 1 or len(answer.tool_calls) != 1:
            raise ProposalFailed("malformed")
        return dict(calls[0]["args"])


def _shown(samples: tuple[Sample, ...], lang: Lang) -> str:
    return "\n".join(f"{sample.sentence}\n{json.dumps(sample.proposal, ensure_ascii=False)}" for sample in samples) or (
        "（无）" if lang == "zh" else "(none)"
    )
