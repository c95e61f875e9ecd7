"""`zhongshu strategy card | conflicts | recommend`: against a hub, or over files without one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from app.cli.report import report_lines
from app.cli.show import AsJson, as_json, note, say
from app.cli.words import cli_lang, t
from app.likeness import offline_likeness
from core.errors import InvalidInput
from core.text import Text

if TYPE_CHECKING:
    from knowledge.catalog import Catalog
    from strategy.card import Recorded
    from strategy.document import Strategy

CatalogFile = Annotated[
    Path | None,
    typer.Option("--catalog", help=t("目录文件；给出时不需要运行中的中枢", "a catalog; then no hub is needed")),
]
Folder = Annotated[Path | None, typer.Option("--strategies", help=t("策略文件的文件夹", "a folder of strategy files"))]
Events = Annotated[str | None, typer.Option(help=t("事件记录，用来重放", "recorded events, to replay over"))]
Facts = Annotated[str | None, typer.Option(help=t("事实记录", "recorded facts"))]


def card(
    name: Annotated[str | None, typer.Argument(metavar="NAME", help=t("策略名", "the strategy's name"))] = None,
    version: Annotated[int | None, typer.Option(help=t("版本；默认最新", "version; default: the newest"))] = None,
    replay: Annotated[bool, typer.Option(help=t("在记录上重放", "replay it over what is recorded"))] = True,
    catalog: CatalogFile = None,
    sentence: Annotated[str | None, typer.Option("--say", help=t("一句话", "a sentence"))] = None,
    file: Annotated[Path | None, typer.Option(help=t("策略文件", "a strategy file"))] = None,
    strategies: Folder = None,
    events: Events = None,
    facts: Facts = None,
    json: AsJson = False,
) -> None:
    if catalog is not None:
        found = _local_card(catalog, sentence, file, strategies, events, facts)
    else:
        _needs_catalog(strategies=strategies, events=events, facts=facts)
        found = _card_in_hub(name, version, sentence, file, replay)
    if json:
        as_json(found)
        return
    for line in card_lines(found):
        say(line)


def _needs_catalog(**options: Path | str | None) -> None:
    """A hub has strategies and records of its own: raises InvalidInput for an option that brings others."""
    for name in (name for name, value in options.items() if value is not None):
        raise InvalidInput(
            Text(f"--{name} 要配 --catalog", f"--{name} goes with --catalog"),
            where={"field": f"--{name}"},
            hint=Text(f"加上 --catalog，或去掉 --{name}", f"Add --catalog, or drop --{name}"),
        )


def _card_in_hub(
    name: str | None, version: int | None, sentence: str | None, file: Path | None, replay: bool
) -> dict[str, Any]:
    from app.cli.reach import open_api

    if [name, sentence, file].count(None) != 2:
        raise InvalidInput(
            Text("给出策略名、--say 或 --file，三者取一", "give a strategy's name, --say or --file, one of them")
        )
    if version is not None and name is None:
        raise InvalidInput(Text("--version 要配策略名", "--version goes with a name"), where={"field": "--version"})
    replayed = "true" if replay else "false"
    with open_api() as api:
        if name is not None:
            of = () if version is None else ("versions", str(version))
            return dict(api.get("strategies", name, *of, "card", replay=replayed))
        body: dict[str, Any] = {"sentence": sentence}
        if file is not None:
            from strategy.files import load_strategy

            body = {"document": load_strategy(file).model_dump(mode="json", exclude_none=True)}
        return dict(api.post("cards", body=body, replay=replayed))


def conflicts(
    name: Annotated[str | None, typer.Argument(metavar="NAME", help=t("只看这个策略", "only this strategy's"))] = None,
    catalog: CatalogFile = None,
    strategies: Folder = None,
    events: Events = None,
    facts: Facts = None,
    history: Annotated[
        bool, typer.Option(help=t("统计实际发生过几次", "count how often each happened in what is recorded"))
    ] = False,
    json: AsJson = False,
) -> None:
    if catalog is not None:
        if strategies is None:
            raise InvalidInput(Text("缺少 --strategies", "--strategies is missing"), where={"field": "--strategies"})
        found = _local_conflicts(catalog, strategies, name, events, facts)
    else:
        _needs_catalog(strategies=strategies, events=events, facts=facts)
        from app.cli.reach import open_api

        with open_api() as api:
            found = {"conflicts": api.get("conflicts", strategy=name, history="true" if history else None)["items"]}
    if json:
        as_json(found)
        return
    for clash in found["conflicts"]:
        for line in clash_lines(clash):
            say(line, "" if clash["decided"] else "dim")
    if not found["conflicts"]:
        note(t("没有发现冲突", "no conflicts found"))


def recommend(json: AsJson = False) -> None:
    from app.cli.reach import open_api

    with open_api() as api:
        found = api.get("recommendations")["items"]
    if json:
        as_json(found)
        return
    for each in found:
        say(f"{each['name']} · {each['kind']}", "bold")
        say(f"  {each['why']}")
        if each["evidence"]["subjects"]:
            say("  " + ", ".join(each["evidence"]["subjects"][:5]), "dim")
        say(f"  zhongshu strategy draft {each['sentence'][cli_lang()]!r}")
    if not found:
        note(t("没有要推荐的", "nothing to recommend"))


# over files


def _local_card(
    catalog: Path, sentence: str | None, file: Path | None, folder: Path | None, events: str | None, facts: str | None
) -> dict[str, Any]:
    from knowledge.catalog import load_catalog
    from strategy.card import card_of
    from strategy.files import load_strategy
    from strategy.language import read_sentence

    known = load_catalog(catalog).catalog
    if (sentence is None) == (file is None):
        raise InvalidInput(Text("给出 --say 或 --file，二者取一", "give either --say or --file"))
    others = [] if folder is None else _in_folder(folder)
    past = _recorded(known, events, facts)
    if file is not None:
        return card_of(load_strategy(file), known, others=others, history=past).as_dict(cli_lang())
    reading = read_sentence(sentence or "", known, likeness=offline_likeness())
    made = card_of(
        reading.document, known, others=others, history=past,
        sentence=sentence, path=reading.read_by, warnings=reading.warnings,
    )  # fmt: skip
    return made.as_dict(cli_lang())


def _local_conflicts(
    catalog: Path, folder: Path, name: str | None, events: str | None, facts: str | None
) -> dict[str, Any]:
    from dataclasses import replace

    from core.errors import NotFound
    from knowledge.catalog import load_catalog, nearest
    from strategy.card import met
    from strategy.conflicts import Portfolio

    known = load_catalog(catalog).catalog
    strategies = {strategy.name: strategy for strategy in _in_folder(folder)}
    if name is not None and name not in strategies:
        raise NotFound(
            Text(f"没有名为 {name!r} 的策略", f"there is no strategy named {name!r}"), nearest=nearest(name, strategies)
        )
    portfolio = Portfolio(strategies.values(), known)
    clashes = portfolio.clashes() if name is None else portfolio.clashes_of(strategies[name])
    past = _recorded(known, events, facts)
    if past is not None:
        involved = {each for clash in clashes if len(clash.strategies) > 1 for each in clash.strategies}
        meetings = met([strategies[each] for each in sorted(involved)], known, past)
        clashes = [replace(clash, happened=meetings.of(clash)) for clash in clashes]
    told = [clash.as_dict(cli_lang(), known) for clash in clashes]
    return {"strategies": len(strategies), "conflicts": told}


def _in_folder(folder: Path) -> list[Strategy]:
    from strategy.files import load_strategy
    from strategy.replay import named_apart

    if not folder.is_dir():
        raise InvalidInput(
            Text(f"没有文件夹 {str(folder)!r}", f"there is no folder {str(folder)!r}"), where={"field": "--strategies"}
        )
    files = sorted(path for path in folder.iterdir() if path.suffix in (".yaml", ".yml", ".json"))
    return named_apart(load_strategy(path) for path in files)


def _recorded(catalog: Catalog, events: str | None, facts: str | None) -> Recorded | None:
    from core.times import MINUTE
    from strategy.card import Recorded
    from strategy.recorded import open_events, open_facts

    if events is None:
        return None
    said = open_facts(facts, catalog) if facts is not None else ()
    return Recorded(said, open_events(events, catalog), lateness=10 * MINUTE)


# in words


def card_lines(found: dict[str, Any]) -> Iterator[str]:
    """The card for a terminal."""
    lang = cli_lang()
    yield found["name"]
    yield f"  {found['readback'][lang]}"
    if found["audience"] is not None:
        yield t("人群", "Audience")
        yield from _tree(found["audience"], "  ")
    yield t("触发条件", "Trigger")
    yield from _tree(found["trigger"], "  ")
    if found["changes"]:
        yield t(f"与第 {found['previous']} 版相比", f"Since version {found['previous']}")
        yield from (f"  {change}" for change in found["changes"])
    if found["replay"] is not None:
        yield t("在记录上重放", "On record")
        yield from (f"  {line}" for line in report_lines(found["replay"], lang, with_sample=True))
    if found["reach"] is not None:
        yield f"  {found['reach']['said']}"
    yield t("冲突：", "Conflicts: ") + (t("无", "none") if not found["conflicts"] else str(len(found["conflicts"])))
    for clash in found["conflicts"]:
        yield from (f"  {line}" for line in clash_lines(clash))
    for warning in found["warnings"]:
        yield t("注意：", "Warning: ") + warning
    yield t("内存：", "Memory: ") + found["cost"]["said"]


def clash_lines(clash: dict[str, Any]) -> Iterator[str]:
    """A conflict with the customer who shows it, and how often it happened."""
    from strategy.conflicts import KINDS, Kind

    yield f"[{KINDS[Kind(clash['kind'])].say(cli_lang())}] {clash['said']}"
    if clash["witness"] is not None:
        yield "  " + t("例如：", "for example: ") + clash["example"]
        for shot in clash["witness"]["fires"]:
            yield f"    {shot['at']}  {shot['strategy']}"
    happened = clash["happened"]
    if happened is not None:
        times, subjects = happened["times"], happened["subjects"]
        yield "  " + t(
            f"记录中发生过 {times} 次，涉及 {subjects} 个对象", f"on record {times} times, for {subjects} subjects"
        )


def _tree(node: dict[str, Any], indent: str) -> Iterator[str]:
    joined = {"all": t("全部成立：", "all of:"), "any": t("任一成立：", "any of:"), "not": t("不成立：", "not:")}
    yield indent + (node.get("says") or joined[node["kind"]])
    for part in node.get("of", ()):
        yield from _tree(part, indent + "  ")
