"""The health of the customer graph: which sources tell what, how fresh and complete they are, where they disagree, and
how far subjects get along closed loops. Nothing here tells of a single customer, and nothing is changed."""

from knowledge.health.model import Conflict, Coverage, Duplicates, Health, LoopHealth, SourceHealth, StageHealth
from knowledge.health.service import GraphHealth

__all__ = [
    "Conflict",
    "Coverage",
    "Duplicates",
    "GraphHealth",
    "Health",
    "LoopHealth",
    "SourceHealth",
    "StageHealth",
]
