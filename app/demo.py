"""The two stories that `zhongshu demo` tells: a hub of its own in a temporary folder, real HTTP, real delivery to a
signed webhook on loopback. What is printed is what the API answered."""

from __future__ import annotations

import base64
import json
import queue
import secrets
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

from standardwebhooks import Webhook

from app.cli.reach import Api
from app.cli.words import t
from app.demo_world import documents_of, load_consents
from app.logs import set_up_logs
from app.server import in_background
from app.settings import load_settings
from app.telling import Teller
from core.errors import Unavailable
from core.events import Event, Fact, Input
from core.text import Text
from core.times import DAY, format_time
from knowledge.packs import retail

if TYPE_CHECKING:
    from app.hub import Hub
    from knowledge.packs.retail import Ticket, World

CUSTOMERS = 300
"""Enough for every planted case; a smaller world than `serve --demo`'s loads faster."""
_STORY = "rival-nearby"
_PATIENCE = 60.0
_VERDICTS = {
    "delivered": Text("执行", "deliver"),
    "deferred": Text("推迟", "put off"),
    "dropped": Text("不执行", "drop"),
    "holdout": Text("留作对照", "hold out"),
}


def tell() -> None:
    """Both stories, from events to outcome."""
    began = time.perf_counter()
    lang = load_settings().lang
    teller = Teller(lang)
    set_up_logs("error", "console")
    with tempfile.TemporaryDirectory(prefix="zhongshu-demo-") as folder, _receiver() as receiver:
        settings = load_settings(
            data_dir=Path(folder),
            demo_seed=7,
            webhook_url=receiver.url,
            webhook_secret=receiver.secret,
            webhook_channels="wechat",
        ).model_copy(update={"catalog": None})
        teller.note(Text("准备一家连锁咖啡店的演示数据……", "Preparing the demo data of a chain of coffee shops …"))
        with in_background(settings) as (address, hub):
            world = _prepare(hub, teller)
            api = Api(address, hub.owner_token, lang)
            _coffee(api, world, receiver, teller)
            _ticket(api, world, teller)
    seconds = time.perf_counter() - began
    teller.note(Text(f"全程 {seconds:.0f} 秒。", f"All in {seconds:.0f} seconds."))
    _what_next(teller)


def _prepare(hub: Hub, teller: Teller) -> World:
    world = retail.world(hub.settings.demo_seed, anchor=hub.clock.now(), customers=CUSTOMERS)
    week = _recent(world)
    hub.live.load_history(hub.context(), week)
    load_consents(hub, world)
    concerned = _concerned(world)
    events = sum(isinstance(found, Event) for found in week)
    documents = [d for d in documents_of(world) if d.kind in ("faq", "article") or d.subject in concerned]
    hub.retriever.get().add(hub.context(), documents)
    hub.supervisor.get()
    hub.live.settle(60)
    teller.note(
        Text(
            f"{len(world.customers)} 位客户、一周的 {events:,} 个事件、{len(documents)} 份文档已载入。",
            f"{len(world.customers)} customers, a week with {events:,} events, {len(documents)} documents are in.",
        )
    )
    return world


def _recent(world: World) -> list[Input]:
    """All facts, the events of the last week, and every event of the customer whom story 1 asks "why not" about."""
    asked, since = world.truths.near_misses[_STORY][0], world.anchor - 7 * DAY
    return [x for x in world.inputs() if not isinstance(x, Event) or x.time >= since or x.subject == asked]


def _concerned(world: World) -> set[str]:
    """The customer of the second story, with contracts and machines."""
    breach = world.truths.breach
    return {breach.customer, breach.device, f"contract/{breach.contract}"}


# Story 1


def _coffee(api: Api, world: World, receiver: Receiver, teller: Teller) -> None:
    teller.title(Text("故事一：竞品门店旁的一杯咖啡", "Story 1: a coffee next to a rival's shop"))
    ready = next(s for s in retail.strategies() if s.name == _STORY)
    sentence = ready.sentence.say(teller.lang)
    teller.step(Text("您说一句话", "You say a sentence"), [f"“{sentence}”"])
    drafted = api.post("strategies", body={"sentence": sentence, "name": _STORY})
    teller.step(Text("中枢读回给您", "The hub reads it back"), [drafted["readback"], *drafted["warnings"]])
    approved = api.post("strategies", _STORY, "approve", body={"version": 1, "percent": 100})
    teller.step(
        Text("您批准", "You approve"),
        [
            t(
                f"全量上线：{approved['percent']:g}% 的客户",
                f"{approved['state']}, for {approved['percent']:g}% of customers",
            )
        ],
    )
    _until_deployed(api)
    subject = world.truths.swiper
    name = next(c.name for c in world.customers if c.subject == subject)
    sent = _play(api, world.live, subject)
    teller.step(
        Text(
            f"{name}（{subject}）走近竞品门店，翻了五屏菜单没有下单",
            f"{name} ({subject}) nears the rival, swipes five screens, orders nothing",
        ),
        [
            t(
                f"{sent.count} 个输入经 HTTP 送入并落盘",
                f"{sent.count} inputs sent over HTTP, each on disk before it was acknowledged",
            )
        ],
    )
    decision = _wait_for(lambda: _newest(api, subject), "decision")
    got = [receiver.take() for action in decision["actions"] if action["channel"] == "wechat"]
    got.sort(key=lambda message: [a["message"] for a in decision["actions"]].index(message["key"]))
    seconds = time.perf_counter() - sent.last
    teller.step(
        Text("命中并决定", "It matches, and decides"),
        [
            f"{decision['id']} · {_VERDICTS.get(decision['verdict'], Text('?', '?')).say(teller.lang)}",
            *(a["label"] for a in decision["actions"]),
        ],
    )
    teller.step(
        Text(f"{seconds:.1f} 秒后送达", f"Delivered {seconds:.1f} s after the last swipe"),
        [
            t("签名核对无误，渠道 ", "signature verified, channel ")
            + f"{m['data']['channel']}: {m['data']['title'][teller.lang]}"
            for m in got
        ],
    )
    why = _wait_for(lambda: _finished(api, decision["id"]), "delivery")
    teller.layers(Text("为什么是现在？", "Why now?"), why["headline"], why["layers"])
    other = world.truths.near_misses[_STORY][0]
    found = api.get("strategies", _STORY, "why-not", subject=other)
    teller.step(Text(f"为什么 {other} 没有？", f"Why not {other}?"), [found["headline"], *found["lines"]])


@dataclass(frozen=True)
class _Sent:
    count: int
    last: float


def _play(api: Api, inputs: tuple[Input, ...], subject: str) -> _Sent:
    """Send the story's inputs as they would come: each with the time it is sent at."""
    for number, found in enumerate(inputs):
        moment = format_time(_now())
        if isinstance(found, Fact):
            api.post(
                "facts", body={"subject": subject, "property": found.property, "value": found.value, "from": moment}
            )
        elif isinstance(found, Event):
            event = {"id": f"demo-{number}", "source": found.source, "type": found.type, "time": moment}
            api.post("events", body={**event, "subject": subject, "data": dict(found.data)})
    return _Sent(len(inputs), time.perf_counter())


def _now() -> int:
    from core.clock import SystemClock

    return SystemClock().now()


def _until_deployed(api: Api) -> None:
    """The engine takes a new strategy up within milliseconds; the first look that it answers shows that it has."""

    def looked() -> Any:
        try:
            return api.get("strategies", _STORY, "why-not", subject="customer/nobody")
        except Exception:
            return None

    _wait_for(looked, "deployment")


def _newest(api: Api, subject: str) -> Any:
    found = api.get("decisions", strategy=_STORY, subject=subject, limit=1)["items"]
    return found[0] if found else None


def _finished(api: Api, decision: str) -> Any:
    """The answer to why, once every message's fate is written down."""
    why = api.get("decisions", decision, "why")
    return why if all(layer["state"] != "open" for layer in why["layers"]) else None


def _wait_for(look: Callable[[], Any], what: str) -> Any:
    deadline = time.perf_counter() + _PATIENCE
    pause = threading.Event()
    while time.perf_counter() < deadline:
        if found := look():
            return found
        pause.wait(0.02)
    raise Unavailable(Text(f"没有等到：{what}", f"waited in vain for: {what}"))


# Story 2


def _ticket(api: Api, world: World, teller: Teller) -> None:
    truth = world.truths.breach
    ticket: Ticket = next(found for found in world.tickets if found.id == truth.ticket)
    teller.title(Text("故事二：超过承诺时间的维修", "Story 2: a repair later than promised"))
    teller.step(Text(f"{ticket.customer} 来信", f"{ticket.customer} writes"), [f"“{ticket.text}”"])
    began = time.perf_counter()
    answer = api.post("tickets", body={"id": f"demo-{ticket.id}", "subject": ticket.customer, "text": ticket.text})
    took = (time.perf_counter() - began) * 1000
    outcome = answer["outcome"]
    routing = outcome["routing"] or {"confidence": 0.0, "why": ""}
    teller.step(
        Text("主管智能体分派", "The supervisor routes it"),
        [
            t(
                f"→ {answer['route']}（把握 {routing['confidence']:.0%}）：{routing['why']}",
                f"→ {answer['route']} ({routing['confidence']:.0%} sure): {routing['why']}",
            )
        ],
    )
    decision = outcome["decision"] or {"action": "hand_over", "reasons": [], "missing": []}
    teller.step(
        Text("专员查证后决定", "The specialist looks things up and decides"),
        [decision["action"], *decision["reasons"], t("证据：", "evidence: ") + ", ".join(outcome["evidence"])],
    )
    teller.step(Text(f"答复（{took:.0f} 毫秒）", f"The reply ({took:.0f} ms)"), [outcome["reply"]])
    if pending := outcome["pending"]:
        teller.step(
            Text("这一步要人批准", "This act needs a person"),
            [
                f"{pending['tool']} {_plain(pending['args'])}",
                t("可以批准的角色：", "who may: ") + ", ".join(pending["roles"]),
            ],
        )
        outcome = api.post("approvals", pending["id"], "approve", body={"note": "demo"})
        teller.step(Text("批准之后", "Once approved"), [outcome["reply"]])
    for done in outcome["done"]:
        teller.step(
            Text(f"已执行 {done['tool']}", f"Done: {done['tool']}"),
            [_plain(done["result"])],
        )


def _plain(values: dict[str, Any]) -> str:
    """`name: value` pairs in one line; nested ones flattened."""
    flat: dict[str, Any] = {}
    for name, value in values.items():
        flat.update(value if isinstance(value, dict) else {name: value})
    return " · ".join(f"{name}: {value}" for name, value in flat.items() if value not in (None, "", []))


def _what_next(teller: Teller) -> None:
    teller.title(Text("接下来试试", "What to try next"))
    sentence = t(
        "客户连续3次没打开营销邮件，就安排外呼",
        "When a customer does not open 3 marketing emails in a row, arrange an outbound call",
    )
    teller.commands(
        [
            (Text("看页面", "see the page"), "zhongshu serve --demo   # http://127.0.0.1:8000"),
            (Text("说一句话", "say a sentence"), f'zhongshu strategy draft "{sentence}"'),
            (Text("聊天", "chat"), "zhongshu chat"),
            (Text("评测智能体", "judge the agents"), "zhongshu eval run"),
            (Text("检查配置", "check the set-up"), "zhongshu doctor"),
        ]
    )


# The receiver at the other end of the webhook


class Receiver:
    """Where the demo's messages arrive: checks each signature as a receiver in the field would."""

    def __init__(self, url: str, secret: str) -> None:
        self.url = url
        self.secret = secret
        self.came: queue.Queue[dict[str, Any]] = queue.Queue()

    def take(self) -> dict[str, Any]:
        """The next message, waited for."""
        try:
            return self.came.get(timeout=_PATIENCE)
        except queue.Empty:
            raise Unavailable(Text("没有等到送达", "waited in vain for a delivery")) from None


@contextmanager
def _receiver() -> Iterator[Receiver]:
    secret = "whsec_" + base64.b64encode(secrets.token_bytes(24)).decode()
    verifier = Webhook(secret)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            verifier.verify(body, {name.lower(): value for name, value in self.headers.items()})
            receiver.came.put({**json.loads(body), "key": self.headers["webhook-id"]})
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    receiver = Receiver(f"http://127.0.0.1:{server.server_address[1]}/", secret)
    thread = threading.Thread(target=server.serve_forever, name="receiver", daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)
