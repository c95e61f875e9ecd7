"""Cases and their gold: YAML files in evals/data, checked on reading."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from core.errors import InvalidInput, UnknownName
from core.text import Lang, Text, guess_lang
from core.yamls import line_of, read_yaml

DATA = Path(__file__).parent / "data"
SUITES = ("routing", "decisions")

RouteName = Literal["churn", "renewal", "service", "strategist", "faq", "person"]


class Case(BaseModel):
    """One text that arrives, and what a good hub does with it. Fields of gold left out are not judged."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str
    text: str
    kind: Literal["ticket", "chat"] = "ticket"
    before: tuple[str, ...] = Field(default=(), description="what was said earlier in the same chat")
    customer: str | None = Field(default=None, description="subject id in the demo world, such as customer/c0001")
    route: RouteName
    also: tuple[RouteName, ...] = Field(default=(), description="routes that are acceptable though not best")
    actions: tuple[str, ...] = Field(default=(), description="decisions that are right, any of them")
    never: tuple[str, ...] = Field(default=(), description="decisions or tool calls that would do harm")
    cites: tuple[str, ...] = Field(
        default=(), description="evidence ids (or their beginnings) that must be among those cited"
    )
    says: tuple[str, ...] = Field(default=(), description="words of which at least one must be in the reply")
    approval: bool | None = Field(default=None, description="whether the decision must wait for a person's approval")

    @model_validator(mode="after")
    def _only_chats_go_on(self) -> Case:
        if self.before and self.kind != "chat":
            raise ValueError("only a chat has something said before")
        return self

    @property
    def lang(self) -> Lang:
        return guess_lang(self.text)


class Suite(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    suite: str
    thresholds: dict[str, float] = Field(
        default_factory=dict, description="scorer → the share right under which the gate fails"
    )
    cases: tuple[Case, ...] = Field(min_length=1)


def load_suite(name: str) -> Suite:
    """One of `SUITES`.

    Raises:
        UnknownName: there is no such suite.
        InvalidInput: its file breaks the format; names the line.
    """
    if name not in SUITES:
        raise UnknownName(Text(f"没有评测集 {name!r}", f"there is no suite {name!r}"), nearest=SUITES)
    return read_suite((DATA / f"{name}.yaml").read_text(encoding="utf-8"))


def read_suite(text: str) -> Suite:
    try:
        suite = Suite.model_validate(read_yaml(text))
    except ValidationError as cause:
        problem = cause.errors()[0]
        raise InvalidInput(
            Text(f"评测集有误：{problem['msg']}", f"the suite is wrong: {problem['msg']}"),
            where={"line": line_of(text, problem["loc"]), "field": ".".join(map(str, problem["loc"]))},
        ) from cause
    ids = [c.id for c in suite.cases]
    if twice := sorted({i for i in ids if ids.count(i) > 1}):
        raise InvalidInput(Text(f"编号重复：{twice[0]}", f"the id {twice[0]} stands twice"))
    return suite
