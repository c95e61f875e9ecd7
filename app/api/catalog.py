"""The catalog in use, and the JSON Schemas of the file formats."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends

from app.api.deps import allow, the_hub
from app.hub import Hub
from core.context import RequestContext
from knowledge.catalog import catalog_schema
from knowledge.governance import Action
from strategy.document import strategy_schema

router = APIRouter(prefix="/v1", tags=["catalog"])
MayRead = Annotated[RequestContext, Depends(allow(Action.CATALOG_READ))]


@router.get("/catalog", summary="The catalog in use")
def catalog(ctx: MayRead, hub: Annotated[Hub, Depends(the_hub)]) -> dict[str, Any]:
    """Objects, events, metrics, places, actions and relations, with their labels in both languages."""
    return hub.catalog.model_dump(mode="json", by_alias=True, exclude_defaults=True) | {"catalog": 1}


@router.get("/schemas/{kind}", summary="JSON Schema of a file format")
def schema(kind: Literal["catalog", "strategy"], ctx: MayRead) -> dict[str, Any]:
    return catalog_schema() if kind == "catalog" else strategy_schema()
