"""`zhongshu serve`: the service in the foreground, until it is told to stop."""

from __future__ import annotations

import signal
import sys
from pathlib import Path
from typing import Annotated

import typer

from app.cli.show import err, note
from app.cli.words import t


def register(app: typer.Typer) -> None:
    app.command("serve", help=t("启动服务", "Run the service"))(serve)


def serve(
    demo: Annotated[
        bool, typer.Option("--demo", help=t("首次启动时载入演示数据", "load the demo world on the first start"))
    ] = False,
    host: Annotated[str | None, typer.Option(help=t("监听地址", "address to listen on"))] = None,
    port: Annotated[int | None, typer.Option(help=t("监听端口", "port to listen on"))] = None,
    data_dir: Annotated[Path | None, typer.Option(help=t("数据目录", "data folder"))] = None,
) -> None:
    for stop in (signal.SIGINT, signal.SIGTERM):
        # Uvicorn takes these over while it runs, stops gracefully, and hands them back: then this ends the process.
        signal.signal(stop, lambda *_: sys.exit(0))
    from app.settings import load_settings, unknown_settings

    settings = load_settings(demo=demo or None, host=host, port=port, data_dir=data_dir)
    for name, near in unknown_settings().items():
        hint = t("（最接近：", " (nearest: ") + ", ".join(near) + t("）", ")") if near else ""
        note(t(f"没有设置 {name}", f"there is no setting {name}") + hint, "yellow")
    from app.hub import Hub
    from app.logs import set_up_logs
    from app.server import Server, address_of, listen

    set_up_logs(settings.log_level, settings.log_format)
    with listen(settings.host, settings.port) as listener, Hub.open(settings) as hub:
        if key := hub.first_admin_key():
            _show_key(key, settings.admin_key_file)

        def answering() -> None:
            address = address_of(listener)
            hub.lock.tell(address)
            hub.warm_up()
            err.print(
                t(f"中枢在 {address} 运行，Ctrl-C 停止", f"Zhongshu runs at {address}; Ctrl-C stops it"), style="bold"
            )

        Server(hub, answering).run([listener])


def _show_key(key: str, file: Path) -> None:
    note(t("管理员密钥（只显示这一次）：", "The admin key (shown this once):"), "bold")
    err.print(f"  {key}", style="green", markup=False)
    note(t(f"本机命令行从 {file} 读取它", f"the command line on this machine reads it from {file}"))
