"""What agents may call: thin, typed, scoped wrappers over knowledge/ and strategy/, with policy and limits checked."""

from tools import actions, customer, outlook, search, strategies, terms
from tools.base import (
    AnyTool,
    ApprovalRequired,
    Scope,
    Tool,
    ToolDeps,
    ToolError,
    ToolFailed,
    ToolResult,
    ToolRetry,
    args_hash,
)
from tools.limits import Limits, limits

TOOLS: dict[str, AnyTool] = {
    t.name: t for t in (*customer.TOOLS, *outlook.TOOLS, *search.TOOLS, *terms.TOOLS, *strategies.TOOLS, *actions.TOOLS)
}

__all__ = [
    "TOOLS",
    "AnyTool",
    "ApprovalRequired",
    "Limits",
    "Scope",
    "Tool",
    "ToolDeps",
    "ToolError",
    "ToolFailed",
    "ToolResult",
    "ToolRetry",
    "args_hash",
    "limits",
]
