"""Replays in the background: one at a time a tenant, called off, kept over a restart, and the same as elsewhere."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import strategy.replay_jobs
from core.clock import ManualClock
from core.errors import Conflict, InvalidInput, NotFound, Refused, UnknownName
from core.events import Event
from core.ids import TenantId
from core.times import DAY, MINUTE, Micros, to_datetime
from strategy.histories import MOST, Histories
from strategy.rehearse import journalled
from strategy.replay_jobs import KEPT, ReplayJobs
from strategy.schemas import ReplayIn
from strategy.tables import ReplayJobRow
from tests.strategy.livehub import CATALOG, CTX, NOW, LiveHub, every_login

OTHER = replace(CTX, tenant=TenantId("other"))


class Bench(LiveHub):
    """A hub with twenty days of logins, a named history, and replays."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, ManualClock(NOW))
        self.histories = Histories(folder / "histories", self.clock)
        self.jobs = self.open()
        past = [Event(f"e{n}", "app.login", Micros(NOW - (20 - n) * DAY), f"customer/c{n % 3}") for n in range(20)]
        self.live.load_history(CTX, past)
        self.live.settle()
        self.service.draft(CTX, document=every_login())

    def open(self) -> ReplayJobs:
        return ReplayJobs(self.db, self.clock, lambda ctx: self.catalog, self.service, self.histories)

    def keep(self, name: str, frame: pl.DataFrame) -> None:
        part = self.histories.receive(CTX.tenant, name)
        frame.write_parquet(part)
        self.histories.keep(CTX.tenant, name, part, CATALOG)

    def run_through(self, **asked: Any) -> ReplayJobRow:
        row = self.jobs.start(CTX, ask(**asked))
        self.jobs.wait()
        return self.jobs.show(CTX, row.id)

    def close(self) -> None:
        self.jobs.close()
        super().close()


class Gate:
    """Holds replays of the journal back until it is opened."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.reached, self.opened = threading.Event(), threading.Event()

        def held(*arguments: Any) -> Any:
            self.reached.set()
            assert self.opened.wait(30)
            return journalled(*arguments)

        monkeypatch.setattr(strategy.replay_jobs, "journalled", held)


def ask(**asked: Any) -> ReplayIn:
    return ReplayIn.model_validate({"strategies": [{"name": "login"}], **asked})


def logins(count: int) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "id": [f"h{n}" for n in range(count)],
            "type": ["app.login"] * count,
            "time": [to_datetime(NOW + n * MINUTE) for n in range(count)],
            "subject": ["customer/h"] * count,
        }
    )


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    bench = Bench(tmp_path)
    yield bench
    bench.close()


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> Iterator[Gate]:
    gate = Gate(monkeypatch)
    yield gate
    gate.opened.set()


def test_a_replay_of_the_journal_ends_with_a_report_that_agrees_with_the_rehearsal(bench: Bench) -> None:
    done = bench.run_through()
    assert (done.state, done.error) == ("done", None)
    assert done.report is not None
    (told,) = done.report["en"]["strategies"]
    rehearsed = bench.service.rehearse(CTX, "login")
    assert (told["firings"], told["subjects"]) == (rehearsed.firings, rehearsed.subjects) == (20, 3)
    assert done.progress["share"] == 1.0
    assert (done.progress["events"], done.progress["firings"]) == (20, 20)
    assert bench.fired() == []


def test_two_versions_stand_side_by_side_over_a_period(bench: Bench) -> None:
    bench.service.edit(CTX, "login", document=every_login(guards={"cap": {"times": 1, "per": "30d"}}))
    both = [{"name": "login", "version": 1}, {"name": "login"}, {"document": every_login("third")}]
    done = bench.run_through(strategies=both, **{"from": "2026-04-21T12:00:00Z", "until": "2026-04-25T12:00:00Z"})
    assert done.report is not None
    assert {s["name"]: s["firings"] for s in done.report["zh"]["strategies"]} == {
        "login": 5,
        "login (2)": 0,
        "third": 5,
    }


def test_a_named_history_is_read_in_place_of_the_journal(bench: Bench) -> None:
    bench.keep("may.parquet", logins(7))
    done = bench.run_through(events="may.parquet", limit_events=5)
    assert done.report is not None
    assert (done.report["en"]["firings"], done.progress["events"]) == (5, 5)


def test_either_engine_gives_the_same_report(bench: Bench) -> None:
    bench.keep("may.parquet", logins(50))
    python, columnar = (bench.run_through(events="may.parquet", engine=name) for name in ("python", "columnar"))
    assert python.report == columnar.report is not None


def test_what_cannot_run_is_refused_before_it_is_queued(bench: Bench) -> None:
    never = {"kind": "aggregate", "event": "app.login", "function": "count", "op": "<", "value": 0}
    wrong: list[tuple[dict[str, Any], type[Exception]]] = [
        ({"strategies": [{"name": "logn"}]}, NotFound),
        ({"strategies": [{"document": {"name": "x"}}]}, InvalidInput),
        ({"strategies": [{"document": every_login(trigger={"kind": "event", "event": "app.logn"})}]}, UnknownName),
        ({"strategies": [{"document": every_login(trigger=never)}]}, Refused),
        ({"events": "none.parquet"}, NotFound),
        ({"facts": "none.parquet"}, NotFound),
        ({"until": "tomorrow"}, InvalidInput),
        ({"lateness": "soon"}, InvalidInput),
    ]
    for asked, error in wrong:
        with pytest.raises(error):
            bench.jobs.start(CTX, ask(**asked))
    assert bench.jobs.list(CTX) == []


def test_one_replay_at_a_time_a_tenant_and_tenants_do_not_see_each_others(bench: Bench, gate: Gate) -> None:
    bench.service.draft(OTHER, document=every_login())
    row = bench.jobs.start(CTX, ask())
    assert gate.reached.wait(30)
    with pytest.raises(Conflict) as error:
        bench.jobs.start(CTX, ask())
    assert error.value.where == {"job": row.id}
    other = bench.jobs.start(OTHER, ask())
    assert bench.jobs.show(CTX, row.id).state == "running"
    with pytest.raises(NotFound):
        bench.jobs.show(OTHER, row.id)
    assert [found.id for found in bench.jobs.list(OTHER)] == [other.id]


def test_a_cancelled_replay_ends_without_a_report_and_the_next_may_start(bench: Bench, gate: Gate) -> None:
    row = bench.jobs.start(CTX, ask())
    assert gate.reached.wait(30)
    bench.jobs.cancel(CTX, row.id)
    gate.opened.set()
    bench.jobs.wait()
    done = bench.jobs.show(CTX, row.id)
    assert (done.state, done.report) == ("cancelled", None)
    assert bench.run_through().state == "done"


def test_an_ended_replay_is_forgotten_when_it_is_cancelled(bench: Bench) -> None:
    done = bench.run_through()
    bench.jobs.cancel(CTX, done.id)
    with pytest.raises(NotFound):
        bench.jobs.show(CTX, done.id)


def test_reports_survive_a_restart_and_what_it_cut_short_is_said_to_have_failed(bench: Bench) -> None:
    done = bench.run_through()
    with bench.db.transaction() as session:
        row = bench.jobs.show(CTX, done.id)
        session.add(ReplayJobRow(**{**row.model_dump(), "id": "rep_cut", "state": "running", "report": None}))
    bench.jobs.close()
    bench.jobs = bench.open()
    assert bench.jobs.show(CTX, done.id).report == done.report
    cut = bench.jobs.show(CTX, "rep_cut")
    assert cut.state == "failed"
    assert cut.error is not None
    assert "restart" in cut.error["en"]["message"]


def test_a_history_that_breaks_while_it_is_read_fails_the_replay_with_its_place(bench: Bench) -> None:
    bench.keep("may.parquet", logins(3))
    path = bench.histories.path(CTX.tenant, "may.parquet")
    body = path.read_bytes()
    path.write_bytes(body[:4] + bytes(len(body) - 100) + body[-96:])
    done = bench.run_through(events="may.parquet")
    assert done.state == "failed"
    assert done.error is not None
    assert "may.parquet" in str(done.error["zh"]["where"])


def test_only_the_newest_replays_are_kept(bench: Bench) -> None:
    first = bench.run_through()
    for n in range(KEPT):
        bench.move(NOW + (n + 1) * MINUTE)
        bench.run_through(limit_events=1)
    assert len(bench.jobs.list(CTX)) == KEPT
    assert first.id not in {row.id for row in bench.jobs.list(CTX)}


def test_events_whose_type_the_catalog_has_lost_are_counted_and_do_not_stop_it(bench: Bench) -> None:
    events = {name: kind for name, kind in CATALOG.events.items() if name != "app.login"}
    bench.catalog = CATALOG.model_copy(update={"events": events})
    mails = {"kind": "event", "event": "email.marketing"}
    done = bench.run_through(strategies=[{"document": every_login(trigger=mails)}])
    assert done.state == "done"
    assert done.progress["bad"] == 20


def test_a_history_has_a_plain_name_of_its_own_and_there_is_room_for_so_many(bench: Bench) -> None:
    for name in ("../journal", ".hidden", "", "a/b", "x" * 200):
        with pytest.raises(InvalidInput):
            bench.histories.receive(CTX.tenant, name)
        with pytest.raises(NotFound):
            bench.histories.path(CTX.tenant, name)
    for n in range(MOST):
        bench.keep(f"h{n:02}.parquet", logins(1))
    with pytest.raises(Conflict, match="already"):
        bench.histories.receive(CTX.tenant, "h00.parquet")
    with pytest.raises(Conflict, match="at most"):
        bench.histories.receive(CTX.tenant, "new.parquet")
    bench.histories.remove(CTX.tenant, "h00.parquet")
    assert [h.name for h in bench.histories.all(CTX.tenant)][:1] == ["h01.parquet"]
    assert bench.histories.all(OTHER.tenant) == []
