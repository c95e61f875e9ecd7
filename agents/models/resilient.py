"""From language model to playbook: retries what may pass, opens a breaker on what does not, and answers by the playbook
meanwhile. A reply that merely looks successful (cut off, broken arguments, empty) counts as a failure."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Literal

import structlog
from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models import LanguageModelInput
from langchain_core.language_models.chat_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_core.runnables import Runnable
from langchain_core.tools import BaseTool
from pydantic import ConfigDict

from agents.models.answers import Endpoint, ModelFault, ModelSettings, usable
from agents.models.playbook import PlaybookModel, openai_tools
from core.clock import Clock
from core.telemetry import span
from core.times import SECOND

log = structlog.get_logger(__name__)

__all__ = ["Breaker", "ModelSettings", "ResilientModel", "build_model", "who_answered"]

_TRY_AGAIN = {"truncated", "malformed", "empty", "rate_limited", "timeout", "unreachable", "broken"}


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

    primary: Any = None  # an Endpoint; pydantic cannot check a protocol
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
        try:
            return self.consult(messages, kwargs)
        except ModelFault as failed:
            answer = self.playbook.answer(messages, **kwargs)
            answer.response_metadata["fallback"] = failed.fault
            return answer

    def consult(self, messages: Sequence[BaseMessage], kwargs: dict[str, Any]) -> AIMessage:
        """The endpoint's answer, without the playbook behind it.

        Raises:
            ModelFault: it gave none that is whole, or the breaker is open.
        """
        if not self.breaker.allows():
            raise ModelFault("open")
        try:
            answer = self._ask(messages, kwargs)
        except ModelFault as failed:
            self.breaker.failed()
            log.warning("agent.model_failed", fault=failed.fault, detail=str(failed), breaker=self.breaker.state)
            raise
        except BaseException:
            self.breaker.failed()
            raise
        self.breaker.succeeded()
        return answer

    def _ask(self, messages: Sequence[BaseMessage], kwargs: dict[str, Any]) -> AIMessage:
        assert self.primary is not None
        last = ModelFault("broken")
        for left in reversed(range(self.settings.attempts)):
            try:
                return usable(self.primary.ask(messages, kwargs))
            except ModelFault as fault:
                last = fault
            if not left or last.fault not in _TRY_AGAIN or (last.wait or 0) > self.settings.longest_wait:
                break
            if last.wait:
                self.sleep(last.wait)
        raise last


def build_model(settings: ModelSettings, clock: Clock, sleep: Callable[[float], None] = time.sleep) -> ResilientModel:
    """The agents' chat model from settings; without an endpoint it is the playbook alone."""
    primary: Endpoint | None = None
    if settings.configured:
        from agents.models.endpoint import OpenAIEndpoint  # takes over a second to import, and many hubs have none

        primary = OpenAIEndpoint(settings)
    breaker = Breaker(clock, settings.failures, settings.rest)
    return ResilientModel(primary=primary, playbook=PlaybookModel(), breaker=breaker, settings=settings, sleep=sleep)


def who_answered(messages: Sequence[BaseMessage]) -> Iterator[tuple[str, str | None]]:
    """(model, reason of the fallback or None) of every model answer in a conversation."""
    for message in messages:
        if isinstance(message, AIMessage):
            meta = message.response_metadata
            yield str(meta.get("model_name", "")), meta.get("fallback")
