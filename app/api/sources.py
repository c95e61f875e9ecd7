"""Tables of other systems: a plan proposed from them, its preview, and taking their rows in with lineage. Rows come
with the request, or from the folder that the settings name."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict, Field

from app.api.deps import allow, the_hub
from app.api.shapes import JsonObject, Label, Page
from app.hub import Hub
from core.context import RequestContext
from core.errors import InvalidInput
from core.text import Text
from core.times import Micros, format_time
from knowledge.governance import Action
from knowledge.sources import Row, Table, find_tables, read_plan
from knowledge.sources.preview import preview as previewed
from knowledge.sources.report import as_report

router = APIRouter(prefix="/v1/sources", tags=["sources"])
TheHub = Annotated[Hub, Depends(the_hub)]
MayRead = Annotated[RequestContext, Depends(allow(Action.SOURCES_READ))]
MayWrite = Annotated[RequestContext, Depends(allow(Action.SOURCES_WRITE))]


class RowIn(BaseModel):
    line: int = Field(ge=0, description="where it stands in its file")
    values: JsonObject = Field(default_factory=dict)
    error: Label | None = Field(default=None, description="why it could not be read")


class TableIn(BaseModel):
    name: str
    file: str = Field(description="its name, which lineage shows")
    digest: str = Field(default="", description="of the file; a run with the same one looks at no row")
    rows: list[RowIn]

    def table(self) -> Table:
        rows = (
            Row(row.line, row.values, InvalidInput(Text(row.error.zh, row.error.en)) if row.error else None)
            for row in self.rows
        )
        return Table(self.name, self.file, held=tuple(rows), mark=self.digest)


class ProposeIn(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "tables": [
                        {"name": "customers", "file": "customers.csv", "rows": [{"line": 2, "values": {"id": "C1"}}]}
                    ]
                }
            ]
        },
    )

    tables: list[TableIn] | None = Field(default=None, description="null: those of the folder `ZHONGSHU_SOURCES`")


class PlanIn(ProposeIn):
    plan: JsonObject = Field(description="as `propose` answers it, and people edit it")


class TableOut(BaseModel):
    table: str
    file: str
    rows: int
    added: int = Field(description="rows that are new or changed")
    unchanged: int
    rejected: int
    skipped: bool = Field(description="the file is the one of the last run")
    errors: list[dict[str, Any]] = Field(description="rejected rows with file, line and reason; the first 50")


class AppliedOut(BaseModel):
    tables: list[TableOut]
    accepted: int = Field(description="facts, relations and events")
    duplicates: int
    late: int


class TakenOut(BaseModel):
    source: str
    table: str
    file: str
    digest: str
    rows: int
    rejected: int
    watermark: str | None = Field(description="the latest moment its rows told of")
    taken_at: str


class LineageOut(BaseModel):
    fact: str
    says: str
    status: str
    source: str | None = Field(description="null: it came in another way")
    table: str | None
    file: str | None
    part: str | None = Field(description="sheet or table in the file")
    line: int | None
    taken_at: str | None


@router.get("/ledger", summary="What was taken from where")
def taken(ctx: MayRead, hub: TheHub) -> Page[TakenOut]:
    """Every table as of its last run, by name."""
    return Page(
        items=[
            TakenOut(
                source=row.source,
                table=row.name,
                file=row.file,
                digest=row.digest,
                rows=row.rows,
                rejected=row.rejected,
                watermark=format_time(Micros(row.watermark)) if row.watermark is not None else None,
                taken_at=format_time(Micros(row.taken_at)),
            )
            for row in hub.sources.taken(ctx)
        ]
    )


@router.post("/propose", summary="Propose a plan")
def propose(ctx: MayRead, hub: TheHub, body: ProposeIn) -> dict[str, Any]:
    """Entities, keys, relations and properties as the tables suggest them in the hub's own words, the plan, and a
    preview of the graph it gives. Nothing is written."""
    from knowledge.sources.propose import propose as proposed
    from knowledge.sources.vocabulary import Vocabulary

    tables = _tables(hub, body)
    plan = proposed(tables, Vocabulary.offline(hub.catalog))
    return as_report(plan, previewed(plan, tables, hub.clock.now()))


@router.post("/preview", summary="Preview a plan")
def preview(ctx: MayRead, hub: TheHub, body: PlanIn) -> dict[str, Any]:
    """As `propose` answers, for a plan that was edited."""
    plan = read_plan(body.plan)
    return as_report(plan, previewed(plan, _tables(hub, body), hub.clock.now()))


@router.post("/apply", summary="Take rows in")
def apply(ctx: MayWrite, hub: TheHub, body: PlanIn) -> AppliedOut:
    """Rows that are new or changed since the last run become facts, relations and events; the others are left alone. A
    row that cannot be used is set aside with its file and line, and does not stop the rest."""
    return AppliedOut.model_validate(hub.sources.apply(ctx, read_plan(body.plan), _tables(hub, body)).as_dict())


@router.get("/lineage/{fact_id}", summary="Where a fact comes from")
def lineage(fact_id: str, ctx: Annotated[RequestContext, Depends(allow(Action.GRAPH_READ))], hub: TheHub) -> LineageOut:
    """File and row, and whether the fact counts now."""
    row, told = hub.sources.lineage(ctx, fact_id)
    return LineageOut(
        fact=fact_id,
        source=row.source if row else None,
        table=row.name if row else None,
        file=row.file if row else None,
        part=row.part if row else None,
        line=row.line if row else None,
        taken_at=format_time(Micros(row.taken_at)) if row else None,
        **told,
    )


def _tables(hub: Hub, body: ProposeIn) -> list[Table]:
    if body.tables is not None:
        return [table.table() for table in body.tables]
    if hub.settings.sources is None:
        raise InvalidInput(
            Text("没有表：请求里没有，也没有配置目录", "no tables: neither in the request nor in a configured folder"),
            where={"field": "tables"},
            hint=Text("设 ZHONGSHU_SOURCES，或在 tables 里给出行", "Set ZHONGSHU_SOURCES, or send rows in `tables`"),
        )
    return find_tables(str(hub.settings.sources))
