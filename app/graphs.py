"""The customer graph that the settings choose."""

from __future__ import annotations

from collections.abc import Callable

from app.settings import Settings
from core.clock import Clock
from core.db import Database
from knowledge.catalog import Catalog
from knowledge.graph import CatalogLimits, Derivations, SqliteGraphStore
from knowledge.graph.forgetting import ForgetfulGraph


def open_graph(settings: Settings, database: Database, clock: Clock, catalog: Callable[[], Catalog]) -> ForgetfulGraph:
    """
    Raises:
        InvalidInput: a pattern of the catalog cannot be used, or the address of the graph database.
        Unavailable: the graph database does not answer.
    """
    limits, derived = CatalogLimits(catalog), Derivations(catalog)
    derived.check()
    if settings.graph == "sqlite":
        return SqliteGraphStore(database, clock, limits, derived)
    from knowledge.graph.neo4j import Neo4jGraphStore  # the driver takes its time to import

    assert settings.graph_url is not None
    password = settings.graph_password
    auth = None if password is None else (settings.graph_user, password.get_secret_value())
    return Neo4jGraphStore(settings.graph_url, auth, database, clock, limits, derived, settings.graph_database)
