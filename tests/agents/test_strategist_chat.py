"""Strategies by conversation: drafted, read back, asked about, refused with the nearest names, refined, begun small."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest

from agents.schemas import ChatEvent, TicketIn
from agents.supervisor import Supervisor
from core.context import Purpose, RequestContext, Role
from strategy.versions import StrategyVersion
from tests.agentworld import ADMIN, STRATEGIST, AgentWorld, context

_numbers = itertools.count()
ZH = "客户{n}天内登录少于2次,就安排外呼"
EN = "When a customer logs in fewer than 2 times in {n} days, arrange an outbound call"


class Talk:
    """One conversation of a test."""

    def __init__(self, hub: AgentWorld, supervisor: Supervisor) -> None:
        self.hub, self.supervisor = hub, supervisor
        self.thread = f"chat-{next(_numbers)}"

    def say(self, text: str, ctx: RequestContext = STRATEGIST) -> list[ChatEvent]:
        events = list(self.supervisor.chat(ctx, self.thread, text))
        assert [e.type for e in events].count("done") == 1 and events[-1].type == "done"
        return events

    def strategy(self) -> StrategyVersion:
        """The draft in focus."""
        focus = self.supervisor._state(STRATEGIST, self.thread)["focus"]
        return self.hub.tools.strategies.show(STRATEGIST, focus["name"], focus["version"])


def text_of(events: list[ChatEvent]) -> str:
    return "\n".join(e.data["text"] for e in events if e.type == "text")


def action_of(events: list[ChatEvent]) -> str:
    return str(next(e.data["action"] for e in events if e.type == "decision"))


@pytest.fixture(scope="module")
def supervisor(hub: AgentWorld) -> Iterator[Supervisor]:
    made = hub.supervisor("chats")
    yield made
    made.close()


@pytest.fixture
def talk(hub: AgentWorld, supervisor: Supervisor) -> Talk:
    return Talk(hub, supervisor)


@pytest.mark.parametrize(("sentence", "lang"), [(ZH, "zh"), (EN, "en")])
def test_a_sentence_becomes_a_draft_that_is_read_back(talk: Talk, sentence: str, lang: str) -> None:
    events = talk.say(sentence.format(n=7))
    types = [e.type for e in events]
    assert types == ["routed", "tool_started", "tool_finished", "decision", "text", "done"]
    draft = talk.strategy()
    assert str(draft.state) == "draft"
    assert draft.readback.say("zh" if lang == "zh" else "en") in text_of(events)
    assert next(e for e in events if e.type == "decision").data["evidence"] == [f"strategy:{draft.name}@1"]


def test_a_change_is_a_new_version_of_the_draft_in_focus(talk: Talk) -> None:
    talk.say(ZH.format(n=8))
    assert action_of(talk.say("改成3次")) == "refined"
    assert action_of(talk.say("把外呼改成关怀回访")) == "refined"
    draft = talk.strategy()
    assert draft.version == 3
    assert draft.readback.zh.startswith("当客户过去8天内登录少于3次时，就执行：关怀回访。")


def test_starting_waits_for_an_approval_and_then_runs_for_one_percent(talk: Talk) -> None:
    talk.say(EN.format(n=9))
    asked = talk.say("start it")
    assert "approval_requested" in [e.type for e in asked]
    assert str(talk.strategy().state) == "draft"
    talk.say("approve")
    started = talk.strategy()
    assert (str(started.state), started.percent) == ("canary", 1.0)


@pytest.mark.parametrize(("yes", "told"), [("批准", "没有等待批准"), ("approve", "Nothing waits for approval")])
def test_a_yes_to_nothing_says_what_to_say_instead(talk: Talk, yes: str, told: str) -> None:
    alone = talk.say(yes)
    assert action_of(alone) == "asked" and told in text_of(alone)
    talk.say(EN.format(n=30))
    with_a_draft = text_of(talk.say(yes))
    assert told in with_a_draft and talk.strategy().name in with_a_draft
    assert str(talk.strategy().state) == "draft"


def test_a_no_starts_nothing(talk: Talk) -> None:
    talk.say(EN.format(n=10))
    talk.say("start it")
    assert "nothing was done" in text_of(talk.say("no"))
    assert str(talk.strategy().state) == "draft"


def test_new_input_while_an_approval_waits_settles_the_approval_first(talk: Talk) -> None:
    talk.say(EN.format(n=11))
    asked = talk.say("start it")
    approval = next(e.data["id"] for e in asked if e.type == "approval_requested")
    events = talk.say("make it 12 days")
    assert "withdrawn" in text_of(events) and action_of(events) == "refined"
    assert talk.supervisor._nodes.approvals.get(STRATEGIST, approval).state == "superseded"
    assert str(talk.strategy().state) == "draft"


def test_an_unknown_name_is_refused_with_its_place_and_the_nearest_names(talk: Talk) -> None:
    events = talk.say("当客户的登录次树超过5,就安排外呼")
    assert action_of(events) == "refused"
    assert "目录" in text_of(events)


def test_a_sentence_with_two_meanings_is_asked_about_and_the_answer_drafts_it(talk: Talk) -> None:
    asked = talk.say("客户登录次数超过3,就发优惠")
    assert action_of(asked) == "asked" and "1. 专属优惠" in text_of(asked)
    answered = talk.say("1")
    assert action_of(answered) == "drafted"
    assert talk.strategy().strategy.actions[0].action == "exclusive_offer"
    assert "已起草" in text_of(answered), "a bare number keeps the conversation's language"


def test_a_sentence_said_twice_is_one_draft(talk: Talk) -> None:
    talk.say(ZH.format(n=21))
    first = talk.strategy()
    talk.say(ZH.format(n=21))
    assert talk.strategy().name == first.name and talk.strategy().newest == 1


def test_strategies_are_listed(talk: Talk) -> None:
    talk.say(EN.format(n=22))
    events = talk.say("有哪些策略?")
    assert action_of(events) == "showed" and talk.strategy().name in text_of(events)


def test_a_service_agent_may_not_draft_and_the_wish_reaches_a_person(talk: Talk) -> None:
    events = talk.say(EN.format(n=23), context())
    assert events[-1].data["status"] == "handed_over"
    assert talk.supervisor._state(STRATEGIST, talk.thread)["focus"] == {}


def test_a_viewer_may_not_chat(talk: Talk) -> None:
    events = talk.say("hello", context(Role.VIEWER, Purpose.ANALYTICS, "viewer-1"))
    assert [e.type for e in events] == ["error", "done"] and events[0].data["code"] == "forbidden"


def test_nobody_goes_on_with_someone_elses_conversation(talk: Talk) -> None:
    talk.say(EN.format(n=24))
    other = context(Role.STRATEGIST, Purpose.MARKETING, "strategist-2")
    events = talk.say("start it", other)
    assert events[0].type == "error" and "someone else" in events[0].data["message"]


def test_an_empty_message_is_an_error_event(talk: Talk) -> None:
    assert talk.say("  ")[0].data["code"] == "invalid-input"


def test_a_conversation_goes_on_after_a_restart(hub: AgentWorld) -> None:
    before = hub.supervisor("chat-restart")
    talk = Talk(hub, before)
    talk.say(EN.format(n=25))
    talk.say("start it")
    before.close()
    talk.supervisor = hub.supervisor("chat-restart")
    talk.say("approve")
    assert str(talk.strategy().state) == "canary"
    talk.supervisor.close()


def test_what_is_said_beside_the_strategy_is_left_out_and_named(talk: Talk) -> None:
    rule = "if a customer has no order in 26 days, send an SMS reminder."
    text = f"From marketing: {rule} It was a wonderful party yesterday."
    events = talk.say(text)
    assert action_of(events) == "drafted"
    assert "this was not used: It was a wonderful party yesterday." in text_of(events)
    assert talk.strategy().sentence == rule


def test_a_letter_with_a_wish_for_a_strategy_that_does_not_read_reaches_a_person(hub: AgentWorld) -> None:
    supervisor = hub.supervisor("letters")
    text = "上周上线的短信提醒策略触发得太频繁了,先把它暂停,阈值改成14天再启用。"
    outcome = supervisor.handle_ticket(ADMIN, TicketIn(id="pause", text=text))
    supervisor.close()
    assert (outcome.route, outcome.status) == ("strategist", "handed_over")
