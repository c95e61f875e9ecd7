"""Versioned prompt templates: `<id>.<lang>.md` files with front matter (id, version, language, variables) and a body
with `$variables`. No prompt text lives in Python; scripts/house_rules.py checks that."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from string import Template
from typing import Any

import yaml

from core.errors import InvalidInput, NotFound
from core.text import Lang, Text

_HERE = Path(__file__).parent
_FRONT = re.compile(r"\A---\n(.*?)\n---\n(.*)\Z", re.S)
_SECTION = re.compile(r"^## (\S+)\n", re.M)
_KEYS = {"id", "version", "language", "variables"}

LANGS: tuple[Lang, ...] = ("zh", "en")


@dataclass(frozen=True, slots=True)
class Prompt:
    """One template in one language. `version` rises whenever the text changes, so that evals can name what they ran."""

    id: str
    version: int
    lang: Lang
    variables: tuple[str, ...]
    body: str

    def fill(self, **values: object) -> str:
        """The text with every variable replaced once; what stands inside a value is never expanded again.

        Raises:
            InvalidInput: a variable is missing, or one is given that the template does not declare.
        """
        wrong = sorted(set(self.variables) ^ set(values))
        if wrong:
            names = ", ".join(wrong)
            raise InvalidInput(
                Text(f"提示词 {self.id} 的变量不符:{names}", f"prompt {self.id} and its variables differ: {names}"),
                where={"prompt": f"{self.id}.{self.lang}"},
            )
        return Template(self.body).substitute(values)


@cache
def load(prompt_id: str, lang: Lang) -> Prompt:
    """The template `prompt_id` in `lang`.

    Raises:
        NotFound: there is no such template in that language.
        InvalidInput: its front matter or its variables are not in order.
    """
    path = _HERE / f"{prompt_id}.{lang}.md"
    if not path.is_file():
        known = sorted(p.name.removesuffix(f".{lang}.md") for p in _HERE.glob(f"*.{lang}.md"))
        raise NotFound(Text(f"没有提示词 {prompt_id!r}", f"there is no prompt {prompt_id!r}"), nearest=known)
    return read_prompt(path.read_text(encoding="utf-8"), path.name)


def read_prompt(text: str, name: str) -> Prompt:
    """A template file's text → Prompt; `name` is the file's name, which must agree with the front matter."""
    match = _FRONT.match(text)
    front: Any = yaml.safe_load(match.group(1)) if match else None
    if match is None or not isinstance(front, dict) or set(front) != _KEYS:
        raise _broken(name, "front matter needs exactly id, version, language, variables")
    if name != f"{front['id']}.{front['language']}.md":
        raise _broken(name, "file name and front matter differ")
    body = match.group(2).strip()
    template = Template(body)
    if not template.is_valid():
        raise _broken(name, "a `$` that starts no variable; write `$$`")
    declared = tuple(str(v) for v in front["variables"])
    if set(template.get_identifiers()) != set(declared):
        raise _broken(name, f"declared {sorted(declared)}, used {sorted(template.get_identifiers())}")
    return Prompt(front["id"], int(front["version"]), front["language"], declared, body)


@cache
def sections(prompt_id: str, lang: Lang) -> dict[str, str]:
    """A template without variables whose body is `## name` sections, as name → text (such as tool descriptions)."""
    parts = _SECTION.split(load(prompt_id, lang).body)
    return {name: body.strip() for name, body in zip(parts[1::2], parts[2::2], strict=True)}


def all_ids() -> list[str]:
    return sorted({p.name.split(".")[0] for p in _HERE.glob("*.md")})


def _broken(name: str, why: str) -> InvalidInput:
    return InvalidInput(
        Text(f"提示词文件 {name} 有误:{why}", f"prompt file {name} is broken: {why}"), where={"file": name}
    )
