"""Kill -9 at random moments loses nothing acknowledged and doubles nothing: a short campaign of kill_campaign.py."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.backends import BACKENDS
from tests.strategy.kill_campaign import Round

ROUNDS = [(seed, backend) for backend in BACKENDS for seed in (11, 12, 13)]


@pytest.mark.parametrize(("seed", "backend"), ROUNDS)
def test_a_hub_that_is_killed_again_and_again_fires_as_the_oracle_says(tmp_path: Path, seed: int, backend: str) -> None:
    one = Round(seed, backend)
    assert one.play(tmp_path, kills=2) == []
    assert one.kills
