"""Tools as LangChain sees them. The scope comes from the run, not from the model; what goes wrong comes back as data
that tells "try other arguments" from "go on without"."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from langchain.agents.middleware import AgentMiddleware
from langchain.agents.middleware.types import ModelRequest, ModelResponse
from langchain_core.tools import StructuredTool
from langgraph.runtime import get_runtime

import prompts
from agents.envelope import pack
from agents.schemas import ChatEvent
from agents.state import RunContext
from core.text import Lang
from tools import TOOLS, AnyTool, ToolError


def offered(names: tuple[str, ...], lang: Lang) -> list[StructuredTool]:
    """The tools that a specialist's model is offered."""
    told = prompts.sections("tools", lang)
    return [_structured(TOOLS[name], told[name]) for name in names]


def _structured(tool: AnyTool, description: str) -> StructuredTool:
    return StructuredTool(
        name=tool.name,
        description=description,
        args_schema=tool.args.model_json_schema(),
        func=_runner(tool),
    )


def _runner(tool: AnyTool) -> Callable[..., str]:
    def run(**args: Any) -> str:
        context: RunContext = get_runtime(RunContext).context
        assert context.scope is not None
        context.budget.spend_tool_call()
        context.emit(ChatEvent("tool_started", {"tool": tool.name}))
        try:
            found = tool(context.scope, args).payload()
        except ToolError as error:
            found = as_data(error)
        context.emit(ChatEvent("tool_finished", {"tool": tool.name, "ok": found["ok"]}))
        return pack(found)

    return run


def as_data(error: ToolError) -> dict[str, Any]:
    return {
        "ok": False,
        "evidence": [],
        "error": {"kind": error.kind, "message": error.text.en, "nearest": error.nearest, **error.where},
    }


def describe(names: tuple[str, ...], lang: Lang) -> str:
    """The acting tools, for the prompt: name, description and arguments, one a line."""
    told = prompts.sections("tools", lang)
    lines = []
    for name in names:
        schema = TOOLS[name].args.model_json_schema()
        shown = json.dumps(schema.get("properties", {}), ensure_ascii=False)
        lines.append(f"- {name}: {' '.join(told[name].split())} {shown}")
    return "\n".join(lines)


class BudgetGuard(AgentMiddleware[Any, RunContext, Any]):
    """Counts every round with the model against the turn's budget."""

    def wrap_model_call(
        self, request: ModelRequest[RunContext], handler: Callable[[ModelRequest[RunContext]], ModelResponse[Any]]
    ) -> ModelResponse[Any]:
        system = [request.system_message] if request.system_message else []
        request.runtime.context.budget.spend_round([*system, *request.messages])
        return handler(request)
