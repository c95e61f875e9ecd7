"""Who asks, for which tenant, in which role, for which purpose, in which language. It travels as the first argument of
everything that reads or writes customer data; nothing looks it up from a global."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from enum import StrEnum

from core.ids import DEFAULT_TENANT, TenantId
from core.text import Lang


class Role(StrEnum):
    """What an actor is allowed in general; Cedar policies in knowledge/governance say what that means in detail."""

    ADMIN = "admin"
    STRATEGIST = "strategist"
    SERVICE_AGENT = "service_agent"
    EVALUATOR = "evaluator"
    VIEWER = "viewer"


class Purpose(StrEnum):
    """Why data is touched; catalog items and facts name the purposes they may be used for."""

    SERVICE = "service"
    MARKETING = "marketing"
    RETENTION = "retention"
    ANALYTICS = "analytics"
    OPERATIONS = "operations"
    COMPLIANCE = "compliance"


def may_use(purpose: Purpose, *limits: Collection[str]) -> bool:
    """True when each limit that names purposes names this one."""
    return all(not limit or purpose in limit for limit in limits)


@dataclass(frozen=True, slots=True)
class RequestContext:
    tenant: TenantId
    actor: str
    role: Role
    purpose: Purpose
    lang: Lang = "en"
    request_id: str = ""

    def for_purpose(self, purpose: Purpose) -> RequestContext:
        return replace(self, purpose=purpose)


def system_context(purpose: Purpose = Purpose.OPERATIONS, lang: Lang = "en") -> RequestContext:
    """The hub itself acting on the default tenant: start-up, timers, the command line of its owner."""
    return RequestContext(DEFAULT_TENANT, "system", Role.ADMIN, purpose, lang)
