from __future__ import annotations

import pytest

from tests.agentworld import AgentWorld, open_world


@pytest.fixture(scope="session")
def hub(tmp_path_factory: pytest.TempPathFactory) -> AgentWorld:
    return open_world(tmp_path_factory.mktemp("agents"))
