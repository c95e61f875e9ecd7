"""An OpenAI-compatible endpoint through langchain-openai. Its errors become faults; a streamed answer is put together
and checked before anyone sees it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import openai
from langchain_core.exceptions import ModelError
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage, ToolCallChunk, message_chunk_to_message
from langchain_openai import ChatOpenAI
from pydantic import SecretStr

from agents.models.answers import ModelFault, ModelSettings


class OpenAIEndpoint:
    """One model of one endpoint. Retries are counted by its caller, once; the client makes none of its own."""

    def __init__(self, settings: ModelSettings) -> None:
        self._stream = settings.stream
        self._client = ChatOpenAI(
            base_url=settings.base_url,
            api_key=SecretStr(settings.api_key or "none"),
            model=settings.model or "",
            timeout=settings.timeout,
            max_retries=0,
            temperature=0,
            use_responses_api=False,
            max_completion_tokens=settings.max_output_tokens,
        )

    def ask(self, messages: Sequence[BaseMessage], kwargs: dict[str, Any]) -> AIMessage:
        """
        Raises:
            ModelFault: refused, rate limited, timed out, unreachable, or not in the protocol's form.
        """
        try:
            return self._streamed(messages, kwargs) if self._stream else self._client.invoke(list(messages), **kwargs)
        except (openai.OpenAIError, ModelError, ValueError, KeyError, TypeError) as error:
            raise _read_fault(error) from error

    def _streamed(self, messages: Sequence[BaseMessage], kwargs: dict[str, Any]) -> AIMessage:
        parts = iter(self._client.stream(list(messages), **kwargs))
        whole = next(parts, AIMessageChunk(content=""))
        for part in parts:
            whole = whole + part
        assert isinstance(whole, AIMessageChunk)
        answer = message_chunk_to_message(whole)
        assert isinstance(answer, AIMessage)
        if answer.response_metadata.get("finish_reason"):
            for call in whole.tool_call_chunks:
                _check_arguments(call)
        return answer


def _check_arguments(call: ToolCallChunk) -> None:
    """Putting a stream together completes broken JSON to something that parses; arguments are read strictly instead."""
    try:
        json.loads(call["args"] or "{}")
    except ValueError as cause:
        raise ModelFault("malformed", f"arguments of {call['name']!r} are not JSON") from cause


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
