"""One hub and one real HTTP server for all tests of the service."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from core.context import Role
from tests.app.hubclient import Client, Service, settings_for


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """Shared by all tests: use names and subjects of your own."""
    from app.server import in_background

    settings = settings_for(tmp_path_factory.mktemp("service"))
    with in_background(settings) as (address, hub):
        keys = {role: hub.keys.create(hub.context(), f"test {role}", role).text for role in Role}
        yield Service(address, hub, keys)


@pytest.fixture
def admin(service: Service) -> Client:
    return service.admin
