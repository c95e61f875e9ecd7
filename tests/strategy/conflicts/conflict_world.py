"""A small catalog whose actions contradict, exclude and cause things, and checks of witnesses against the oracle."""

from __future__ import annotations

from typing import Any

from knowledge.catalog import read_catalog
from strategy.conflicts import Witness
from strategy.document import Strategy
from tests.strategy.engine.oracle import Oracle

CATALOG = read_catalog("""
catalog: 1
objects:
  customer:
    attributes:
      tier: {type: enum, values: {vip: {}, plain: {}}}
      points: {type: number, min: 0}
      name: {type: text}
      birthday: {type: date}
      location: {type: geo}
  device: {attributes: {heat: {type: number}}}
  store: {}
events:
  login: {subject: customer}
  order: {subject: customer, fields: {amount: {type: number, min: 0}, shop: {type: text}}, groups: {store: shop}}
  complaint: {subject: customer}
  answer: {subject: customer}
  coupon: {subject: customer}
  visit: {subject: customer}
metrics: {rate: {subject: customer, ratio: {of: answer, per: complaint}, unit: percent}}
forecasts: {churn: {subject: customer, horizon: 7d, unit: percent}}
places: {rival: {points: [{id: s1, lat: 31.23, lon: 121.47}]}}
relations: {owns: {from: customer, to: device}}
actions:
  offer: {channel: wechat, opposite: silence, causes: [coupon]}
  silence: {}
  call: {channel: voice, excludes: [visit_home]}
  visit_home: {causes: [visit]}
  remind: {channel: wechat, causes: [login]}
""").catalog


def strategy(name: str, trigger: dict[str, Any], *actions: str, **more: Any) -> Strategy:
    body = {"name": name, "trigger": trigger, "actions": [{"action": action} for action in actions or ("call",)]}
    return Strategy.model_validate({**body, **more})


def count(event: str, op: str, value: float, over: str = "7d", above: float | None = None) -> dict[str, Any]:
    """How often in such a time; `above`: of orders over such an amount."""
    body = {
        "kind": "aggregate",
        "event": event,
        "function": "count",
        "window": {"over": over},
        "op": op,
        "value": value,
    }
    return body if above is None else {**body, "where": [{"field": "amount", "op": ">", "value": above}]}


def streak(times: int, above: float) -> dict[str, Any]:
    """So many orders in a row over an amount."""
    where = [{"field": "amount", "op": ">", "value": above}]
    return {"kind": "streak", "event": "order", "where": where, "times": times}


def happens(event: str, *where: dict[str, Any]) -> dict[str, Any]:
    return {"kind": "event", "event": event, "where": list(where)}


def attribute(name: str, op: str, value: Any) -> dict[str, Any]:
    return {"kind": "attribute", "name": name, "op": op, "value": value}


def every(*parts: dict[str, Any]) -> dict[str, Any]:
    return {"kind": "all", "of": list(parts)}


def awaited(event: str, absent: str, within: str) -> dict[str, Any]:
    """An event, and then not the other for so long."""
    return {"kind": "sequence", "steps": [{"event": event}, {"event": absent, "absent": True, "within": within}]}


VIP, PLAIN = attribute("tier", "==", "vip"), attribute("tier", "==", "plain")


def fires_as_shown(witness: Witness, *strategies: Strategy, catalog: Any = CATALOG) -> bool:
    """The brute-force oracle fires the strategies for the witness's subject at the moments that it names."""
    oracle = Oracle(catalog, list(strategies))
    oracle.ingest(witness.inputs)
    oracle.advance(witness.until)
    return {(shot.strategy, witness.subject, shot.at) for shot in witness.shots} <= set(oracle.firings())
