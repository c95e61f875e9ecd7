"""What the customer's contract promises and what it owes for the complaint that is open: the clause as written, its
numbers read from its words, the amount computed from fee, clause and times. Nothing is owed that no clause says."""

from __future__ import annotations

import math
import re
from typing import Any

from tools.base import AnyTool, NoArgs, Scope, ToolResult, tool
from tools.customer import contracts, open_complaints

_QUERY = "超过响应时限 每延误一天 补偿年费 beyond the response time compensation of the annual fee"
_CLAUSE = re.compile(r"^\s*(?:第)?(\d+(?:\.\d+)?)(?:条|\.)?\s*(.+)$", re.M)
_PER_DAY = re.compile(
    r"每(?:延误|超过|迟)?一?天.*?(?P<zh>\d+(?:\.\d+)?)%|each day.*?(?P<en>\d+(?:\.\d+)?)% of the annual fee", re.I
)
_AT_MOST = re.compile(r"最高.*?(?P<zh>\d+(?:\.\d+)?)%|up to (?P<en>\d+(?:\.\d+)?)%", re.I)


def _contract_terms(scope: Scope, _args: NoArgs) -> ToolResult:
    current = contracts(scope)["current"]
    if current is None:
        return ToolResult({"contract": None, "compensation": None, "owed": None})
    found = scope.deps.retriever.search(scope.ctx, _QUERY, 4, kinds=("contract",), subject=current["subject"])
    clause = next((c for p in found if (c := _compensation(p.text, p.id))), None)
    complaints = open_complaints(scope)
    owed = _owed(current, clause, complaints["breached"])
    data = {
        "contract": current["number"],
        "title": found[0].title if found else None,
        "response_hours": complaints["promised_hours"],
        "compensation": clause,
        "owed": owed,
    }
    return ToolResult(data, tuple(p.id for p in found))


def _compensation(text: str, passage: str) -> dict[str, Any] | None:
    for match in _CLAUSE.finditer(text):
        number, words = match.groups()
        per_day, most = _PER_DAY.search(words), _AT_MOST.search(words)
        if per_day and most:
            return {
                "clause": number,
                "text": words.strip(),
                "percent_per_day": float(per_day["zh"] or per_day["en"]),
                "most_percent": float(most["zh"] or most["en"]),
                "evidence": passage,
            }
    return None


def _owed(
    contract: dict[str, Any], clause: dict[str, Any] | None, complaint: dict[str, Any] | None
) -> dict[str, Any] | None:
    """Every day begun beyond the promised time counts whole, up to the clause's most."""
    fee = contract["attributes"].get("annual_fee")
    if clause is None or complaint is None or fee is None:
        return None
    days = math.ceil(complaint["overdue_hours"] / 24)
    percent = min(days * clause["percent_per_day"], clause["most_percent"])
    return {
        "days": days,
        "percent": percent,
        "amount": round(float(fee["value"]) * percent / 100, 2),
        "fee": fee["value"],
        "ids": [clause["evidence"], complaint["evidence"], fee["evidence"]],
    }


def owed_amount(scope: Scope) -> float:
    """What the contract owes the customer now, in its currency; 0 when nothing."""
    owed = _contract_terms(scope, NoArgs()).data["owed"]
    return float(owed["amount"]) if owed else 0.0


TOOLS: tuple[AnyTool, ...] = (tool("contract_terms", "read", NoArgs, _contract_terms),)
