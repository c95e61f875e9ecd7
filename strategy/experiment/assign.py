"""Which customers a strategy runs for, which are held out, and which variant they get: salted hashes, no table. The
same subject always gets the same answer, and three hashes keep the three questions independent of each other."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from strategy.document import Rollout


@dataclass(frozen=True, slots=True)
class Assignment:
    """`bucket`: the subject's place in [0, 100) on the rollout scale; it is in when the bucket is below the percentage,
    so raising the percentage only ever adds subjects. `holdout` and `variant` hold for every subject, in or out."""

    in_rollout: bool
    holdout: bool
    variant: str | None
    bucket: float


def bucket(tenant: str, strategy: str, salt: str, subject: str, question: str) -> float:
    """A number in [0, 100), uniform over subjects and independent between questions: 53 bits of SHA-256."""
    digest = hashlib.sha256("\x1f".join((question, tenant, strategy, salt, subject)).encode()).digest()
    return (int.from_bytes(digest[:7], "big") >> 3) / 2**53 * 100


def assign(tenant: str, strategy: str, subject: str, rollout: Rollout, *, salt: str = "") -> Assignment:
    """The subject's assignment.

    Args:
        strategy: the strategy's name, not its version, so that an edit or a ramp keeps customers where they are.
        salt: another salt draws anew.
    """
    place = bucket(tenant, strategy, salt, subject, "rollout")
    return Assignment(
        in_rollout=place < rollout.percent,
        holdout=bucket(tenant, strategy, salt, subject, "holdout") < rollout.holdout,
        variant=_variant(rollout, bucket(tenant, strategy, salt, subject, "variant")),
        bucket=place,
    )


def _variant(rollout: Rollout, place: float) -> str | None:
    """The variant on whose stretch of [0, 100) the place lies; stretches are as long as the weights."""
    if not rollout.variants:
        return None
    total = sum(v.weight for v in rollout.variants)
    reached = 0.0
    for variant in rollout.variants:
        reached += variant.weight / total * 100
        if place < reached:
            return variant.name
    return rollout.variants[-1].name
