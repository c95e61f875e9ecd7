"""A small catalog, strategies and firings for the tests of delivery."""

from __future__ import annotations

from typing import Any

from core.times import Micros, parse_time
from strategy.document import Strategy
from strategy.engine.port import Firing, Observation, Truth

CATALOG = """
catalog: 1
timezone: Asia/Shanghai
objects: {customer: {labels: {zh: [客户], en: [customer]}, attributes: {tier: {type: enum, values: {vip: {}}}}}}
events:
  app.login: {subject: customer, labels: {zh: [登录], en: [login]}}
  shop.order: {subject: customer, labels: {zh: [下单], en: [order]}}
actions:
  send_coupon: {labels: {zh: [发优惠券], en: [send coupon]}, channel: wechat}
  send_mail: {labels: {zh: [发邮件], en: [send mail]}, channel: email}
  outbound_call: {labels: {zh: [外呼], en: [outbound call]}, channel: voice}
  open_order: {labels: {zh: [开工单], en: [open work order]}, channel: webhook}
  show_banner: {labels: {zh: [展示横幅], en: [show banner]}, channel: inbox}
"""
NOON = parse_time("2026-05-13T12:00:00+08:00")


def seen(path: str, truth: Truth = Truth.TRUE) -> Observation:
    return Observation(path, "aggregate", truth, 3, ">=", 3, (Micros(1), Micros(2)), ("e1", "e2"))


def firing(
    at: int = NOON, subject: str = "customer/c1", audience: Truth | None = None, name: str = "winback"
) -> Firing:
    about = seen("audience", audience) if audience else None
    return Firing(name, 1, subject, Micros(at), str(at), seen("trigger"), about)


def strategy(**parts: Any) -> Strategy:
    """A strategy for everyone, with one action on WeChat, unless said otherwise."""
    return Strategy.model_validate(
        {
            "name": "winback",
            "trigger": {"kind": "event", "event": "app.login"},
            "actions": [{"action": "send_coupon"}],
            "rollout": {"percent": 100},
            **parts,
        }
    )
