"""Text to meaning in milliseconds, without a language model: language, intents, entities, tone, promises, next actions,
and the route to a specialist."""

from knowledge.parse.model import Entity, EntityKind, Flag, Intent, NextAction, Promise, TextMeaning
from knowledge.parse.reader import MAX_BYTES, read_text
from knowledge.parse.route import Route, Router, route_of
from knowledge.parse.vocabulary import Vocabulary, products_of, retail_vocabulary

__all__ = [
    "MAX_BYTES",
    "Entity",
    "EntityKind",
    "Flag",
    "Intent",
    "NextAction",
    "Promise",
    "Route",
    "Router",
    "TextMeaning",
    "Vocabulary",
    "products_of",
    "read_text",
    "retail_vocabulary",
    "route_of",
]
