"""What one turn may spend: rounds with the model, tool calls, tokens shown to it. When spent, a person takes over."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Literal

from langchain_core.messages import AIMessage, BaseMessage

from knowledge.retrieval.tokens import count_tokens


class BudgetSpent(Exception):
    """A turn would spend more than it may."""

    def __init__(self, what: Literal["rounds", "tool_calls", "tokens"], limit: int) -> None:
        super().__init__(f"{what} > {limit}")
        self.what = what
        self.limit = limit


@dataclass(slots=True)
class Budget:
    """Counted down over one turn, repairs included; tools of one round run in parallel, hence the lock."""

    rounds: int = 8
    tool_calls: int = 16
    tokens: int = 60_000
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)
    _rounds: int = 0
    _tool_calls: int = 0
    _tokens: int = 0

    def spend_round(self, messages: Sequence[BaseMessage]) -> None:
        """
        Raises:
            BudgetSpent: the round, or what it shows the model, is one too many.
        """
        shown = sum(_tokens(m) for m in messages)
        with self._lock:
            self._rounds += 1
            self._tokens += shown
            if self._rounds > self.rounds:
                raise BudgetSpent("rounds", self.rounds)
            if self._tokens > self.tokens:
                raise BudgetSpent("tokens", self.tokens)

    def spend_tool_call(self) -> None:
        """
        Raises:
            BudgetSpent: it is one too many.
        """
        with self._lock:
            self._tool_calls += 1
            if self._tool_calls > self.tool_calls:
                raise BudgetSpent("tool_calls", self.tool_calls)


def _tokens(message: BaseMessage) -> int:
    text = str(message.text)
    if isinstance(message, AIMessage):
        text += "".join(str(c["args"]) for c in message.tool_calls)
    return _counted(text)


@lru_cache(maxsize=1024)
def _counted(text: str) -> int:
    """Every round shows the model the conversation again; each part of it is counted once."""
    return count_tokens(text)
