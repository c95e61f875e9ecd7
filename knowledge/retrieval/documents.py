"""What is indexed and what is found: documents, the passages they are cut into, and the purposes each kind serves."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Literal, get_args

from core.context import Purpose
from core.errors import InvalidInput, TooLarge
from core.text import Lang, Text, guess_lang
from core.times import Micros

Kind = Literal["ticket", "transcript", "faq", "contract", "article"]
KINDS: tuple[Kind, ...] = get_args(Kind)

KIND_PURPOSES: dict[Kind, frozenset[Purpose]] = {"transcript": frozenset({Purpose.SERVICE})}
"""What a kind may be used for at most, whatever a document says: transcripts improve service and nothing else."""

MAX_CHARACTERS = 200_000


@dataclass(frozen=True, slots=True)
class Document:
    """A text to be found again. `purposes` empty: whatever its kind allows; `lang` None: as written."""

    id: str
    kind: Kind
    text: str
    title: str = ""
    lang: Lang | None = None
    subject: str | None = None
    purposes: frozenset[Purpose] = frozenset()
    at: Micros | None = None

    @property
    def language(self) -> Lang:
        return self.lang or guess_lang(self.text)

    def allowed(self) -> frozenset[Purpose]:
        """The purposes it may be used for; empty: any.

        Raises:
            InvalidInput: its kind allows none of those it names, so nobody could ever read it.
        """
        most = KIND_PURPOSES.get(self.kind)
        if most is None or not self.purposes:
            return self.purposes or most or frozenset()
        if not (both := self.purposes & most):
            raise InvalidInput(
                Text(
                    f"{self.kind} 类文档只能用于 {'、'.join(sorted(most))}",
                    f"a {self.kind} may be used for {', '.join(sorted(most))} only",
                ),
                where={"field": "purposes"},
            )
        return both

    def digest(self) -> str:
        """Changes when anything that is searched, shown or enforced changes."""
        parts = [self.kind, self.text, self.title, self.language, self.subject or "", ",".join(sorted(self.allowed()))]
        return hashlib.sha256("\x1f".join([*parts, str(self.at)]).encode()).hexdigest()[:32]


def check_document(document: Document) -> None:
    """
    Raises:
        InvalidInput: no id, no text, or an unknown kind; `where` has the document and the field.
        TooLarge: longer than a document may be.
    """
    where = {"document": document.id}
    if not document.id:
        raise InvalidInput(Text("文档没有编号", "the document has no id"), where={"field": "id"})
    check_kind(document.kind)
    if not document.text.strip():
        raise InvalidInput(Text("文档没有内容", "the document has no text"), where={**where, "field": "text"})
    if len(document.text) > MAX_CHARACTERS:
        raise TooLarge(
            Text(f"文档有 {len(document.text)} 个字符", f"the document has {len(document.text)} characters"),
            where={**where, "field": "text"},
            hint=Text(f"上限是 {MAX_CHARACTERS}；请拆分后再加", f"At most {MAX_CHARACTERS}; split it first"),
        )


def check_kind(kind: str) -> None:
    if kind not in KINDS:
        raise InvalidInput(
            Text(f"没有文档类型 {kind!r}", f"there is no document kind {kind!r}"),
            where={"field": "kind"},
            nearest=KINDS,
        )


@dataclass(frozen=True, slots=True)
class Passage:
    """A stretch of a document: `text` is the document's text[start:end]. Its id may be cited as evidence and stays the
    same while the document does. Found by a search, `score` orders it among that search's passages (a sum of z-scores),
    and `similarity` is the cosine between query and passage, comparable across searches."""

    id: str
    document_id: str
    text: str
    kind: Kind
    subject: str | None
    title: str
    lang: Lang
    start: int
    end: int
    at: Micros | None
    purposes: frozenset[Purpose]
    score: float = 0.0
    similarity: float = 0.0
