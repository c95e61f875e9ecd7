"""From a firing to a decision row and its outbox rows, in the caller's transaction."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sqlmodel import Session, SQLModel

from core.clock import Clock
from core.context import Purpose, RequestContext
from core.ids import stable_id
from core.telemetry import span
from core.text import Text
from knowledge.catalog import Catalog, text_of
from knowledge.governance import consented
from strategy.delivery import repository
from strategy.delivery.channels import INBOX, Channels, Message
from strategy.delivery.decide import DecisionInput, Verdict, decide, needed_consent
from strategy.delivery.record import record_why
from strategy.delivery.tables import Decision, OutboxRow
from strategy.document import ActionCall, Strategy
from strategy.engine.port import Firing
from strategy.experiment import assign

AddressBook = Callable[[Session, RequestContext, str, str], str | None]
"""(session, ctx, subject, channel) → the subject's address on that channel, such as an e-mail address."""


def decision_id(ctx: RequestContext, firing: Firing) -> str:
    return stable_id("dec", ctx.tenant, firing.key)


def message_id(ctx: RequestContext, firing: Firing, index: int) -> str:
    return stable_id("msg", ctx.tenant, firing.key, index)


class Decider:
    """Looks up what a decision depends on, decides, and writes what was decided."""

    def __init__(
        self, catalog: Catalog, clock: Clock, channels: Channels, addresses: AddressBook | None = None
    ) -> None:
        self.catalog = catalog
        self._clock = clock
        self._channels = channels
        self._addresses = addresses

    def decide(
        self, session: Session, ctx: RequestContext, firing: Firing, strategy: Strategy, *, percent: float | None = None
    ) -> Decision:
        """The decision on this firing. Decided before: the same row again, and nothing is written.

        The caller's transaction holds the decision and its messages together. `percent`: the share of subjects while a
        rollout is under way; default: the document's.
        """
        with span("delivery.decide", strategy=firing.strategy, version=firing.version) as current:
            key = decision_id(ctx, firing)
            found = repository.decision(session, ctx, key)
            if found is None:
                verdict = decide(self._input(session, ctx, firing, strategy, percent))
                messages, actions = self._messages(session, ctx, firing, strategy, verdict)
                found = self._row(ctx, firing, verdict, key, actions)
                rows: list[SQLModel] = [found, *messages]
                repository.add(session, rows)
            current.set_attributes({"zhongshu.decision": key, "zhongshu.verdict": found.verdict})
        return found

    def _input(
        self, session: Session, ctx: RequestContext, firing: Firing, strategy: Strategy, percent: float | None
    ) -> DecisionInput:
        channels = tuple(self._wanted(call) for call in strategy.actions)
        guards = strategy.guards
        recent = spent = 0
        if guards.cap:
            after = firing.at - guards.cap.per
            recent = repository.recent_deliveries(session, ctx, firing.strategy, firing.subject, after)
        if guards.budget is not None:
            spent = repository.spent_deliveries(session, ctx, firing.strategy)
        return DecisionInput(
            strategy=strategy,
            at=firing.at,
            assignment=assign(ctx.tenant, firing.strategy, firing.subject, strategy.rollout, percent=percent),
            audience=firing.audience,
            channels=channels,
            consent=tuple(self._consented(session, ctx, firing, needed_consent(guards, c), c) for c in channels),
            recent=recent,
            spent=spent,
            zone=self.catalog.timezone,
        )

    def _wanted(self, call: ActionCall) -> str | None:
        action = self.catalog.actions.get(call.action) if call.action else None
        return action.channel if action else None

    def _consented(
        self, session: Session, ctx: RequestContext, firing: Firing, purpose: Purpose | None, channel: str | None
    ) -> bool:
        return purpose is None or consented(session, ctx, firing.subject, purpose, channel, firing.at)

    def _row(
        self, ctx: RequestContext, firing: Firing, verdict: Verdict, key: str, actions: list[dict[str, Any]]
    ) -> Decision:
        return Decision(
            id=key,
            tenant=ctx.tenant,
            firing=firing.key,
            strategy=firing.strategy,
            version=firing.version,
            subject=firing.subject,
            at=firing.at,
            due=verdict.not_before,
            verdict=verdict.outcome.value,
            reason=verdict.reason.value if verdict.reason else None,
            variant=verdict.variant,
            actions=actions,
            why=record_why(firing, verdict.layers),
            decided_at=self._clock.now(),
        )

    def _messages(
        self, session: Session, ctx: RequestContext, firing: Firing, strategy: Strategy, verdict: Verdict
    ) -> tuple[list[OutboxRow], list[dict[str, Any]]]:
        """The outbox rows, and what the decision says about each action of the strategy."""
        rows: list[OutboxRow] = []
        told: list[dict[str, Any]] = []
        variant = next((v for v in strategy.rollout.variants if v.name == verdict.variant), None)
        for index, call in enumerate(strategy.actions):
            wanted = self._wanted(call)
            title = self._label(call)
            about: dict[str, Any] = {"label": title._asdict(), "action": call.action, "wanted": wanted}
            if index in verdict.actions:
                address = self._addresses(session, ctx, firing.subject, wanted) if self._addresses and wanted else None
                route = self._channels.route(wanted, address)
                params = {**call.params, **(variant.params if variant else {})}
                message = Message(
                    key=message_id(ctx, firing, index),
                    tenant=ctx.tenant,
                    decision=decision_id(ctx, firing),
                    strategy=firing.strategy,
                    subject=firing.subject,
                    kind="task" if route.channel == INBOX and wanted != INBOX else "message",
                    title=_given(params, ("title", "subject")) or title,
                    body=_given(params, ("text", "body", "message")) or _body(title, params),
                    at=firing.at,
                    action=call.action,
                    wanted=wanted,
                    address=address,
                    variant=verdict.variant,
                    note=route.note,
                    params=params,
                )
                rows.append(self._outbox_row(message, index, route.channel, strategy, verdict))
                about |= {"message": message.key, "channel": route.channel}
                about["note"] = route.note._asdict() if route.note else None
            told.append(about)
        return rows, told

    def _label(self, call: ActionCall) -> Text:
        action = self.catalog.actions.get(call.action) if call.action else None
        return text_of(action, call.label) if action else Text(call.label, call.label)

    def _outbox_row(
        self, message: Message, index: int, channel: str, strategy: Strategy, verdict: Verdict
    ) -> OutboxRow:
        purpose = needed_consent(strategy.guards, message.wanted)
        quiet = strategy.guards.quiet_hours
        return OutboxRow(
            id=message.key,
            tenant=message.tenant,
            decision=message.decision,
            strategy=message.strategy,
            subject=message.subject,
            channel=channel,
            wanted=message.wanted,
            address=message.address,
            payload={**message.as_payload(), "index": index},
            consent=str(purpose) if purpose else None,
            quiet={**quiet.model_dump(), "zone": self.catalog.timezone} if quiet else None,
            created_at=self._clock.now(),
            not_before=verdict.not_before,
            next_try=verdict.not_before,
        )


def _given(params: Mapping[str, Any], names: tuple[str, ...]) -> Text | None:
    """A text the strategy itself gives: `text: …` for both languages, or `text: {zh: …, en: …}`."""
    for name in names:
        value = params.get(name)
        if isinstance(value, str) and value.strip():
            return Text(value, value)
        if isinstance(value, Mapping) and isinstance(value.get("zh"), str) and isinstance(value.get("en"), str):
            return Text(value["zh"], value["en"])
    return None


def _body(title: Text, params: Mapping[str, Any]) -> Text:
    """The action's name and its parameters, one a line."""
    lines = [f"{name}: {value}" for name, value in params.items()]
    return Text("\n".join([title.zh, *lines]), "\n".join([title.en, *lines]))
