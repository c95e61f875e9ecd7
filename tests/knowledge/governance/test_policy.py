"""Who may do what, for which purpose."""

from __future__ import annotations

import re

import pytest
from sqlmodel import select

from core.audit import AuditRow
from core.clock import ManualClock
from core.context import Purpose, RequestContext, Role
from core.db import Database
from core.errors import Forbidden
from core.ids import DEFAULT_TENANT
from knowledge.governance import Action, Policy, audit_refusals, default_purpose
from knowledge.governance.policy import POLICIES


def ctx(role: Role, purpose: Purpose | None = None) -> RequestContext:
    return RequestContext(DEFAULT_TENANT, "someone", role, purpose or default_purpose(role))


@pytest.fixture(scope="module")
def policy() -> Policy:
    return Policy()


ALLOWED = {
    Role.STRATEGIST: {
        *("strategies.read", "strategies.draft", "strategies.edit", "strategies.approve", "strategies.pause"),
        *("strategies.retire", "strategies.simulate", "approvals.read", "approvals.decide", "decisions.read"),
        *("outbox.read", "inbox.read", "inbox.write", "graph.read", "retrieval.search", "catalog.read"),
        *("consent.read", "chat.use", "tool.use"),
    },
    Role.SERVICE_AGENT: {
        *("tickets.write", "events.write", "facts.write", "chat.use", "tool.use", "inbox.read", "inbox.write"),
        *("approvals.read", "approvals.decide", "consent.read", "consent.write", "graph.read"),
        *("retrieval.search", "decisions.read", "strategies.read", "catalog.read"),
    },
    Role.EVALUATOR: {
        *("eval.run", "chat.use", "tool.use", "strategies.read", "strategies.simulate", "decisions.read"),
        *("graph.read", "retrieval.search", "catalog.read"),
    },
    Role.VIEWER: {"strategies.read", "decisions.read", "catalog.read"},
    Role.ADMIN: {str(a) for a in Action if not a.startswith("privacy.")},
}


@pytest.mark.parametrize("role", list(Role))
def test_only_admins_see_to_privacy_and_only_for_compliance(policy: Policy, role: Role) -> None:
    privacy = [a for a in Action if a.startswith("privacy.")]
    allowed = {p for p in Purpose for a in privacy if policy.decide(ctx(role, p), a).allowed}
    assert allowed == ({Purpose.COMPLIANCE} if role == Role.ADMIN else set())


def test_lines_that_could_not_be_read_are_shown_for_operations_and_compliance_only(policy: Policy) -> None:
    allowed = {(r, p) for r in Role for p in Purpose if policy.decide(ctx(r, p), "setaside.read").allowed}
    assert allowed == {
        (Role.ADMIN, Purpose.OPERATIONS),
        (Role.ADMIN, Purpose.COMPLIANCE),
        (Role.STRATEGIST, Purpose.OPERATIONS),
    }


@pytest.mark.parametrize("role", list(Role))
def test_each_role_may_do_exactly_what_the_matrix_says(policy: Policy, role: Role) -> None:
    assert {str(a) for a in Action if policy.decide(ctx(role), a).allowed} == ALLOWED[role]


def test_the_policy_file_speaks_only_of_actions_and_roles_that_exist() -> None:
    text = POLICIES.read_text(encoding="utf-8").split("// Each @id")[1]
    assert set(re.findall(r'Action::"([^"]+)"', text)) <= {str(a) for a in Action}
    assert set(re.findall(r'Role::"([^"]+)"', text)) == {str(r) for r in Role}


def test_a_refusal_names_the_role_that_would_be_needed(policy: Policy) -> None:
    with pytest.raises(Forbidden) as caught:
        policy.check(ctx(Role.VIEWER), "strategies.approve", "strategy/winback")
    assert "Needs the role: admin, strategist" in caught.value.say("en")
    assert "需要的角色：管理员、策略师" in caught.value.say("zh")


def test_an_item_for_service_only_is_not_read_for_marketing_even_by_an_admin(policy: Policy) -> None:
    admin = ctx(Role.ADMIN, Purpose.MARKETING)
    with pytest.raises(Forbidden) as caught:
        policy.check(admin, "retrieval.search", "transcript", ["service"])
    assert "transcript may be used for service only, not for marketing" in caught.value.say("en")
    assert "Allowed for the purpose: service" in caught.value.say("en")
    policy.check(admin.for_purpose(Purpose.SERVICE), "retrieval.search", "transcript", ["service"])
    assert not policy.allows(admin, ["service"])
    assert policy.allows(admin, [])


def test_a_role_cannot_claim_a_purpose_it_does_not_have(policy: Policy) -> None:
    strategist = ctx(Role.STRATEGIST, Purpose.SERVICE)
    verdict = policy.decide(strategist, "retrieval.search", "transcript", ["service"])
    assert not verdict.allowed
    assert verdict.policies == ("strategist-has-no-service-purpose",)


def test_a_tool_is_judged_as_tool_use(policy: Policy) -> None:
    policy.check(ctx(Role.SERVICE_AGENT), "tool.search_tickets")
    with pytest.raises(Forbidden):
        policy.check(ctx(Role.VIEWER), "tool.search_tickets")


def test_an_unknown_action_is_refused_with_the_nearest_ones_even_for_an_admin(policy: Policy) -> None:
    with pytest.raises(Forbidden) as caught:
        policy.check(ctx(Role.ADMIN), "strategy.aprove")
    assert "strategies.approve" in caught.value.nearest


def test_a_resource_with_odd_characters_is_judged_not_parsed(policy: Policy) -> None:
    assert policy.decide(ctx(Role.VIEWER), "decisions.read", 'x"\n) ; permit(principal,action,resource);').allowed
    assert not policy.decide(ctx(Role.VIEWER), "keys.manage", '"; permit(principal, action, resource);').allowed


def test_without_a_policy_nothing_is_allowed() -> None:
    verdict = Policy(text="// none\n").decide(ctx(Role.ADMIN), "catalog.read")
    assert (verdict.allowed, verdict.policies) == (False, ("default-deny",))


def test_a_refusal_is_audited_with_the_deciding_policy(tmp_path: object) -> None:
    db = Database(f"sqlite:///{tmp_path}/hub.db")
    db.create_tables()
    policy = Policy(audit_refusals(db, ManualClock(5)))
    with pytest.raises(Forbidden):
        policy.check(ctx(Role.VIEWER), "graph.read", "customer/c1")
    with pytest.raises(Forbidden):
        policy.check(ctx(Role.ADMIN), "graph.read", "customer/c1", ["service"])
    with db.reading() as session:
        rows = session.exec(select(AuditRow)).all()
    assert [(r.action, r.target, r.role, r.detail["policies"]) for r in rows] == [
        ("policy.refuse", "customer/c1", "viewer", ["default-deny"]),
        ("policy.refuse", "customer/c1", "admin", ["items-serve-only-their-purposes"]),
    ]
    assert rows[0].detail["action"] == "graph.read"
