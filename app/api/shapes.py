"""Shapes that several resources share: pages of items, bilingual labels, how far a page goes."""

from __future__ import annotations

import json
import re
from typing import Annotated, Any, Generic, NamedTuple, TypeVar

from fastapi import Query
from pydantic import AfterValidator, BaseModel, Field

from core.errors import InvalidInput
from core.text import Text

T = TypeVar("T")

Limit = Annotated[int, Query(ge=1, le=200, description="how many at most")]
Before = Annotated[str | None, Query(description="`next` of the page before, for older items")]


def _is_json(value: dict[str, Any]) -> dict[str, Any]:
    json.dumps(value, ensure_ascii=False, allow_nan=False).encode()  # NaN and half a character are ValueErrors
    return value


JsonObject = Annotated[dict[str, Any], AfterValidator(_is_json)]
"""Any JSON object, strictly: what the framework's reader lets through and no store can hold is refused."""

_MARK = re.compile(r"(\d{1,18})(?:\.(.+))?", re.ASCII | re.DOTALL)


class Mark(NamedTuple):
    """Where a page ended: the last item's moment (or number) and, where moments may be shared, its id."""

    at: int
    key: str = ""

    def __str__(self) -> str:
        return f"{self.at}.{self.key}" if self.key else str(self.at)


def read_mark(before: str | None) -> Mark | None:
    """What `next` gave, read back.

    Raises:
        InvalidInput: it is none that we gave.
    """
    if before is None:
        return None
    found = _MARK.fullmatch(before)
    if found is None:
        raise InvalidInput(
            Text(f"翻页标记 {before[:80]!r} 不可用", f"page mark {before[:80]!r} cannot be used"),
            where={"field": "before"},
            hint=Text("请原样使用上一页的 next", "Send `next` of the page before as it came"),
        )
    return Mark(int(found[1]), found[2] or "")


class Page(BaseModel, Generic[T]):
    """A page of a list, newest first unless it says otherwise. `next` asks for the page after; null: no more."""

    items: list[T]
    next: str | None = None


class Label(BaseModel):
    """One text in both languages."""

    zh: str
    en: str

    @staticmethod
    def of(text: Text) -> Label:
        return Label(zh=text.zh, en=text.en)


class Done(BaseModel):
    """The request was carried out."""

    done: bool = Field(default=True)


def subject_of(key: str) -> str:
    """`c0001` and `customer/c0001` are the same customer; `device/d0001` is what it says."""
    return key if "/" in key else f"customer/{key}"
