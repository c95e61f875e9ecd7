"""The shapes of rules about who is who, as a catalog or a rules file gives them. What they decide is in
knowledge/identity."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from core.text import Text


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Key(_Part):
    """Records with the same value are one entity; a value that more than `at_most` share is a placeholder."""

    at_most: int = Field(default=4, ge=2)


class Conflict(_Part):
    """All of `differ` disagree altogether: `never` one entity; only if a person says so when they `ask`; or tied in a
    file, unless its records show families, until a person does `confirm` it."""

    differ: tuple[str, ...] = Field(min_length=1)
    then: Literal["never", "ask", "confirm"]
    says: Annotated[Text, BeforeValidator(lambda said: Text(**said) if isinstance(said, dict) else said)]


class Thresholds(_Part):
    """Probabilities that two records are one."""

    auto: float = Field(gt=0, le=1)
    link: float = Field(gt=0, lt=1)
    review: float = Field(gt=0, lt=1)


class IdentityRules(_Part):
    """How records of one object type are told apart. What is not given is as knowledge/identity/data/rules.yaml
    says."""

    properties: dict[str, str] = Field(default_factory=dict, description="attribute → its role; none: by their names")
    personal: tuple[str, ...] | None = Field(default=None, description="roles that belong to one entity alone")
    keys: dict[str, Key] | None = Field(default=None, description="roles whose equal values tie records")
    conflicts: tuple[Conflict, ...] | None = Field(default=None, description="what no weight outvotes")
    thresholds: Thresholds | None = None
