from __future__ import annotations

import pytest

from tests.agentworld import AgentWorld, shared_world


def pytest_configure(config: pytest.Config) -> None:
    # agents/__init__.py says why; pytest forgets filters set at import
    config.addinivalue_line("filterwarnings", "ignore:`durability` has no effect")


@pytest.fixture(scope="session")
def hub(tmp_path_factory: pytest.TempPathFactory) -> AgentWorld:
    return shared_world(lambda: tmp_path_factory.mktemp("hub"))
