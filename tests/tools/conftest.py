from __future__ import annotations

import pytest

from tests.agentworld import AgentWorld, shared_world


@pytest.fixture(scope="session")
def hub(tmp_path_factory: pytest.TempPathFactory) -> AgentWorld:
    return shared_world(lambda: tmp_path_factory.mktemp("hub"))
