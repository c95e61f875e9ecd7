"""What the start page suggests to try: inputs that fit the catalog in use."""

from __future__ import annotations

from typing import Any

from app.settings import Settings
from knowledge.catalog import Catalog

_TICKET = {
    "zh": "我的咖啡机又坏了，这已经是第三次。再修不好，合同到期我就不续了！",
    "en": "My coffee machine broke again, for the third time. If it can't be fixed I won't renew the contract!",
}


_SWIPER = "customer/c0009"


def examples(settings: Settings, catalog: Catalog) -> dict[str, Any]:
    """`sentence` and `ticket` by language, `customer`, and `inputs` (events and facts) without ids and times."""
    if settings.catalog is None:
        return {
            "sentence": {
                "zh": "客户7天内登录少于2次，就发专属优惠",
                "en": "When a customer logs in fewer than 2 times in 7 days, send an exclusive offer",
            },
            "ticket": _TICKET,
            "customer": "customer/c0026",
            "inputs": _coffee(catalog),
        }
    event = next(({"type": n, "subject": f"{k.subject}/1", "data": {}} for n, k in catalog.events.items()), None)
    return {"ticket": _TICKET, "customer": "customer/1", "inputs": [event] if event else []}


def _coffee(catalog: Catalog) -> list[dict[str, Any]]:
    """Story 1: an order (which ends what went before), a place near a rival, five screens swiped without ordering."""
    rival = catalog.places["competitor_store"].points[0]
    place = {"lat": rival.lat, "lon": rival.lon}
    swipe = {"type": "app.swipe", "subject": _SWIPER}
    return [
        {"type": "order.placed", "subject": _SWIPER, "data": {}},
        {"subject": _SWIPER, "property": "location", "value": place},
        *({**swipe, "data": {"screen": number, "menu": "seasonal"}} for number in range(1, 6)),
    ]
