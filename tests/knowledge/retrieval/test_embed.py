"""The embedders and the token counter. The endpoint is a real HTTP server on loopback that speaks `/v1/embeddings`."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import numpy as np
import pytest

from core.errors import Unavailable
from knowledge.retrieval.embed import OpenAIEmbedder, use_embedder
from knowledge.retrieval.tokens import count_tokens


class _Endpoint:
    """`/v1/embeddings`: a vector of (length, 1, 0) a text; rows out of order. `failures`: statuses to give first."""

    def __init__(self) -> None:
        self.requests: list[dict[str, Any]] = []
        self.failures: list[int] = []
        self.keys: list[str | None] = []

    def answer(self, body: dict[str, Any]) -> dict[str, Any]:
        data = [
            {"object": "embedding", "index": i, "embedding": [float(len(text)), 1.0, 0.0]}
            for i, text in enumerate(body["input"])
        ]
        usage = {"prompt_tokens": 1, "total_tokens": 1}
        return {"object": "list", "data": data[::-1], "model": body["model"], "usage": usage}


@contextmanager
def _serving(endpoint: _Endpoint) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            endpoint.requests.append(body)
            endpoint.keys.append(self.headers.get("Authorization"))
            status = endpoint.failures.pop(0) if endpoint.failures else 200
            if self.path != "/v1/embeddings":
                status = 404
            answer = endpoint.answer(body) if status == 200 else {"error": {"message": "no", "type": "x"}}
            raw = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/v1"
    finally:
        server.shutdown()
        server.server_close()
        thread.join(timeout=5)


def test_the_offline_embedder_brings_a_question_and_its_translation_together() -> None:
    vectors = use_embedder().embed(
        ["我想退货，把钱退给我", "I want to return it and get my money back", "今天天气晴朗"]
    )
    assert vectors.shape == (3, 512)
    assert vectors.dtype == np.float32
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1.0, atol=1e-5)
    assert vectors[0] @ vectors[1] > vectors[0] @ vectors[2] + 0.2


def test_the_offline_embedder_gives_a_text_the_same_vector_alone_and_in_a_batch() -> None:
    texts = ["短", "", "a much longer English sentence about a coffee machine", "字" * 600]
    batch = use_embedder().embed(texts)
    for i, text in enumerate(texts):
        assert np.allclose(use_embedder().embed([text])[0], batch[i], atol=1e-5)


def test_the_offline_embedder_is_loaded_once_a_process() -> None:
    assert use_embedder() is use_embedder()


def test_an_endpoint_s_vectors_come_back_in_order_and_with_length_one() -> None:
    endpoint = _Endpoint()
    with _serving(endpoint) as url:
        vectors = OpenAIEmbedder(url, "key-1", "m-1", batch=2).embed(["a", "bb", "ccc", ""])
    assert [len(r["input"]) for r in endpoint.requests] == [2, 2]
    assert endpoint.requests[1]["input"] == ["ccc", " "]
    assert endpoint.requests[0]["model"] == "m-1"
    assert endpoint.keys[0] == "Bearer key-1"
    expected = np.array([[n, 1.0, 0.0] for n in (1, 2, 3, 1)])
    assert np.allclose(vectors, expected / np.linalg.norm(expected, axis=1, keepdims=True))


def test_a_busy_endpoint_is_tried_again() -> None:
    endpoint = _Endpoint()
    endpoint.failures = [429]
    with _serving(endpoint) as url:
        assert OpenAIEmbedder(url, "k", "m").embed(["a"]).shape == (1, 3)
    assert len(endpoint.requests) == 2


def test_an_endpoint_that_refuses_is_unavailable_in_both_languages() -> None:
    endpoint = _Endpoint()
    endpoint.failures = [401]
    with _serving(endpoint) as url, pytest.raises(Unavailable) as caught:
        OpenAIEmbedder(url, "k", "m").embed(["a"])
    assert "向量模型 m" in caught.value.say("zh")
    assert "embedding model m" in caught.value.say("en")


def test_an_endpoint_that_loses_a_vector_is_unavailable() -> None:
    class Short(_Endpoint):
        def answer(self, body: dict[str, Any]) -> dict[str, Any]:
            whole = super().answer(body)
            return {**whole, "data": whole["data"][1:]}

    with _serving(Short()) as url, pytest.raises(Unavailable, match="1 vectors for 2 texts"):
        OpenAIEmbedder(url, "k", "m").embed(["a", "b"])


def test_tokens_are_counted_without_a_network_and_a_special_token_is_plain_text() -> None:
    code = (
        "import socket\n"
        "def refuse(*a, **k): raise OSError('no network')\n"
        "socket.socket.connect = refuse\n"
        "from knowledge.retrieval.tokens import count_tokens\n"
        "print(count_tokens('hello world'), count_tokens('<|endoftext|>') > 1, count_tokens('hi', 'cl100k_base'))"
    )
    env = {k: v for k, v in os.environ.items() if k not in ("TIKTOKEN_CACHE_DIR", "DATA_GYM_CACHE_DIR")}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=env, check=True)
    assert done.stdout.split() == ["2", "True", "1"]


def test_a_megabyte_of_text_is_counted_whole() -> None:
    assert count_tokens("客户投诉。" * 100_000) == 100_000 * count_tokens("客户投诉。")
