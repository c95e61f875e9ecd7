"""What may decide that two records are one, as data: which fields belong to one entity, which keys merge, which
disagreements no weight outvotes."""

from __future__ import annotations

from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from core.errors import InvalidInput
from core.text import Text
from knowledge.catalog.identity import Conflict, IdentityRules, Key, Thresholds
from knowledge.identity.words import DATA


class Rules(BaseModel):
    """Fields are named by their role (`fields.KINDS`)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    personal: tuple[str, ...]
    keys: dict[str, Key]
    conflicts: tuple[Conflict, ...]
    thresholds: Thresholds

    def but(self, given: IdentityRules) -> Rules:
        """These rules, with the parts that a catalog gives instead."""
        parts = ("personal", "keys", "conflicts", "thresholds")
        return self.model_copy(update={p: v for p in parts if (v := getattr(given, p)) is not None})


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
