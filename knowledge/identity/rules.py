"""What may decide that two records are one, as data: which fields belong to one entity, which keys merge, which
disagreements no weight outvotes."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError

from core.errors import InvalidInput
from core.text import Text
from knowledge.identity.words import DATA


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Key(_Part):
    """Records with the same value are one entity; a value that more than `at_most` share is a placeholder."""

    at_most: int = 4


class Conflict(_Part):
    """All of `differ` disagree altogether: `never` one entity, or only if a person does `confirm` it."""

    differ: tuple[str, ...]
    then: Literal["never", "confirm"]
    says: Annotated[Text, BeforeValidator(lambda said: Text(**said) if isinstance(said, dict) else said)]


class Thresholds(_Part):
    """Probabilities that two records are one."""

    auto: float
    link: float
    review: float


class Rules(_Part):
    """Fields are named by their role (`fields.KINDS`)."""

    personal: tuple[str, ...]
    keys: dict[str, Key]
    conflicts: tuple[Conflict, ...]
    thresholds: Thresholds


def load_rules(path: Path | None = None) -> Rules:
    """
    Raises:
        InvalidInput: the file cannot be read or breaks the format (`where` has the field).
    """
    path = path or DATA / "rules.yaml"
    try:
        return Rules.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except ValidationError as cause:
        problem = cause.errors()[0]
        raise InvalidInput(
            Text(f"身份规则有误：{problem['msg']}", f"the identity rules are wrong: {problem['msg']}"),
            where={"file": str(path), "field": ".".join(str(p) for p in problem["loc"])},
        ) from cause
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as cause:
        raise InvalidInput(
            Text(f"读不了身份规则：{cause}", f"the identity rules cannot be read: {cause}"), where={"file": str(path)}
        ) from cause
