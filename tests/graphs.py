"""What tests of the customer graph share: short words for claims, and a store with a clock that the test owns."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlmodel import Session

from core.clock import ManualClock
from core.context import Purpose, RequestContext, Role
from core.ids import TenantId
from core.times import Micros
from knowledge.graph import Assertion, Derivations, GraphStore, PurposeLimits

NOW = 1_000_000
SERVICE = RequestContext(TenantId("t1"), "ana", Role.SERVICE_AGENT, Purpose.SERVICE)
MARKETING = SERVICE.for_purpose(Purpose.MARKETING)
COMPLIANCE = SERVICE.for_purpose(Purpose.COMPLIANCE)
C1, C2, C3, C4 = (f"customer/c{i}" for i in range(1, 5))
D1, D2 = "device/d1", "device/d2"


def m(value: int) -> Micros:
    return Micros(value)


def claim(subject: str, name: str, value: Any, since: int, **more: Any) -> Assertion:
    return Assertion(subject, name, value, valid_from=m(since), **more)


def edge(subject: str, name: str, obj: str, since: int, **more: Any) -> Assertion:
    return Assertion(subject, name, object=obj, valid_from=m(since), **more)


@dataclass
class Bench:
    """`reopen` is a restart."""

    make: Callable[[ManualClock, PurposeLimits | None, Derivations | None], GraphStore]
    audit: Callable[[], Session]
    clock: ManualClock
    store: GraphStore

    def reopen(self, limits: PurposeLimits | None = None, derived: Derivations | None = None) -> GraphStore:
        self.store = self.make(self.clock, limits, derived)
        return self.store
