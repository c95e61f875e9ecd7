"""A stage for the tests of checks and explanations: one trigger (or more), events and facts at hours after a fixed
morning."""

from __future__ import annotations

from typing import Any

from core.events import Event, Fact, Input, Relation
from core.times import HOUR, Micros, parse_time
from knowledge.catalog import Catalog, read_catalog
from strategy.document import Strategy
from strategy.engine.port import Firing, Observation
from strategy.engine.python import PythonEngine

CATALOG_TEXT = """
catalog: 1
timezone: Asia/Shanghai
objects:
  customer:
    labels: {zh: [客户], en: [customer]}
    attributes:
      tier: {type: enum, labels: {zh: [等级], en: [tier]},
             values: {vip: {zh: [大客户], en: [high-value]}, plain: {zh: [普通], en: [plain]}}}
      dwell: {type: number, unit: s, min: 0, labels: {zh: [官网停留时长], en: [time on site]}}
      birthday: {type: date, labels: {zh: [生日], en: [birthday]}}
      location: {type: geo, labels: {zh: [位置], en: [location]}}
  device: {attributes: {heat: {type: number, unit: ℃, labels: {zh: [温度], en: [temperature]}}, warranty: {type: date}}}
events:
  login: {subject: customer, labels: {zh: [登录], en: [login]}}
  mail: {subject: customer, labels: {zh: [营销邮件], en: [marketing mail]},
         fields: {opened: {type: boolean, labels: {zh: [打开], en: [opened]}}}}
  order: {subject: customer, labels: {zh: [下单], en: [order]},
          fields: {amount: {type: number, unit: CNY, min: 0, labels: {zh: [金额], en: [amount]}}, shop: {type: text}}}
  balance: {subject: customer, fields: {change: {type: number, min: -1000}}}
  swipe: {subject: customer, labels: {zh: [滑动], en: [swipe]}}
  sleep: {subject: customer, fields: {apnea: {type: number}}}
  complaint: {subject: customer}
  answer: {subject: customer}
  alarm: {subject: device}
metrics:
  open_rate: {subject: customer, ratio: {of: login, per: mail}, unit: percent, labels: {zh: [打开率], en: [open rate]}}
forecasts:
  churn: {subject: customer, horizon: 7d, unit: percent, labels: {zh: [流失概率], en: [churn probability]}}
  failure: {subject: device, horizon: 72h, unit: percent, labels: {zh: [故障概率], en: [failure probability]}}
places:
  rival: {labels: {zh: [竞品门店], en: [rival shop]}, radius: 500m, points: [{id: s1, lat: 31.23, lon: 121.47}]}
  nowhere: {points: []}
actions: {call: {labels: {zh: [外呼], en: [call]}, channel: voice}}
relations: {owns: {from: customer, to: device, labels: {zh: [拥有], en: [owns]}}}
"""
CATALOG = read_catalog(CATALOG_TEXT).catalog
SINCE_LONG = CATALOG.model_copy(update={"history_from": parse_time("2020-01-01T00:00:00Z")})
"""The same catalog, with history complete since 2020: no window is short."""
START = parse_time("2026-05-01T08:00:00+08:00")
ME = "customer/1"


def hour(count: float) -> Micros:
    return Micros(START + round(count * HOUR))


def strategy(trigger: dict[str, Any], name: str = "s", **more: Any) -> Strategy:
    return Strategy.model_validate({"name": name, "trigger": trigger, "actions": [{"action": "call"}], **more})


def count(event: str, over: str | None = "2h", op: str = ">=", value: Any = 1, **more: Any) -> dict[str, Any]:
    window = {"over": over} if over else {}
    made = {"kind": "aggregate", "event": event, "function": "count", "window": window, "op": op, "value": value}
    return made | more


def reduced(function: str, op: str, value: Any, field: str | None = "amount", **more: Any) -> dict[str, Any]:
    made = {"kind": "aggregate", "event": "order", "function": function, "field": field, "op": op, "value": value}
    return {**made, "window": {"over": "2h"}, **more}


def happens(event: str, *where: dict[str, Any]) -> dict[str, Any]:
    return {"kind": "event", "event": event, "where": list(where)}


def attribute(name: str, op: str, value: Any, **more: Any) -> dict[str, Any]:
    return {"kind": "attribute", "name": name, "op": op, "value": value, **more}


VIP = attribute("tier", "==", "vip")


class Stage:
    """An engine with strategies deployed before the first input; `at` hours."""

    def __init__(self, *triggers: dict[str, Any] | Strategy, catalog: Catalog = CATALOG) -> None:
        self.engine = PythonEngine(catalog)
        self.firings: list[Firing] = []
        self.ids = 0
        for i, each in enumerate(triggers):
            document = each if isinstance(each, Strategy) else strategy(each, f"s{i}" if i else "s")
            self.engine.deploy(document, 1)

    def event(self, kind: str, at: float, who: str = ME, id: str | None = None, **data: Any) -> None:
        self.ids += 1
        self._take(Event(id or f"e{self.ids:03}", kind, hour(at), who, data))

    def fact(self, name: str, value: Any, at: float, who: str = ME) -> None:
        self._take(Fact(who, name, value, hour(at)))

    def owns(self, device: str, at: float) -> None:
        self._take(Relation(ME, "owns", device, hour(at)))

    def _take(self, item: Input) -> None:
        self.firings += self.engine.ingest([item]).firings

    def until(self, at: float) -> None:
        """Move time on."""
        self.firings += self.engine.advance(hour(at)).firings

    def look(self, who: str = ME) -> Observation:
        return self.engine.look("s", who)[0]
