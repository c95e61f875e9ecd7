"""`zhongshu simulate`: sentences and strategy files over recorded events. Standard output has the firings and nothing
else; readback, warnings and everything set aside go to standard error."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer
from rich.markup import escape
from typer.core import TyperCommand

from app.cli.words import cli_lang, t
from app.terminal import Terminal
from core.errors import InvalidInput, NeedsAnswer, ZhongshuError
from core.text import Lang, Text
from core.times import format_time, parse_duration, parse_time
from knowledge.catalog import Catalog, load_catalog, name_of
from strategy.document import Strategy
from strategy.files import load_strategy
from strategy.language import read_sentence, readback
from strategy.replay import Fired, Notice, Replay, Summary, record_of
from strategy.stream import event_of, fact_of, open_lines, read_lines

_SHOWN = 1_000
"""Notices of one kind printed line by line; further ones are counted in the summary."""
_ORDER = "zhongshu.simulate.order"

_SIMULATED = Text(
    "这里展示对所有客户会发生什么：授权、灰度比例与对照组不在模拟之内",
    "this shows what would happen for everyone: consent, rollout share and holdout are not simulated",
)


class SimulateCommand(TyperCommand):
    """Remembers how `--say` and `--strategy` alternate, which the option lists alone do not tell."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        order: list[str] = []
        words = iter(args)
        for word in words:
            name, equals, _ = word.partition("=")
            if name in ("--say", "--strategy"):
                order.append(name)
                if not equals:
                    next(words, None)
        ctx.meta[_ORDER] = order
        return super().parse_args(ctx, args)


def simulate(
    ctx: typer.Context,
    catalog: Annotated[Path, typer.Option(help=t("目录文件（YAML）", "the catalog (YAML)"))],
    events: Annotated[
        str, typer.Option(help=t("事件文件，每行一个 CloudEvent；- 为标准输入", "CloudEvents, one a line; - for stdin"))
    ],
    say: Annotated[
        list[str] | None, typer.Option(help=t("一句话策略，可多次给出", "a strategy in one sentence; repeatable"))
    ] = None,
    strategy: Annotated[
        list[Path] | None, typer.Option(help=t("策略文件，可多次给出", "a strategy file; repeatable"))
    ] = None,
    facts: Annotated[
        str | None, typer.Option(help=t("事实与关系文件，每行一条", "facts and relations, one a line"))
    ] = None,
    until: Annotated[
        str | None,
        typer.Option(help=t("最后一个事件之后时间走到此刻", "move event time on to this moment after the last event")),
    ] = None,
    lateness: Annotated[str, typer.Option(help=t("容许的迟到", "how late an event may come and still count"))] = "10m",
    lang: Annotated[Lang | None, typer.Option(help=t("说明所用的语言", "language of explanations"))] = None,
    json: Annotated[
        bool, typer.Option("--json", help=t("每次触发打印一行 JSON", "print one JSON line a firing"))
    ] = False,
) -> None:
    tongue = lang or cli_lang()
    screen = _Screen(tongue)
    try:
        allowed = parse_duration(lateness, "--lateness")
        if (facts, events) == ("-", "-"):
            raise InvalidInput(
                Text("标准输入只能读一次", "standard input can be read only once"),
                where={"field": "--facts"},
                hint=Text("把事实或事件放进文件", "Put the facts or the events into a file"),
            )
        end = None if until is None else parse_time(until, "--until")
        loaded = load_catalog(catalog)
        for warning in loaded.warnings:
            screen.warn(warning)
        strategies = _strategies(ctx, say or [], strategy or [], loaded.catalog, screen)
        replay = Replay(loaded.catalog, strategies, lateness=allowed, until=end)
        for warning in replay.warnings:
            screen.warn(warning)
        screen.say(_SIMULATED)
        _run(replay, loaded.catalog, facts, events, screen, json)
    except ZhongshuError as error:
        screen.fail(error)
        raise typer.Exit(error.exit_code) from None


def register(app: typer.Typer) -> None:
    """Add the command to an application."""
    about = t("在记录下来的事件上试跑策略", "Run strategies over recorded events.")
    app.command("simulate", cls=SimulateCommand, help=about)(simulate)


def _strategies(
    ctx: typer.Context, sentences: Sequence[str], files: Sequence[Path], catalog: Catalog, screen: _Screen
) -> list[Strategy]:
    """All strategies in the order of the command line, each under a name of its own, each read back."""
    order = ctx.meta.get(_ORDER, [])
    if not order:
        raise InvalidInput(
            Text("没有策略可试", "there is no strategy to run"),
            hint=Text('给出 --say "一句话" 或 --strategy 文件', 'Give --say "sentence" or --strategy file'),
        )
    said, stored, found = iter(sentences), iter(files), dict[str, Strategy]()
    for kind in order:
        read = _read_said(next(said), catalog, screen) if kind == "--say" else load_strategy(next(stored))
        name, number = read.name, 1
        while name in found:
            number += 1
            name = f"{read.name} ({number})"
        if name != read.name:
            screen.warn(Text(f"名称重复，改称 {name!r}", f"the name is taken; called {name!r}"))
            read = read.model_copy(update={"name": name})
        found[name] = read
        screen.readback(name, readback(read, catalog, screen.lang))
    return list(found.values())


def _read_said(sentence: str, catalog: Catalog, screen: _Screen) -> Strategy:
    try:
        reading = read_sentence(sentence, catalog)
    except ZhongshuError as error:
        screen.point_at(sentence, error)
        raise
    for warning in reading.warnings:
        screen.warn(warning)
    return reading.document


def _run(replay: Replay, catalog: Catalog, facts: str | None, events: str, screen: _Screen, as_json: bool) -> None:
    fact_lines = read_lines(open_lines(facts), catalog, fact_of) if facts is not None else iter(())
    event_lines = read_lines(open_lines(events), catalog, event_of)
    for item in replay.run(fact_lines, event_lines):
        if isinstance(item, Notice):
            screen.notice(item)
        elif as_json:
            typer.echo(orjson.dumps(record_of(item, catalog, screen.lang), default=str))
        else:
            screen.fired(item, catalog)
    screen.summary(replay.summary)


class _Screen:
    """What a person sees, in one language: firings on standard output, the rest on standard error."""

    def __init__(self, lang: Lang) -> None:
        self.lang: Lang = lang
        self._out = Terminal(soft_wrap=True)
        self._err = Terminal(stderr=True, soft_wrap=True)
        self._printed: dict[str, int] = {}

    def say(self, text: Text) -> None:
        self._err.print(escape(text.say(self.lang)), style="dim")

    def warn(self, text: Text) -> None:
        self._line("yellow", Text("注意", "warning"), text.say(self.lang))

    def readback(self, name: str, text: str) -> None:
        self._err.print(f"[bold]{escape(name)}[/]\n  {escape(text)}")

    def fail(self, error: ZhongshuError) -> None:
        kind = Text("请选择", "question") if isinstance(error, NeedsAnswer) else Text("错误", "error")
        self._line("red", kind, error.say(self.lang))
        for number, choice in enumerate(error.choices if isinstance(error, NeedsAnswer) else (), 1):
            self._err.print(f"  {number}. {escape(choice.say(self.lang))}")

    def point_at(self, sentence: str, error: ZhongshuError) -> None:
        """The sentence with the place of the error marked below it."""
        offset, length = error.where.get("offset"), error.where.get("length", 1)
        self._err.print(f"  {escape(sentence)}")
        if isinstance(offset, int):
            mark = "^" * max(1, _width(sentence[offset : offset + int(length)]))
            self._err.print(f"  {' ' * _width(sentence[:offset])}{mark}", style="red")

    def notice(self, notice: Notice) -> None:
        self._printed[notice.kind] = self._printed.get(notice.kind, 0) + 1
        if self._printed[notice.kind] > _SHOWN:
            return
        kind = {"bad": Text("搁置", "set aside"), "dropped": Text("不发", "dropped")}.get(notice.kind)
        text = notice.error.say(self.lang) if notice.error else notice.text.say(self.lang)
        self._line("yellow", kind or Text("注意", "warning"), text)
        if self._printed[notice.kind] == _SHOWN:
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
        self._err.print(escape(_summary(summary, ended).say(self.lang)), style="bold")
        for name, count in summary.by_strategy.items():
            self._err.print(f"  {count:>6}  {escape(name)}")

    def _line(self, colour: str, kind: Text, text: str) -> None:
        colon = "：" if self.lang == "zh" else ": "
        self._err.print(f"[{colour}]{kind.say(self.lang)}{colon}[/]{escape(text)}")


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


if __name__ == "__main__":
    app_simulate = typer.Typer(add_completion=False)
    register(app_simulate)
    app_simulate()
