"""`zhongshu eval run` as CI would use it: the real hub passes its gate; a worse one does not."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from typer.testing import CliRunner

import app.evaluation
from app.cli.evals import BELOW_THRESHOLD, group
from evals.cases import SUITES, Case, load_suite
from evals.runner import Answer, Subject

ZHONGSHU = Path(sys.executable).with_name("zhongshu")


def test_the_hub_passes_its_own_suites(tmp_path: Path) -> None:
    result = subprocess.run(
        [ZHONGSHU, "eval", "run", "--json", "--out", tmp_path, "--lang", "en"],
        capture_output=True,
        text=True,
        timeout=400,
        check=False,
    )
    assert result.returncode == 0, result.stdout[-3000:] + result.stderr[-3000:]
    found = json.loads(result.stdout)
    assert [s["suite"] for s in found["suites"]] == list(SUITES)
    assert {v["case"] for v in found["suites"][0]["verdicts"]} == {c.id for c in load_suite("routing").cases}
    assert Path(found["file"]).exists()


@contextmanager
def a_hub_that_always_churns() -> Iterator[tuple[str, Subject]]:
    def subject(case: Case) -> Answer:
        return Answer("churn", "retain_offer", (), "We offer you 50% off.", False)

    yield "always-churn", subject


def test_a_worse_hub_fails_the_gate_and_the_comparison(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(app.evaluation, "demo_subject", a_hub_that_always_churns)
    runner = CliRunner()
    worse = runner.invoke(group, ["run", "routing", "--json", "--out", str(tmp_path / "worse")])
    assert worse.exit_code == BELOW_THRESHOLD
    good = json.loads(next((tmp_path / "worse").glob("eval_*.json")).read_text())
    for verdict in good["suites"][0]["verdicts"]:
        verdict["right"] = True
    (tmp_path / "good.json").write_text(json.dumps(good))
    arguments = ["compare", str(tmp_path / "good.json"), str(next((tmp_path / "worse").glob("eval_*.json"))), "--json"]
    compared = runner.invoke(group, arguments)
    assert compared.exit_code == BELOW_THRESHOLD
    assert json.loads(compared.stdout)[0]["lost"]
    assert runner.invoke(group, ["run", "routing", "--threshold", "0", "--out", str(tmp_path)]).exit_code == 0
