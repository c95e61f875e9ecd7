"""From files of other systems to facts, relations and events: rows, and a declarative mapping over their columns."""

from knowledge.sources.mapping import Mapped, Mapping, load_mapping, map_rows, read_inputs
from knowledge.sources.places import Table, find_tables
from knowledge.sources.plan import Plan, edited, load_yaml, read_plan, save_plan
from knowledge.sources.rows import Row, read_rows

__all__ = [
    "Mapped",
    "Mapping",
    "Plan",
    "Row",
    "Table",
    "edited",
    "find_tables",
    "load_mapping",
    "load_yaml",
    "map_rows",
    "read_inputs",
    "read_plan",
    "read_rows",
    "save_plan",
]
