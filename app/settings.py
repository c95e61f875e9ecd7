"""Settings, read from `ZHONGSHU_*` variables and a `.env` file. docs/reference/settings.md is generated from here."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, HttpUrl, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from app.validation import say
from core.errors import InvalidInput
from core.ids import TenantId
from core.sizes import Size
from core.text import Lang, Text, system_lang
from core.times import DAY, SECOND, Duration
from strategy.engines import EngineName

PREFIX = "ZHONGSHU_"


class Settings(BaseSettings):
    """Every setting has a default that works on a fresh machine; nothing leaves the machine until one says so."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_file=".env", env_ignore_empty=True, extra="ignore", frozen=True
    )

    data_dir: Path = Field(default=Path("var"), description="folder of everything the hub keeps; made when missing")
    database_url: str | None = Field(
        default=None, description="SQLAlchemy URL of the relational store; default: SQLite in `data_dir`"
    )
    host: str = Field(default="127.0.0.1", description="address to listen on; loopback only by default")
    port: int = Field(default=8000, ge=0, le=65535, description="port to listen on; 0 takes a free one")
    lang: Lang = Field(default_factory=system_lang, description="`zh` or `en`; default: the locale's")
    tenant: str = Field(default="default", pattern=r"^[a-z][a-z0-9_-]{0,31}$", description="tenant of this install")
    catalog: Path | None = Field(default=None, description="catalog file; default: the retail pack's")
    sources: Path | None = Field(
        default=None, description="folder of other systems' exports that `/v1/sources` may read; default: none"
    )
    lateness: Duration = Field(
        default=2 * SECOND,
        description="how far behind the newest event one may come and still count; firings wait as long",
    )
    engine: EngineName = Field(
        default=EngineName.PYTHON,
        description="matcher of live events: `python`, or `columnar` for many; the first use of that compiles it",
    )
    engine_memory: Size | None = Field(
        default=None,
        description="memory of the columnar matcher's state, such as `8GiB`; the rest is in files in `data_dir`",
    )
    engine_state_budget: Size = Field(
        default=4 << 30,
        description="memory that running strategies may keep, estimated, such as `2GiB`; beyond it none is approved",
    )
    graph: Literal["sqlite", "neo4j"] = Field(
        default="sqlite", description="where the customer graph lives: in the relational store, or in Neo4j"
    )
    graph_url: str | None = Field(
        default=None,
        pattern=r"^(bolt|neo4j)(\+s|\+ssc)?://",
        description="its address, such as `bolt://localhost:7687`",
    )
    graph_user: str = Field(default="neo4j", description="user there")
    graph_password: SecretStr | None = Field(default=None, description="password there; none: no authentication")
    graph_database: str | None = Field(default=None, description="database there; default: the server's own default")
    identity: bool = Field(
        default=False, description="tie records of one customer together as facts arrive; see docs/identity.md"
    )
    retention_every: Duration = Field(
        default=DAY, ge=SECOND, description="how often what the catalog keeps no longer is let go of"
    )
    demo: bool = Field(default=False, description="load the demo world on first start (`serve --demo` sets it)")
    demo_seed: int = Field(default=7, description="seed of the demo world")

    service_url: HttpUrl | None = Field(
        default=None, description="where the command line finds the service; default: the one on `data_dir`"
    )
    api_key: SecretStr | None = Field(
        default=None, description="key of the command line; default: `admin.key` in `data_dir`"
    )

    llm_base_url: HttpUrl | None = Field(default=None, description="OpenAI-compatible endpoint; none: playbook model")
    llm_api_key: SecretStr | None = Field(default=None, description="key for that endpoint")
    llm_model: str | None = Field(default=None, description="model to ask there")

    smtp_host: str | None = Field(default=None, description="mail server of the e-mail channel; none: channel off")
    smtp_port: int = Field(default=25, ge=1, le=65535, description="its port")
    smtp_user: str | None = Field(default=None, description="user there, if it wants one")
    smtp_password: SecretStr | None = Field(default=None, description="password there")
    smtp_from: str = Field(default="zhongshu@localhost", description="sender of the e-mail channel")
    smtp_starttls: bool = Field(default=False, description="upgrade the connection with STARTTLS")
    webhook_url: HttpUrl | None = Field(default=None, description="receiver of the webhook channel; none: channel off")
    webhook_secret: SecretStr | None = Field(default=None, description="signing secret (`whsec_…`) of the webhook")
    webhook_channels: str = Field(
        default="webhook", description="catalog channels that the webhook serves, by comma, such as `wechat,sms`"
    )

    otlp_endpoint: HttpUrl | None = Field(default=None, description="OTLP/HTTP collector; none: spans stay here")
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    log_format: Literal["auto", "json", "console"] = Field(
        default="auto", description="`auto`: console on a terminal, JSON lines elsewhere"
    )

    @property
    def store_url(self) -> str:
        """SQLAlchemy URL of the relational store."""
        return self.database_url or f"sqlite:///{self.data_dir.absolute() / 'zhongshu.db'}"

    @property
    def webhook_channel_names(self) -> list[str]:
        return [name.strip() for name in self.webhook_channels.split(",") if name.strip()]

    @property
    def tenant_id(self) -> TenantId:
        return TenantId(self.tenant)

    @property
    def on_loopback(self) -> bool:
        return self.host in ("127.0.0.1", "::1", "localhost")

    @property
    def admin_key_file(self) -> Path:
        """Where the first start leaves the admin key (mode 0600) for the command line on the same machine."""
        return self.data_dir / "admin.key"


def load_settings(**given: Any) -> Settings:
    """Settings from what is given, the environment and `.env`, in this order.

    Raises:
        InvalidInput: a value cannot be used; `where` names the variable.
    """
    try:
        settings = Settings(**{k: v for k, v in given.items() if v is not None})
    except ValidationError as cause:
        raise _bad_setting(cause) from cause
    _check_pairs(settings)
    return settings


def unknown_settings() -> dict[str, list[str]]:
    """`ZHONGSHU_*` variables that are no setting (a typing slip, most likely) → the nearest names."""
    from rapidfuzz import process

    known = [PREFIX + name.upper() for name in Settings.model_fields]
    return {
        name: [match for match, score, _ in process.extract(name, known, limit=2) if score >= 70]
        for name in sorted(os.environ)
        if name.upper().startswith(PREFIX) and name.upper() not in known
    }


def _bad_setting(cause: ValidationError) -> InvalidInput:
    problem = cause.errors()[0]
    name = PREFIX + str(problem["loc"][0]).upper()
    said = say(problem)
    secret = any(word in name for word in ("KEY", "PASSWORD", "SECRET"))
    given = "" if secret else f" {problem['input']!r:.80}"
    return InvalidInput(
        Text(f"设置 {name}{given} {said.zh}", f"setting {name}{given} {said.en}"), where={"field": name}
    )


def _check_pairs(settings: Settings) -> None:
    if settings.graph == "neo4j" and settings.graph_url is None:
        raise InvalidInput(
            Text("图数据库 neo4j 需要地址 ZHONGSHU_GRAPH_URL", "the graph in neo4j needs ZHONGSHU_GRAPH_URL"),
            where={"field": "ZHONGSHU_GRAPH_URL"},
            hint=Text("例如 bolt://localhost:7687", "For example bolt://localhost:7687"),
        )
    if settings.demo and settings.catalog:
        raise InvalidInput(
            Text("演示数据只配零售行业包自带的目录", "the demo world goes with the retail pack's own catalog only"),
            where={"field": "ZHONGSHU_CATALOG"},
            hint=Text("去掉 ZHONGSHU_CATALOG 或 --demo", "Leave out ZHONGSHU_CATALOG, or --demo"),
        )
    if settings.llm_base_url and not settings.llm_model:
        raise InvalidInput(
            Text("设了 ZHONGSHU_LLM_BASE_URL 却没有模型名", "ZHONGSHU_LLM_BASE_URL is set without a model"),
            where={"field": "ZHONGSHU_LLM_MODEL"},
            hint=Text("请设 ZHONGSHU_LLM_MODEL", "Set ZHONGSHU_LLM_MODEL"),
        )
    if settings.webhook_url and not settings.webhook_secret:
        raise InvalidInput(
            Text("设了 ZHONGSHU_WEBHOOK_URL 却没有签名密钥", "ZHONGSHU_WEBHOOK_URL is set without a signing secret"),
            where={"field": "ZHONGSHU_WEBHOOK_SECRET"},
            hint=Text("请设 ZHONGSHU_WEBHOOK_SECRET(whsec_ 开头)", "Set ZHONGSHU_WEBHOOK_SECRET (whsec_…)"),
        )
