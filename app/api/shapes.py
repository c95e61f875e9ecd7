"""Shapes that several resources share: pages of items, bilingual labels, how far a page goes."""

from __future__ import annotations

from typing import Annotated, Generic, TypeVar

from fastapi import Query
from pydantic import BaseModel, Field

from core.text import Text

T = TypeVar("T")

Limit = Annotated[int, Query(ge=1, le=200, description="how many at most")]
Before = Annotated[str | None, Query(description="`next` of the page before, for older items")]


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
