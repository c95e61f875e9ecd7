"""The engine's benchmark at a tiny scale: its worlds are the same every time, its figures are all there, and nothing is
timed that answers wrongly."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from benchmarks.engine import curves, figures, peers, quick, report, truth
from benchmarks.engine.figures import Extent
from benchmarks.engine.generator import Stream, rules
from benchmarks.engine.matchers import PythonMatcher, matchers
from benchmarks.engine.measure import cut, resting, spent
from benchmarks.engine.mixed import mixed
from benchmarks.engine.world import EVENTS, RATES, catalog
from benchmarks.page import marks
from core.events import Event
from strategy.engine.check import check_strategy

TINY = quick.Size(
    Extent(20, 40, 1, 16), Extent(20, 40, 1, 16), 20, {"1k": 10, "10k": 20, "100k": None}, mixed=20, beside=30, rounds=1
)
FIRING = (1e-2, 1e-1)


def _stopped(process: int | None) -> bool:
    """Whether `/proc` calls a process stopped, within ten seconds."""
    end = time.monotonic() + 10
    while time.monotonic() < end:
        if Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] == "T":
            return True
    return False


def test_the_same_seed_gives_the_same_strategies_and_the_same_bytes() -> None:
    assert rules(50, seed=3) == rules(50, seed=3) != rules(50, seed=4)
    assert mixed(50, seed=3) == mixed(50, seed=3)
    assert Stream(seed=3).chunk(200) == Stream(seed=3).chunk(200) != Stream(seed=4).chunk(200)


def test_the_world_has_twenty_types_of_event_with_eight_fields_each() -> None:
    assert len(EVENTS) == 20
    assert {len(fields) for fields in EVENTS.values()} == {8}
    assert sum(RATES.values()) == pytest.approx(1)


def test_every_generated_strategy_is_accepted_and_every_event_is_good() -> None:
    for strategy in mixed(200):
        check_strategy(strategy, catalog())
    events = PythonMatcher().read(Stream().chunk(300))
    assert len(events) == 300
    assert all(isinstance(event, Event) for event in events)


def test_events_pass_a_filter_as_often_as_its_share_says() -> None:
    drawn = rules(100, selective=FIRING)
    passed = truth.matches(drawn, Stream().lines(4_000))
    assert sum(map(len, passed)) / 4_000 == pytest.approx(sum(rule.share for rule in drawn), rel=0.1)


def test_batches_are_whole_lines_and_lose_none() -> None:
    chunk = Stream().chunk(10)
    batches = cut(chunk, 4)
    assert [len(batch.splitlines()) for batch in batches] == [4, 4, 2]
    assert b"".join(batches) == chunk


def test_the_matchers_fire_as_the_oracle_says_on_the_benchmarks_own_worlds() -> None:
    wrong, fired = truth.differences(matchers(), rounds=3, events=20)
    assert wrong == dict.fromkeys(matchers(), 0)
    assert fired > 0


def test_a_matcher_that_is_wrong_is_seen() -> None:
    class Forgetful(PythonMatcher):
        def decide(self, chunk: bytes) -> Any:
            return super().decide(chunk.splitlines()[0])

    wrong, _ = truth.differences({"forgetful": Forgetful}, rounds=3, events=20)
    assert wrong["forgetful"] > 0


def test_the_quick_figures_have_every_key_and_are_json() -> None:
    said: list[str] = []
    found = quick.own(said.append, "python", TINY)
    assert set(quick.KEYS) <= set(found)
    assert json.loads(json.dumps(found)) == found
    assert found["oracle_differences"] == 0
    assert any("not asked" in line for line in said)


@pytest.fixture
def work() -> peers.Work:
    return figures.work(60, 60, timed=30, wanted=rules(60, selective=FIRING))


def _asked(work: peers.Work, forms: Iterable[str]) -> list[peers.Result]:
    peer = peers.Peer("fake", Path(__file__).with_name("wrong_peer.py"), tuple(forms))
    return peers.ask(peer, work, peers.Pace(0.01, 1, 0.0), Path(sys.executable))


def test_a_peer_that_answers_rightly_is_timed(work: peers.Work) -> None:
    (result,) = _asked(work, ["right"])
    assert not result.why
    assert result.eps > 0


def test_a_peer_with_wrong_answers_is_reported_and_not_timed(work: peers.Work) -> None:
    (result,) = _asked(work, ["first"])
    assert result.why.startswith("wrong about")
    assert result.eps == 0


def test_a_peer_that_fails_is_reported(work: peers.Work) -> None:
    (result,) = _asked(work, ["breaks"])
    assert result.why == "RuntimeError: it cannot read these rules"


def test_a_peer_whose_time_is_up_is_reported(work: peers.Work) -> None:
    peer = peers.Peer("fake", Path(__file__).with_name("wrong_peer.py"), ("right",))
    (result,) = peers.ask(peer, work, peers.Pace(1e9, 1, 0.0, most=1.0), Path(sys.executable))
    assert "took too long" in result.why


def test_a_ratio_stands_for_each_peer_that_answers_in_time(monkeypatch: pytest.MonkeyPatch, work: peers.Work) -> None:
    fake = peers.Peer("fake", Path(__file__).with_name("wrong_peer.py"), ("right", "first"))
    monkeypatch.setattr(peers, "PEERS", (fake,))
    monkeypatch.setattr(figures, "work", lambda *_: work)
    said: list[str] = []
    results = quick.asked(float("inf"), said.append, Path(sys.executable))
    assert set(quick.ratios(1e9, results, said.append)) == {"ratio_vs_fake"}
    assert quick.asked(0.0, said.append, Path(sys.executable)) == []
    assert "left out" in said[-1]


def test_the_most_filters_are_put_together_aside_and_matched_when_asked_for() -> None:
    said: list[str] = []
    with quick._Aside("python", TINY, 0) as aside:
        found = quick.own(said.append, "python", TINY, aside)
    assert found["match_eps_10k"] > 0
    assert aside.peers == []


def test_what_goes_on_aside_stands_still_while_anything_is_timed_by_the_clock() -> None:
    with quick._Aside("python", TINY, 0) as aside, resting(aside.held):
        assert aside._pipe.poll(60), "it has not begun"
        assert spent(lambda: _stopped(aside._process.pid), 1).found == 1


def test_every_curve_has_a_row_for_each_place(monkeypatch: pytest.MonkeyPatch) -> None:
    def point(figure: str, name: str, extent: Extent, most: float, **more: Any) -> Any:
        got = getattr(figures, figure)(name, extent, **({"count": 5} | more if figure != "states" else more))
        return got._asdict() if hasattr(got, "_asdict") else got

    monkeypatch.setattr(curves, "point", point)
    monkeypatch.setattr(curves, "SIZES", (5, 6))
    monkeypatch.setattr(figures, "bytes_per_state", lambda name, customers: 1.5)
    plan = curves.Plan(Extent(10, 20, 1, 8), (5,), (10,), (4, 8), (10,), (5,), (1_000,), (10,), "nothing", 60)
    for curve, measure in curves.CURVES.items():
        rows = measure("python", plan)
        assert rows, curve
        assert {len(row) for row in rows} == {len(report.CURVES[curve][1])}, curve


def test_a_part_is_measured_again_and_the_others_stay_as_they_were(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(curves, "point", lambda *_, **__: 7.5)
    monkeypatch.setattr(curves, "matchers", lambda: {"python": PythonMatcher})
    before = {"figures": {"p99_ms": 1}, "python": {"pace": [[1, 2.0]], "single": [[5, 1.0]]}}
    kept: list[dict[str, Any]] = []
    found = curves.full(kept.append, curves.SHORT, only=("pace",), before=before)
    assert found["figures"] == before["figures"]
    assert found["python"]["single"] == [[5, 1.0]]
    assert found["python"]["pace"] == [[place, 7.5] for place in curves.PLANS["python"].paces]
    assert kept == [found]


def test_the_report_keeps_what_is_written_by_hand_around_its_marks(tmp_path: Path) -> None:
    page = tmp_path / "engine.md"
    begin, end = marks(report.COMMAND)
    page.write_text(f"before\n{begin}\nold\n{end}\nafter\n", encoding="utf-8")
    drawn = {curve: [[1, 2.0, 3.0, 4.0, 5.0][: len(head)]] for curve, (_, head) in report.CURVES.items()}
    timed = vars(peers.Result("fake", "right", match_us=5.0)) | {"rules": 1_000}
    wrong = vars(peers.Result("fake", "first", why="wrong")) | {"rules": 1_000}
    found = {"machine": {"cpu": "some"}, "figures": {"decision_eps_1k": 7}, "python": drawn, "peers": [timed, wrong]}
    report.write(found, tmp_path)
    text = page.read_text(encoding="utf-8")
    assert text.startswith("before\n") and text.endswith("after\n") and "old" not in text
    assert all((tmp_path / f"engine-{name}.png").is_file() for name in report.PICTURES)
