"""Which commands there are, and the module of each. Only the module of the command that runs is imported."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from typing import Annotated

import typer

from app.cli.words import t

MODULES = {
    "serve": "app.cli.serve",
    "demo": "app.cli.demo",
    "chat": "app.cli.chat",
    "simulate": "app.cli.simulate",
    "ingest": "app.cli.ingest",
    "graph": "app.cli.graph",
    "sources": "app.cli.sources",
    "next": "app.cli.nextactions",
    "curve": "app.cli.curve",
    "eval": "app.cli.evals",
    "identity": "app.cli.identity",
    "strategy": "app.cli.strategy",
    "why": "app.cli.why",
    "why-not": "app.cli.why_not",
    "doctor": "app.cli.doctor",
    "keys": "app.cli.keys",
    "phrase": "app.cli.phrase",
    "audit": "app.cli.audit",
    "privacy": "app.cli.privacy",
    "migrate": "app.cli.migrate",
    "version": "app.cli.version",
}
"""Command → the module whose `register(app)` adds it. The order is the order of the help page."""


def build(arguments: Sequence[str], *, complete: bool = False) -> typer.Typer:
    """The application with the command that the arguments name, or with all of them (for help and typing slips). With
    `complete` each one is whole, for the reference."""
    app = typer.Typer(
        name="zhongshu",
        help=t(
            "中枢：说一句话就上线的策略，有据可查的行动，有证据的答复。",
            "Zhongshu: strategies that run as you say them, actions with their reasons, answers with evidence.",
        ),
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(_global_options)
    wanted = MODULES.get(arguments[0]) if arguments else None
    only_help = not arguments or arguments[0].startswith("-")
    for name, module in MODULES.items():
        if wanted in (None, module):
            if name == "simulate" and only_help and not complete:
                app.command(name, help=t("在已记录的事件上试跑策略", "Run strategies over recorded events"))(
                    _named_only
                )
            else:
                import_module(module).register(app)
    return app


def _named_only() -> None:
    """Stands for a command on the help page: `simulate` needs the grammar and the engine to be loaded."""


def _global_options(
    lang: Annotated[
        str | None,
        typer.Option("--lang", help=t("语言：zh 或 en，可放在任何位置", "language: zh or en; may stand anywhere")),
    ] = None,
    debug: Annotated[
        bool, typer.Option("--debug", help=t("出错时显示调用栈", "show the stack when something breaks"))
    ] = False,
) -> None:
    # Both are taken out of the arguments before typer sees them (app.cli.main); they stand here for the help page.
    pass
