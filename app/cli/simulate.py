"""`zhongshu simulate`: sentences and strategy files over recorded events. Standard output has the firings and nothing
else; readback, warnings and everything set aside go to standard error."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer
from typer.core import TyperCommand

from app.cli.progress import ProgressKind, ProgressLine
from app.cli.simulate_screen import Screen
from app.cli.words import cli_lang, t
from core.errors import InvalidInput, ZhongshuError
from core.text import Lang, Text
from core.times import parse_duration, parse_time
from knowledge.catalog import Catalog, load_catalog
from strategy.document import Strategy
from strategy.engines import EngineName, replay_on
from strategy.files import load_strategy
from strategy.language import read_sentence, readback
from strategy.recorded import Recording, open_events, open_facts
from strategy.replay import Dropped, Notice, Replay, named_apart, record_of
from strategy.replay_report import SAMPLE, Report

_ORDER = "zhongshu.simulate.order"

_SIMULATED = Text(
    "这里展示对所有客户会发生什么：授权、灰度比例与对照组不在模拟之内",
    "this shows what would happen for everyone: consent, rollout share and holdout are not simulated",
)


_LARGE = Text(
    "文件很大：加 --engine columnar 会快得多，结果相同",
    "the file is large: with --engine columnar it goes much faster, with the same results",
)
_COMPILES = Text(
    "列式引擎首次使用时要先编译，请稍候", "the columnar engine compiles itself on its first use, which takes a while"
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
        str,
        typer.Option(
            help=t(
                "事件文件：NDJSON（可 gzip）、Parquet 或 Arrow；- 为标准输入",
                "events: NDJSON (gzipped or not), Parquet or Arrow; - for NDJSON on standard input",
            )
        ),
    ],
    say: Annotated[
        list[str] | None, typer.Option(help=t("一句话策略，可多次给出", "a strategy in one sentence; repeatable"))
    ] = None,
    strategy: Annotated[
        list[Path] | None, typer.Option(help=t("策略文件，可多次给出", "a strategy file; repeatable"))
    ] = None,
    facts: Annotated[
        str | None, typer.Option(help=t("事实与关系文件，格式同上", "facts and relations, in any of these formats"))
    ] = None,
    since: Annotated[
        str | None,
        typer.Option(
            "--from",
            help=t("只列出此刻起的触发；之前的照样计入", "list firings from this moment on; what is before counts"),
        ),
    ] = None,
    until: Annotated[
        str | None,
        typer.Option(help=t("最后一个事件之后时间走到此刻", "move event time on to this moment after the last event")),
    ] = None,
    limit_events: Annotated[
        int | None, typer.Option(min=1, help=t("最多读这么多行事件", "read at most so many lines of events"))
    ] = None,
    lateness: Annotated[str, typer.Option(help=t("容许的迟到", "how late an event may come and still count"))] = "10m",
    lang: Annotated[Lang | None, typer.Option(help=t("说明所用的语言", "language of explanations"))] = None,
    json: Annotated[
        bool, typer.Option("--json", help=t("每次触发打印一行 JSON", "print one JSON line a firing"))
    ] = False,
    firings: Annotated[
        bool, typer.Option(help=t("逐条打印触发；否则只有报告", "print the firings, or only the report"))
    ] = True,
    report: Annotated[
        str | None,
        typer.Option(
            help=t(
                "把报告以 JSON 写入文件；- 为标准输出，代替触发",
                "write the report as JSON to a file; - to standard output, in place of the firings",
            )
        ),
    ] = None,
    sample: Annotated[
        int, typer.Option(min=0, max=100, help=t("报告里附几次触发的原因", "how many firings the report explains"))
    ] = SAMPLE,
    seed: Annotated[int, typer.Option(help=t("抽样的种子", "seed of the sample"))] = 0,
    engine: Annotated[
        EngineName,
        typer.Option(
            help=t(
                "匹配引擎；结果相同，columnar 适合大文件",
                "the matcher; the results are the same, columnar is for large files",
            )
        ),
    ] = EngineName.PYTHON,
    progress: Annotated[
        ProgressKind,
        typer.Option(
            help=t("进度：auto 只在终端上，json 到标准错误", "auto: a line on a terminal; json: to standard error")
        ),
    ] = ProgressKind.AUTO,
) -> None:
    tongue = lang or cli_lang()
    screen = Screen(tongue)
    try:
        allowed = parse_duration(lateness, "--lateness")
        if (facts, events) == ("-", "-"):
            raise InvalidInput(
                Text("标准输入只能读一次", "standard input can be read only once"),
                where={"field": "--facts"},
                hint=Text("把事实或事件放进文件", "Put the facts or the events into a file"),
            )
        begin = None if since is None else parse_time(since, "--from")
        end = None if until is None else parse_time(until, "--until")
        loaded = load_catalog(catalog)
        for warning in loaded.warnings:
            screen.warn(warning)
        strategies = _strategies(ctx, say or [], strategy or [], loaded.catalog, screen)
        files = [open_facts(facts, loaded.catalog)] if facts is not None else []
        files.append(open_events(events, loaded.catalog))
        with ProgressLine(progress, tongue, screen.err) as line:
            replay = replay_on(
                engine,
                loaded.catalog,
                strategies,
                lateness=allowed,
                since=begin,
                until=end,
                limit=limit_events,
                watch=lambda summary: line.look(summary, files),
            )
            for warning in [*replay.warnings, *(warning for file in files for warning in file.warnings)]:
                screen.warn(warning)
            screen.say(_SIMULATED)
            if engine is EngineName.COLUMNAR:
                screen.say(_COMPILES)
            elif any(file.large for file in files):
                screen.say(_LARGE)
            told = Report(loaded.catalog, strategies, sample, seed)
            listed = firings and report != "-"
            _run(replay, files, told, screen, _Output(loaded.catalog, listed, json))
            line.look(replay.summary, files, last=True)
        screen.summary(replay.summary)
        screen.report(told.as_dict(tongue), with_sample=not listed)
        if report is not None:
            _write(told, report, tongue)
    except ZhongshuError as error:
        screen.fail(error)
        raise typer.Exit(error.exit_code) from None


def register(app: typer.Typer) -> None:
    """Add the command to an application."""
    about = t("在记录下来的事件上试跑策略", "Run strategies over recorded events.")
    app.command("simulate", cls=SimulateCommand, help=about)(simulate)


def _strategies(
    ctx: typer.Context, sentences: Sequence[str], files: Sequence[Path], catalog: Catalog, screen: Screen
) -> list[Strategy]:
    """All strategies in the order of the command line, each under a name of its own, each read back."""
    order = ctx.meta.get(_ORDER, [])
    if not order:
        raise InvalidInput(
            Text("没有策略可试", "there is no strategy to run"),
            hint=Text('给出 --say "一句话" 或 --strategy 文件', 'Give --say "sentence" or --strategy file'),
        )
    said, stored = iter(sentences), iter(files)
    read = [_read_said(next(said), catalog, screen) if k == "--say" else load_strategy(next(stored)) for k in order]
    found = named_apart(read)
    for before, after in zip(read, found, strict=True):
        if before.name != (name := after.name):
            screen.warn(Text(f"名称重复，改称 {name!r}", f"the name is taken; called {name!r}"))
        screen.readback(name, readback(after, catalog, screen.lang))
    return found


def _read_said(sentence: str, catalog: Catalog, screen: Screen) -> Strategy:
    try:
        reading = read_sentence(sentence, catalog)
    except ZhongshuError as error:
        screen.point_at(sentence, error)
        raise
    for warning in reading.warnings:
        screen.warn(warning)
    return reading.document


@dataclass(frozen=True, slots=True)
class _Output:
    """How firings are printed."""

    catalog: Catalog
    listed: bool
    as_json: bool


def _run(replay: Replay, files: Sequence[Recording], report: Report, screen: Screen, output: _Output) -> None:
    for item in report.follow(replay, files[0] if len(files) > 1 else (), files[-1]):
        if isinstance(item, Notice):
            screen.notice(item)
        elif isinstance(item, Dropped):
            screen.dropped(item)
        elif not output.listed:
            continue
        elif output.as_json:
            typer.echo(orjson.dumps(record_of(item, output.catalog, screen.lang), default=str))
        else:
            screen.fired(item, output.catalog)


def _write(report: Report, path: str, lang: Lang) -> None:
    body = orjson.dumps(report.as_dict(lang), option=orjson.OPT_INDENT_2, default=str)
    if path == "-":
        typer.echo(body)
        return
    try:
        Path(path).write_bytes(body + b"\n")
    except OSError as cause:
        raise InvalidInput(
            Text(f"写不了文件：{cause.strerror}", f"the file cannot be written: {cause.strerror}"),
            where={"field": "--report", "file": path},
        ) from cause


if __name__ == "__main__":
    app_simulate = typer.Typer(add_completion=False)
    register(app_simulate)
    app_simulate()
