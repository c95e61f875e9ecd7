"""A scripted OpenAI-compatible server on a free loopback port: each request takes the next step of the script. It
answers whole or streamed, as asked, and misbehaves as real providers do: 429, 500, cut streams, broken arguments."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Body = dict[str, Any]


@dataclass(frozen=True)
class Reply:
    """One step. `calls` are (tool, arguments); arguments given as text are sent as they are, JSON or not.

    `cut`: end the answer halfway without a finish reason. `delay`: seconds of silence first. `status` other than 200
    sends an error with `headers`. `raw`: the body as it is, for answers that are no JSON at all.
    """

    text: str = ""
    calls: Sequence[tuple[str, Any]] = ()
    cut: bool = False
    delay: float = 0.0
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    finish: str | None = None
    raw: str | None = None


Step = Reply | Callable[[Body], Reply]
"""A fixed reply, or one made from the request (to cite what the tools returned)."""


@dataclass
class LlMock:
    """`url` goes into `ZHONGSHU_LLM_BASE_URL`; `requests` are the bodies received, in order."""

    url: str
    script: list[Step]
    requests: list[Body] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self, body: Body) -> Reply:
        with self._lock:
            self.requests.append(body)
            if not self.script:
                return Reply(status=500, raw='{"error": {"message": "the script has ended"}}')
            step = self.script.pop(0)
        return step(body) if callable(step) else step


@contextmanager
def serve(*script: Step) -> Iterator[LlMock]:
    """Run the server until the block ends."""
    mock = LlMock("", list(script))
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(mock))
    server.daemon_threads = True
    mock.url = f"http://127.0.0.1:{server.server_address[1]}/v1"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield mock
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)


def tool_results(body: Body) -> dict[str, Any]:
    """Tool name → its newest result in the request's conversation."""
    names = {c["id"]: c["function"]["name"] for m in body["messages"] for c in m.get("tool_calls") or []}
    found: dict[str, Any] = {}
    for message in body["messages"]:
        if message["role"] == "tool":
            try:
                found[names[message["tool_call_id"]]] = json.loads(message["content"])
            except ValueError:
                found[names[message["tool_call_id"]]] = message["content"]
    return found


def _handler(mock: LlMock) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, format: str, *args: Any) -> None:
            pass

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            reply = mock.take(body)
            if reply.delay:
                time.sleep(reply.delay)
            try:
                self._send(reply, body)
            except (BrokenPipeError, ConnectionResetError):
                self.close_connection = True

        def _send(self, reply: Reply, body: Body) -> None:
            if reply.status != 200 or reply.raw is not None:
                raw = reply.raw or json.dumps({"error": {"message": "scripted", "code": reply.status}})
                self._whole(reply.status, raw, "application/json", reply.headers)
            elif body.get("stream"):
                lines = list(_chunks(reply, str(body.get("model", ""))))
                self._whole(200, "".join(lines), "text/event-stream", reply.headers)
            else:
                self._whole(200, json.dumps(_completion(reply, str(body.get("model", "")))), "application/json", {})

        def _whole(self, status: int, text: str, kind: str, headers: dict[str, str]) -> None:
            data = text.encode()
            self.send_response(status)
            for name, value in {"content-type": kind, "content-length": str(len(data)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(data)

    return Handler


def _calls(reply: Reply) -> list[Body]:
    return [
        {
            "id": f"call_{name}_{i}_{time.monotonic_ns()}",
            "type": "function",
            "function": {"name": name, "arguments": args if isinstance(args, str) else json.dumps(args)},
        }
        for i, (name, args) in enumerate(reply.calls)
    ]


def _finish(reply: Reply) -> str | None:
    return None if reply.cut else reply.finish or ("tool_calls" if reply.calls else "stop")


def _completion(reply: Reply, model: str) -> Body:
    message: Body = {"role": "assistant", "content": reply.text or None}
    if reply.calls:
        message["tool_calls"] = _calls(reply)
    return {
        "id": "cmpl-scripted",
        "object": "chat.completion",
        "created": 0,
        "model": model,
        "choices": [{"index": 0, "message": message, "finish_reason": _finish(reply)}],
        "usage": {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15},
    }


def _chunks(reply: Reply, model: str) -> Iterator[str]:
    def event(delta: Body, finish: str | None = None) -> str:
        chunk = {
            "id": "cmpl-scripted",
            "object": "chat.completion.chunk",
            "created": 0,
            "model": model,
            "choices": [{"index": 0, "delta": delta, "finish_reason": finish}],
        }
        return f"data: {json.dumps(chunk)}\n\n"

    yield event({"role": "assistant", "content": ""})
    half = len(reply.text) // 2
    for piece in (reply.text[:half], reply.text[half:]):
        if piece:
            yield event({"content": piece})
    for i, call in enumerate(_calls(reply)):
        name, arguments = call["function"]["name"], call["function"]["arguments"]
        yield event({"tool_calls": [{"index": i, **call, "function": {"name": name, "arguments": ""}}]})
        middle = len(arguments) // 2
        yield event({"tool_calls": [{"index": i, "function": {"arguments": arguments[:middle]}}]})
        if reply.cut:
            return
        yield event({"tool_calls": [{"index": i, "function": {"arguments": arguments[middle:]}}]})
    if reply.cut:
        return
    yield event({}, _finish(reply))
    yield "data: [DONE]\n\n"
