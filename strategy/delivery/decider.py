"""From a firing to a decision row and its outbox rows, in the caller's transaction."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sqlmodel import Session, SQLModel

from core.clock import Clock
from core.context import RequestContext
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

CatalogProvider = Callable[[RequestContext], Catalog]
AddressBook = Callable[[Session, RequestContext, str, str], str | None]
"""(session, ctx, subject, channel) → the subject's address on that channel, such as an e-mail address."""


def decision_id(ctx: RequestContext, firing: Firing) -> str:
    return stable_id("dec", ctx.tenant, firing.key)


def message_id(ctx: RequestContext, firing: Firing, index: int) -> str:
    return stable_id("msg", ctx.tenant, firing.key, index)


class Decider:
    """Looks up what a decision depends on, decides, and writes what was decided."""

    def __init__(
        self, catalogs: CatalogProvider, clock: Clock, channels: Channels, addresses: AddressBook | None = None
    ) -> None:
        self._catalogs = catalogs
        self._clock = clock
        self._channels = channels
        self._addresses = addresses

    def decide(self, session: Session, ctx: RequestContext, firing: Firing, strategy: Strategy) -> Decision:
        """The decision on this firing. Decided before: the same row again, and nothing is written.

        The caller's transaction holds the decision and its messages together. `strategy.rollout.percent` is the share
        that the version runs for now (`StrategyVersion.effective`).

        Raises:
            InvalidInput: `guards.consent` is not a purpose.
        """
        with span("delivery.decide", strategy=firing.strategy, version=firing.version) as current:
            key = decision_id(ctx, firing)
            found = repository.decision(session, ctx, key)
            if found is None:
                catalog = self._catalogs(ctx)
                verdict = decide(_look_up(session, ctx, firing, strategy, catalog))
                messages, actions = self._messages(session, ctx, firing, strategy, catalog, verdict)
                found = self._row(ctx, firing, verdict, actions)
                rows: list[SQLModel] = [found, *messages]
                repository.add(session, rows)
            current.set_attributes({"zhongshu.decision": key, "zhongshu.verdict": found.verdict})
        return found

    def _row(self, ctx: RequestContext, firing: Firing, verdict: Verdict, actions: list[dict[str, Any]]) -> Decision:
        return Decision(
            id=decision_id(ctx, firing),
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
        self,
        session: Session,
        ctx: RequestContext,
        firing: Firing,
        strategy: Strategy,
        catalog: Catalog,
        verdict: Verdict,
    ) -> tuple[list[OutboxRow], list[dict[str, Any]]]:
        """The outbox rows, and what the decision says about each action of the strategy."""
        rows: list[OutboxRow] = []
        told: list[dict[str, Any]] = []
        for index, call in enumerate(strategy.actions):
            about = {"label": _label(call, catalog)._asdict(), "action": call.action, "wanted": _wanted(call, catalog)}
            if index in verdict.actions:
                message, channel = self._message(session, ctx, firing, strategy, catalog, verdict.variant, index)
                rows.append(self._outbox_row(message, index, channel, strategy, catalog, verdict))
                note = message.note._asdict() if message.note else None
                about |= {"message": message.key, "channel": channel, "note": note}
            told.append(about)
        return rows, told

    def _message(
        self,
        session: Session,
        ctx: RequestContext,
        firing: Firing,
        strategy: Strategy,
        catalog: Catalog,
        variant: str | None,
        index: int,
    ) -> tuple[Message, str]:
        """The message of one action, and the channel it goes out on."""
        call = strategy.actions[index]
        wanted, title = _wanted(call, catalog), _label(call, catalog)
        address = self._addresses(session, ctx, firing.subject, wanted) if self._addresses and wanted else None
        route = self._channels.route(wanted, address)
        own = next((v.params for v in strategy.rollout.variants if v.name == variant), {})
        params = {**call.params, **own}
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
            variant=variant,
            note=route.note,
            params=params,
        )
        return message, route.channel

    def _outbox_row(
        self, message: Message, index: int, channel: str, strategy: Strategy, catalog: Catalog, verdict: Verdict
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
            quiet={**quiet.model_dump(), "zone": catalog.timezone} if quiet else None,
            created_at=self._clock.now(),
            not_before=verdict.not_before,
            next_try=verdict.not_before,
        )


def _look_up(
    session: Session, ctx: RequestContext, firing: Firing, strategy: Strategy, catalog: Catalog
) -> DecisionInput:
    """What the decision depends on; only what the strategy's guards ask for is read."""
    channels = tuple(_wanted(call, catalog) for call in strategy.actions)
    guards = strategy.guards
    recent = spent = 0
    if guards.cap:
        after = firing.at - guards.cap.per
        recent = repository.recent_deliveries(session, ctx, firing.strategy, firing.subject, after)
    if guards.budget is not None:
        spent = repository.spent_deliveries(session, ctx, firing.strategy)

    def agreed(channel: str | None) -> bool:
        purpose = needed_consent(guards, channel)
        return purpose is None or consented(session, ctx, firing.subject, purpose, channel, firing.at)

    return DecisionInput(
        strategy=strategy,
        at=firing.at,
        assignment=assign(ctx.tenant, firing.strategy, firing.subject, strategy.rollout),
        audience=firing.audience,
        channels=channels,
        consent=tuple(agreed(channel) for channel in channels),
        recent=recent,
        spent=spent,
        zone=catalog.timezone,
    )


def _wanted(call: ActionCall, catalog: Catalog) -> str | None:
    """The channel an action asks for; None for an inner task."""
    action = catalog.actions.get(call.action) if call.action else None
    return action.channel if action else None


def _label(call: ActionCall, catalog: Catalog) -> Text:
    action = catalog.actions.get(call.action) if call.action else None
    return text_of(action, call.label) if action else Text(call.label, call.label)


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
