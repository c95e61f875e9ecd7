"""What counts as an answer of a language model, the faults it can have instead, and the settings of an endpoint."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from langchain_core.messages import AIMessage, BaseMessage

Fault = Literal[
    "truncated", "malformed", "empty", "refused", "rate_limited", "timeout", "unreachable", "rejected", "broken", "open"
]
"""`open`: the breaker is open, so nobody was asked."""


@dataclass(frozen=True, slots=True)
class ModelSettings:
    """An OpenAI-compatible endpoint, or none (then the playbook answers everything).

    Args:
        timeout: seconds for one call. attempts: calls in all for one answer.
        longest_wait: a `Retry-After` above these seconds is not waited for.
        failures: failed answers in a row that open the breaker; rest: seconds it stays open.
        stream: ask for a streamed answer, which proxies do not cut for idleness; it is put together before it is used.
    """

    base_url: str | None = None
    api_key: str | None = None
    model: str | None = None
    timeout: float = 30.0
    attempts: int = 2
    longest_wait: float = 5.0
    failures: int = 3
    rest: float = 30.0
    stream: bool = True
    max_output_tokens: int = 2_000

    @property
    def configured(self) -> bool:
        return self.base_url is not None and self.model is not None


class ModelFault(Exception):
    """The language model did not give a usable answer. `wait`: seconds it asked to be left alone."""

    def __init__(self, fault: Fault, detail: str = "", wait: float | None = None) -> None:
        super().__init__(f"{fault}: {detail}" if detail else fault)
        self.fault = fault
        self.wait = wait


class Endpoint(Protocol):
    """One call to a language model."""

    def ask(self, messages: Sequence[BaseMessage], kwargs: dict[str, Any]) -> AIMessage:
        """The answer, whole or not.

        Raises:
            ModelFault: there is none.
        """
        ...


def usable(answer: AIMessage) -> AIMessage:
    """The answer, if it is whole.

    Raises:
        ModelFault: no finish reason (the stream was cut), stopped by length or a filter, tool arguments that are not
            JSON, or nothing in it.
    """
    finish = answer.response_metadata.get("finish_reason")
    if finish is None or finish == "length":
        raise ModelFault("truncated", f"finish_reason {finish!r}")
    if finish == "content_filter":
        raise ModelFault("refused", finish)
    if answer.invalid_tool_calls:
        raise ModelFault("malformed", f"arguments of {answer.invalid_tool_calls[0].get('name')!r} are not JSON")
    if not answer.tool_calls and not str(answer.text).strip():
        raise ModelFault("empty")
    return answer
