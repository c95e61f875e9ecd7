"""The command line `zhongshu`. Commands import what they need when they run, so that `--help` and `simulate` start
without the web or agent libraries."""

from __future__ import annotations

import os
import sys

from app.cli.words import cli_lang
from core.errors import InvalidInput, ZhongshuError
from core.text import Text


def main() -> None:
    """Run a command; errors end as one message in the chosen language and the exit code of their class."""
    debug = "--debug" in sys.argv
    lang = cli_lang()
    try:
        sys.argv[1:] = _without_global_options(sys.argv[1:])
        from app.cli.commands import build

        build(sys.argv[1:])()
    except ZhongshuError as error:
        if debug:
            raise
        _say(error.say(lang))
        for number, choice in enumerate(getattr(error, "choices", []), 1):
            _say(f"  {number}. {choice.say(lang)}")
        sys.exit(error.exit_code)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except Exception as error:
        if debug:
            raise
        text = Text(
            f"内部出错：{error!r}。加 --debug 看详情", f"something broke inside: {error!r}. See more with --debug"
        )
        _say(text.say(lang))
        sys.exit(1)


def _without_global_options(arguments: list[str]) -> list[str]:
    """`--debug` and `--lang` may stand anywhere; `simulate` reads its own `--lang`. The language goes into the
    environment, where settings and child processes find it."""
    kept: list[str] = []
    rest = iter(arguments)
    for argument in rest:
        _check_encoding(argument)
        name, _, value = argument.partition("=")
        if argument == "--debug":
            continue
        if name == "--lang":
            value = value or next(rest, "")
            if value not in ("zh", "en"):
                raise InvalidInput(
                    Text(f"没有语言 {value!r}", f"there is no language {value!r}"),
                    where={"field": "--lang"},
                    nearest=["zh", "en"],
                )
            os.environ["ZHONGSHU_LANG"] = value
            if kept[:1] == ["simulate"]:
                kept += ["--lang", value]
            continue
        kept.append(argument)
    return kept


def _check_encoding(argument: str) -> None:
    try:
        argument.encode()
    except UnicodeEncodeError as cause:
        raise InvalidInput(
            Text(f"参数 {argument!a} 不是 UTF-8", f"argument {argument!a} is not UTF-8"),
            hint=Text("请用 UTF-8 的终端与区域设置", "Use a UTF-8 terminal and locale"),
        ) from cause


def _say(text: str) -> None:
    from app.terminal import Terminal

    Terminal(stderr=True, soft_wrap=True).print(text, style="red", markup=False)
