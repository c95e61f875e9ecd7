"""The customer graph: facts with two times, a source and purposes; relations; timelines. The rules: docs/graph.md."""

from knowledge.graph.limits import CatalogLimits, NoLimits
from knowledge.graph.model import (
    Assertion,
    Explanation,
    GraphFact,
    Match,
    Matches,
    Neighbourhood,
    Profile,
    Series,
    Stats,
    Step,
    Timeline,
)
from knowledge.graph.port import GraphStore, PurposeLimits
from knowledge.graph.service import GraphService
from knowledge.graph.sqlite import SqliteGraphStore

__all__ = [
    "Assertion",
    "CatalogLimits",
    "Explanation",
    "GraphFact",
    "GraphService",
    "GraphStore",
    "Match",
    "Matches",
    "Neighbourhood",
    "NoLimits",
    "Profile",
    "PurposeLimits",
    "Series",
    "SqliteGraphStore",
    "Stats",
    "Step",
    "Timeline",
]
