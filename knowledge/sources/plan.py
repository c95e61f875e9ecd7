"""The plan of a graph: a declarative file that says, for each table, which columns are which things, properties,
relations and events, and what these are called. People edit it; `read_plan` and `edited` check it."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from core.errors import InvalidInput
from core.text import Text
from core.yamls import PlainLoader
from knowledge.catalog import Catalog, nearest
from knowledge.sources.mapping import Mapping


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class TablePlan(_Part):
    """One table. `mapping` None: it is left out."""

    file: str = Field(description="file name within the folder, or the database")
    part: str | None = Field(default=None, description="sheet or table in it")
    rows: int = Field(default=0, description="rows that were looked at")
    entity: str | None = Field(default=None, description="what a row is, if it is a thing of its own")
    key: list[str] = Field(default_factory=list, description="columns that number the rows")
    mapping: Mapping | None = None


class IdentityPlan(_Part):
    """Columns of several tables that tell whether two records are one person or company."""

    entity: str
    property: str
    columns: list[str] = Field(description="table.column")
    shared: int = Field(default=0, description="values that more than one of them has")


class RelationPlan(_Part):
    """A relation as it was found; the mapping of its table is what makes it."""

    name: str
    source: str = Field(description="type it leads from")
    target: str = Field(description="type it leads to")
    table: str
    column: str
    cardinality: str
    overlap: float | None = Field(default=None, description="share of its values that the target's table has")


class Plan(_Part):
    """What a folder of tables says, as a graph."""

    plan: Literal[1] = 1
    tables: dict[str, TablePlan]
    relations: list[RelationPlan] = Field(default_factory=list)
    identities: list[IdentityPlan] = Field(default_factory=list)
    catalog: Catalog = Field(description="types, properties with units, events, relations: their names in zh and en")

    def as_dict(self) -> dict[str, Any]:
        """As JSON and YAML have it; what is not set is left out."""
        return self.model_dump(mode="json", by_alias=True, exclude_defaults=True) | {"plan": 1}


def read_plan(content: object, file: str = "") -> Plan:
    """
    Raises:
        InvalidInput: it breaks the format; `where` has the field.
    """
    try:
        return Plan.model_validate(content)
    except ValidationError as cause:
        problem = cause.errors()[0]
        field = ".".join(str(part) for part in problem["loc"])
        raise InvalidInput(
            Text(f"方案有误：{problem['msg']}", f"the plan is wrong: {problem['msg']}"),
            where={**({"file": file} if file else {}), "field": field},
            nearest=nearest(str(problem["loc"][-1]), Plan.model_fields) if problem["type"] == "extra_forbidden" else (),
        ) from cause


def load_yaml(path: Path) -> Any:
    """
    Raises:
        InvalidInput: the file cannot be read or is not YAML.
    """
    try:
        return yaml.load(path.read_text(encoding="utf-8"), Loader=PlainLoader)  # a subclass of SafeLoader
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as cause:
        raise InvalidInput(
            Text(f"读不了：{cause}", f"it cannot be read: {cause}"), where={"file": str(path)}
        ) from cause


def save_plan(plan: Plan, path: Path) -> None:
    """Write it as YAML, as people edit it."""
    write_text(path, yaml.safe_dump(plan.as_dict(), allow_unicode=True, sort_keys=False, width=120))


def write_text(path: Path, text: str) -> None:
    """
    Raises:
        InvalidInput: the file cannot be written.
    """
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as cause:
        raise InvalidInput(
            Text(f"写不了文件：{cause.strerror}", f"the file cannot be written: {cause.strerror}"),
            where={"file": str(path)},
        ) from cause


def edited(plan: Plan, edits: object, file: str = "") -> Plan:
    """The plan with edits: a part of a plan whose values replace the plan's, key by key; null takes a key away.

    Raises:
        InvalidInput: the edits name a table that is not there, or what comes of them is no plan.
    """
    if not isinstance(edits, dict):
        raise InvalidInput(Text("修改应是一个映射", "edits must be a mapping"), where={"file": file} if file else {})
    for name in edits.get("tables") or {}:
        if name not in plan.tables:
            raise InvalidInput(
                Text(f"没有表 {name!r}", f"there is no table {name!r}"),
                where={"field": f"tables.{name}"},
                nearest=nearest(str(name), plan.tables),
            )
    merged = _merged(plan.model_dump(mode="json", by_alias=True, exclude_defaults=True) | {"plan": 1}, edits)
    return read_plan(merged, file)


def _merged(old: Any, new: Any) -> Any:
    if not (isinstance(old, dict) and isinstance(new, dict)):
        return new
    found = {key: value for key, value in old.items() if key not in new}
    for key, value in new.items():
        if value is not None:
            found[key] = _merged(old.get(key), value)
    return {key: found[key] for key in [*[k for k in old if k in found], *[k for k in found if k not in old]]}
