"""The one error hierarchy. Each class knows its HTTP status and CLI exit code; each error says, in Chinese and
English, what was wrong, where, and what would be right. app/ maps them to problem+json and exit codes, once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from core.text import Lang, Text


class ZhongshuError(Exception):
    """Base of every error a user may see.

    Args:
        text: what was wrong, in both languages.
        where: the place as machine-readable parts, e.g. {"line": 3, "field": "time"} or {"offset": 4, "length": 2}.
        hint: what would be right, in both languages.
        nearest: the nearest valid choices, best first.
    """

    code: ClassVar[str] = "error"
    status: ClassVar[int] = 500
    exit_code: ClassVar[int] = 1

    def __init__(
        self,
        text: Text,
        *,
        where: dict[str, Any] | None = None,
        hint: Text | None = None,
        nearest: Sequence[str] = (),
    ) -> None:
        super().__init__(text.en)
        self.text = text
        self.where = dict(where or {})
        self.hint = hint
        self.nearest = list(nearest)

    def at(self, **where: Any) -> ZhongshuError:
        """Add parts of the place that only the caller knows (the line number, the file); keeps what is set."""
        self.where = {**where, **self.where}
        return self

    def say(self, lang: Lang) -> str:
        """The whole error as one line of text: place, what was wrong, nearest choices, hint."""
        place = ", ".join(f"{_PLACE.get(k, Text(k, k)).say(lang)} {v}" for k, v in self.where.items())
        colon, stop = ("：", "。") if lang == "zh" else (": ", ".")
        said = self.text.say(lang).rstrip("。.")
        parts = [f"{place}{colon}" if place else "", said if said[-1:] in "?？!！" else said + stop]
        if self.nearest:
            names = ("、" if lang == "zh" else ", ").join(self.nearest)
            parts.append(f"最接近的有：{names}。" if lang == "zh" else f" Nearest: {names}.")
        if self.hint:
            parts.append(("" if lang == "zh" else " ") + self.hint.say(lang))
        return "".join(parts)

    def as_dict(self, lang: Lang) -> dict[str, Any]:
        """For JSON answers and for what is set aside."""
        return {
            "code": self.code,
            "message": self.text.say(lang),
            **({"where": self.where} if self.where else {}),
            **({"nearest": self.nearest} if self.nearest else {}),
            **({"hint": self.hint.say(lang)} if self.hint else {}),
        }


_PLACE = {
    "file": Text("文件", "file"),
    "line": Text("行", "line"),
    "row": Text("行", "row"),
    "column": Text("列", "column"),
    "field": Text("字段", "field"),
    "offset": Text("字符位置", "character offset"),
    "length": Text("长度", "length"),
}


class InvalidInput(ZhongshuError):
    """What was sent cannot be read or breaks a rule of its format."""

    code, status, exit_code = "invalid-input", 422, 2


class UnknownName(InvalidInput):
    """A name that the catalog does not know; `nearest` has the closest known ones. Never guessed silently."""

    code = "unknown-name"


class TooLarge(InvalidInput):
    code, status = "too-large", 413


class NeedsAnswer(ZhongshuError):
    """A sentence with two meanings: `choices` are the readings, in the user's words. Not a failure: a question.

    Args:
        means: for each choice what says it unmistakably in the place of the words asked about, where the choice itself
            does not.
    """

    code, status, exit_code = "needs-answer", 409, 3

    def __init__(
        self, text: Text, *, choices: Sequence[Text], where: dict[str, Any] | None = None, means: Sequence[str] = ()
    ) -> None:
        super().__init__(text, where=where)
        self.choices = list(choices)
        self.means = list(means)

    def as_dict(self, lang: Lang) -> dict[str, Any]:
        return {**super().as_dict(lang), "choices": [c.say(lang) for c in self.choices]}


class Refused(ZhongshuError):
    """Understood, and not to be done (a strategy that can never fire, a budget exceeded, a policy against it)."""

    code, status, exit_code = "refused", 422, 4


class NotFound(ZhongshuError):
    code, status, exit_code = "not-found", 404, 5


class Conflict(ZhongshuError):
    """The thing is not in a state that allows this (approve what is retired, edit what changed meanwhile)."""

    code, status, exit_code = "conflict", 409, 6


class Unauthorized(ZhongshuError):
    code, status, exit_code = "unauthorized", 401, 7


class Forbidden(ZhongshuError):
    """No policy allows this actor, role and purpose to do it."""

    code, status, exit_code = "forbidden", 403, 8


class Unavailable(ZhongshuError):
    """A part the work depends on does not answer (model endpoint, mail server); trying later may help."""

    code, status, exit_code = "unavailable", 503, 9
