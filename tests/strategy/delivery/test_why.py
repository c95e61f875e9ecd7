"""The answer to "why?" is told from what was recorded."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from core.clock import ManualClock
from core.context import RequestContext
from core.db import Database
from core.errors import NotFound, Refused
from core.ids import TenantId
from core.text import Lang, Text
from core.times import Micros
from knowledge.catalog import Catalog
from strategy.delivery import Channels, Decider, Decision, InboxChannel, Message, OutboxWorker
from strategy.delivery.why import DecisionWhy, why
from strategy.document import Strategy
from strategy.engine.port import Firing, Observation, Truth
from strategy.repository import StrategyRepository
from strategy.tables import StateRow, VersionRow
from tests.strategy.delivery.delivery_world import NOON, strategy

ABOUT = strategy(
    trigger={
        "kind": "aggregate",
        "event": "app.login",
        "function": "count",
        "window": {"over": "7d"},
        "op": "<",
        "value": 2,
    },
    audience={"kind": "attribute", "name": "tier", "op": "==", "value": "vip"},
    actions=[{"action": "send_coupon"}, {"action": "outbound_call"}],
    guards={"cap": {"times": 1, "per": "7d"}},
)
FIRING = Firing(
    "winback",
    1,
    "customer/c1",
    NOON,
    str(NOON),
    Observation("trigger", "aggregate", Truth.TRUE, 1, "<", 2, (Micros(NOON - 7 * 86_400_000_000), NOON), ("e7",)),
    Observation("audience", "attribute", Truth.TRUE, "vip", "==", "vip"),
)


class WeChat:
    name, needs_address = "wechat", False

    def __init__(self, refuses: bool = False) -> None:
        self._refuses = refuses

    def send(self, _message: Message) -> None:
        if self._refuses:
            raise Refused(Text("已取消关注", "the customer no longer follows us"))


class Desk:
    def __init__(self, db: Database, clock: ManualClock, ctx: RequestContext, catalog: Catalog) -> None:
        self.db, self.clock, self.ctx, self.catalog = db, clock, ctx, catalog
        self.channels = Channels(InboxChannel(db, clock), {"wechat": WeChat()})

    def keep(self, about: Strategy) -> None:
        """Store the strategy's version, as strategy.service does when it is drafted."""
        document = about.model_dump(mode="json", exclude_none=True)
        version = VersionRow(
            tenant=self.ctx.tenant,
            name=about.name,
            version=1,
            document=document,
            readback_zh="",
            readback_en="",
            warnings=[],
            read_by="document",
            created_by="t",
            created_at=1,
        )
        with self.db.transaction() as session:
            state = StateRow(tenant=self.ctx.tenant, name=about.name, version=1, updated_at=1)
            StrategyRepository(session, self.ctx.tenant).add(version, state)

    def decide(self, fired: Firing = FIRING, about: Strategy = ABOUT) -> Decision:
        decider = Decider(lambda _: self.catalog, self.clock, self.channels)
        with self.db.transaction() as session:
            return decider.decide(session, self.ctx, fired, about)

    def send(self) -> None:
        OutboxWorker(self.db, self.clock, self.channels).run_once()

    def why(self, decision: Decision, lang: Lang = "en") -> DecisionWhy:
        with self.db.reading() as session:
            return why(session, self.ctx, decision.id, self.catalog, lang)


@pytest.fixture
def desk(db: Database, clock: ManualClock, ctx: RequestContext, catalog: Catalog, consent: Callable[..., None]) -> Desk:
    consent()
    desk = Desk(db, clock, ctx, catalog)
    desk.keep(ABOUT)
    return desk


def test_every_layer_is_told_in_the_order_it_was_asked(desk: Desk) -> None:
    found = desk.why(desk.decide())
    assert [(x.layer, x.state) for x in found.layers] == [
        ("trigger", "true"),
        ("consent", "passed"),
        ("audience", "passed"),
        ("rollout", "passed"),
        ("holdout", "passed"),
        ("cap", "passed"),
        ("delivery", "open"),
    ]
    assert found.headline == "At 2026-05-13 12:00:00 strategy 'winback' went ahead for customer/c1"


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_observed_value_threshold_and_evidence_are_named_in_the_users_language(desk: Desk, lang: Lang) -> None:
    trigger = "\n".join(desk.why(desk.decide(), lang).layers[0].lines)
    assert all(part in trigger for part in ("1", "2", "e7"))
    assert ("登录" in trigger) is (lang == "zh")


def test_what_became_of_each_action_is_told(desk: Desk, consent: Callable[..., None]) -> None:
    consent(given=False, channel="voice", at=NOON - 1)
    decision = desk.decide()
    assert desk.why(decision).layers[-1].lines == (
        "send coupon: waits to go to wechat, not before 2026-05-13 12:00:00",
        "outbound call: no consent, so it was not done",
    )
    desk.send()
    assert desk.why(decision).layers[-1].lines[0] == "send coupon: reached wechat at 2026-05-13 12:00:00 (try 1)"
    assert desk.why(decision, "zh").layers[-1].state == "done"


def test_an_action_on_a_channel_that_is_not_configured_is_never_said_to_be_sent_on_it(desk: Desk) -> None:
    decision = desk.decide()
    desk.send()
    told = desk.why(decision).layers[-1].lines[1]
    assert told.startswith("outbound call: reached the inbox")
    assert "channel voice is not configured, so nothing was sent on it" in told


def test_a_refused_message_is_told_with_the_receivers_words(desk: Desk) -> None:
    desk.channels = Channels(InboxChannel(desk.db, desk.clock), {"wechat": WeChat(refuses=True)})
    decision = desk.decide()
    desk.send()
    assert "not sent: the customer no longer follows us" in desk.why(decision).layers[-1].lines[0]


def test_a_drop_names_its_reason_and_ends_with_the_layer_that_stopped_it(desk: Desk) -> None:
    """spec: D2"""
    desk.decide()
    later = replace(FIRING, at=Micros(NOON + 1), instance="later")
    found = desk.why(desk.decide(later), "zh")
    assert found.headline.endswith("没有执行：已达频次上限")
    assert (found.layers[-1].layer, found.layers[-1].state) == ("cap", "stopped")
    assert found.layers[-1].lines == ("过去 7d 内已触达 1 次，上限 1 次",)


def test_without_a_kept_document_the_evidence_is_still_told(desk: Desk) -> None:
    fired = replace(FIRING, strategy="agents", audience=None)
    found = desk.why(desk.decide(fired, strategy(name="agents", actions=[{"task": "回访"}])))
    assert found.layers[0].lines == ("on the evidence of e7",)


def test_the_answer_as_json_has_words_and_observations(desk: Desk) -> None:
    told = desk.why(desk.decide()).as_dict()
    assert told["observed"]["trigger"]["observed"] == 1
    assert told["layers"][0]["title"] == "Trigger"
    assert desk.why(desk.decide()).lines()[1] == "Trigger"


def test_another_tenants_decision_is_not_found(desk: Desk) -> None:
    decision = desk.decide()
    desk.ctx = replace(desk.ctx, tenant=TenantId("other"))
    with pytest.raises(NotFound):
        desk.why(decision)
