"""Observations as data: every node with its truth and figures, conditions also in words."""

from __future__ import annotations

from strategy.explain_tree import tree
from tests.strategy.engine.stage import CATALOG, ME, VIP, Stage, attribute, count, strategy


def test_a_node_has_truth_value_threshold_window_and_evidence() -> None:
    document = strategy(count("login", "2h", ">=", 2))
    stage = Stage(document)
    stage.event("login", 0, id="e1")
    stage.event("login", 1, id="e2")
    stage.until(1)
    told = tree(stage.look(), document.trigger, CATALOG, "en")
    assert told == {
        "path": "trigger",
        "kind": "aggregate",
        "truth": "true",
        "observed": 2,
        "op": ">=",
        "threshold": 2,
        "window": {"from": "2026-04-30T23:00:00Z", "to": "2026-05-01T01:00:00Z"},
        "evidence": ["e1", "e2"],
        "says": told["says"],
    }
    assert "2 in the last 2 hours" in told["says"]


def test_nodes_stand_as_in_the_document_and_a_condition_under_not_says_what_it_means_there() -> None:
    document = strategy({"kind": "any", "of": [{"kind": "not", "of": VIP}, count("login")]})
    stage = Stage(document)
    stage.fact("tier", "vip", 0)
    stage.event("login", 1)
    told = tree(stage.look(), document.trigger, CATALOG, "zh")
    negated, counted = told["of"]
    assert (told["path"], negated["path"], negated["of"][0]["path"]) == ("trigger", "trigger.of.0", "trigger.of.0.of")
    assert (negated["truth"], negated["of"][0]["truth"]) == ("false", "true")
    assert "相反" in negated["of"][0]["says"]
    assert "says" not in told and "observed" not in told
    assert counted["kind"] == "aggregate"


def test_zero_and_false_are_values_and_stay() -> None:
    document = strategy(count("login", "2h", "<", 1))
    stage = Stage(document)
    stage.event("mail", 0, opened=True)
    stage.until(5)
    assert tree(stage.look(), document.trigger, CATALOG, "en")["observed"] == 0


def test_related_objects_are_nodes_without_words() -> None:
    document = strategy(attribute("heat", ">", 60, via="owns"))
    stage = Stage(document)
    stage.owns("device/1", 0)
    stage.fact("heat", 70, 0, "device/1")
    stage.event("login", 1)
    told = tree(stage.look(), document.trigger, CATALOG, "en")
    assert "device/1" in told["says"]
    assert [(node["path"], node["observed"], "says" in node) for node in told["of"]] == [
        ("trigger.via.device/1", 70, False)
    ]


def test_without_a_document_there_are_figures_and_no_words() -> None:
    document = strategy(count("login"))
    stage = Stage(document)
    stage.event("login", 0, ME, id="e1")
    stage.until(0)
    told = tree(stage.look(), None, CATALOG, "en")
    assert "says" not in told
    assert told["evidence"] == ["e1"]
