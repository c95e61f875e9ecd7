"""Which strategies the hub proposes out of the box: those of the pack whose catalog is in use."""

from __future__ import annotations

from app.settings import Settings
from strategy.recommend import Template


def templates_for(settings: Settings) -> list[Template]:
    """The pack's ready strategies and templates; none beside a catalog of one's own."""
    if settings.catalog is not None:
        return []
    from knowledge.packs import retail

    return [Template(each.name, each.sentence) for each in (*retail.strategies(), *retail.templates())]
