"""What is known while one sentence is read: its catalog, its words, what was taken for granted, and how to complain
about a place in it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, NoReturn

from core.errors import InvalidInput, NeedsAnswer, Refused, UnknownName
from core.text import Lang, Text
from knowledge.catalog import Catalog, name_of
from knowledge.catalog.model import Attribute
from strategy.language.lexer import Part
from strategy.language.lexicon import Lexicon, Name, NameKind
from strategy.language.nearest import Likeness, closest
from strategy.language.normalise import Normal, plain

if TYPE_CHECKING:
    from strategy.language.draft import Draft

CONDITION_KINDS: tuple[NameKind, ...] = (
    "event",
    "field",
    "attribute",
    "metric",
    "forecast",
    "place",
    "value",
    "object",
)


@dataclass(slots=True)
class Scope:
    catalog: Catalog
    lexicon: Lexicon
    normal: Normal
    lang: Lang
    warnings: list[Text] = field(default_factory=list)
    objects: list[str] = field(default_factory=list)
    """Object types mentioned so far, in order."""
    audience: list[Draft] = field(default_factory=list)
    """Conditions that a clause named by its noun: "大客户7天内…"."""
    likeness: Likeness | None = None
    """Ranks the nearest names of an unknown one by meaning as well."""
    recent: Part | None = None
    """What was compared last, for "…大于100且小于200"."""
    heads: list[str] = field(default_factory=list)
    """Object types that a clause ends with as its head: "…的客户" is about customers."""
    running: list[Part] = field(default_factory=list)
    """Parts that say how the strategy runs: caps, quiet hours, rollout, …"""
    event: str = ""
    """The event spoken of last, whose fields a bare "amount" means."""

    def warn(self, zh: str, en: str) -> None:
        if (text := Text(zh, en)) not in self.warnings:
            self.warnings.append(text)

    def trial(self) -> Scope:
        """A copy for a reading that may be given up."""
        return replace(
            self, warnings=[*self.warnings], objects=[*self.objects], audience=[*self.audience], heads=[*self.heads]
        )

    def keep(self, trial: Scope) -> None:
        """Take over what a trial found."""
        self.warnings[:], self.objects[:] = trial.warnings, trial.objects
        self.audience[:], self.heads[:] = trial.audience, trial.heads
        self.recent, self.event = trial.recent, trial.event

    def said(self, *parts: Part) -> str:
        return self.normal.said(parts[0].start, parts[-1].end)

    def plain(self, part: Part) -> str:
        """What was said there, made uniform (simplified, lower case): for comparing with words of the language."""
        return self.normal.text[part.start : part.end]

    def where(self, parts: Sequence[Part]) -> dict[str, int]:
        if not parts:
            return {"offset": len(self.normal.original), "length": 0}
        return self.normal.where(parts[0].start, parts[-1].end)

    def unknown(self, part: Part, kinds: Iterable[NameKind] = CONDITION_KINDS, known: Sequence[str] = ()) -> NoReturn:
        """The name is not in the catalog: say where, and what comes closest (of the same language first)."""
        said = self.said(part).strip()
        labels = list(known) or self.lexicon.labels(kinds)
        close = closest(plain(said), labels, self.likeness) or _sharing(said, labels) or self._usual(said, labels)[:3]
        raise UnknownName(
            Text(f"目录里没有“{said}”", f"the catalog has no {said!r}"), where=self.where([part]), nearest=close
        )

    def _usual(self, said: str, labels: Sequence[str]) -> list[str]:
        """Where nothing is close: names of the same script, events first, since most unknown words stand for one."""
        chinese = not said.isascii()
        events = set(self.lexicon.labels(["event"]))
        same = [label for label in labels if label.isascii() != chinese] or list(labels)
        return sorted(same, key=lambda label: label not in events)

    def invalid(
        self, parts: Sequence[Part], zh: str, en: str, hint: Text | None = None, near: Sequence[str] = ()
    ) -> NoReturn:
        raise InvalidInput(Text(zh, en), where=self.where(parts), hint=hint, nearest=near)

    def refuse(self, parts: Sequence[Part], zh: str, en: str, hint: Text | None = None) -> NoReturn:
        raise Refused(Text(zh, en), where=self.where(parts), hint=hint)

    def ask(
        self, parts: Sequence[Part], zh: str, en: str, choices: Sequence[Text], means: Sequence[str] = ()
    ) -> NoReturn:
        raise NeedsAnswer(Text(zh, en), choices=choices, where=self.where(parts), means=means)

    def label(self, kind: NameKind, ident: str, lang: Lang | None = None, owner: str = "") -> str:
        """How a catalog item is called."""
        lang = lang or self.lang
        item: object
        if kind in ("attribute", "field"):
            item = self.attribute(Name(kind, ident, owner))
        else:
            table = {
                "object": "objects",
                "event": "events",
                "metric": "metrics",
                "forecast": "forecasts",
                "place": "places",
                "action": "actions",
                "relation": "relations",
            }[kind]
            item = getattr(self.catalog, table).get(ident)
        return name_of(item, ident, lang) if item is not None else ident  # type: ignore[arg-type] # every table holds Named or RelationType

    def attribute(self, name: Name) -> Attribute:
        """The attribute or field a name stands for."""
        found = (
            self.catalog.field(name.owner, name.id)
            if name.kind == "field"
            else self.catalog.attribute(name.owner, name.id)
        )
        if found is None:
            raise KeyError(name)
        return found

    def mention(self, names: Iterable[Name]) -> None:
        for name in names:
            if name.id not in self.objects:
                self.objects.append(name.id)


def _sharing(said: str, labels: Sequence[str]) -> list[str]:
    """Labels that share most characters with a short Chinese name, which edit distance rates poorly."""
    if said.isascii():
        return []
    scored = [(len(set(said) & set(label)), label) for label in labels if not label.isascii()]
    return [label for score, label in sorted(scored, key=lambda s: -s[0]) if score][:3]
