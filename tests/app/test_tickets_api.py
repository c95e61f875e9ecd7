"""Tickets, chat and approvals over HTTP."""

from __future__ import annotations

import http.client
import json
from typing import Any
from urllib.parse import urlsplit

import pytest

from core.context import Role
from tests.app.hubclient import Client, Service

TEXT = "The machine is broken again, nobody came. I want to cancel my contract. My phone is 13812345678."


def test_a_ticket_is_kept_answered_and_the_same_when_sent_again(service: Service) -> None:
    agent = service.as_role(Role.SERVICE_AGENT)
    body = {"id": "T-1", "subject": "customer/t1", "text": TEXT}
    answer = agent("POST", "/v1/tickets", body)
    assert answer.status == 200, answer.body
    assert answer.body["status"] in ("replied", "waiting", "handed_over")
    assert answer.body["route"] in ("churn", "renewal", "service", "faq", "person")
    assert answer.body["reply"]
    again = agent("POST", "/v1/tickets", body).body
    assert (again["thread"], again["reply"]) == (answer.body["thread"], answer.body["reply"])
    assert agent("GET", "/v1/tickets/T-1").body["text"] == TEXT
    assert "T-1" in [t["id"] for t in agent("GET", "/v1/tickets?subject=customer/t1").body["items"]]
    assert "zhongshu_ticket_seconds_count" in service.nobody("GET", "/metrics").body


def test_a_ticket_id_belongs_to_one_text(admin: Client) -> None:
    assert admin("POST", "/v1/tickets", {"id": "T-2", "text": "Where is my order?"}).status == 200
    other = admin("POST", "/v1/tickets", {"id": "T-2", "text": "Something else"})
    assert other.status == 409
    assert admin("GET", "/v1/tickets/T-none").status == 404


@pytest.mark.parametrize(
    ("text", "status", "words"),
    [
        ("", 422, ("内容为空", "the text is empty")),
        (" \n\t", 422, ("内容为空", "the text is empty")),
        ("x" * 20_001, 413, ("上限 20000", "at most 20000")),
        ("中" * 360_000, 413, ("超过 1 MB", "larger than 1 MB")),
    ],
)
def test_an_empty_or_huge_ticket_is_refused_with_its_limit(
    admin: Client, text: str, status: int, words: tuple[str, str]
) -> None:
    for lang, said in zip(("zh", "en"), words, strict=True):
        body = json.dumps({"text": text}, ensure_ascii=False).encode()
        answer = admin.speaking(lang)("POST", "/v1/tickets", body, Content_Type="application/json")
        assert answer.status == status
        assert said in answer.body["detail"]


def test_a_ticket_without_text_names_the_field(admin: Client) -> None:
    answer = admin("POST", "/v1/tickets", {"subject": "customer/t1"})
    assert answer.status == 422
    assert answer.body["where"] == {"field": "text"}
    assert admin("POST", "/v1/tickets", {"text": "hi", "subject": "t1"}).body["where"] == {"field": "subject"}


def test_a_viewer_hands_in_nothing_and_reads_no_letters(service: Service) -> None:
    viewer = service.as_role(Role.VIEWER)
    assert viewer("POST", "/v1/tickets", {"text": TEXT}).status == 403
    assert viewer("GET", "/v1/tickets").status == 403
    assert viewer("GET", "/v1/approvals").status == 403


def stream(client: Client, body: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """The events of one chat turn."""
    parts = urlsplit(client.address)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=60)
    headers = {"Authorization": f"Bearer {client.key}", "Content-Type": "application/json"}
    connection.request("POST", "/v1/chat", json.dumps(body), headers)
    response = connection.getresponse()
    assert response.status == 200
    assert (response.getheader("content-type") or "").startswith("text/event-stream")
    blocks = response.read().decode().strip().split("\n\n")
    connection.close()
    found = []
    for block in blocks:
        fields = dict(line.split(": ", 1) for line in block.splitlines() if not line.startswith(":"))
        if fields:
            found.append((fields["event"], json.loads(fields["data"])))
    return found


def test_a_chat_turn_is_a_stream_of_typed_events_that_ends_with_done(admin: Client) -> None:
    events = stream(admin, {"message": TEXT, "subject": "customer/t3"})
    names = [name for name, _ in events]
    assert names[0] == "thread"
    assert names[-1] == "done"
    assert "routed" in names
    assert "text" in names
    thread = events[0][1]["thread"]
    assert events[-1][1]["thread"] == thread
    more = stream(admin, {"message": "And when will someone come?", "thread": thread})
    assert more[0][1]["thread"] == thread


def test_what_cannot_be_a_message_is_refused_before_the_stream(admin: Client) -> None:
    assert admin("POST", "/v1/chat", {"message": ""}).status == 422
    assert admin("POST", "/v1/chat", {"message": "x" * 20_001}).status == 422
    assert admin("POST", "/v1/chat", {"message": "hi", "thread": "no spaces please"}).body["where"] == {
        "field": "thread"
    }


def test_an_approval_that_is_not_there_is_not_found(admin: Client) -> None:
    assert admin("GET", "/v1/approvals").body["items"] is not None
    assert admin("POST", "/v1/approvals/apr_none/approve").status == 404
    assert admin("POST", "/v1/approvals/apr_none/maybe").status == 422


def test_search_finds_what_was_added_and_holds_to_purposes(service: Service) -> None:
    from core.context import Purpose
    from knowledge.retrieval import Document

    service.hub.retriever.get().add(
        service.hub.context(Purpose.SERVICE),
        [
            Document(id="faq-1", kind="faq", title="Descaling", text="Descale the machine every two months."),
            Document(id="call-1", kind="transcript", text="Customer: my machine must be descaled, please."),
        ],
    )
    agent = service.as_role(Role.SERVICE_AGENT)
    found = agent("GET", "/v1/search?q=how%20often%20descale&k=5").body["items"]
    assert {p["document"] for p in found} >= {"faq-1", "call-1"}
    other = service.as_role(Role.STRATEGIST)("GET", "/v1/search?q=how%20often%20descale&k=5").body["items"]
    assert "call-1" not in {p["document"] for p in other}
    assert agent("GET", "/v1/search?q=x&kind=novel").status == 422
