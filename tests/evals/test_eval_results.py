"""Intervals, comparison, reading suites, and the judges."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import InvalidInput, UnknownName
from evals.cases import SUITES, Case, load_suite, read_suite
from evals.results import Run, SuiteRun, Verdict, compare, load_run, mcnemar_exact, wilson
from evals.runner import JUDGES, Answer, run_suite


@given(st.integers(0, 300), st.integers(0, 300))
def test_the_interval_holds_the_share_and_stays_between_0_and_1(right: int, wrong: int) -> None:
    low, high = wilson(right, right + wrong)
    assert -1e-9 <= low <= high <= 1 + 1e-9
    if right + wrong:
        assert low - 1e-9 <= right / (right + wrong) <= high + 1e-9


@pytest.mark.parametrize(("lost", "won", "p"), [(0, 0, 1.0), (5, 0, 0.0625), (1, 1, 1.0), (8, 1, 0.0390625)])
def test_the_paired_test_is_exact(lost: int, won: int, p: float) -> None:
    assert mcnemar_exact(lost, won) == pytest.approx(p)


def run_of(**right: bool) -> Run:
    verdicts = tuple(Verdict(case=c, scorer="route", right=r) for c, r in right.items())
    return Run(run="r", at="2026-05-01T00:00:00Z", suites=(SuiteRun(suite="routing", subject="s", verdicts=verdicts),))


def test_two_runs_are_compared_case_by_case() -> None:
    (found,) = compare(run_of(a=True, b=True, c=False, old=True), run_of(a=True, b=False, c=True, new=True))
    assert (found.cases, found.lost, found.won, found.p) == (3, ["b"], ["c"], 1.0)


def test_a_saved_run_is_read_back(tmp_path: Path) -> None:
    run = run_of(a=True)
    assert load_run(run.save(tmp_path)) == run


def test_a_file_that_is_no_run_is_named(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text("{}")
    with pytest.raises(InvalidInput) as caught:
        load_run(tmp_path / "x.json")
    assert caught.value.where["file"].endswith("x.json")


def test_an_unknown_suite_names_the_known_ones() -> None:
    with pytest.raises(UnknownName) as caught:
        load_suite("routes")
    assert caught.value.nearest == list(SUITES)


def test_a_wrong_suite_names_the_line() -> None:
    with pytest.raises(InvalidInput) as caught:
        read_suite("suite: x\ncases:\n  - {id: a, text: hi, route: churn}\n  - {id: b, text: hi, route: churm}\n")
    assert caught.value.where["line"] == 4


def test_an_id_may_not_stand_twice() -> None:
    with pytest.raises(InvalidInput, match="twice"):
        read_suite("suite: x\ncases: [{id: a, text: hi, route: churn}, {id: a, text: ho, route: churn}]")


@pytest.mark.parametrize("name", SUITES)
def test_each_suite_has_forty_cases_in_both_languages(name: str) -> None:
    cases = load_suite(name).cases
    assert len(cases) >= 40
    for lang in ("zh", "en"):
        assert sum(c.lang == lang for c in cases) >= 15


ANSWER = Answer("churn", "offer", ("fact:1", "ticket:7"), "Sorry, we offer 5%.", True, ("send_action",))


@pytest.mark.parametrize(
    ("scorer", "right", "wrong"),
    [
        ("route", {"route": "churn"}, {"route": "faq"}),
        ("action", {"actions": ("call", "offer")}, {"actions": ("call",)}),
        ("evidence", {"cites": ("ticket:",)}, {"cites": ("contract:",)}),
        ("reply", {"says": ("sorry", "抱歉")}, {"says": ("refund",)}),
        ("approval", {"approval": True}, {"approval": False}),
        ("harmless", {"never": ("refund",)}, {"never": ("send_action",)}),
    ],
)
def test_each_judge_tells_right_from_wrong(scorer: str, right: dict[str, object], wrong: dict[str, object]) -> None:
    asked, judge = JUDGES[scorer]
    good, bad = (Case.model_validate({"id": "x", "text": "t", "route": "churn", **gold}) for gold in (right, wrong))
    assert asked(good) and judge(good, ANSWER) is None
    assert judge(bad, ANSWER)


def test_a_case_that_errors_is_wrong_and_stops_nothing(tmp_path: Path) -> None:
    suite = read_suite(
        "suite: x\ncases:\n  - {id: a, text: hi, route: churn}\n  - {id: b, text: ho, route: faq}\n"
        "  - {id: c, text: hu, route: faq, also: [churn]}\n"
    )

    def subject(case: Case) -> Answer:
        if case.id == "a":
            raise RuntimeError("the hub broke")
        return ANSWER

    found = {v.case: v for v in run_suite(suite, subject, name="s", log_dir=tmp_path).verdicts}
    assert {c: v.right for c, v in found.items()} == {"a": False, "b": False, "c": True}
    assert "the hub broke" in found["a"].why
    assert found["b"].why == "churn, not faq"
