"""Checklists of laws that check themselves: each line of knowledge/governance/checklists.yaml names a check, and each
check looks at, or tries something on, the live hub."""

from __future__ import annotations

import stat
from collections.abc import Callable
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, NamedTuple

import yaml
from sqlmodel import col, select

from app.coverage import kept_columns, uncovered
from core.audit import AuditRow, first_broken
from core.context import Purpose, RequestContext, Role
from core.errors import Forbidden
from core.text import Text
from knowledge.governance import Action, Consent, mask_pii
from knowledge.governance.consent import covers
from knowledge.sources.identities import TELLING
from strategy.delivery.tables import Decision

if TYPE_CHECKING:
    from app.hub import Hub

LAWS = ("gdpr", "pipl")
_SHOWN = 5
_PLANTED = (
    "手机13800138000，身份证11010519491231002X，卡6222021234567890128，a@b.cn，沪A12345，粤BD12345，"
    "住上海市浦东新区世纪大道100号，12 Baker Street, London"
)


class Result(NamedTuple):
    passed: bool
    found: Text


@cache
def _lists() -> dict[str, Any]:
    text = files("knowledge.governance").joinpath("checklists.yaml").read_text(encoding="utf-8")
    lists: dict[str, Any] = yaml.safe_load(text)
    return lists


def run_checklist(hub: Hub, ctx: RequestContext, law: str) -> dict[str, Any]:
    """Every line of one law with what its check found, in the caller's language."""
    content = _lists()[law]
    lines = []
    for line in content["lines"]:
        result = CHECKS[line["check"]](hub, ctx)
        says = Text(line["zh"], line["en"]).say(ctx.lang)
        found = result.found.say(ctx.lang)
        lines.append(
            {"id": line["id"], "article": line["article"], "says": says, "passed": result.passed, "found": found}
        )
    passed = all(line["passed"] for line in lines)
    return {"law": law, "title": Text(**content["title"]).say(ctx.lang), "passed": passed, "lines": lines}


def _purposes(hub: Hub, ctx: RequestContext) -> Result:
    """Each limited item of the catalog is asked for with every purpose that it does not name."""
    limited = wrong = 0
    for name, purposes in _limited_items(hub):
        limited += 1
        for other in (p for p in Purpose if p not in purposes):
            asking = RequestContext(ctx.tenant, "checklist", Role.ADMIN, other)
            wrong += hub.policy.decide(asking, Action.GRAPH_READ, name, purposes).allowed
    said = Text(
        f"{limited} 项有限制，{wrong} 项可被越权读取", f"{limited} items are limited, {wrong} can be read beyond"
    )
    return Result(wrong == 0, said)


def _limited_items(hub: Hub) -> list[tuple[str, list[str]]]:
    catalog = hub.catalog
    items: list[tuple[str, list[str]]] = []
    for kind, thing in catalog.objects.items():
        items.append((kind, thing.purposes))
        items += [(f"{kind}.{name}", a.purposes) for name, a in thing.attributes.items()]
    for kind, event in catalog.events.items():
        items.append((kind, event.purposes))
        items += [(f"{kind}.{name}", a.purposes) for name, a in event.fields.items()]
    return [(name, purposes) for name, purposes in items if purposes]


def _personal_fields(hub: Hub, ctx: RequestContext) -> Result:
    open_ = [
        f"{kind}.{name}"
        for kind, thing in hub.catalog.objects.items()
        for name, attribute in thing.attributes.items()
        if name in (*TELLING, "name", "address", "birthday") and kind == "customer"
        if not (attribute.purposes or thing.purposes)
    ]
    listed = ", ".join(open_[:_SHOWN])
    found = (
        Text(f"未写用途：{listed}", f"no purposes: {listed}")
        if open_
        else Text("都写明了用途", "all name their purposes")
    )
    return Result(not open_, found)


def _folder(hub: Hub, ctx: RequestContext) -> Result:
    folder = hub.settings.data_dir
    paths = [folder, *(p for p in [hub.settings.admin_key_file] if p.exists())]
    loose = [p.name for p in paths if p.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO)]
    listed = ", ".join(loose)
    found = (
        Text(f"他人可读：{listed}", f"others may read: {listed}")
        if loose
        else Text("仅所有者可读", "its owner's alone")
    )
    return Result(not loose, found)


def _transport(hub: Hub, ctx: RequestContext) -> Result:
    host = hub.settings.host
    return Result(hub.settings.on_loopback, Text(f"监听 {host}", f"listens on {host}"))


def _audit(hub: Hub, ctx: RequestContext) -> Result:
    with hub.database.reading() as session:
        broken = first_broken(session, ctx.tenant)
    found = (
        Text("每条都对得上", "every row holds")
        if broken is None
        else Text(f"第 {broken} 条对不上", f"row {broken} does not")
    )
    return Result(broken is None, found)


def _consent(hub: Hub, ctx: RequestContext) -> Result:
    silent = covers([], Purpose.MARKETING, None)
    return Result(not silent, Text("没有记录即不允许营销", "nothing recorded means no marketing"))


def _consent_source(hub: Hub, ctx: RequestContext) -> Result:
    with hub.database.reading() as session:
        rows = list(session.exec(select(Consent).where(Consent.tenant == ctx.tenant)))
    bare = [row for row in rows if not row.source and "/erased-" not in row.subject]
    return Result(
        not bare,
        Text(f"{len(rows)} 条，{len(bare)} 条没有来源", f"{len(rows)} statements, {len(bare)} without a source"),
    )


def _withdrawal(hub: Hub, ctx: RequestContext) -> Result:
    """On the rows of this hub: no subject whose newest general statement is a withdrawal may be written to."""
    with hub.database.reading() as session:
        query = select(Consent).where(Consent.tenant == ctx.tenant, Consent.purpose == str(Purpose.MARKETING))
        rows = list(session.exec(query.order_by(col(Consent.at), col(Consent.seq))))
    made: dict[str, list[Consent]] = {}
    for row in rows:
        made.setdefault(row.subject, []).append(row)
    withdrawn = [own for own in made.values() if own[-1].channel is None and not own[-1].given]
    wrong = sum(covers(own, Purpose.MARKETING, channel) for own in withdrawn for channel in {s.channel for s in own})
    return Result(
        wrong == 0,
        Text(f"{len(withdrawn)} 位已撤回，{wrong} 位仍被覆盖", f"{len(withdrawn)} withdrew, {wrong} are still covered"),
    )


def _export(hub: Hub, ctx: RequestContext) -> Result:
    """Every store is asked for a person of the journal, if it has one."""
    newest = hub.privacy.anyone(ctx)
    if newest is None:
        return Result(True, Text("还没有客户", "there is no customer yet"))
    who = hub.privacy.person(ctx, newest)
    rows = sum(len(store.export(ctx.for_purpose(Purpose.COMPLIANCE), who)) for store in hub.privacy.stores)
    count = len(hub.privacy.stores)
    return Result(rows > 0, Text(f"{count} 处存储，{rows} 条", f"{rows} records from {count} stores"))


def _erasure(hub: Hub, ctx: RequestContext) -> Result:
    """Every column that can name a person belongs to a store that forgets."""
    kept, missing = kept_columns(hub), uncovered(hub)
    listed = ", ".join(missing[:_SHOWN])
    found = (
        Text(f"没有覆盖：{listed}", f"not covered: {listed}")
        if missing
        else Text(f"{len(kept)} 列全部覆盖", f"all {len(kept)} columns are covered")
    )
    return Result(not missing, found)


def _explained(hub: Hub, ctx: RequestContext) -> Result:
    with hub.database.reading() as session:
        query = select(Decision).where(Decision.tenant == ctx.tenant, ~col(Decision.subject).contains("/erased-"))
        rows = list(session.exec(query.order_by(col(Decision.decided_at).desc()).limit(200)))
    bare = sum(not row.why for row in rows)
    return Result(
        not bare,
        Text(
            f"最近 {len(rows)} 个决定，{bare} 个没有理由", f"of the last {len(rows)} decisions {bare} have no reasons"
        ),
    )


def _roles(hub: Hub, ctx: RequestContext) -> Result:
    """A viewer asks for a customer: it has to be refused, and the refusal to be in the log."""
    viewer = RequestContext(ctx.tenant, "checklist", Role.VIEWER, Purpose.ANALYTICS)
    with hub.database.reading() as session:
        before = _refusals(session, ctx)
    try:
        hub.policy.check(viewer, Action.GRAPH_READ, "checklist")
        refused = False
    except Forbidden:
        refused = True
    with hub.database.reading() as session:
        recorded = _refusals(session, ctx) == before + 1
    return Result(
        refused and recorded,
        Text("访客被拒绝，并已留痕", "a viewer was refused, and that was recorded")
        if refused and recorded
        else Text("访客未被拒绝或未留痕", "a viewer was not refused, or it was not recorded"),
    )


def _refusals(session: Any, ctx: RequestContext) -> int:
    query = select(AuditRow.seq).where(AuditRow.tenant == ctx.tenant, AuditRow.actor == "checklist")
    return len(list(session.exec(query)))


def _masking(hub: Hub, ctx: RequestContext) -> Result:
    from app.logs import mask
    from core.telemetry import masked

    kinds = ("mobile", "id_card", "bank_card", "email", "plate", "address")
    says = mask_pii(_PLANTED)
    missed = [kind for kind in kinds if f"<{kind}>" not in says]
    secrets = ("13800138000", "11010519491231002X", "6222021234567890128", "a@b.cn")
    log = str(mask(None, "", {"event": _PLANTED}))
    missed += [f"log {s}" for s in secrets if s in log]
    missed += [f"trace {s}" for s in secrets if s in str(masked(_PLANTED))]
    listed = ", ".join(missed)
    return Result(
        not missed,
        Text(f"漏掉：{listed}", f"missed: {listed}") if missed else Text("六类都被遮盖", "all six kinds are masked"),
    )


def _transfer(hub: Hub, ctx: RequestContext) -> Result:
    settings = hub.settings
    given = {"llm": settings.llm_base_url, "otlp": settings.otlp_endpoint, "webhook": settings.webhook_url}
    local = ("localhost", "127.0.0.1", "[::1]", "::1")
    plain = [name for name, url in given.items() if url and url.scheme != "https" and url.host not in local]
    used = ", ".join(name for name, url in given.items() if url) or "-"
    return Result(
        not plain,
        Text(
            f"外部：{used}；未加密：{', '.join(plain) or '无'}",
            f"elsewhere: {used}; not encrypted: {', '.join(plain) or 'none'}",
        ),
    )


CHECKS: dict[str, Callable[[Hub, RequestContext], Result]] = {
    "purposes": _purposes, "personal_fields": _personal_fields, "folder": _folder, "transport": _transport,
    "audit": _audit, "consent": _consent, "consent_source": _consent_source, "withdrawal": _withdrawal,
    "export": _export, "erasure": _erasure, "explained": _explained, "roles": _roles, "masking": _masking,
    "transfer": _transfer,
}  # fmt: skip
