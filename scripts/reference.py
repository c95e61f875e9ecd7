"""Write docs/reference/ from the code: the HTTP API, the command line, the settings, the JSON Schemas, the policies'
actions. `--check` writes nothing and exits 1 when a file is not what the code says."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
FOLDER = ROOT / "docs" / "reference"
sys.path.insert(0, str(ROOT))
os.environ["ZHONGSHU_LANG"] = "en"
os.environ["COLUMNS"] = "100"

MADE = "<!-- Made by scripts/reference.py; change the code instead. -->\n"


def files() -> dict[str, str]:
    """File name → content, for every file of the reference."""
    return {
        "openapi.json": _json(_openapi()),
        "catalog.schema.json": _json(_schema("catalog")),
        "strategy.schema.json": _json(_schema("strategy")),
        "settings.md": _settings(),
        "cli.md": _cli(),
        "errors.md": _errors(),
    }


def _json(content: Any) -> str:
    return json.dumps(content, ensure_ascii=False, indent=1) + "\n"


def _openapi() -> dict[str, Any]:
    from app.api.application import create_app

    return create_app(None, "en").openapi()


def _schema(kind: str) -> dict[str, Any]:
    from knowledge.catalog import catalog_schema
    from strategy.document import strategy_schema

    return catalog_schema() if kind == "catalog" else strategy_schema()


def _settings() -> str:
    from app.settings import PREFIX, Settings
    from core.sizes import format_size
    from core.times import format_duration

    lines = [
        MADE,
        "# Settings\n",
        "Variables of the environment, or lines of a `.env` file in the working folder. None is needed.\n",
        "| variable | default | what it is |",
        "| --- | --- | --- |",
    ]
    schema = Settings.model_json_schema()["properties"]
    for name, field in Settings.model_fields.items():
        default = schema[name].get("default")
        if name == "lateness":
            default = format_duration(default)
        if name == "engine_state_budget":
            default = format_size(default).replace(" ", "")
        shown = "the locale's" if name == "lang" else "none" if default is None else f"`{default}`"
        choices = schema[name].get("enum")
        what = field.description or ""
        if choices and not any(c in what for c in choices):
            what = ", ".join(f"`{c}`" for c in choices)
        lines.append(f"| `{PREFIX}{name.upper()}` | {shown} | {what} |")
    return "\n".join(lines) + "\n"


def _cli() -> str:
    from typer.main import get_command

    from app.cli.commands import build

    lines = [MADE, "# Command line\n", "`--lang zh|en` and `--debug` may stand anywhere.\n"]
    for path, command in _commands(get_command(build([], complete=True)), ["zhongshu"]):
        lines += [f"## `{' '.join(path)}`\n", f"{command.help or ''}\n"]
        parameters = [p for p in command.params if p.name not in ("help", "debug", "lang") or len(path) > 1]
        shown = [p for p in parameters if p.name != "help"]
        if shown:
            lines += ["| parameter | what it is |", "| --- | --- |"]
            lines += [f"| {_parameter(p)} | {_what(p)} |" for p in shown]
            lines.append("")
    return "\n".join(lines)


def _commands(command: Any, path: list[str]) -> Iterator[tuple[list[str], Any]]:
    inner = getattr(command, "commands", None)
    if not inner:
        yield path, command
        return
    for name, child in inner.items():
        yield from _commands(child, [*path, name])


def _parameter(parameter: Any) -> str:
    if parameter.param_type_name == "argument":
        name = parameter.metavar or parameter.name.upper()
        return f"`{name}`" + ("" if parameter.required else " (optional)")
    names = " / ".join(f"`{o}`" for o in [*parameter.opts, *parameter.secondary_opts])
    return names + (" (required)" if parameter.required else "")


def _what(parameter: Any) -> str:
    text = (getattr(parameter, "help", None) or "").replace("|", "\\|")
    default = parameter.default
    plain = isinstance(default, int | float | str) and not isinstance(default, bool) and default != ""
    return text + (f" (default: `{default}`)" if plain else "")


def _errors() -> str:
    import app.hub  # noqa: F401  # loads every room's errors
    from app.api.problems import TITLES
    from core.errors import ZhongshuError

    lines = [
        MADE,
        "# Errors\n",
        "Over HTTP every error is `application/problem+json` (RFC 9457) with `type`, `title`, `status`, `detail`,",
        "`instance` and ours: `code`, `where` (line, field, offset …), `nearest` (valid choices, best first), `hint`,",
        "`choices` (readings of an ambiguous sentence), `errors` (every bad field), `request_id`. The command line",
        "prints the same text and exits with the code below.\n",
        "| code | HTTP | exit | title |",
        "| --- | --- | --- | --- |",
    ]
    kinds: list[type[ZhongshuError]] = [ZhongshuError]
    for kind in kinds:
        kinds += kind.__subclasses__()
    found = {k.code: k for k in kinds if k.__name__ != "Reply"}
    for code in sorted(found):
        kind = found[code]
        title = next(TITLES[c.code] for c in kind.__mro__ if getattr(c, "code", None) in TITLES)
        lines.append(f"| `{code}` | {kind.status} | {kind.exit_code} | {title.en} · {title.zh} |")
    return "\n".join(lines) + "\n"


def main() -> int:
    check = "--check" in sys.argv
    stale = []
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, content in files().items():
        path = FOLDER / name
        if not path.exists() or path.read_text(encoding="utf-8") != content:
            stale.append(name)
            if not check:
                path.write_text(content, encoding="utf-8")
    for name in stale:
        sys.stdout.write(f"{'not as the code says' if check else 'written'}: docs/reference/{name}\n")
    return 1 if check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
