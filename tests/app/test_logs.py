"""Logs tell what happened and never what a customer wrote."""

from __future__ import annotations

import logging

from app.logs import mask


def masked(**event: object) -> dict[str, object]:
    return dict(mask(logging.getLogger(), "info", dict(event)))


def test_fields_that_carry_peoples_words_are_left_out() -> None:
    assert masked(event="x", text="I want to cancel")["text"] == "[left out]"
    assert masked(event="x", sentence="客户登录就外呼")["sentence"] == "[left out]"


def test_numbers_mails_and_keys_are_blotted_out_wherever_they_stand() -> None:
    said = masked(event="call 13812345678 or a.b@example.com with zs_0123456789ab_" + "A" * 43)["event"]
    assert said == "call <mobile> or <email> with [key]"
    assert masked(event="id 11010519491231002X")["event"] == "id <id_card>"


def test_counts_and_ids_stay_readable() -> None:
    assert masked(event="request", ms=12.5, request_id="req_1234567890123")["request_id"] == "req_1234567890123"
    assert masked(event="port 8000", status=202)["event"] == "port 8000"
