"""The graph's quick figures, at a scale of seconds."""

from __future__ import annotations

import json

import pytest

from benchmarks.graph import quick

ASKED = {
    *("two_hop_p50_ms", "two_hop_p99_ms", "facts_per_second_group_commit", "absence_ms_per_customer"),
    *("febrl4_f1_without_ssn", "febrl3_f1_without_ssn", "kill_rounds", "facts_lost"),
}


def test_a_quick_run_gives_every_figure_that_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    for score in ("febrl4_f1", "febrl3_f1"):  # half a minute each; tests/knowledge/identity scores them
        monkeypatch.setattr(quick, score, abs)
    found = json.loads(json.dumps(quick.quick(rounds=1, customers=150, eventful=40, share=0.04)))
    assert found.keys() >= ASKED
    assert (found["kill_rounds"], found["facts_lost"], found["customers"], found["facts"]) == (1, 0, 150, 750)
    assert (found["febrl4_f1_without_ssn"], found["febrl3_f1_without_ssn"]) == (0.04, 0.04)
    assert all(found[name] > 0 for name in ASKED - {"facts_lost"})
    assert found["two_hop_p50_ms"] <= found["two_hop_p99_ms"]
