"""Why has a strategy not fired for a subject: its conditions as they stand now, or as they stood at a past moment, and
what was decided before."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from core.context import RequestContext
from core.db import Database
from core.errors import Conflict, InvalidInput, NotFound
from core.telemetry import span
from core.text import Text
from core.times import Micros, format_time
from knowledge.catalog import Catalog, nearest
from strategy.asof import look_back
from strategy.delivery import repository as delivery
from strategy.delivery.decide import Outcome
from strategy.delivery.tables import Decision
from strategy.delivery.why import OUTCOMES
from strategy.document import Condition
from strategy.engine.port import Observation, Truth
from strategy.explain import explain_observation
from strategy.explain_tree import tree
from strategy.repository import JournalRepository, StrategyRepository
from strategy.tables import Kind, State
from strategy.versions import STATE_NAMES, StrategyVersion, version_of
from strategy.withheld import withhold
from strategy.wording import Words

Seen = tuple[Observation, Observation | None]


@dataclass(frozen=True, slots=True)
class Asked:
    """The question. `at` None: now. `version` None: the one that runs (or ran then)."""

    strategy: str
    subject: str
    at: Micros | None = None
    version: int | None = None


@dataclass(frozen=True, slots=True)
class WhyNot:
    """How a strategy looks for a subject just after `at`: three-valued, in words and as trees. `fired` is the last
    decision up to then, `notes` what it means for the next firing."""

    strategy: str
    version: int
    subject: str
    at: Micros | None
    truth: Truth
    trigger: list[str]
    tree: dict[str, Any]
    audience_truth: Truth | None = None
    audience: list[str] = field(default_factory=list)
    fired: Decision | None = None
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Running:
    """The live engine as a question needs it. `look` is asked only about what runs now."""

    catalog: Catalog
    watermark: Micros | None
    deployed: dict[str, int]
    look: Callable[[str, str], Seen]


@dataclass(frozen=True, slots=True)
class _Past:
    """When it is answered for, whether that version ran then, and the last decision up to then."""

    at: Micros | None
    ran: bool = True
    fired: Decision | None = None


def why_not(db: Database, ctx: RequestContext, running: Running, asked: Asked) -> WhyNot:
    """The answer in the caller's language.

    Raises:
        NotFound: there is no such strategy or version.
        Conflict: it is not running, or was not then.
        InvalidInput: `at` lies beyond the moment that event time has reached.
        TooLarge: too much would have to be read.
    """
    with span("strategy.why_not", strategy=asked.strategy), db.reading() as session:
        strategies, journal = StrategyRepository(session, ctx.tenant), JournalRepository(session, ctx.tenant)
        if asked.at is None and asked.version is None:
            found = _running_now(strategies, running, asked.strategy)
            past = _Past(running.watermark)
            seen = running.look(asked.strategy, asked.subject)
        else:
            at = _moment(asked.at, running.watermark)
            found, ran = _then(strategies, journal, asked, at)
            past = _Past(at, ran)
            seen = look_back(journal, running.catalog, found.strategy, asked.subject, at)
        if past.at is not None:
            past = replace(past, fired=delivery.last_decision(session, ctx, found.name, asked.subject, past.at))
    return _said(ctx, running.catalog, found, asked.subject, seen, past)


def _running_now(strategies: StrategyRepository, running: Running, name: str) -> StrategyVersion:
    version = running.deployed.get(name)
    found = version_of(strategies, name, version) if version is not None else None
    if found is None:
        raise _not_running(strategies, name)
    return found


def _moment(at: Micros | None, watermark: Micros | None) -> Micros:
    if watermark is None or (at is not None and at > watermark):
        reached = "-" if watermark is None else format_time(watermark)
        raise InvalidInput(
            Text(f"事件时间只走到 {reached}", f"event time has only come to {reached}"),
            where={"field": "at"},
            hint=Text("给出更早的时刻，或不给（看现在）", "Give an earlier moment, or none (now)"),
        )
    return watermark if at is None else at


def _then(
    strategies: StrategyRepository, journal: JournalRepository, asked: Asked, at: Micros
) -> tuple[StrategyVersion, bool]:
    """The version that was asked for, or that ran at the instant; and whether it is the one that ran."""
    ran: int | None = None
    for row in journal.deployments(asked.strategy):
        opened = row.body.get("opened", row.time)
        if opened is None or opened <= at:
            ran = int(row.body["version"]) if row.kind == Kind.DEPLOY else None
    version = ran if asked.version is None else asked.version
    found = version_of(strategies, asked.strategy, version) if version is not None else None
    if found is not None:
        return found, version == ran
    if not strategies.of_name(asked.strategy):
        raise _not_running(strategies, asked.strategy)
    if version is not None:
        name = asked.strategy
        raise NotFound(Text(f"策略 {name!r} 没有第 {version} 版", f"strategy {name!r} has no version {version}"))
    raise Conflict(
        Text(f"策略 {asked.strategy!r} 那时没有运行", f"strategy {asked.strategy!r} was not running then"),
        where={"at": format_time(at)},
        hint=Text("给出 version，看它若在运行会怎样", "Give a version to see how it would have stood"),
    )


def _not_running(strategies: StrategyRepository, name: str) -> NotFound | Conflict:
    pairs = strategies.of_name(name)
    if not pairs:
        return NotFound(
            Text(f"没有名为 {name!r} 的策略", f"there is no strategy named {name!r}"),
            nearest=nearest(name, strategies.names()),
        )
    state = pairs[-1][1].state
    return Conflict(
        Text(
            f"策略 {name!r} 没有在运行（{STATE_NAMES[State(state)].zh}）",
            f"strategy {name!r} is not running (it is {state})",
        ),
        hint=Text("批准之后才会运行", "It runs once it is approved"),
    )


def _said(
    ctx: RequestContext,
    catalog: Catalog,
    found: StrategyVersion,
    subject: str,
    seen: Seen,
    past: _Past,
) -> WhyNot:
    document = found.strategy
    trigger, audience = seen
    trigger = withhold(trigger, document.trigger, catalog, ctx.purpose)
    audience = audience and withhold(audience, document.audience, catalog, ctx.purpose)

    def say(observed: Observation, condition: Condition) -> list[str]:
        return explain_observation(observed, condition, catalog, ctx.lang, subject=document.subject)

    def as_tree(observed: Observation | None, condition: Condition | None) -> dict[str, Any] | None:
        return None if observed is None else tree(observed, condition, catalog, ctx.lang, subject=document.subject)

    return WhyNot(
        strategy=found.name,
        version=found.version,
        subject=subject,
        at=past.at,
        truth=trigger.truth,
        trigger=say(trigger, document.trigger),
        tree={"trigger": as_tree(trigger, document.trigger), "audience": as_tree(audience, document.audience)},
        audience_truth=audience.truth if audience else None,
        audience=say(audience, document.audience) if audience and document.audience else [],
        fired=past.fired,
        notes=list(_notes(Words(catalog, ctx.lang, document.subject), found, trigger.truth, past)),
    )


def _notes(words: Words, found: StrategyVersion, truth: Truth, past: _Past) -> Iterator[str]:
    """What was decided before, and what that means."""
    fired, at = past.fired, past.at
    if not past.ran:
        yield words.say(
            f"第 {found.version} 版当时没有在运行：这是它若在运行的样子。",
            f"Version {found.version} was not running then: this is how it would have stood.",
        )
    if fired is None:
        if truth is Truth.TRUE and past.ran:
            yield words.say(
                "条件成立，但在策略运行期间没有由不成立变为成立（或当时不在人群内），所以没有触发。",
                "The condition holds, but did not turn true while the strategy ran (or not inside the audience), "
                "so it did not fire.",
            )
        return
    key, moment, verdict = fired.id, words.moment(fired.at), OUTCOMES[Outcome(fired.verdict)].say(words.lang)
    if fired.at == at:
        yield words.say(
            f"就在这一刻触发了，{verdict}（{key}）。", f"It fired at this very moment and {verdict} ({key})."
        )
        return
    yield words.say(f"上次触发在 {moment}，{verdict}（{key}）。", f"It last fired at {moment} and {verdict} ({key}).")
    cooldown = found.strategy.guards.cooldown
    if cooldown is not None and at is not None and at < fired.at + cooldown:
        until = words.moment(fired.at + cooldown)
        yield words.say(
            f"冷却期到 {until} 为止，此前不再触发。", f"It is cooling down and does not fire before {until}."
        )
    elif truth is Truth.TRUE and past.ran:
        yield words.say(
            "条件仍然成立；要先变为不成立，再成立时才会再次触发。",
            "The condition holds still; it fires again when it has been not true in between.",
        )
