"""How far a replay has come: a line on a terminal, or JSON objects on standard error for programs that ask for them."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from enum import StrEnum
from typing import Any

import orjson
from rich.progress import BarColumn, Progress, TextColumn

from app.terminal import Terminal
from core.clock import Clock, SystemClock
from core.text import Lang, Text
from core.times import SECOND
from strategy.recorded import Recording
from strategy.replay import Summary

_LINE_EVERY = SECOND // 4
_OBJECT_EVERY = SECOND


class ProgressKind(StrEnum):
    AUTO = "auto"
    JSON = "json"
    NONE = "none"


class ProgressLine:
    """Call `look` between chunks of lines; it shows something when enough time has passed. Use as a context manager."""

    def __init__(self, kind: ProgressKind, lang: Lang, console: Terminal, clock: Clock | None = None) -> None:
        self._json = kind is ProgressKind.JSON
        self._lang = lang
        self._clock = clock or SystemClock()
        self._began = self._shown = self._clock.now()
        self._line: Progress | None = None
        if kind is ProgressKind.AUTO and console.is_terminal:
            columns = (BarColumn(20), TextColumn("{task.description}"))
            both = sys.stdout.isatty()
            self._line = Progress(*columns, console=console, transient=True, auto_refresh=False, redirect_stdout=both)
            self._task = self._line.add_task("", total=None)

    def __enter__(self) -> ProgressLine:
        if self._line is not None:
            self._line.start()
        return self

    def __exit__(self, *exc: object) -> None:
        if self._line is not None:
            self._line.stop()

    def look(self, summary: Summary, files: Sequence[Recording], *, last: bool = False) -> None:
        """Of a replay in this process: `files` in the order in which they are read; the last one, of events, is what
        takes time."""
        if last or self._is_time():
            counts = {"events": summary.events, "facts": summary.facts, "firings": summary.firings}
            self.show({"share": files[-1].share, **counts})

    def show(self, progress: dict[str, Any]) -> None:
        """`share` (None: not known), `events`, `facts` and `firings` so far, as `GET /v1/replays/{replay}` has them."""
        self._shown = self._clock.now()
        seconds = (self._shown - self._began) / SECOND
        share, events, firings = progress["share"], progress["events"], progress["firings"]
        speed = round((events + progress["facts"]) / seconds) if seconds else 0
        if self._json:
            told = {
                "share": None if share is None else round(share, 4),
                "events": events,
                "facts": progress["facts"],
                "firings": firings,
                "events_per_second": speed,
                "seconds": round(seconds, 3),
            }
            sys.stderr.write(orjson.dumps({"progress": told}).decode() + "\n")
            sys.stderr.flush()
        elif self._line is not None:
            done = "" if share is None else f"{share:4.0%}  "
            said = Text(
                f"{done}{events:,} 个事件，每秒 {speed:,}，触发 {firings:,}",
                f"{done}{events:,} events, {speed:,}/s, {firings:,} firings",
            ).say(self._lang)
            self._line.update(self._task, total=1.0 if share is not None else None, completed=share or 0.0)
            self._line.update(self._task, description=said, refresh=True)

    def _is_time(self) -> bool:
        return self._clock.now() - self._shown >= (_OBJECT_EVERY if self._json else _LINE_EVERY)
