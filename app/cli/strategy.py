"""`zhongshu strategy`: draft, list, show, approve, pause, resume, retire."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from app.cli.card import card, conflicts, recommend
from app.cli.show import AsJson, as_json, err, note, say, table
from app.cli.words import cli_lang, t
from core.errors import InvalidInput
from core.text import Text

if TYPE_CHECKING:
    from app.cli.reach import Api

_POLL = 0.1
"""Seconds between looks at a replay under way."""
group = typer.Typer(no_args_is_help=True)
Name = Annotated[str, typer.Argument(metavar="NAME", help=t("策略名", "the strategy's name"))]


def register(app: typer.Typer) -> None:
    app.add_typer(
        group, name="strategy", help=t("策略：起草、查看、批准、暂停", "Strategies: draft, look, approve, pause")
    )


@group.command("draft", help=t("由一句话或文件起草；读回给您确认", "Draft from a sentence or a file; it is read back"))
def draft(
    sentence: Annotated[str | None, typer.Argument(help=t("一句话", "the sentence"))] = None,
    file: Annotated[Path | None, typer.Option(help=t("策略文件", "a strategy file instead"))] = None,
    catalog: Annotated[
        Path | None,
        typer.Option(help=t("目录文件；只读句子，不需要中枢", "a catalog: only read the sentence; no hub is needed")),
    ] = None,
    name: Annotated[str | None, typer.Option(help=t("起个名字", "call it so"))] = None,
    answer: Annotated[
        list[str] | None,
        typer.Option(
            metavar="SAID=MEANS",
            help=t(
                "回答提问：说法=含义；问的是整句时只写选项",
                "answer a question: the words = a choice; of the whole sentence, the choice",
            ),
        ),
    ] = None,
    remember: Annotated[bool, typer.Option(help=t("以后也按这些回答", "let the answers hold from now on"))] = False,
    json: AsJson = False,
) -> None:
    from app.cli.reach import open_api

    body: dict[str, Any] = {"name": name} if name else {}
    if answer:
        body |= {"answers": dict(_answered(each, sentence) for each in answer), "remember": remember}
    if (sentence is None) == (file is None):
        raise InvalidInput(Text("给出一句话或 --file，二者取一", "give either a sentence or --file"))
    if catalog is not None:
        if remember:
            raise InvalidInput(
                Text("--remember 要有中枢来记", "--remember needs a hub to remember"),
                where={"field": "--remember"},
                hint=Text("去掉 --catalog，或去掉 --remember", "Drop --catalog, or drop --remember"),
            )
        _draft_alone(catalog, sentence, name, body.get("answers", {}), json)
        return
    if file is not None:
        from strategy.files import load_strategy

        body["document"] = load_strategy(file).model_dump(mode="json", exclude_none=True)
    else:
        body["sentence"] = sentence
    with open_api() as api:
        found = api.post("strategies", body=body)
    if json:
        as_json(found)
        return
    _card(found)
    note(t("运行它：", "Run it: ") + f"zhongshu strategy approve '{found['name']}' --percent 1")


def _answered(text: str, sentence: str | None) -> tuple[str, str]:
    """What was asked about and what it means; without a `=` it was the sentence as a whole."""
    if sentence and text.strip() and "=" not in text:
        return sentence, text.strip()
    said, sign, means = text.partition("=")
    if not (said.strip() and sign and means.strip()):
        raise InvalidInput(
            Text(f"看不懂回答 {text!r}", f"cannot read the answer {text!r}"),
            hint=Text("例如 --answer “贵宾=大客户”", "For example --answer 'VIPs=high-value customers'"),
        )
    return said.strip(), means.strip()


def _draft_alone(catalog: Path, sentence: str | None, name: str | None, answers: dict[str, str], json: bool) -> None:
    """Read a sentence over a catalog file, as a hub with these settings would. Exit code 3: it asks back; 4: it was
    refused."""
    from app.agents_room import sentence_reader
    from app.logs import set_up_logs
    from app.settings import load_settings
    from core.clock import SystemClock
    from knowledge.catalog import load_catalog
    from strategy.drafted import drafted

    if sentence is None:
        raise InvalidInput(Text("--catalog 要配一句话", "--catalog goes with a sentence"), where={"field": "--catalog"})
    set_up_logs("warning", "console")
    reader = sentence_reader(load_settings(), SystemClock())
    found = drafted(sentence, load_catalog(catalog).catalog, reader, name=name, answers=answers)
    if json:
        as_json(found.as_dict(cli_lang()))
    elif found.readback is not None:
        say(found.readback.say(cli_lang()))
        for warning in found.warnings:
            say(t("  注意：", "  warning: ") + warning.say(cli_lang()), "yellow")
    elif found.error is not None:
        note(found.error.say(cli_lang()), "red")
        for number, choice in enumerate(getattr(found.error, "choices", []), 1):
            note(f"  {number}. {choice.say(cli_lang())}", "red")
    if found.exit_code:
        raise typer.Exit(found.exit_code)


@group.command("list", help=t("列出策略", "List strategies"))
def list_strategies(json: AsJson = False) -> None:
    from app.cli.reach import open_api

    with open_api() as api:
        found = api.get("strategies")["items"]
    if json:
        as_json(found)
        return
    head = [t("名称", "name"), t("版本", "version"), t("状态", "state"), t("放量", "share"), t("读作", "reads")]
    rows = [(s["name"], s["version"], _state(s), f"{s['percent']:g}%", s["readback"]) for s in found]
    table(head, rows, t("还没有策略", "no strategies yet"))


@group.command("show", help=t("看一个策略", "Show a strategy"))
def show(name: Name, version: Annotated[int | None, typer.Option()] = None, json: AsJson = False) -> None:
    from app.cli.reach import open_api

    with open_api() as api:
        found = api.get("strategies", name, version=version)
    if json:
        as_json(found)
        return
    _card(found)
    from strategy.document import Strategy
    from strategy.files import dump_strategy

    say("")
    say(dump_strategy(Strategy.model_validate(found["document"])), "dim")


@group.command("rehearse", help=t("在已有记录上演练，不发送", "Rehearse it on what is recorded; nothing is sent"))
def rehearse(
    name: Name,
    version: Annotated[int | None, typer.Option(help=t("版本；默认最新", "version; default: the newest"))] = None,
    since: Annotated[
        str | None, typer.Option("--from", help=t("从此刻起的触发", "firings from this moment on"))
    ] = None,
    until: Annotated[str | None, typer.Option(help=t("时间走到此刻", "event time goes on to this moment"))] = None,
    events: Annotated[
        str | None,
        typer.Option(help=t("已上传的历史；默认中枢的记录", "an uploaded history; default: the hub's own")),
    ] = None,
    json: AsJson = False,
) -> None:
    from app.cli.reach import open_api
    from app.cli.report import report_lines

    body = {"strategies": [{"name": name, "version": version}], "from": since, "until": until, "events": events}
    with open_api() as api:
        found = _replayed(api, {key: value for key, value in body.items() if value is not None})
    if json:
        as_json(found)
    else:
        for line in report_lines(found["report"], cli_lang(), with_sample=True):
            say(line)


def _replayed(api: Api, body: dict[str, Any]) -> dict[str, Any]:
    """Replay in the hub and wait for the end, showing how far it is; interrupted, call it off."""
    from app.cli.progress import ProgressKind, ProgressLine
    from app.cli.reach import Reply

    found = api.post("replays", body=body)
    with ProgressLine(ProgressKind.AUTO, cli_lang(), err) as line:
        try:
            while found["ended_at"] is None:
                threading.Event().wait(_POLL)
                found = api.get("replays", found["id"])
                line.show(found["progress"])
        except KeyboardInterrupt:
            api.delete("replays", found["id"])
            raise
    if found["state"] != "done":
        message = (found["error"] or {}).get("message", found["state"])
        raise Reply({**(found["error"] or {}), "detail": message})
    return dict(found)


@group.command("approve", help=t("批准上线到一部分客户", "Start it on a share of customers"))
def approve(
    name: Name,
    percent: Annotated[
        float | None, typer.Option(help=t("客户比例（%）；默认按文档", "share of customers, in percent"))
    ] = None,
    version: Annotated[int | None, typer.Option(help=t("版本；默认最新", "version; default: the newest"))] = None,
    json: AsJson = False,
) -> None:
    from app.cli.reach import open_api

    with open_api() as api:
        chosen = version or api.get("strategies", name, "versions")["items"][-1]["version"]
        found = api.post("strategies", name, "approve", body={"version": chosen, "percent": percent})
    _changed(found, json)


@group.command("pause", help=t("暂停", "Pause it"))
def pause(name: Name, json: AsJson = False) -> None:
    _change(name, "pause", json)


@group.command("resume", help=t("恢复", "Resume it"))
def resume(name: Name, json: AsJson = False) -> None:
    _change(name, "resume", json)


@group.command("retire", help=t("永久停用", "Retire it for good"))
def retire(name: Name, json: AsJson = False) -> None:
    _change(name, "retire", json)


group.command("card", help=t("策略卡：读回、重放、触达、冲突、变化", "The card: readback, replay, reach, conflicts"))(
    card
)
group.command("conflicts", help=t("策略之间的冲突，各附一例", "Conflicts between strategies, each with a case"))(
    conflicts
)
group.command("recommend", help=t("建议新增的策略，附依据", "What to add, with the evidence"))(recommend)


def _change(name: str, verb: str, json: bool) -> None:
    from app.cli.reach import open_api

    with open_api() as api:
        found = api.post("strategies", name, verb)
    _changed(found, json)


def _changed(found: dict[str, Any], json: bool) -> None:
    if json:
        as_json(found)
    else:
        say(f"{found['name']} v{found['version']}: {_state(found)}, {found['percent']:g}%", "green")


def _state(found: dict[str, Any]) -> str:
    from strategy.tables import State
    from strategy.versions import STATE_NAMES

    return STATE_NAMES[State(found["state"])].say(cli_lang())


def _card(found: dict[str, Any]) -> None:
    say(f"{found['name']} · v{found['version']} · {_state(found)} · {found['percent']:g}%", "bold")
    say(f"  {found['readback']}")
    if found["read_by"] == "model":
        say(t("  读法：语言模型", "  read by: a language model"), "dim")
    if found.get("memory"):
        say(t("  内存：", "  memory: ") + found["memory"]["said"], "dim")
    for warning in found["warnings"]:
        say(t("  注意：", "  warning: ") + warning, "yellow")
