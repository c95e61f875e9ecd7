"""Identifiers. New ids sort by time (UUIDv7 layout, RFC 9562); stable ids are digests of what they name."""

from __future__ import annotations

import hashlib
import secrets
from typing import NewType

from core.clock import Clock

TenantId = NewType("TenantId", str)
SubjectId = NewType("SubjectId", str)
"""`type/key`, such as `customer/c1`."""

DEFAULT_TENANT = TenantId("default")


def new_id(prefix: str, clock: Clock) -> str:
    """`prefix_` + 32 hex digits: 48 bits of milliseconds, then random bits."""
    millis = clock.now() // 1_000
    value = (millis & (2**48 - 1)) << 80 | 0x7 << 76 | secrets.randbits(76)
    return f"{prefix}_{value:032x}"


def stable_id(prefix: str, *parts: object) -> str:
    """`prefix_` + 24 hex digits of SHA-256 over the parts; the same parts always give the same id."""
    joined = "\x1f".join(map(str, parts))
    return f"{prefix}_{hashlib.sha256(joined.encode()).hexdigest()[:24]}"
