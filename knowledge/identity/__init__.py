"""Who is who: records of people and companies from many systems, tied to one entity each, with evidence. Splink trains
on a batch; single records are judged by the same model without it."""

from knowledge.identity.fields import lay_out, read_map, read_record
from knowledge.identity.index import IdentityIndex
from knowledge.identity.model import Judgement, MatchModel, read_model
from knowledge.identity.resolve import Resolution, Resolved, Review, Table, resolve
from knowledge.identity.rules import Rules, load_rules

__all__ = [
    "IdentityIndex",
    "Judgement",
    "MatchModel",
    "Resolution",
    "Resolved",
    "Review",
    "Rules",
    "Table",
    "lay_out",
    "load_rules",
    "read_map",
    "read_model",
    "read_record",
    "resolve",
]
