"""Loading the demo world: events wait for its history, and a folder with other events takes none."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from app.demo_world import documents_of, history_is_missing, load_demo_world, progress
from app.hub import Hub
from app.settings import load_settings
from core.clock import SystemClock
from core.errors import InvalidInput, Refused, Unavailable
from knowledge.packs import retail
from tests.app.hubclient import settings_for


def test_live_events_wait_until_the_history_is_in(tmp_path: Path) -> None:
    with Hub.open(settings_for(tmp_path, catalog=None, demo=True)) as hub:
        assert history_is_missing(hub)
        with pytest.raises(Unavailable, match="history"):
            hub.running_engine(patience=0.01)
        hub.start_engine()
        assert hub.running_engine(patience=0.01) is hub.live


def test_a_folder_with_other_events_takes_no_demo_world(tmp_path: Path) -> None:
    event = {"id": "1", "type": "app.login", "subject": "customer/x", "time": datetime.now(UTC).isoformat()}
    with Hub.open(settings_for(tmp_path, catalog=None)) as hub:
        assert hub.running_engine().accept_events(hub.context(), [event]).accepted == 1
    with Hub.open(settings_for(tmp_path, catalog=None, demo=True)) as hub:
        assert hub.running_engine(patience=0.01) is hub.live
        with pytest.raises(Refused, match="other events"):
            load_demo_world(hub)


def test_after_a_stop_in_between_the_same_world_is_loaded_on(tmp_path: Path) -> None:
    with Hub.open(settings_for(tmp_path, catalog=None, demo=True)) as hub:
        begun = progress(hub).having()
        hub.live.load_history(hub.context(), list(retail.world(begun.seed, anchor=begun.anchor).inputs())[:50])
    with Hub.open(settings_for(tmp_path, catalog=None, demo=True)) as hub:
        assert history_is_missing(hub)
        assert progress(hub).anchor == begun.anchor
        assert progress(hub).having("history").done == ("history",)
        assert not history_is_missing(hub)


def test_the_demo_world_goes_with_its_own_catalog_only(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput) as error:
        load_settings(demo=True, catalog=tmp_path / "catalog.yaml", data_dir=tmp_path)
    assert error.value.where == {"field": "ZHONGSHU_CATALOG"}


def test_every_document_of_the_world_is_one_the_index_takes() -> None:
    world = retail.world(7, anchor=SystemClock().now(), customers=300)
    found = documents_of(world)
    assert len(found) == len(world.tickets) + len(world.transcripts) + len(world.documents)
    assert len({d.id for d in found}) == len(found)
