"""`zhongshu doctor`: what is configured, what is missing, what would fix it. Exits 1 when something will not work."""

from __future__ import annotations

import typer

from app.cli.show import AsJson, as_json, say
from app.cli.words import cli_lang, t

_SIGNS = {"ok": ("✓", "green"), "off": ("–", "dim"), "bad": ("✗", "red")}


def register(app: typer.Typer) -> None:
    app.command("doctor", help=t("配好了什么，缺什么，怎样补上", "What is configured, missing, and how to fix it"))(
        doctor
    )


def doctor(json: AsJson = False) -> None:
    from app.doctor import examine

    lang = cli_lang()
    findings = list(examine())
    if json:
        as_json(
            [
                {
                    "name": f.name.en,
                    "status": f.status,
                    "said": f.said.say(lang),
                    "fix": f.fix.say(lang) if f.fix else None,
                }
                for f in findings
            ]
        )
    else:
        for found in findings:
            sign, style = _SIGNS[found.status]
            say(f"{sign} {found.name.say(lang)}: {found.said.say(lang)}", style)
            if found.fix:
                say(f"    → {found.fix.say(lang)}")
    if any(f.status == "bad" for f in findings):
        raise typer.Exit(1)
