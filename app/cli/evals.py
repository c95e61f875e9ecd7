"""`zhongshu eval run|compare`: the evals room against the hub."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from app.cli.show import AsJson, as_json, note, out, say, table
from app.cli.words import t

if TYPE_CHECKING:
    from evals.cases import Suite
    from evals.results import Comparison, SuiteRun

group = typer.Typer(no_args_is_help=True)

BELOW_THRESHOLD = 10
"""Exit code when a suite falls under its threshold, or a comparison shows a regression."""


def register(app: typer.Typer) -> None:
    app.add_typer(group, name="eval", help=t("评测：运行、比较", "Evals: run, compare"))


@group.command(
    "run",
    help=t(
        "在演示世界上运行评测集；低于门槛则以 10 退出", "Run suites on the demo world; exits with 10 under a threshold"
    ),
)
def run(
    suites: Annotated[list[str] | None, typer.Argument(help=t("评测集；默认全部", "suites; all by default"))] = None,
    threshold: Annotated[
        float | None,
        typer.Option(min=0, max=1, help=t("所有指标的门槛，代替评测集自带的", "one threshold for all scorers")),
    ] = None,
    limit: Annotated[int | None, typer.Option(min=1, help=t("每集只跑前几条", "only the first cases"))] = None,
    folder: Annotated[Path, typer.Option("--out", help=t("结果存放处", "where results are kept"))] = Path("var/evals"),
    json: AsJson = False,
) -> None:
    from app.evaluation import demo_subject
    from core.clock import SystemClock
    from core.ids import new_id
    from core.times import format_time
    from evals.cases import SUITES, load_suite
    from evals.results import Run
    from evals.runner import run_suite

    chosen = [load_suite(name) for name in suites or SUITES]
    clock = SystemClock()
    note(t("准备演示世界……", "Preparing the demo world …"))
    with demo_subject() as (name, subject):
        found = [run_suite(s, subject, name=name, log_dir=folder / "inspect", limit=limit) for s in chosen]
    result = Run(run=new_id("eval", clock), at=format_time(clock.now()), suites=tuple(found))
    path = result.save(folder)
    failed = [miss for suite, ran in zip(chosen, found, strict=True) for miss in _misses(suite, ran, threshold)]
    if json:
        as_json({**result.model_dump(mode="json"), "file": str(path), "below_threshold": failed})
    else:
        _show(chosen, found, threshold)
        note(t(f"结果：{path}", f"Result: {path}"))
    if failed:
        note(t("低于门槛：", "Below the threshold: ") + ", ".join(failed), style="red")
        raise typer.Exit(BELOW_THRESHOLD)


@group.command(
    "compare",
    help=t("逐条比较两次运行；显著变差则以 10 退出", "Compare two runs case by case; exits with 10 on a regression"),
)
def compare_runs(
    baseline: Annotated[Path, typer.Argument(help=t("基线结果文件", "the baseline's result file"))],
    candidate: Annotated[Path, typer.Argument(help=t("新结果文件", "the new result file"))],
    alpha: Annotated[float, typer.Option(min=0, max=1, help=t("显著性水平", "significance level"))] = 0.05,
    json: AsJson = False,
) -> None:
    from core.errors import InvalidInput
    from core.text import Text
    from evals.results import compare, load_run

    found = compare(load_run(baseline), load_run(candidate))
    if not found:
        raise InvalidInput(Text("两次运行没有共同的用例", "the two runs have no case in common"))
    worse = [c for c in found if len(c.lost) > len(c.won) and c.p <= alpha]
    if json:
        as_json([c._asdict() for c in found])
    else:
        _show_comparison(found)
    if worse:
        note(t("显著变差：", "Significantly worse: ") + ", ".join(f"{c.suite}/{c.scorer}" for c in worse), style="red")
        raise typer.Exit(BELOW_THRESHOLD)


def _wanted(suite: Suite, scorer: str, threshold: float | None) -> float:
    return suite.thresholds.get(scorer, 0.0) if threshold is None else threshold


def _misses(suite: Suite, ran: SuiteRun, threshold: float | None) -> list[str]:
    return [f"{ran.suite}/{s}" for s in ran.scorers if ran.share(s) < _wanted(suite, s, threshold)]


def _show(suites: list[Suite], runs: list[SuiteRun], threshold: float | None) -> None:
    from evals.results import wilson

    rows = []
    for suite, ran in zip(suites, runs, strict=True):
        for scorer in ran.scorers:
            verdicts = ran.of(scorer)
            right = sum(v.right for v in verdicts)
            low, high = wilson(right, len(verdicts))
            wanted = _wanted(suite, scorer, threshold)
            mark = "✓" if ran.share(scorer) >= wanted else "✗"
            share = f"{ran.share(scorer):.1%}"
            rows.append(
                (ran.suite, scorer, f"{right}/{len(verdicts)}", share, f"{low:.0%}–{high:.0%}", f"{wanted:.0%}", mark)
            )
    head = t(
        "评测集 指标 正确 比例 95%区间 门槛 结果", "suite scorer right share 95%-interval threshold result"
    ).split()
    table(head, rows, t("没有结果", "no results"))
    wrong = [(r.suite, v.case, v.scorer, v.why) for r in runs for v in r.verdicts if not v.right]
    if wrong:
        out.print()
        table(t("评测集 用例 指标 原因", "suite case scorer why").split(), wrong, "")


def _show_comparison(found: list[Comparison]) -> None:
    rows = [
        (c.suite, c.scorer, c.cases, f"{c.baseline:.1%}", f"{c.candidate:.1%}", len(c.lost), len(c.won), f"{c.p:.3f}")
        for c in found
    ]
    head = t("评测集 指标 用例 基线 新 变差 变好 p", "suite scorer cases baseline new lost won p").split()
    table(head, rows, "")
    for c in found:
        if c.lost:
            say(t("变差", "lost") + f" {c.suite}/{c.scorer}: " + ", ".join(c.lost))
        if c.won:
            say(t("变好", "won") + f" {c.suite}/{c.scorer}: " + ", ".join(c.won))
