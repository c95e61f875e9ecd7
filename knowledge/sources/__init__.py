"""From files of other systems to facts, relations and events: rows, and a declarative mapping over their columns."""

from knowledge.sources.mapping import Mapped, Mapping, load_mapping, read_inputs
from knowledge.sources.rows import Row, read_rows

__all__ = ["Mapped", "Mapping", "Row", "load_mapping", "read_inputs", "read_rows"]
