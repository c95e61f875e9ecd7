"""`zhongshu simulate` as a stranger runs it: in its own process, sentences in both languages, files of any kind."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl
import pytest

ROOT = Path(__file__).parents[2]
CATALOG = ROOT / "tests" / "data" / "catalog.yaml"
FEW = {"zh": "客户7天内登录少于2次,就外呼", "en": "when a customer logs in fewer than 2 times in 7 days, outbound call"}
MANY = {"zh": "客户7天内登录超过2次,就外呼", "en": "when a customer logs in more than 2 times in 7 days, outbound call"}


class Run(NamedTuple):
    code: int
    out: str
    err: str

    @property
    def firings(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.out.splitlines()]

    @property
    def moments(self) -> list[tuple[str, str]]:
        return [(f["subject"], f["at"]) for f in self.firings]


class Bench:
    """A folder with an events file and a facts file, and the command over them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.catalog = CATALOG
        self.events: list[str] = []
        self.facts: list[str] = []

    def login(self, key: str, time: str, subject: str = "customer/c1") -> None:
        self.event(key, "app.login", time, subject)

    def event(self, key: str, kind: str, time: str, subject: str = "customer/c1", **data: Any) -> None:
        event = {"specversion": "1.0", "id": key, "type": kind, "time": time, "subject": subject, "data": data}
        self.events.append(json.dumps(event, ensure_ascii=False))

    def fact(self, name: str, value: Any, since: str, subject: str = "customer/c1") -> None:
        self.facts.append(json.dumps({"subject": subject, "property": name, "value": value, "from": since}))

    def strategy(self, name: str, **content: Any) -> list[str]:
        trigger = {"kind": "event", "event": "app.login"}
        document = {
            "strategy": 1,
            "name": name,
            "trigger": trigger,
            "actions": [{"action": "outbound_call"}],
            **content,
        }
        path = self.folder / f"{name}.yaml"
        path.write_text(json.dumps(document, ensure_ascii=False), encoding="utf-8")  # JSON is YAML too
        return ["--strategy", str(path)]

    def run(self, *options: str, as_json: bool = True, lang: str = "en", stdin: str | None = None) -> Run:
        events = self.folder / "events.ndjson"
        events.write_text("\n".join(self.events), encoding="utf-8")
        arguments = ["simulate", "--catalog", str(self.catalog), "--events", "-" if stdin is not None else str(events)]
        if self.facts:
            facts = self.folder / "facts.ndjson"
            facts.write_text("\n".join(self.facts), encoding="utf-8")
            arguments += ["--facts", str(facts)]
        return zhongshu(*arguments, *options, "--lang", lang, *(["--json"] if as_json else []), stdin=stdin)


def zhongshu(*arguments: str, stdin: str | None = None) -> Run:
    done = subprocess.run(
        [sys.executable, "-c", "from app.cli import main; main()", *arguments],
        cwd=ROOT,
        input=stdin,
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=False,
        env={**os.environ, "LC_ALL": "C.UTF-8", "ZHONGSHU_LANG": ""},
    )
    return Run(done.returncode, done.stdout, done.stderr)


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_an_event_at_the_window_edge_has_left(bench: Bench, lang: str) -> None:
    third = {"customer/inside": "2026-05-08T07:59:59.999999Z", "customer/edge": "2026-05-08T08:00:00Z"}
    for moment in ("2026-05-01T08:00:00Z", "2026-05-03T08:00:00Z", None):
        for subject, last in third.items():
            bench.login(f"{subject}{moment}", moment or last, subject)
    done = bench.run("--say", MANY[lang], lang=lang)
    assert done.code == 0, done.err
    assert done.moments == [("customer/inside", "2026-05-08T07:59:59.999999Z")]
    (firing,) = done.firings
    assert firing["actions"] == ["outbound_call"]
    assert all(isinstance(why, str) and why for why in firing["why"])
    assert any("3" in why for why in firing["why"])
    assert set(firing) == {"strategy", "subject", "at", "actions", "why"}


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_what_turns_true_because_events_leave_the_window_fires_at_that_moment_with_until(
    bench: Bench, lang: str
) -> None:
    bench.login("e1", "2026-05-01T08:00:00+08:00")
    bench.login("e2", "2026-05-02T08:00:00+08:00")
    bench.login("e3", "2026-05-05T08:00:00+08:00")
    assert bench.run("--say", FEW[lang], lang=lang).firings == []
    just_before = bench.run("--say", FEW[lang], "--until", "2026-05-08T23:59:59.999999Z", lang=lang)
    assert just_before.firings == []
    inclusive = bench.run("--say", FEW[lang], "--until", "2026-05-09T00:00:00Z", lang=lang)
    assert inclusive.moments == [("customer/c1", "2026-05-09T00:00:00Z")]


def test_too_little_history_is_unknown_and_does_not_fire(bench: Bench) -> None:
    bench.login("e1", "2026-05-01T08:00:00Z")
    done = bench.run("--say", FEW["zh"], "--until", "2026-05-08T07:59:59Z")
    assert done.firings == []
    assert bench.run("--say", FEW["zh"], "--until", "2026-05-08T08:00:00Z").moments == [
        ("customer/c1", "2026-05-08T08:00:00Z")
    ]


def test_a_silent_subject_known_from_facts_counts_too(bench: Bench) -> None:
    bench.login("e1", "2026-05-01T08:00:00Z", "customer/other")
    bench.fact("tier", "vip", "2026-01-01T00:00:00Z", "customer/silent")
    done = bench.run("--say", FEW["en"], "--until", "2026-05-08T08:00:00Z")
    assert ("customer/silent", "2026-05-08T08:00:00Z") in done.moments


def test_the_example_sentence_joins_a_streak_of_mails_with_a_fact(bench: Bench) -> None:
    bench.fact("dwell", 40, "2026-05-01T00:00:00Z")
    bench.fact("dwell", 9, "2026-05-04T00:00:00Z")
    for day in range(1, 4):
        bench.event(f"m{day}", "email.marketing", f"2026-05-0{day}T09:00:00Z", opened=False)
    bench.login("end", "2026-05-05T00:00:00Z", "customer/c2")
    done = bench.run("--say", "客户连续3次没打开营销邮件,且官网停留不足15秒,就安排外呼", lang="zh")
    assert done.moments == [("customer/c1", "2026-05-04T00:00:00Z")]
    assert any("营销邮件" in why for why in done.firings[0]["why"])
    assert "营销邮件" in done.err


def test_a_late_event_is_reported_and_has_no_effect(bench: Bench) -> None:
    bench.login("e1", "2026-05-01T08:00:00Z")
    bench.login("e2", "2026-05-01T09:00:00Z")
    bench.login("late", "2026-05-01T08:55:00Z")
    strategy = bench.strategy("each")
    assert len(bench.run(*strategy, "--lateness", "0s").firings) == 2
    assert "line 3" in bench.run(*strategy, "--lateness", "0s").err
    assert [f["at"][11:16] for f in bench.run(*strategy).firings] == ["08:00", "08:55", "09:00"]


def test_a_duplicate_is_reported_and_counted_once(bench: Bench) -> None:
    for _ in range(2):
        bench.login("e1", "2026-05-01T08:00:00Z")
    done = bench.run(*bench.strategy("each"))
    assert len(done.firings) == 1
    assert "line 2" in done.err
    assert "duplicate" in done.err


def test_bad_lines_are_reported_with_their_place_and_good_ones_used(bench: Bench) -> None:
    bench.login("e1", "2026-05-01T08:00:00Z")
    bench.events.append('{"id": "e2", ')
    bench.event("e3", "app.logn", "2026-05-01T08:01:00Z")
    bench.event("e4", "vitals.pressure", "2026-05-01T08:02:00Z", systolic="160 kg")
    bench.login("e5", "2026-05-01T08:03:00")
    bench.login("e6", "2199-05-01T08:03:00Z")
    bench.login("e7", "2098-05-01T08:03:00Z")
    bench.event("e8", "vitals.pressure", "2026-05-01T08:04:00Z", systolic="high")
    bench.events += ["", "[]"]
    bench.login("e9", "2026-05-01T09:00:00Z")
    done = bench.run(*bench.strategy("each"))
    assert done.code == 0
    assert len(done.firings) == 2
    for line, said in {
        2: "JSON",
        3: "app.login",
        4: "mmHg",
        5: "offset",
        6: "time",
        7: "ten years",
        8: "systolic",
        10: "object",
    }.items():
        (report,) = [row for row in done.err.splitlines() if f"line {line}," in row or f"line {line}:" in row]
        assert said in report
    assert "8 bad lines" in done.err


def test_a_field_that_looks_misspelt_is_pointed_out_once(bench: Bench) -> None:
    for n in range(3):
        bench.event(f"e{n}", "email.marketing", f"2026-05-01T08:0{n}:00Z", openned=True, campaign="spring")
    done = bench.run(*bench.strategy("each"))
    assert done.err.count("is 'opened' meant?") == 1
    assert "campaign" not in done.err


def test_messages_are_chinese_when_asked(bench: Bench) -> None:
    bench.event("e1", "app.logn", "2026-05-01T08:01:00Z")
    done = bench.run(*bench.strategy("each"), lang="zh")
    assert "没有事件类型" in done.err
    assert "最接近" in done.err


def test_firings_at_one_moment_come_in_the_order_of_the_command_line(bench: Bench) -> None:
    for subject in ("customer/b", "customer/a"):
        bench.login(subject, "2026-05-01T08:00:00Z", subject)
    done = bench.run(*bench.strategy("zeta"), "--say", "客户登录,就外呼", *bench.strategy("alpha"))
    names = [f["strategy"] for f in done.firings]
    assert (names[0], names[1], names[4], names[5]) == ("zeta", "zeta", "alpha", "alpha")
    assert names[2] == names[3] not in ("zeta", "alpha")
    assert [f["subject"] for f in done.firings] == ["customer/a", "customer/b"] * 3


def test_the_same_sentence_twice_is_two_strategies(bench: Bench) -> None:
    bench.login("e1", "2026-05-01T08:00:00Z")
    done = bench.run("--say", "客户登录,就外呼", "--say", "客户登录,就外呼")
    assert len({f["strategy"] for f in done.firings}) == len(done.firings) == 2


def test_a_name_the_catalog_does_not_know_ends_with_its_place_and_the_nearest(bench: Bench) -> None:
    bench.login("e1", "2026-05-01T08:00:00Z")
    done = bench.run("--say", "客户3天内飞行超过2次,就外呼")
    assert done.code == 2
    assert done.out == ""
    assert "^" in done.err
    assert "offset" in done.err


def test_inputs_after_until_are_left_out_and_counted(bench: Bench) -> None:
    bench.login("e1", "2026-05-01T08:00:00Z")
    bench.login("e2", "2026-05-01T09:00:00Z")
    done = bench.run(*bench.strategy("each"), "--until", "2026-05-01T08:30:00Z")
    assert [f["at"] for f in done.firings] == ["2026-05-01T08:00:00Z"]
    assert "1 inputs after --until" in done.err


def test_time_stops_at_the_last_event_and_facts_beyond_it_are_said_to_wait(bench: Bench) -> None:
    bench.login("e1", "2026-05-01T08:00:00Z")
    bench.fact("dwell", 5, "2026-05-02T00:00:00Z")
    short = bench.strategy("short", trigger={"kind": "attribute", "name": "dwell", "op": "<", "value": 15})
    done = bench.run(*short)
    assert done.firings == []
    assert "--until" in done.err
    assert bench.run(*short, "--until", "2026-05-03T00:00:00Z").moments == [("customer/c1", "2026-05-02T00:00:00Z")]


def test_facts_alone_can_fire(bench: Bench) -> None:
    bench.fact("dwell", 5, "2026-05-02T00:00:00Z")
    short = bench.strategy("short", trigger={"kind": "attribute", "name": "dwell", "op": "<", "value": 15})
    assert bench.run(*short).moments == [("customer/c1", "2026-05-02T00:00:00Z")]


def test_cap_quiet_hours_and_budget_hold_as_in_live_running(bench: Bench) -> None:
    for hour in ("08", "09", "10", "15"):
        bench.login(hour, f"2026-05-01T{hour}:00:00Z")
    capped = bench.run(*bench.strategy("capped", guards={"cap": {"times": 2, "per": "150m"}}))
    assert [f["at"][11:13] for f in capped.firings] == ["08", "09", "15"]
    assert "1 dropped" in capped.err
    quiet = {"start": "22:00", "end": "08:00", "mode": "defer"}
    deferred = bench.run(*bench.strategy("quiet", guards={"quiet_hours": quiet}))
    assert [f.get("deliver_at") for f in deferred.firings] == [None, None, None, "2026-05-02T00:00:00Z"]
    dropped = bench.run(*bench.strategy("dropped", guards={"quiet_hours": {**quiet, "mode": "drop"}}))
    assert len(dropped.firings) == 3
    assert len(bench.run(*bench.strategy("budget", guards={"budget": 1})).firings) == 1


def test_holdout_and_rollout_are_not_simulated_and_it_says_so(bench: Bench) -> None:
    bench.login("e1", "2026-05-01T08:00:00Z")
    done = bench.run(*bench.strategy("all", rollout={"percent": 0.001, "holdout": 100}))
    assert len(done.firings) == 1
    assert "holdout" in done.err


def test_windows_files_and_standard_input_are_read(bench: Bench) -> None:
    bench.login("e1", "2026-05-01T08:00:00Z")
    bench.login("e2", "2026-05-01T09:00:00Z")
    done = bench.run(*bench.strategy("each"), stdin="\ufeff" + "\r\n\r\n".join(bench.events))
    assert len(done.firings) == 2


@pytest.mark.parametrize("ending", ["parquet", "arrow"])
def test_a_columnar_history_fires_as_the_same_lines_do(bench: Bench, tmp_path: Path, ending: str) -> None:
    for hour in range(3):
        bench.login(f"e{hour}", f"2026-05-01T0{hour}:00:00Z")
    bench.event("bad", "app.logn", "2026-05-01T04:00:00Z")
    expected = bench.run(*bench.strategy("each"))
    frame = pl.DataFrame([json.loads(line) for line in bench.events]).drop("data")
    frame = frame.with_columns(pl.col("time").str.to_datetime(time_zone="UTC"))
    path = tmp_path / f"history.{ending}"
    frame.write_parquet(path) if ending == "parquet" else frame.write_ipc(path)
    done = bench.run(*bench.strategy("each"), "--events", str(path))
    assert done.firings == expected.firings
    assert "row 4, field type: there is no event type 'app.logn'" in done.err


def test_a_limit_and_a_beginning_narrow_what_is_listed(bench: Bench) -> None:
    for hour in range(5):
        bench.login(f"e{hour}", f"2026-05-01T0{hour}:00:00Z")
    done = bench.run(*bench.strategy("each"), "--limit-events", "4", "--from", "2026-05-01T02:00:00Z")
    assert [f["at"][11:13] for f in done.firings] == ["02", "03"]
    assert "2 firings before --from" in done.err


def test_progress_is_json_on_standard_error_when_asked_for_and_else_silent_on_a_pipe(bench: Bench) -> None:
    bench.login("e1", "2026-05-01T08:00:00Z")
    silent = bench.run(*bench.strategy("each"))
    told = bench.run(*bench.strategy("each"), "--progress", "json")
    assert told.out == silent.out
    (line,) = [row for row in told.err.splitlines() if row.startswith("{")]
    progress = json.loads(line)["progress"]
    assert (progress["share"], progress["events"], progress["firings"]) == (1.0, 1, 1)
    assert "{" not in silent.err


def test_the_report_is_json_in_a_file_or_in_place_of_the_firings(bench: Bench, tmp_path: Path) -> None:
    for hour in range(3):
        bench.login(f"e{hour}", f"2026-05-01T0{hour}:00:00Z")
    alone = bench.run(*bench.strategy("each"), "--report", "-", "--sample", "1")
    report = json.loads(alone.out)
    assert (report["firings"], len(report["sample"])) == (3, 1)
    path = tmp_path / "report.json"
    beside = bench.run(*bench.strategy("each"), "--report", str(path), "--sample", "1")
    assert len(beside.firings) == 3
    assert json.loads(path.read_text(encoding="utf-8")) == report
    refused = bench.run(*bench.strategy("each"), "--report", str(tmp_path / "none" / "report.json"))
    assert refused.code == 2
    assert "report.json" in refused.err


@pytest.mark.parametrize(
    ("lang", "said"),
    [
        ("en", ("1 of 2 known subjects (50.0%)", "it never fired", "tier is", "A sample of 1 out of 1")),
        ("zh", ("占已知 2 个的 50.0%", "从未触发", "等级是", "抽样 1 次（共 1 次）")),
    ],
)
def test_people_get_the_report_with_a_sample_in_place_of_the_firings(
    bench: Bench, lang: str, said: tuple[str, ...]
) -> None:
    bench.login("e1", "2026-05-01T08:00:00Z")
    bench.event("m1", "email.marketing", "2026-05-01T08:00:00Z", "customer/c2", opened=True)
    vip = {"kind": "attribute", "name": "tier", "op": "==", "value": "vip"}
    done = bench.run(
        *bench.strategy("each"), *bench.strategy("vips", audience=vip), "--no-firings", as_json=False, lang=lang
    )
    assert done.out == ""
    for part in said:
        assert part in done.err


def test_standard_input_cannot_be_both_files(bench: Bench) -> None:
    told = zhongshu(
        "simulate", "--catalog", str(bench.catalog), "--say", MANY["en"], "--events", "-", "--facts", "-", stdin=""
    )
    assert told.code == 2
    assert "read only once" in told.err


def test_people_get_readable_text_with_names_instead_of_ids(bench: Bench) -> None:
    bench.login("e1", "2026-05-01T08:00:00Z")
    done = bench.run("--say", "客户登录,就外呼", as_json=False, lang="zh")
    assert "外呼" in done.out
    assert "outbound_call" not in done.out
    assert "2026-05-01T16:00:00+08:00" in done.out
    assert "customer/c1" in done.out


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--until", "tomorrow"], "--until"),
        (["--say", "客户登录,就外呼", "--until", "2026-05-01T08:00:00"], "offset"),
        (["--say", "客户登录,就外呼", "--lateness", "soon"], "--lateness"),
        (["--strategy", "none.yaml"], "none.yaml"),
        ([], "--say"),
        (["--say", "客户登录,就外呼", "--facts", "none.ndjson"], "none.ndjson"),
    ],
)
def test_what_cannot_be_used_ends_with_code_2_and_says_what(bench: Bench, options: list[str], said: str) -> None:
    bench.login("e1", "2026-05-01T08:00:00Z")
    done = bench.run(*options)
    assert done.code == 2
    assert done.out == ""
    assert said in done.err
    assert "Traceback" not in done.err


def test_a_sentence_that_can_never_be_true_ends_with_code_4(bench: Bench) -> None:
    done = bench.run("--say", "客户7天内登录少于0次,就外呼", lang="zh")
    assert (done.code, done.out) == (4, "")
    assert "^" in done.err


def test_a_word_with_two_meanings_ends_with_code_3_and_the_choices(bench: Bench, tmp_path: Path) -> None:
    twice = "  site.login: {subject: customer, labels: {zh: [登录, 官网登录], en: [site login]}}\n"
    bench.catalog = tmp_path / "twice.yaml"
    bench.catalog.write_text(
        CATALOG.read_text(encoding="utf-8").replace("events:\n", "events:\n" + twice), encoding="utf-8"
    )
    done = bench.run("--say", "客户登录,就外呼", lang="zh")
    assert (done.code, done.out) == (3, "")
    assert "1. " in done.err
    assert "2. " in done.err


def test_a_broken_catalog_names_its_line(bench: Bench, tmp_path: Path) -> None:
    broken = tmp_path / "broken.yaml"
    broken.write_text("catalog: 1\nevents:\n  app.login: {subjct: customer}\n", encoding="utf-8")
    done = zhongshu("simulate", "--catalog", str(broken), "--say", "x", "--events", "-", "--lang", "en", stdin="")
    assert done.code == 2
    assert "line 3" in done.err
    assert "subject" in done.err
