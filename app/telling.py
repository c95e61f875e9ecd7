"""How the demo's stories look in a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from rich.padding import Padding
from rich.rule import Rule
from rich.text import Text as Line

from app.terminal import Terminal
from core.text import Lang, Text


class Teller:
    """Numbered steps under titles, in one language."""

    def __init__(self, lang: Lang) -> None:
        self.lang: Lang = lang
        self._out = Terminal()
        self._step = 0

    def title(self, text: Text) -> None:
        self._step = 0
        self._out.print()
        self._out.print(Rule(Line(text.say(self.lang), style="bold"), align="left", style="dim"))

    def note(self, text: Text) -> None:
        self._out.print(Line(text.say(self.lang), style="dim"))

    def step(self, text: Text, lines: Iterable[str]) -> None:
        self._head(text)
        for line in lines:
            if line:
                self._out.print(_indented(line, 4))

    def layers(self, text: Text, headline: str, layers: Sequence[dict[str, Any]]) -> None:
        """A layered answer: each layer's title, its lines under it."""
        self._head(text)
        self._out.print(_indented(headline, 4))
        for layer in layers:
            self._out.print(_indented(layer["title"], 4, "cyan"))
            for line in layer["lines"]:
                self._out.print(_indented(line, 6))

    def commands(self, commands: Sequence[tuple[Text, str]]) -> None:
        for what, command in commands:
            self._out.print(Line(f"  {what.say(self.lang)}", style="dim"))
            self._out.print(Line(f"    {command}", style="green"), soft_wrap=True)

    def _head(self, text: Text) -> None:
        self._step += 1
        self._out.print(Line.assemble((f"{self._step:>2}  ", "bold cyan"), (text.say(self.lang), "bold")))


def _indented(text: str, columns: int, style: str = "") -> Padding:
    return Padding(Line(text, style=style), (0, 0, 0, columns), expand=False)
