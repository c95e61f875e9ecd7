"""From language model to playbook: retries what may pass, opens a breaker on what does not, and answers by the playbook
meanwhile. A reply that merely looks successful (cut off, broken arguments, empty) counts as a failure."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import openai
import structlog
from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.exceptions import ModelError
from langchain_core.language_models import LanguageModelInput
from langchain_core.language_models.chat_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage, ToolCallChunk, message_chunk_to_message
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_core.runnables import Runnable
from langchain_core.tools import BaseTool
from langchain_openai import ChatOpenAI
from pydantic import ConfigDict, SecretStr

from agents.models.playbook import PlaybookModel, openai_tools
from core.clock import Clock
from core.telemetry import span
from core.times import SECOND

log = structlog.get_logger(__name__)

Fault = Literal[
    "truncated", "malformed", "empty", "refused", "rate_limited", "timeout", "unreachable", "rejected", "broken"
]
_TRY_AGAIN = {"truncated", "malformed", "empty", "rate_limited", "timeout", "unreachable", "broken"}


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
    """The language model did not give a usable answer."""

    def __init__(self, fault: Fault, detail: str = "", wait: float | None = None) -> None:
        super().__init__(f"{fault}: {detail}" if detail else fault)
        self.fault = fault
        self.wait = wait


class Breaker:
    """Opens after `failures` failed answers in a row, for `rest` seconds; then lets one try through."""

    def __init__(self, clock: Clock, failures: int, rest: float) -> None:
        self._clock, self._failures, self._rest = clock, failures, round(rest * SECOND)
        self._lock = threading.Lock()
        self._failed = 0
        self._open_until = 0
        self._trying = False

    def allows(self) -> bool:
        with self._lock:
            if self._failed < self._failures:
                return True
            if self._clock.now() < self._open_until or self._trying:
                return False
            self._trying = True
            return True

    def succeeded(self) -> None:
        with self._lock:
            self._failed, self._trying = 0, False

    def failed(self) -> None:
        with self._lock:
            self._failed += 1
            self._trying = False
            self._open_until = self._clock.now() + self._rest

    @property
    def state(self) -> Literal["closed", "open", "half_open"]:
        with self._lock:
            if self._failed < self._failures:
                return "closed"
            return "open" if self._clock.now() < self._open_until else "half_open"


class ResilientModel(BaseChatModel):
    """One chat model for the agents: the endpoint when it is configured and well, the playbook otherwise.

    `response_metadata["model_name"]` of an answer says who gave it, and `fallback` why the endpoint did not.
    """

    model_config = ConfigDict(arbitrary_types_allowed=True)

    primary: BaseChatModel | None
    playbook: PlaybookModel
    breaker: Breaker
    settings: ModelSettings
    sleep: Callable[[float], None] = time.sleep

    @property
    def _llm_type(self) -> str:
        return "zhongshu-resilient"

    def bind_tools(
        self,
        tools: Sequence[dict[str, Any] | type | Callable[..., Any] | BaseTool],
        *,
        tool_choice: str | None = None,
        **kwargs: Any,
    ) -> Runnable[LanguageModelInput, AIMessage]:
        choice = "required" if tool_choice == "any" else tool_choice
        return self.bind(tools=openai_tools(tools), tool_choice=choice, **kwargs)

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        with span("agent.model") as current:
            message = self._answer(messages, kwargs)
            current.set_attribute("zhongshu.model", str(message.response_metadata.get("model_name", "")))
        return ChatResult(generations=[ChatGeneration(message=message)])

    def _answer(self, messages: list[BaseMessage], kwargs: dict[str, Any]) -> AIMessage:
        if self.primary is None:
            return self.playbook.answer(messages, **kwargs)
        fault: Fault | Literal["open"] = "open"
        if self.breaker.allows():
            try:
                answer = self._ask(messages, kwargs)
            except ModelFault as failed:
                self.breaker.failed()
                fault = failed.fault
                log.warning("agent.model_failed", fault=fault, detail=str(failed), breaker=self.breaker.state)
            except BaseException:
                self.breaker.failed()
                raise
            else:
                self.breaker.succeeded()
                return answer
        answer = self.playbook.answer(messages, **kwargs)
        answer.response_metadata["fallback"] = fault
        return answer

    def _ask(self, messages: list[BaseMessage], kwargs: dict[str, Any]) -> AIMessage:
        assert self.primary is not None
        last = ModelFault("broken")
        for left in reversed(range(self.settings.attempts)):
            try:
                return self._whole(messages, kwargs)
            except ModelFault as fault:
                last = fault
            except (openai.OpenAIError, ModelError, ValueError, KeyError, TypeError) as error:
                last = _read_fault(error)
            if not left or last.fault not in _TRY_AGAIN or (last.wait or 0) > self.settings.longest_wait:
                break
            if last.wait:
                self.sleep(last.wait)
        raise last

    def _whole(self, messages: list[BaseMessage], kwargs: dict[str, Any]) -> AIMessage:
        assert self.primary is not None
        if not self.settings.stream:
            return usable(self.primary.invoke(messages, **kwargs))
        parts = iter(self.primary.stream(messages, **kwargs))
        whole = next(parts, AIMessageChunk(content=""))
        for part in parts:
            whole = whole + part
        assert isinstance(whole, AIMessageChunk)
        answer = usable(message_chunk_to_message(whole))
        for call in whole.tool_call_chunks:
            _check_arguments(call)
        return answer


def _check_arguments(call: ToolCallChunk) -> None:
    """Putting a stream together completes broken JSON to something that parses; arguments are read strictly instead."""
    try:
        json.loads(call["args"] or "{}")
    except ValueError as cause:
        raise ModelFault("malformed", f"arguments of {call['name']!r} are not JSON") from cause


def usable(answer: BaseMessage) -> AIMessage:
    """The answer, if it is whole.

    Raises:
        ModelFault: no finish reason (the stream was cut), stopped by length or a filter, tool arguments that are not
            JSON, or nothing in it.
    """
    assert isinstance(answer, AIMessage)
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


def _read_fault(error: Exception) -> ModelFault:
    detail = f"{type(error).__name__}: {str(error)[:200]}"
    if isinstance(error, openai.RateLimitError):
        return ModelFault("rate_limited", detail, _retry_after(error))
    if isinstance(error, openai.APITimeoutError):
        return ModelFault("timeout", detail)
    if isinstance(error, openai.APIConnectionError):
        return ModelFault("unreachable", detail)
    if isinstance(error, openai.APIStatusError) and error.status_code < 500:
        return ModelFault("rejected", detail)
    return ModelFault("broken", detail)


def _retry_after(error: openai.RateLimitError) -> float:
    try:
        return max(0.0, float(error.response.headers.get("retry-after", "1")))
    except ValueError:
        return 1.0


def build_model(settings: ModelSettings, clock: Clock, sleep: Callable[[float], None] = time.sleep) -> ResilientModel:
    """The agents' chat model from settings; without an endpoint it is the playbook alone."""
    primary: ChatOpenAI | None = None
    if settings.configured:
        primary = ChatOpenAI(
            base_url=settings.base_url,
            api_key=SecretStr(settings.api_key or "none"),
            model=settings.model or "",
            timeout=settings.timeout,
            max_retries=0,  # retries are counted here, once
            temperature=0,
            use_responses_api=False,
            max_completion_tokens=settings.max_output_tokens,
        )
    breaker = Breaker(clock, settings.failures, settings.rest)
    return ResilientModel(primary=primary, playbook=PlaybookModel(), breaker=breaker, settings=settings, sleep=sleep)


def who_answered(messages: Sequence[BaseMessage]) -> Iterator[tuple[str, str | None]]:
    """(model, reason of the fallback or None) of every model answer in a conversation."""
    for message in messages:
        if isinstance(message, AIMessage):
            meta = message.response_metadata
            yield str(meta.get("model_name", "")), meta.get("fallback")
