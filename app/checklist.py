"""Checklists of laws that check themselves: each line of knowledge/governance/checklists.yaml names a check, and each
check looks at, or tries something on, the live hub."""

from __future__ import annotations

import stat
from collections.abc import Callable
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

import yaml
from sqlmodel import col, select

from app.coverage import kept_columns, uncovered
from core.audit import AuditRow, first_broken
from core.context import Purpose, RequestContext, Role
from core.errors import Forbidden
from core.text import Text
from knowledge.governance import Action, Consent, Statement, consented, import_consents, mask_pii
from knowledge.sources.identities import TELLING
from strategy.delivery.tables import Decision

if TYPE_CHECKING:
    from app.hub import Hub

LAWS = ("gdpr", "pipl")
_SHOWN = 5
_OF_PEOPLE = frozenset(TELLING) - {"vin", "serial"}
_BESIDE = frozenset({"name", "address", "birthday"})
"""Personal where they stand beside what tells people apart: a shop has a name as well."""
_LOCAL = ("localhost", "127.0.0.1", "::1", "[::1]")
_NOBODY = "customer/of-the-checklist"
_PLANTED = (
    "手机13800138000，身份证11010519491231002X，卡6222021234567890128，a@b.cn，沪A12345，粤BD12345，"
    "住上海市浦东新区世纪大道100号，12 Baker Street, London"
)


class Result(NamedTuple):
    """`passed` None: there is nothing yet that it could be tried on, which is no failure and no proof."""

    passed: bool | None
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
    passed = all(line["passed"] is not False for line in lines)
    return {"law": law, "title": Text(**content["title"]).say(ctx.lang), "passed": passed, "lines": lines}


def _purposes(hub: Hub, ctx: RequestContext) -> Result:
    """Each limited item of the catalog, and one that only the checklist knows, is asked for with every purpose that it
    does not name."""
    items = _limited_items(hub)
    limited, wrong = len(items), 0
    for name, purposes in [*items, ("checklist", [str(Purpose.SERVICE)])]:
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
    """Attributes and fields that tell people apart; of a type that has one, also its names, addresses and birthdays."""
    catalog = hub.catalog
    owners = [*((k, t.purposes, t.attributes) for k, t in catalog.objects.items())]
    owners += [(k, e.purposes, e.fields) for k, e in catalog.events.items()]
    personal = [
        (f"{kind}.{name}", attribute.purposes or limit)
        for kind, limit, attributes in owners
        for name, attribute in attributes.items()
        if name in _OF_PEOPLE or (name in _BESIDE and _OF_PEOPLE & attributes.keys())
    ]
    if not personal:
        return Result(None, Text("目录里没有个人字段", "the catalog has no fields with personal data"))
    open_ = [name for name, purposes in personal if not purposes]
    listed = ", ".join(open_[:_SHOWN])
    count = len(personal)
    found = (
        Text(f"未写用途：{listed}", f"no purposes: {listed}")
        if open_
        else Text(f"{count} 个个人字段都写明了用途", f"all {count} fields with personal data name their purposes")
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
    """Delivery's own question, about somebody who never said anything."""
    with hub.database.reading() as session:
        silent = consented(session, ctx, _NOBODY, Purpose.MARKETING, "sms", hub.clock.now())
    found = (
        Text("没有记录也允许营销", "nothing recorded allows marketing")
        if silent
        else Text("没有记录即不允许营销", "nothing recorded means no marketing")
    )
    return Result(not silent, found)


def _consent_source(hub: Hub, ctx: RequestContext) -> Result:
    with hub.database.reading() as session:
        rows = list(session.exec(select(Consent).where(Consent.tenant == ctx.tenant)))
    bare = [row for row in rows if not row.source and "/erased-" not in row.subject]
    return Result(
        not bare if rows else None,
        Text(f"{len(rows)} 条，{len(bare)} 条没有来源", f"{len(rows)} statements, {len(bare)} without a source"),
    )


def _withdrawal(hub: Hub, ctx: RequestContext) -> Result:
    """Tried: consent is given, then withdrawn, and delivery's question asked after each. Nothing of it is kept."""
    now, answers = hub.clock.now(), []
    with hub.database.unkept() as session:
        for step, given in enumerate((True, False)):
            statement = Statement(_NOBODY, Purpose.MARKETING, given, now + step, source="checklist")
            import_consents(session, ctx, hub.clock, [statement], "checklist")
            answers.append(consented(session, ctx, _NOBODY, Purpose.MARKETING, "sms", now + step))
    right = answers == [True, False]
    found = (
        Text("试过：同意后可发，撤回后即不可", "tried: after consent it may be sent, after withdrawal no more")
        if right
        else Text("试过：撤回后仍可发，或同意后不可", "tried: it may be sent after withdrawal, or not after consent")
    )
    return Result(right, found)


def _export(hub: Hub, ctx: RequestContext) -> Result:
    """What an erasure of a person of the journal would take out of a store, an export of theirs has to have."""
    newest = hub.privacy.anyone(ctx)
    if newest is None:
        return Result(None, Text("还没有客户", "there is no customer yet"))
    seeing, who = ctx.for_purpose(Purpose.COMPLIANCE), hub.privacy.person(ctx, newest)
    rows, silent = 0, []
    for store in hub.privacy.stores:
        exported = len(store.export(seeing, who))
        counted = store.erase(seeing, who, True)
        rows += exported
        silent += [store.name] if (counted.erased or counted.kept) and not exported else []
    count = len(hub.privacy.stores)
    found = (
        Text(f"没有导出：{', '.join(silent)}", f"not exported: {', '.join(silent)}")
        if silent
        else Text(f"{count} 处存储，{rows} 条", f"{rows} records from {count} stores")
    )
    return Result(rows > 0 and not silent, found)


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
        not bare if rows else None,
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
    from agents.intake import new_turn
    from app.logs import mask
    from core.telemetry import masked

    kinds = ("mobile", "id_card", "bank_card", "email", "plate", "address")
    says = mask_pii(_PLANTED)
    missed = [kind for kind in kinds if f"<{kind}>" not in says]
    secrets = ("13800138000", "11010519491231002X", "6222021234567890128", "a@b.cn")
    log = str(mask(None, "", {"event": _PLANTED}))
    missed += [f"log {s}" for s in secrets if s in log]
    missed += [f"trace {s}" for s in secrets if s in str(masked(_PLANTED))]
    missed += [f"prompt {s}" for s in secrets if s in str(new_turn("ticket", "checklist", 1, _PLANTED, None))]
    listed = ", ".join(missed)
    return Result(
        not missed,
        Text(f"漏掉：{listed}", f"missed: {listed}") if missed else Text("六类都被遮盖", "all six kinds are masked"),
    )


def _transfer(hub: Hub, ctx: RequestContext) -> Result:
    settings = hub.settings
    urls = {"llm": settings.llm_base_url, "otlp": settings.otlp_endpoint, "webhook": settings.webhook_url}
    used = {name: (url.scheme == "https", str(url.host)) for name, url in urls.items() if url}
    if settings.smtp_host:
        used["smtp"] = (settings.smtp_starttls, settings.smtp_host)
    if settings.graph_url:
        graph = urlsplit(settings.graph_url)
        used["graph"] = ("+s" in graph.scheme, graph.hostname or "")
    plain = [name for name, (encrypted, host) in used.items() if not encrypted and host not in _LOCAL]
    said = ", ".join(used) or "-"
    return Result(
        not plain,
        Text(
            f"外部：{said}；未加密：{', '.join(plain) or '无'}",
            f"elsewhere: {said}; not encrypted: {', '.join(plain) or 'none'}",
        ),
    )


CHECKS: dict[str, Callable[[Hub, RequestContext], Result]] = {
    "purposes": _purposes, "personal_fields": _personal_fields, "folder": _folder, "transport": _transport,
    "audit": _audit, "consent": _consent, "consent_source": _consent_source, "withdrawal": _withdrawal,
    "export": _export, "erasure": _erasure, "explained": _explained, "roles": _roles, "masking": _masking,
    "transfer": _transfer,
}  # fmt: skip
