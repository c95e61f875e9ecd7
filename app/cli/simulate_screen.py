"""What `zhongshu simulate` shows a person: firings on standard output, everything else on standard error."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from typing import Any

from rich.markup import escape

from app.cli.report import report_lines
from app.terminal import Terminal
from core.errors import NeedsAnswer, ZhongshuError
from core.text import Lang, Text
from core.times import format_time
from knowledge.catalog import Catalog, name_of
from strategy.document import Strategy
from strategy.replay import Dropped, Fired, Notice, Summary, record_of

_SHOWN = 1_000
"""Notices of one kind printed line by line; further ones are counted in the summary."""


class Screen:
    """What a person sees, in one language: firings on standard output, the rest on standard error."""

    def __init__(self, lang: Lang) -> None:
        self.lang: Lang = lang
        self._out = Terminal(soft_wrap=True)
        self.err = Terminal(stderr=True, soft_wrap=True)
        self._printed: dict[str, int] = {}

    def say(self, text: Text) -> None:
        self.err.print(escape(text.say(self.lang)), style="dim")

    def warn(self, text: Text) -> None:
        self._line("yellow", Text("注意", "warning"), text.say(self.lang))

    def readback(self, name: str, text: str) -> None:
        self.err.print(f"[bold]{escape(name)}[/]\n  {escape(text)}")

    def fail(self, error: ZhongshuError) -> None:
        kind = Text("请选择", "question") if isinstance(error, NeedsAnswer) else Text("错误", "error")
        self._line("red", kind, error.say(self.lang))
        for number, choice in enumerate(error.choices if isinstance(error, NeedsAnswer) else (), 1):
            self.err.print(f"  {number}. {escape(choice.say(self.lang))}")

    def point_at(self, sentence: str, error: ZhongshuError) -> None:
        """The sentence with the place of the error marked below it."""
        offset, length = error.where.get("offset"), error.where.get("length", 1)
        self.err.print(f"  {escape(sentence)}")
        if isinstance(offset, int):
            mark = "^" * max(1, _width(sentence[offset : offset + int(length)]))
            self.err.print(f"  {' ' * _width(sentence[:offset])}{mark}", style="red")

    def notice(self, notice: Notice) -> None:
        kind = Text("搁置", "set aside") if notice.kind == "bad" else Text("注意", "warning")
        text = notice.error.say(self.lang) if notice.error else notice.text.say(self.lang)
        self._often(notice.kind, kind, text)

    def dropped(self, dropped: Dropped) -> None:
        self._often("dropped", Text("不发", "dropped"), dropped.text.say(self.lang))

    def _often(self, sort: str, kind: Text, text: str) -> None:
        """What may come many times is printed so often only."""
        self._printed[sort] = self._printed.get(sort, 0) + 1
        if self._printed[sort] <= _SHOWN:
            self._line("yellow", kind, text)
        if self._printed[sort] == _SHOWN:
            self.warn(Text("同类情况以下只计数", "more of this kind are only counted"))

    def fired(self, fired: Fired, catalog: Catalog) -> None:
        record = record_of(fired, catalog, self.lang)
        at = format_time(fired.firing.at, catalog.timezone)
        self._out.print(f"[bold]{at}  {escape(fired.firing.subject)}[/]  {escape(fired.strategy.name)}")
        comma = "、" if self.lang == "zh" else ", "
        self._out.print(f"  → {escape(comma.join(_actions(fired.strategy, catalog, self.lang)))}", style="green")
        if fired.deliver_at is not None:
            later = format_time(fired.deliver_at, catalog.timezone)
            self._out.print("  " + Text(f"免打扰，推迟到 {later}", f"quiet hours, deferred to {later}").say(self.lang))
        for why in record["why"]:
            self._out.print(f"  {escape(why)}")

    def summary(self, summary: Summary) -> None:
        ended = "-" if summary.ended is None else format_time(summary.ended)
        self.err.print(escape(_summary(summary, ended).say(self.lang)), style="bold")

    def report(self, report: dict[str, Any], *, with_sample: bool) -> None:
        for line in report_lines(report, self.lang, with_sample=with_sample):
            self.err.print(escape(line))

    def _line(self, colour: str, kind: Text, text: str) -> None:
        colon = "：" if self.lang == "zh" else ": "
        self.err.print(f"[{colour}]{kind.say(self.lang)}{colon}[/]{escape(text)}")


def _summary(s: Summary, ended: str) -> Text:
    zh = [f"事件 {s.events}", f"事实 {s.facts}", f"触发 {s.firings}", f"时间到 {ended}"]
    en = [f"{s.events} events", f"{s.facts} facts", f"{s.firings} firings", f"time ended at {ended}"]
    for count, in_zh, in_en in (
        (s.bad, "坏行 {} 条已搁置", "{} bad lines set aside"),
        (s.late, "迟到 {}", "{} late"),
        (s.duplicates, "重复 {}", "{} duplicates"),
        (s.dropped, "未发 {}", "{} dropped by guards"),
    ):
        if count:
            zh.append(in_zh.format(count))
            en.append(in_en.format(count))
    return Text("，".join(zh) + "。", ", ".join(en) + ".")


def _actions(strategy: Strategy, catalog: Catalog, lang: Lang) -> Iterator[str]:
    for call in strategy.actions:
        known = catalog.actions.get(call.action or "")
        yield name_of(known, call.label, lang) if known else call.label


def _width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)
