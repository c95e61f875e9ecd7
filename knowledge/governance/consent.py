"""Consent with its history: what a customer allows, on which channel, since when."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from sqlmodel import Session

from core import audit
from core.clock import Clock
from core.context import Purpose, RequestContext
from core.times import LATEST
from knowledge.governance import repository
from knowledge.governance.tables import Consent

NEEDS_EXPLICIT = frozenset({Purpose.MARKETING})
"""Purposes that nothing recorded does not cover; the others rest on the contract with the customer."""


@dataclass(frozen=True, slots=True)
class Statement:
    """From `at` on, the subject gives or withdraws consent. `channel` None: in general."""

    subject: str
    purpose: Purpose
    given: bool
    at: int
    channel: str | None = None
    source: str = ""


def record_consent(
    session: Session,
    ctx: RequestContext,
    clock: Clock,
    subject: str,
    purpose: Purpose,
    given: bool,
    *,
    channel: str | None = None,
    at: int | None = None,
    source: str = "",
) -> None:
    """Add a statement in the caller's transaction, with its audit row. `at`: when it was made; default: now."""
    moment = clock.now() if at is None else at
    _keep(session, ctx, clock, [Statement(subject, purpose, given, moment, channel, source)])
    verb = "consent.give" if given else "consent.withdraw"
    audit.record(session, ctx, clock, verb, subject, {"purpose": str(purpose), "channel": channel, "source": source})


def import_consents(
    session: Session, ctx: RequestContext, clock: Clock, statements: Iterable[Statement], source: str
) -> int:
    """Add many statements of one source in the caller's transaction, with one audit row; how many they were."""
    count = _keep(session, ctx, clock, [replace(s, source=s.source or source) for s in statements])
    audit.record(session, ctx, clock, "consent.import", source, {"statements": count})
    return count


def _keep(session: Session, ctx: RequestContext, clock: Clock, statements: Sequence[Statement]) -> int:
    rows = [
        Consent(
            tenant=ctx.tenant,
            subject=s.subject,
            purpose=str(s.purpose),
            channel=s.channel,
            given=s.given,
            at=s.at,
            source=s.source,
            recorded_at=clock.now(),
        )
        for s in statements
    ]
    repository.add(session, rows)
    return len(rows)


def consented(
    session: Session, ctx: RequestContext, subject: str, purpose: Purpose, channel: str | None, at: int
) -> bool:
    """Does the subject's consent cover this purpose on this channel at this moment?

    The newest statement about the channel counts, unless a general withdrawal came after it; without one the newest
    general statement counts; without any, marketing is not covered and other purposes are.
    """
    made = repository.statements(session, ctx, subject, str(purpose), at)
    return covers(made, purpose, channel)


def covers(made: Iterable[Consent], purpose: Purpose, channel: str | None) -> bool:
    """The rule of `consented` over statements of one subject and purpose, oldest first."""
    own: bool | None = None
    general: bool | None = None
    for statement in made:
        if statement.channel is None:
            general = statement.given
            if own and not statement.given:
                own = None
        elif statement.channel == channel:
            own = statement.given
    stated = general if own is None else own
    return purpose not in NEEDS_EXPLICIT if stated is None else stated


def consent_history(session: Session, ctx: RequestContext, subject: str) -> list[Consent]:
    """Everything the subject ever stated, oldest first."""
    return repository.statements(session, ctx, subject, None, LATEST)
