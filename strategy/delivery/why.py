"""Why was this decided, and what became of it: layer by layer, in the user's language, from what was recorded then."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from sqlmodel import Session

from core.context import Purpose, RequestContext
from core.errors import NotFound
from core.text import Lang, Text
from core.times import format_time, to_datetime
from knowledge.catalog import Catalog
from strategy.delivery import repository
from strategy.delivery.decide import REASONS, Layer, Outcome, Reason
from strategy.delivery.record import read_layers, read_observation
from strategy.delivery.tables import Decision, OutboxRow, SendState
from strategy.document import Condition, Strategy
from strategy.engine.port import Observation, Truth
from strategy.explain import explain_observation
from strategy.explain_tree import tree
from strategy.repository import StrategyRepository
from strategy.withheld import withhold

LayerState = Literal["true", "false", "unknown", "passed", "stopped", "put_off", "done", "open"]

_TITLES = {
    "trigger": Text("触发", "Trigger"),
    "audience": Text("人群", "Audience"),
    "consent": Text("同意", "Consent"),
    "rollout": Text("放量", "Rollout"),
    "holdout": Text("对照与方案", "Holdout and variant"),
    "cap": Text("频次", "Cap"),
    "quiet_hours": Text("免打扰", "Quiet hours"),
    "budget": Text("预算", "Budget"),
    "delivery": Text("送达", "Delivery"),
}
OUTCOMES = {
    Outcome.DELIVERED: Text("已执行", "went ahead"),
    Outcome.DEFERRED: Text("推迟执行", "was put off"),
    Outcome.DROPPED: Text("没有执行", "was dropped"),
    Outcome.HOLDOUT: Text("留作对照", "was held out"),
}


@dataclass(frozen=True, slots=True)
class WhyLayer:
    """One layer of the answer: `layer` is its stable name, `lines` what there is to say; of a guard, `reason` is why it
    objected and `detail` the figures it went by."""

    layer: str
    title: str
    state: LayerState
    lines: tuple[str, ...]
    reason: str | None = None
    detail: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class DecisionWhy:
    """The whole answer; `headline` says it in one sentence, `layers` in the order in which things were asked;
    `observed` has the trigger and audience trees as they were seen."""

    decision: Decision
    headline: str
    layers: tuple[WhyLayer, ...]
    observed: dict[str, Any]

    def lines(self) -> list[str]:
        """As plain text, layers indented under their titles."""
        text = [self.headline]
        for layer in self.layers:
            text.append(layer.title)
            text += [f"  {line}" for line in layer.lines]
        return text

    def as_dict(self) -> dict[str, Any]:
        """For JSON answers, with the recorded observations beside the words."""
        row = self.decision
        return {
            "decision": row.id,
            "strategy": row.strategy,
            "version": row.version,
            "subject": row.subject,
            "at": format_time(row.at),
            "verdict": row.verdict,
            "reason": row.reason,
            "variant": row.variant,
            "headline": self.headline,
            "layers": [
                {
                    "layer": x.layer,
                    "title": x.title,
                    "state": x.state,
                    "lines": list(x.lines),
                    "reason": x.reason,
                    "detail": x.detail,
                }
                for x in self.layers
            ],
            "observed": self.observed,
        }


def why(session: Session, ctx: RequestContext, decision_id: str, catalog: Catalog, lang: Lang) -> DecisionWhy:
    """The answer to "why?" for one decision. Nothing is evaluated again; only the fate of its messages is of now.

    Raises:
        NotFound: the tenant has no such decision.
    """
    row = repository.decision(session, ctx, decision_id)
    if row is None:
        raise NotFound(Text(f"没有决策 {decision_id!r}", f"there is no decision {decision_id!r}"))
    kept = StrategyRepository(session, ctx.tenant).one(row.strategy, row.version)
    words = _Words(ctx.purpose, catalog, lang, Strategy.model_validate(kept[0].document) if kept else None)
    layers = [words.trigger(row), *words.guards(row)]
    if row.verdict in (Outcome.DELIVERED, Outcome.DEFERRED):
        layers.append(words.delivery(row, repository.outbox_of(session, ctx, row.id)))
    return DecisionWhy(row, words.headline(row), tuple(layers), words.observed(row))


@dataclass(frozen=True, slots=True)
class _Words:
    """Says what was recorded, as far as the purpose may see it. `strategy`: None when no document is kept (acts of
    agents)."""

    purpose: Purpose
    catalog: Catalog
    lang: Lang
    strategy: Strategy | None

    def headline(self, row: Decision) -> str:
        outcome = OUTCOMES[Outcome(row.verdict)].say(self.lang)
        reason = REASONS[Reason(row.reason)].say(self.lang) if row.reason else ""
        when = self._time(row.due if row.verdict == Outcome.DEFERRED else row.at)
        if self.lang == "zh":
            return f"{when}，策略“{row.strategy}”对 {row.subject} {outcome}" + (f"：{reason}" if reason else "")
        return f"At {when} strategy {row.strategy!r} {outcome} for {row.subject}" + (f": {reason}" if reason else "")

    def trigger(self, row: Decision) -> WhyLayer:
        condition = self.strategy.trigger if self.strategy else None
        seen = self._seen(row.why["trigger"], condition)
        return self._layer("trigger", _TRUTHS[seen.truth], self._observed(seen, condition))

    def observed(self, row: Decision) -> dict[str, Any]:
        """Both trees, node by node with words, as `strategy.explain_tree.tree` gives them."""
        trigger = self.strategy.trigger if self.strategy else None
        audience = self.strategy.audience if self.strategy else None
        seen = row.why["audience"]
        return {
            "trigger": self._tree(row.why["trigger"], trigger),
            "audience": self._tree(seen, audience) if seen else None,
        }

    def guards(self, row: Decision) -> Iterator[WhyLayer]:
        for layer in read_layers(row.why):
            lines = [layer.said.say(self.lang)]
            if layer.guard == "audience" and row.why["audience"]:
                condition = self.strategy.audience if self.strategy else None
                lines += self._observed(self._seen(row.why["audience"], condition), condition)
            told = self._layer(layer.guard, _state(layer), lines)
            yield replace(told, reason=layer.reason.value if layer.reason else None, detail=layer.detail)

    def delivery(self, row: Decision, messages: list[OutboxRow]) -> WhyLayer:
        by_key = {message.id: message for message in messages}
        lines = [self._action(told, by_key.get(told.get("message", ""))) for told in row.actions]
        finished = all(message.state != SendState.PENDING for message in messages)
        return self._layer("delivery", "done" if finished else "open", lines)

    def _layer(self, name: str, state: LayerState, lines: list[str]) -> WhyLayer:
        return WhyLayer(name, _TITLES[name].say(self.lang), state, tuple(lines))

    def _seen(self, recorded: dict[str, Any], condition: Condition | None) -> Observation:
        return withhold(read_observation(recorded), condition, self.catalog, self.purpose)

    def _observed(self, seen: Observation, condition: Condition | None) -> list[str]:
        if condition is not None and self.strategy is not None:
            return explain_observation(seen, condition, self.catalog, self.lang, subject=self.strategy.subject)
        if not seen.evidence:
            return []
        ids = ("、" if self.lang == "zh" else ", ").join(seen.evidence)
        return [Text(f"依据：{ids}", f"on the evidence of {ids}").say(self.lang)]

    def _tree(self, seen: dict[str, Any], condition: Condition | None) -> dict[str, Any]:
        subject = self.strategy.subject if self.strategy else "customer"
        return tree(self._seen(seen, condition), condition, self.catalog, self.lang, subject=subject)

    def _action(self, told: dict[str, Any], message: OutboxRow | None) -> str:
        """What became of one action: its label, what happened to its message, and the note on its channel."""
        parts = [self._fate(message).say(self.lang)]
        if told.get("note"):
            parts.append(told["note"][self.lang])
        label, gap = told["label"][self.lang], "; " if self.lang == "en" else ";"
        return f"{label}{': ' if self.lang == 'en' else ':'}{gap.join(parts)}"

    def _fate(self, message: OutboxRow | None) -> Text:
        if message is None:
            return Text("没有同意，未执行", "no consent, so it was not done")
        place = Text("收件箱", "the inbox") if message.channel == "inbox" else Text(message.channel, message.channel)
        tries = message.attempts
        error = message.last_error or {"zh": "", "en": ""}
        if message.state == SendState.SENT:
            at = self._time(message.sent_at or 0)
            return Text(f"{at} 已送到{place.zh}(第 {tries} 次)", f"reached {place.en} at {at} (try {tries})")
        if message.state == SendState.CANCELLED:
            return Text("已取消，没有发出", "called off before it was sent")
        if message.state == SendState.FAILED:
            return Text(f"没有发出：{error['zh']}", f"not sent: {error['en']}")
        if message.state == SendState.DEAD:
            return Text(f"试了 {tries} 次仍未发出：{error['zh']}", f"not sent after {tries} tries: {error['en']}")
        at = self._time(message.next_try)
        if message.last_error:
            return Text(f"{at} 重试；上次：{error['zh']}", f"to be tried again at {at}; last answer: {error['en']}")
        return Text(f"等待送到{place.zh}，不早于 {at}", f"waits to go to {place.en}, not before {at}")

    def _time(self, moment: int) -> str:
        return f"{to_datetime(moment, self.catalog.timezone):%Y-%m-%d %H:%M:%S}"


def _state(layer: Layer) -> LayerState:
    if layer.passed:
        return "passed"
    return "put_off" if "until" in layer.detail else "stopped"


_TRUTHS: dict[Truth, LayerState] = {Truth.TRUE: "true", Truth.FALSE: "false", Truth.UNKNOWN: "unknown"}
