"""What tools show of the one customer of their scope, and that they show nobody else."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlmodel import select

from core.audit import AuditRow
from core.context import Purpose, Role
from core.times import DAY
from tests.agentworld import AgentWorld, context
from tools import TOOLS, Scope, ToolFailed, ToolRetry


def scope_of(hub: AgentWorld, subject: str | None, purpose: Purpose = Purpose.SERVICE) -> Scope:
    return Scope(hub.tools, context(purpose=purpose), "thread", subject, frozenset(TOOLS))


@pytest.fixture
def breach(hub: AgentWorld) -> Scope:
    return scope_of(hub, hub.world.truths.breach.customer)


def test_a_profile_gives_each_value_with_its_label_and_evidence(hub: AgentWorld, breach: Scope) -> None:
    found = TOOLS["customer_profile"](breach, {})
    tier = found.data["attributes"]["tier"]
    assert (tier["value"], tier["shown"], tier["label"]) == ("vip", "high-value", "tier")
    assert tier["evidence"] in found.evidence
    assert all(hub.tools.graph.exists(breach.ctx, i) for i in found.evidence)
    assert "location" not in found.data["attributes"]


def test_the_current_contract_is_given_with_its_days_left(hub: AgentWorld) -> None:
    found = TOOLS["contracts"](scope_of(hub, hub.world.truths.renewer), {})
    current = found.data["current"]
    assert (current["number"], current["days_left"]) == (hub.world.truths.renewer_contract, 21)


def test_a_property_over_time_gives_its_steps_with_evidence_its_rise_and_its_trend(hub: AgentWorld) -> None:
    leaver = scope_of(hub, hub.world.truths.leaver, Purpose.RETENTION)
    found = TOOLS["property_over_time"](leaver, {"name": "churn_risk", "days": 365})
    values = [step["value"] for step in found.data["steps"]]
    assert (found.data["label"], len(values)) == ("churn risk", found.data["count"])
    assert found.data["change"] == pytest.approx(values[-1] - values[0])
    assert all(hub.tools.graph.exists(leaver.ctx, i) for i in found.evidence) and found.evidence


def test_a_property_that_the_catalog_does_not_know_may_be_asked_for_by_its_name(breach: Scope) -> None:
    with pytest.raises(ToolRetry, match="churn_rsk") as caught:
        TOOLS["property_over_time"](breach, {"name": "churn_rsk"})
    assert "churn_risk" in caught.value.nearest


def test_steps_that_are_missing_are_told_of_the_scopes_customer_alone(hub: AgentWorld, breach: Scope) -> None:
    assert TOOLS["next_actions"](breach, {}).data["missing"] == []
    try:
        hub.clock.set(hub.world.truths.breach.due + 3 * DAY)
        found = TOOLS["next_actions"](breach, {})
    finally:
        hub.clock.set(hub.world.anchor)
    (left_open,) = found.data["missing"]
    assert left_open["pattern"] == "complaint_left_open"
    assert left_open["action"] == "escalate_to_director"
    assert hub.world.truths.breach.complaint_event in left_open["evidence"]
    assert {*left_open["evidence"]} <= {*found.evidence}


def test_an_open_complaint_is_breached_from_its_promised_time_on(hub: AgentWorld, breach: Scope) -> None:
    truth = hub.world.truths.breach
    try:
        for moment, broken in ((truth.due, False), (truth.due + 1, True)):
            hub.clock.set(moment)
            fresh = replace(breach, seen={})
            found = TOOLS["open_complaints"](fresh, {}).data["oldest"]
            assert (found["evidence"], found["breached"]) == (truth.complaint_event, broken)
    finally:
        hub.clock.set(hub.world.anchor)


def test_what_a_breach_owes_follows_the_clause(hub: AgentWorld, breach: Scope) -> None:
    truth = hub.world.truths.breach
    found = TOOLS["contract_terms"](breach, {}).data
    assert found["compensation"]["clause"] == truth.clause
    assert (found["owed"]["percent"], found["owed"]["amount"]) == (truth.percent_of_fee, truth.amount)


def test_what_is_owed_stops_at_the_clauses_most(hub: AgentWorld, breach: Scope) -> None:
    truth = hub.world.truths.breach
    hub.clock.set(truth.due + 30 * 86_400_000_000)
    try:
        owed = TOOLS["contract_terms"](replace(breach, seen={}), {}).data["owed"]
    finally:
        hub.clock.set(hub.world.anchor)
    assert (owed["percent"], owed["amount"]) == (10.0, 360.0)


def test_an_english_contract_is_read_as_well(hub: AgentWorld) -> None:
    found = TOOLS["contract_terms"](scope_of(hub, hub.world.truths.renewer), {}).data
    assert found["compensation"]["clause"] == "7.2"
    assert (found["compensation"]["percent_per_day"], found["compensation"]["most_percent"]) == (2.0, 10.0)
    assert found["owed"] is None


def test_search_finds_only_the_customers_own_words(hub: AgentWorld, breach: Scope) -> None:
    found = TOOLS["search_tickets_and_transcripts"](breach, {"query": "leaving, a competitor offers less"})
    subjects = {hub.tools.retriever.get(breach.ctx, i).subject for i in found.evidence}
    assert subjects <= {hub.world.truths.breach.customer} and found.evidence


def test_transcripts_are_not_shown_for_another_purpose_than_service(hub: AgentWorld) -> None:
    leaver = hub.world.truths.leaver
    search = TOOLS["search_tickets_and_transcripts"]
    for purpose, allowed in ((Purpose.SERVICE, True), (Purpose.RETENTION, False)):
        found = search(scope_of(hub, leaver, purpose), {"query": "call", "k": 10})
        kinds = {p["kind"] for p in found.data["passages"]}
        assert "transcript" not in kinds or allowed


def test_a_tool_that_needs_a_customer_fails_when_there_is_none(hub: AgentWorld) -> None:
    with pytest.raises(ToolFailed, match="no particular customer"):
        TOOLS["customer_profile"](scope_of(hub, None), {})


def test_a_tool_outside_the_scope_is_refused(breach: Scope) -> None:
    with pytest.raises(ToolFailed, match="may not be used here"):
        TOOLS["contracts"](replace(breach, tools=frozenset({"customer_profile"})), {})


def test_a_role_without_the_right_is_refused_by_policy(hub: AgentWorld, breach: Scope) -> None:
    viewer = replace(breach, ctx=context(Role.VIEWER, Purpose.ANALYTICS))
    with pytest.raises(ToolFailed, match="may not do"):
        TOOLS["customer_profile"](viewer, {})


@pytest.mark.parametrize("name", sorted(TOOLS))
def test_every_tool_is_refused_to_who_may_not_before_it_looks_and_the_audit_log_says_so(
    hub: AgentWorld, breach: Scope, name: str
) -> None:
    actor = f"nobody-{name}"
    with pytest.raises(ToolFailed, match="may not do"):
        TOOLS[name](replace(breach, ctx=context(Role.VIEWER, Purpose.COMPLIANCE, actor)), {})
    with hub.db.reading() as session:
        rows = session.exec(select(AuditRow).where(AuditRow.actor == actor)).all()
    assert [(row.action, row.purpose, row.detail["action"]) for row in rows] == [
        ("policy.refuse", "compliance", f"tool.{name}")
    ]


@pytest.mark.parametrize(
    ("name", "args", "place"),
    [
        ("recent_events", {"days": 0}, "days"),
        ("recent_events", {"customer": "customer/c0001"}, "customer"),
        ("search_knowledge", {}, "query"),
        ("customer_profile", {"subject": "customer/c0001"}, "subject"),
    ],
)
def test_wrong_arguments_say_which_and_may_be_tried_again(
    breach: Scope, name: str, args: dict[str, int], place: str
) -> None:
    with pytest.raises(ToolRetry, match=place):
        TOOLS[name](breach, args)


def test_no_tool_lets_a_model_name_a_customer() -> None:
    for tool in TOOLS.values():
        named = set(tool.args.model_json_schema().get("properties", {}))
        assert not named & {"subject", "customer", "tenant", "ctx"}, tool.name
