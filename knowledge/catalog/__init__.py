"""The metadata layer: one business's vocabulary as data, and the check of inputs against it."""

from knowledge.catalog.check import check_event, check_fact, check_relation
from knowledge.catalog.identity import IdentityRules
from knowledge.catalog.load import InvalidCatalog, LoadedCatalog, load_catalog, nearest, read_catalog
from knowledge.catalog.model import Catalog, Loop, Source, catalog_schema, name_of, text_of

__all__ = [
    "Catalog",
    "IdentityRules",
    "InvalidCatalog",
    "LoadedCatalog",
    "Loop",
    "Source",
    "catalog_schema",
    "check_event",
    "check_fact",
    "check_relation",
    "load_catalog",
    "name_of",
    "nearest",
    "read_catalog",
    "text_of",
]
