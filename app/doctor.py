"""What is configured, what is missing, and what would fix it. Each check looks at one thing and changes nothing."""

from __future__ import annotations

import os
import shutil
import socket
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlsplit

from app.lock import holder
from app.settings import Settings, load_settings, unknown_settings
from core.errors import ZhongshuError
from core.text import Text

Status = Literal["ok", "off", "bad"]
_TIMEOUT = 2.0
_DISK = 500 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at. `off`: not configured, and nothing needs it; `bad`: it will not work as it is."""

    name: Text
    status: Status
    said: Text
    fix: Text | None = None


def examine() -> Iterator[Finding]:
    """Every check, in the order in which a start would meet them."""
    yield _python()
    try:
        settings = load_settings()
    except ZhongshuError as error:
        yield Finding(Text("设置", "settings"), "bad", Text(error.say("zh"), error.say("en")), error.hint)
        return
    yield _settings()
    yield _data_folder(settings)
    for check in _CHECKS:
        try:
            yield check(settings)
        except ZhongshuError as error:
            yield Finding(_CHECKS[check], "bad", Text(error.say("zh"), error.say("en")))
        except Exception as error:  # what one part does when it is broken must not hide the findings on the others
            said = f"{type(error).__name__}: {error}".partition("\n")[0]
            yield Finding(_CHECKS[check], "bad", Text(said, said))


def _python() -> Finding:
    version = ".".join(map(str, sys.version_info[:3]))
    good = (3, 11) <= sys.version_info[:2] < (3, 14)
    fix = None if good else Text("请用 Python 3.11 至 3.13", "Use Python 3.11 to 3.13")
    return Finding(Text("Python", "Python"), "ok" if good else "bad", Text(version, version), fix)


def _settings() -> Finding:
    name = Text("设置", "settings")
    if unknown := unknown_settings():
        listed = ", ".join(f"{n} → {'/'.join(near)}" if near else n for n, near in unknown.items())
        fix = Text("改名或删掉", "Rename or remove them")
        return Finding(name, "bad", Text(f"不认识：{listed}", f"not known: {listed}"), fix)
    return Finding(name, "ok", Text("都能用", "all usable"))


def _data_folder(settings: Settings) -> Finding:
    name, folder = Text("数据目录", "data folder"), settings.data_dir.absolute()
    existing = folder if folder.exists() else next(p for p in folder.parents if p.exists())
    if not (existing.is_dir() and os.access(existing, os.W_OK)):
        fix = Text("换一个 ZHONGSHU_DATA_DIR", "Set another ZHONGSHU_DATA_DIR")
        return Finding(name, "bad", Text(f"{folder} 不可写", f"{folder} cannot be written"), fix)
    free = shutil.disk_usage(existing).free
    said = Text(f"{folder}，剩余 {free // 2**20} MB", f"{folder}, {free // 2**20} MB free")
    if free < _DISK:
        return Finding(name, "bad", said, Text("腾出至少 500 MB", "Free at least 500 MB"))
    return Finding(name, "ok", said)


def _service(settings: Settings) -> Finding:
    name = _CHECKS[_service]
    if found := holder(settings.data_dir):
        where = found.address or "…"
        return Finding(
            name, "ok", Text(f"运行于 {where}（进程 {found.pid}）", f"runs at {where} (process {found.pid})")
        )
    with socket.socket(socket.AF_INET6 if ":" in settings.host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host, settings.port))
        except OSError as cause:
            fix = Text("换一个 ZHONGSHU_PORT", "Set another ZHONGSHU_PORT")
            place = f"{settings.host}:{settings.port}"
            return Finding(name, "bad", Text(f"{place} 不能监听：{cause}", f"cannot listen on {place}: {cause}"), fix)
    return Finding(name, "off", Text("没有运行", "not running"), Text("zhongshu serve --demo", "zhongshu serve --demo"))


def _store(settings: Settings) -> Finding:
    name = _CHECKS[_store]
    path = settings.data_dir / "zhongshu.db"
    if settings.database_url is None and not path.exists():
        return Finding(name, "off", Text("还没有建立；首次启动时建立", "not made yet; the first start makes it"))
    from app.migrations import current_revision, newest_revision
    from core.db import Database

    database = Database(settings.store_url)
    try:
        current, newest = current_revision(database), newest_revision()
    finally:
        database.close()
    if current == newest:
        return Finding(name, "ok", Text(f"版本 {current}", f"version {current}"))
    said = Text(f"版本 {current}，程序需要 {newest}", f"at version {current}; the program needs {newest}")
    return Finding(name, "bad", said, Text("zhongshu migrate", "zhongshu migrate"))


def _catalog(settings: Settings) -> Finding:
    name = _CHECKS[_catalog]
    if settings.catalog is None:
        return Finding(name, "ok", Text("零售行业包自带", "the retail pack's own"))
    from knowledge.catalog import load_catalog

    loaded = load_catalog(settings.catalog)
    count = len(loaded.warnings)
    return Finding(name, "ok", Text(f"{settings.catalog}，{count} 条提醒", f"{settings.catalog}, {count} warnings"))


def _model(settings: Settings) -> Finding:
    name = _CHECKS[_model]
    if settings.llm_base_url is None:
        said = Text("内置剧本模型（不需要密钥）", "the built-in playbook model (needs no key)")
        fix = Text(
            "接大模型：设 ZHONGSHU_LLM_BASE_URL、_API_KEY、_MODEL",
            "For a language model set ZHONGSHU_LLM_BASE_URL, _API_KEY and _MODEL",
        )
        return Finding(name, "off", said, fix)
    parts = urlsplit(str(settings.llm_base_url))
    place = f"{settings.llm_model} @ {parts.netloc}"
    return _reachable(name, parts.hostname, parts.port or (443 if parts.scheme == "https" else 80), place)


def _mail(settings: Settings) -> Finding:
    name = _CHECKS[_mail]
    if settings.smtp_host is None:
        fix = Text("要发邮件：设 ZHONGSHU_SMTP_HOST", "To send mail set ZHONGSHU_SMTP_HOST")
        return Finding(name, "off", Text("未配置；邮件转为收件箱任务", "not configured; mails become inbox tasks"), fix)
    return _reachable(name, settings.smtp_host, settings.smtp_port, f"{settings.smtp_host}:{settings.smtp_port}")


def _webhook(settings: Settings) -> Finding:
    name = _CHECKS[_webhook]
    if settings.webhook_url is None:
        fix = Text(
            "要推送：设 ZHONGSHU_WEBHOOK_URL 与 _SECRET", "To push set ZHONGSHU_WEBHOOK_URL and ZHONGSHU_WEBHOOK_SECRET"
        )
        return Finding(name, "off", Text("未配置", "not configured"), fix)
    parts = urlsplit(str(settings.webhook_url))
    return _reachable(name, parts.hostname, parts.port or (443 if parts.scheme == "https" else 80), parts.netloc)


def _traces(settings: Settings) -> Finding:
    name = _CHECKS[_traces]
    if settings.otlp_endpoint is None:
        fix = Text("要导出：设 ZHONGSHU_OTLP_ENDPOINT", "To export set ZHONGSHU_OTLP_ENDPOINT")
        return Finding(name, "off", Text("不导出", "not exported"), fix)
    parts = urlsplit(str(settings.otlp_endpoint))
    return _reachable(name, parts.hostname, parts.port or (443 if parts.scheme == "https" else 80), parts.netloc)


def _reachable(name: Text, host: str | None, port: int, said: str) -> Finding:
    try:
        socket.create_connection((host or "", port), _TIMEOUT).close()
    except OSError as cause:
        text = Text(f"{said} 没有应答（{cause}）", f"{said} does not answer ({cause})")
        return Finding(name, "bad", text, Text("启动它或改设置", "Start it, or change the setting"))
    return Finding(name, "ok", Text(said, said))


_CHECKS: dict[Callable[[Settings], Finding], Text] = {
    _service: Text("服务", "service"),
    _store: Text("数据库", "store"),
    _catalog: Text("目录", "catalog"),
    _model: Text("模型", "model"),
    _mail: Text("邮件渠道", "mail channel"),
    _webhook: Text("Webhook 渠道", "webhook channel"),
    _traces: Text("链路追踪", "traces"),
}
