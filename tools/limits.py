"""Limits of what agents may give away, as data (limits.yaml), and the check of one proposed action against them."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from core.context import Role
from core.errors import InvalidInput
from core.text import Text
from core.times import Duration
from tools.base import ApprovalRequired, Scope, ToolFailed, args_hash
from tools.customer import contract_value
from tools.terms import owed_amount

FILE = Path(__file__).with_name("limits.yaml")


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Bound(_Part):
    """`auto` ≤ `most`: up to the first without a person, up to the second with one."""

    auto: float = Field(ge=0)
    most: float = Field(ge=0)
    contract: str | None = None
    owed: bool = False


class Approvers(_Part):
    roles: tuple[Role, ...] = Field(min_length=1)
    expires: Duration
    always: bool = False


class Limits(_Part):
    version: int
    offers: dict[str, dict[str, Bound]]
    approvals: dict[str, Approvers]
    start_percent: float = Field(gt=0, le=100)

    @property
    def policy_version(self) -> str:
        return f"limits@{self.version}"


@cache
def limits() -> Limits:
    """The limits in force.

    Raises:
        InvalidInput: the file breaks the format.
    """
    try:
        return Limits.model_validate(yaml.safe_load(FILE.read_text(encoding="utf-8")))
    except (yaml.YAMLError, ValidationError) as cause:
        raise InvalidInput(Text(f"额度文件有误：{cause}", f"the limits file is broken: {cause}")) from cause


def check_offer(scope: Scope, action: str, params: dict[str, Any]) -> bool:
    """True when a person has to approve these parameters of a catalog action.

    Raises:
        ToolFailed: the action is not one that agents may take, or a parameter is above its limit; names the limit.
    """
    bounds = limits().offers.get(action)
    if bounds is None:
        raise ToolFailed(
            Text(f"专员不可执行动作 {action}", f"agents may not take the action {action}"),
            nearest=sorted(limits().offers),
        )
    asks = False
    for name, value in params.items():
        if isinstance(value, bool) or not isinstance(value, int | float):
            continue
        bound = bounds.get(name)
        if bound is None:
            raise ToolFailed(
                Text(f"动作 {action} 没有数值参数 {name}", f"the action {action} has no number {name}"),
                nearest=sorted(bounds),
            )
        most = _most(scope, bound)
        if not 0 <= value <= most:
            raise ToolFailed(
                Text(f"{name} {value:g} 超出上限 {most:g}", f"{name} {value:g} is above the limit of {most:g}"),
                where={"field": name, "limit": most},
            )
        asks = asks or value > bound.auto
    return asks


def _most(scope: Scope, bound: Bound) -> float:
    """The limit for this customer. What the contract says is read from the graph, never taken from the model; without
    a contract that says so, nothing may be given on its strength."""
    most = bound.most
    if bound.contract:
        most = min(most, contract_value(scope, bound.contract)[0] or 0.0)
    if bound.owed:
        most = min(most, max(bound.auto, owed_amount(scope)))
    return most


def require_approval(scope: Scope, tool: str, args: dict[str, Any]) -> None:
    """Pass when a person approved exactly these arguments.

    Raises:
        ApprovalRequired: nobody did.
    """
    if args_hash(tool, args) in scope.approved:
        return
    who = limits().approvals[tool]
    raise ApprovalRequired(
        Text("需要有权限的人批准", "a person has to approve this"),
        [str(r) for r in who.roles],
        who.expires,
        limits().policy_version,
    )
