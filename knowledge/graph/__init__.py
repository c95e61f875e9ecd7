"""The customer graph: facts with two times, a source and purposes; relations; timelines. The rules: docs/graph.md."""

from knowledge.graph.derived import Derivations
from knowledge.graph.follower import Follower
from knowledge.graph.limits import CatalogLimits, NoLimits
from knowledge.graph.model import (
    Assertion,
    Conflict,
    Erasure,
    Explanation,
    Export,
    GraphFact,
    Identity,
    Match,
    Matches,
    Merge,
    Neighbourhood,
    Profile,
    SameAs,
    Series,
    Stats,
    Step,
    Timeline,
)
from knowledge.graph.port import GraphAccess, GraphStore, PurposeLimits
from knowledge.graph.service import GraphService
from knowledge.graph.sqlite import SqliteGraphStore

__all__ = [
    "Assertion",
    "CatalogLimits",
    "Conflict",
    "Derivations",
    "Erasure",
    "Explanation",
    "Export",
    "Follower",
    "GraphAccess",
    "GraphFact",
    "GraphService",
    "GraphStore",
    "Identity",
    "Match",
    "Matches",
    "Merge",
    "Neighbourhood",
    "NoLimits",
    "Profile",
    "PurposeLimits",
    "SameAs",
    "Series",
    "SqliteGraphStore",
    "Stats",
    "Step",
    "Timeline",
]
