"""A replay by columns and one by objects give the same firings, counts and report, whatever the file."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import polars as pl
import pytest

import strategy.recorded
from core.clock import ManualClock
from core.errors import Refused
from core.events import Event
from core.times import DAY, MINUTE, SECOND, Micros, format_time, to_datetime
from knowledge.catalog import Catalog, load_catalog
from knowledge.packs import retail
from strategy.columnar import replay as columnar
from strategy.columnar.replay import ColumnarReplay
from strategy.document import Strategy
from strategy.engines import EngineName, replay_on
from strategy.language import read_sentence
from strategy.recorded import open_events, open_facts
from strategy.replay import Dropped, Fired, Notice, Replay
from strategy.replay_report import Report
from strategy.stream import GoodLine, Line
from tests.strategy.livehub import CATALOG, NOW, every_login, silence, unread

ROOT = Path(__file__).parents[3]
OPENED = {"kind": "event", "event": "email.marketing", "where": [{"field": "opened", "op": "==", "value": True}]}
VIP = {"kind": "attribute", "name": "tier", "op": "==", "value": "vip"}
QUICK = {"kind": "attribute", "name": "dwell", "op": "<", "value": 5}
STRATEGIES = [
    Strategy.model_validate(document)
    for document in (
        every_login(guards={"cap": {"times": 2, "per": "1d"}}),
        unread(2, "two"),
        silence("3m"),
        every_login("opened", trigger=OPENED, audience=VIP),
        every_login("never", trigger={"kind": "all", "of": [OPENED, QUICK]}),
    )
]


class Both:
    """The same file, replayed by both."""

    def __init__(
        self, catalog: Catalog, strategies: Sequence[Strategy], path: Path, facts: Path | None = None, **options: Any
    ) -> None:
        self.outcomes = []
        for engine in EngineName:
            replay = replay_on(engine, catalog, strategies, clock=ManualClock(NOW), **options)
            report = Report(catalog, strategies, sample=3)
            told = open_facts(str(facts), catalog) if facts else ()
            items = list(report.follow(replay, told, open_events(str(path), catalog)))
            self.outcomes.append((items, replay.summary, report.as_dict("en")))

    def agree(self) -> list[Fired]:
        """Everything but in which portions it came; the firings."""
        plain, columns = self.outcomes
        assert plain[1] == columns[1]
        assert plain[2] == columns[2]
        for kind in (Fired, Dropped):
            assert [i for i in plain[0] if isinstance(i, kind)] == [i for i in columns[0] if isinstance(i, kind)]
        assert _said(plain[0]) == _said(columns[0])
        return [item for item in columns[0] if isinstance(item, Fired)]


def _said(items: Iterable[object]) -> list[tuple[str, str]]:
    """Notices; where the watermark stood when a line was set aside depends on the portions."""
    return sorted((n.kind, n.text.en.split(" is late")[0]) for n in items if isinstance(n, Notice))


def history(count: int, seed: int = 1) -> list[dict[str, Any]]:
    """Logins and mails in disorder, with duplicates, late ones, and rows that cannot be used."""
    chance, start, rows = Random(seed), to_datetime(NOW), []
    for n in range(count):
        row: dict[str, Any] = {
            "id": f"e{n if chance.random() < 0.98 else n // 2}",
            "type": chance.choice(["app.login", "email.marketing", "email.marketing"]),
            "time": start + timedelta(minutes=n - chance.choice([0, 0, 1, 2, 30])),
            "subject": f"customer/c{chance.randint(1, 40)}",
            "source": chance.choice(["app", "mail"]),
            "opened": None,
        }
        if row["type"] == "email.marketing":
            row["opened"] = chance.random() < 0.3
        if chance.random() < 0.01:
            row |= chance.choice([{"type": "app.logn"}, {"subject": "device/d1"}, {"id": None}, {"subject": None}])
        rows.append(row)
    return rows


def parquet(path: Path, rows: list[dict[str, Any]]) -> Path:
    pl.DataFrame(rows, infer_schema_length=None).rename({"opened": "data.opened"}).write_parquet(path)
    return path


def ndjson(path: Path, rows: list[dict[str, Any]]) -> Path:
    with path.open("w", encoding="utf-8") as file:
        for row in rows:
            data = {} if row["opened"] is None else {"opened": row["opened"]}
            line = {**{k: v for k, v in row.items() if v is not None and k != "opened"}, "data": data}
            file.write(json.dumps(line, default=datetime.isoformat) + "\n")
        file.write('\n{"id": \n')
    return path


@pytest.fixture
def facts(tmp_path: Path) -> Path:
    path = tmp_path / "facts.ndjson"
    told = [
        {"subject": f"customer/c{n}", "property": "tier", "value": "vip", "from": "2026-01-01T00:00:00Z"}
        for n in (1, 2, 99)
    ]
    path.write_text("\n".join(map(json.dumps, told)), encoding="utf-8")
    return path


@pytest.mark.parametrize("write", [parquet, ndjson])
@pytest.mark.parametrize("lateness", [0, 5 * MINUTE, 2 * DAY])
def test_disorder_duplicates_late_and_bad_rows_are_told_apart_alike(
    tmp_path: Path, facts: Path, write: Any, lateness: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(strategy.recorded, "SLICE", 700)
    path = write(tmp_path / "history", history(2_000))
    assert Both(CATALOG, STRATEGIES, path, facts, lateness=lateness).agree()


@pytest.mark.parametrize("write", [parquet, ndjson])
def test_a_period_and_a_limit_narrow_alike(tmp_path: Path, write: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(strategy.recorded, "SLICE", 300)
    path = write(tmp_path / "history", history(1_000))
    since, until = Micros(NOW + 100 * MINUTE), Micros(NOW + 600 * MINUTE)
    both = Both(CATALOG, STRATEGIES, path, lateness=MINUTE, since=since, until=until, limit=777)
    assert all(since <= fired.firing.at <= until for fired in both.agree())


def test_many_rows_that_only_the_plain_path_judges_change_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(columnar, "_FEW", 3)
    assert Both(CATALOG, STRATEGIES, parquet(tmp_path / "history", history(1_000)), lateness=MINUTE).agree()


def test_one_absurd_time_does_not_make_the_rest_late(tmp_path: Path) -> None:
    rows = history(200)
    rows[50]["time"] += timedelta(days=20 * 365)
    both = Both(CATALOG, STRATEGIES, parquet(tmp_path / "history", rows), lateness=MINUTE)
    assert both.agree()
    assert any("ten years" in text for _, text in _said(both.outcomes[1][0]))


def test_the_examples_fire_alike() -> None:
    catalog = load_catalog(ROOT / "examples" / "catalog.yaml").catalog
    sentences = [
        "客户7天内登录少于2次,就外呼",
        "when systolic is above 160 three times in a row, schedule an outbound call",
        "客户连续3次没打开营销邮件,且官网停留不足15秒,就安排外呼",
        "when a customer logs in and is high-value, schedule an outbound call",
    ]
    read = [read_sentence(sentence, catalog, name=f"s{n}").document for n, sentence in enumerate(sentences)]
    examples = ROOT / "examples"
    both = Both(catalog, read, examples / "events.ndjson", examples / "facts.ndjson", lateness=10 * MINUTE)
    assert both.agree()


def test_a_month_of_the_demo_world_fires_alike(tmp_path: Path) -> None:
    catalog = retail.catalog().catalog
    world = retail.world(7, anchor=NOW, customers=300)
    read = [read_sentence(s.sentence.zh, catalog, name=s.name).document for s in retail.strategies()]
    inputs = list(world.inputs())
    events = tmp_path / "events.ndjson"
    with events.open("w", encoding="utf-8") as file:
        for found in inputs:
            if isinstance(found, Event):
                body = {"id": found.id, "type": found.type, "time": format_time(found.time), "subject": found.subject}
                file.write(json.dumps({**body, "source": found.source, "data": dict(found.data)}) + "\n")
    told: list[Line] = [GoodLine(n, item) for n, item in enumerate(inputs, 1) if not isinstance(item, Event)]
    keys = []
    for made in (Replay, ColumnarReplay):
        replay = made(catalog, read, lateness=0, until=world.anchor)
        items = replay.run(told, open_events(str(events), catalog))
        keys.append([(item.firing, item.deliver_at) for item in items if isinstance(item, Fired)])
    assert keys[0] == keys[1]
    assert len({firing.strategy for firing, _ in keys[0]}) > 3


def test_a_value_that_columns_cannot_hold_is_refused_with_the_way_out(tmp_path: Path) -> None:
    path = tmp_path / "events.ndjson"
    one = {"type": "vitals.pressure", "subject": "customer/c1"}
    lines = [
        {**one, "id": f"e{n}", "time": format_time(NOW + n * SECOND), "data": {"systolic": value}}
        for n, value in enumerate([10**300, 1, 10**-5])
    ]
    path.write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")
    total = {"kind": "aggregate", "event": "vitals.pressure", "function": "sum", "field": "systolic"}
    total |= {"op": ">", "value": 1, "window": {"over": "1d"}}
    document = Strategy.model_validate(every_login(trigger=total))
    with pytest.raises(Refused) as error:
        list(ColumnarReplay(CATALOG, [document], lateness=0).run((), open_events(str(path), CATALOG)))
    assert error.value.hint is not None
    assert "python" in error.value.hint.en
