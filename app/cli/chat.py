"""`zhongshu chat`: talk to the supervisor in the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape

from app.cli.show import err, note, out
from app.cli.words import t

if TYPE_CHECKING:
    from app.cli.reach import Api


def register(app: typer.Typer) -> None:
    app.command("chat", help=t("与主管智能体对话", "Talk to the supervisor"))(chat)


def chat(
    message: Annotated[str | None, typer.Argument(help=t("只说这一句", "say just this"))] = None,
    customer: Annotated[
        str | None, typer.Option(help=t("以这位客户的名义，如 customer/c0001", "on behalf of this customer"))
    ] = None,
    thread: Annotated[str | None, typer.Option(help=t("接着这段对话", "go on with this thread"))] = None,
) -> None:
    from app.cli.reach import open_api

    with open_api() as api:
        if message is not None:
            _turn(api, message, customer, thread)
            return
        note(t("直接输入；空行或 Ctrl-D 结束", "Type away; an empty line or Ctrl-D ends it"))
        while text := _ask():
            thread = _turn(api, text, customer, thread)


def _ask() -> str:
    try:
        return err.input(t("您> ", "you> ")).strip()
    except (EOFError, KeyboardInterrupt):
        return ""


def _turn(api: Api, text: str, customer: str | None, thread: str | None) -> str | None:
    body: dict[str, Any] = {"message": text, "subject": customer, "thread": thread}
    for event in api.stream("chat", body=body):
        thread = _show(event.name, event.data) or thread
    return thread


def _show(name: str, data: dict[str, Any]) -> str | None:
    """One event of a turn; returns the thread when the event names it."""
    if name == "text":
        out.print(escape(str(data["text"])))
    elif name == "routed":
        note(f"  · {data['route']} ({data['confidence']:.0%}) {data['why']}")
    elif name == "tool_started":
        note(f"  · {data['tool']} …")
    elif name == "decision":
        for reason in data["reasons"]:
            note(f"  · {reason}")
    elif name == "approval_requested":
        note(t("  等待批准：", "  waits for approval: ") + f"{data['tool']} ({data['id']})", "yellow")
    elif name == "error":
        note(str(data["message"]), "red")
    return str(data["thread"]) if name == "thread" else None
