"""The command line as a user meets it: run as a process, in both languages, with exit codes a script can read."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from app.cli.commands import MODULES
from tests.app.hubclient import CATALOG, Service

ROOT = Path(__file__).parents[2]
START = "import sys; from app.cli import main; sys.argv[0] = 'zhongshu'; main()"


def against(service: Service, *arguments: str, lang: str = "en") -> subprocess.CompletedProcess[str]:
    """A command that finds the tests' running service through its data folder."""
    folder, key = service.hub.settings.data_dir, service.admin.key or ""
    return run(folder.parent, *arguments, lang=lang, ZHONGSHU_DATA_DIR=str(folder), ZHONGSHU_API_KEY=key)


def run(folder: Path, *arguments: str, lang: str = "en", **more: str) -> subprocess.CompletedProcess[str]:
    """A command on a data folder of its own, without what the machine's environment sets."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ZHONGSHU_")}
    environment = {
        **kept,
        "PYTHONPATH": os.pathsep.join([str(ROOT), kept.get("PYTHONPATH", "")]),
        "ZHONGSHU_DATA_DIR": str(folder / "var"),
        "ZHONGSHU_CATALOG": str(CATALOG),
        "ZHONGSHU_PORT": "0",
        "ZHONGSHU_LANG": lang,
        "COLUMNS": "200",
        **more,
    }
    return subprocess.run(
        [sys.executable, "-c", START, *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=180,
    )


def test_help_names_every_command_in_the_chosen_language(tmp_path: Path) -> None:
    english, chinese = run(tmp_path, "--help"), run(tmp_path, "--help", "--lang", "zh")
    for name in MODULES:
        assert re.search(rf"\b{name}\b", english.stdout), name
    assert "Run the service" in english.stdout
    assert "启动服务" in chinese.stdout


def test_help_and_simulate_import_no_web_agent_or_database_library(tmp_path: Path) -> None:
    heavy = ("fastapi", "langgraph", "langchain", "chromadb", "sqlmodel", "llama_index")
    code = (
        "import sys; from app.cli.commands import build; build([]); build(['simulate']);"
        f"print([m for m in {heavy} if m in sys.modules])"
    )
    answer = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=180)
    assert answer.stdout.strip() == "[]", answer.stderr


def test_the_version_is_the_packages(tmp_path: Path) -> None:
    declared = re.search(r'^version = "(.+)"', (ROOT / "pyproject.toml").read_text(encoding="utf-8"), re.M)
    assert declared is not None
    assert json.loads(run(tmp_path, "version", "--json").stdout) == {"version": declared.group(1)}


def test_an_unknown_language_is_refused_with_the_known_ones(tmp_path: Path) -> None:
    answer = run(tmp_path, "version", "--lang", "fr")
    assert answer.returncode == 2
    assert "zh, en" in answer.stderr


def test_a_bad_setting_is_named_before_anything_starts(tmp_path: Path) -> None:
    answer = run(tmp_path, "serve", lang="zh", ZHONGSHU_PORT="eighty")
    assert answer.returncode == 2
    assert "ZHONGSHU_PORT" in answer.stderr
    assert "应为整数" in answer.stderr
    assert "Traceback" not in answer.stderr


def test_a_broken_catalog_stops_the_start_with_its_line_and_the_nearest_key(tmp_path: Path) -> None:
    broken = tmp_path / "catalog.yaml"
    broken.write_text("catalog: 1\nevents:\n  a: {subject: customer, label: {zh: 甲}}\n", encoding="utf-8")
    answer = run(tmp_path, "serve", ZHONGSHU_CATALOG=str(broken))
    assert answer.returncode == 2
    assert "line 3" in answer.stderr
    assert "labels" in answer.stderr
    assert "Traceback" not in answer.stderr


def test_a_taken_port_is_one_clear_message(service: Service, tmp_path: Path) -> None:
    answer = run(tmp_path, "serve", "--port", service.address.rsplit(":", 1)[1], lang="zh")
    assert answer.returncode == 6
    assert "不能监听" in answer.stderr
    assert "Traceback" not in answer.stderr


def test_the_doctor_says_what_is_missing_and_what_would_fix_it(tmp_path: Path) -> None:
    answer = run(tmp_path, "doctor", "--json")
    assert answer.returncode == 0, answer.stdout
    found = {finding["name"]: finding for finding in json.loads(answer.stdout)}
    assert found["service"]["status"] == "off"
    assert "ZHONGSHU_LLM_BASE_URL" in found["model"]["fix"]
    broken = run(tmp_path, "doctor", ZHONGSHU_SMTP_HOST="127.0.0.1", ZHONGSHU_SMTP_PORT="9", ZHONGSHU_PROT="1")
    assert broken.returncode == 1
    assert "ZHONGSHU_PROT" in broken.stdout
    assert "does not answer" in broken.stdout


def test_migrate_makes_the_store_and_then_has_nothing_to_do(tmp_path: Path) -> None:
    assert json.loads(run(tmp_path, "migrate", "--json").stdout)["applied"]
    assert json.loads(run(tmp_path, "migrate", "--json").stdout)["applied"] == []


def test_commands_work_without_a_running_service(tmp_path: Path) -> None:
    """They run the API in their own process, on the same data folder."""
    made = run(tmp_path, "keys", "create", "--role", "viewer", "--name", "dashboard", "--json")
    assert made.returncode == 0, made.stderr
    key = json.loads(made.stdout)
    assert key["key"].startswith("zs_")
    assert key["id"] in run(tmp_path, "keys", "list").stdout


def test_a_key_is_revoked_once(service: Service) -> None:
    key = json.loads(against(service, "keys", "create", "--role", "viewer", "--name", "brief", "--json").stdout)
    assert against(service, "keys", "revoke", key["id"]).returncode == 0
    again = against(service, "keys", "revoke", key["id"], lang="zh")
    assert again.returncode == 6
    assert "已吊销" in again.stderr


def test_the_audit_log_is_verified(service: Service) -> None:
    assert json.loads(against(service, "audit", "verify", "--json").stdout)["whole"] is True
    assert "keys.create" in against(service, "audit", "list").stdout


def test_a_service_that_does_not_answer_is_unavailable(tmp_path: Path) -> None:
    answer = run(tmp_path, "strategy", "list", ZHONGSHU_SERVICE_URL="http://127.0.0.1:9", ZHONGSHU_API_KEY="zs_x")
    assert answer.returncode == 9
    assert "does not answer" in answer.stderr


def test_ingest_reports_bad_lines_by_their_number_in_the_file(service: Service, tmp_path: Path) -> None:
    moment = datetime.now(UTC).isoformat()
    good = {"id": "cli-1", "source": "cli", "type": "app.login", "time": moment, "subject": "customer/cli"}
    bad = {**good, "id": "cli-2", "type": "app.logni"}
    file = tmp_path / "events.ndjson"
    file.write_text("\n".join(["", json.dumps(good), "", json.dumps(bad), "{"]), encoding="utf-8")
    answer = against(service, "ingest", str(file), "--json")
    assert answer.returncode == 2, answer.stderr
    receipt: dict[str, Any] = json.loads(answer.stdout)
    assert receipt["accepted"] == 1
    assert [entry["line"] for entry in receipt["rejected"]] == [4, 5]
    said = against(service, "ingest", str(file), lang="zh")
    assert "行 4" in said.stderr
    assert "app.login" in said.stderr
    assert "重复 1" in said.stdout


def test_a_sentence_is_drafted_listed_shown_and_approved(service: Service) -> None:
    drafted = against(service, "strategy", "draft", "客户登录就外呼", "--name", "cli-welcome", "--json")
    assert drafted.returncode == 0, drafted.stderr
    assert json.loads(drafted.stdout)["state"] == "draft"
    approved = against(service, "strategy", "approve", "cli-welcome", "--percent", "1", "--json")
    assert json.loads(approved.stdout)["state"] == "canary"
    shown = against(service, "strategy", "show", "cli-welcome")
    assert "app.login" in shown.stdout
    missing = against(service, "strategy", "show", "cli-welcom")
    assert missing.returncode == 5
    assert "cli-welcome" in missing.stderr


def test_a_rehearsal_prints_the_report_of_a_replay(service: Service) -> None:
    drafted = against(service, "strategy", "draft", "客户登录就外呼", "--name", "cli-rehearsed", "--json")
    assert drafted.returncode == 0, drafted.stderr
    printed = against(service, "strategy", "rehearse", "cli-rehearsed", lang="zh")
    assert "cli-rehearsed" in printed.stdout
    assert printed.stderr == ""
    report = json.loads(against(service, "strategy", "rehearse", "cli-rehearsed", "--json").stdout)["report"]
    assert report["strategies"][0]["name"] == "cli-rehearsed"
    unknown = against(service, "strategy", "rehearse", "cli-rehearsed", "--events", "none.parquet")
    assert unknown.returncode == 5


def test_why_not_is_asked_of_now_and_of_a_past_moment(service: Service) -> None:
    drafted = against(service, "strategy", "draft", "客户登录就外呼", "--name", "cli-asked", "--json")
    assert drafted.returncode == 0, drafted.stderr
    refused = against(service, "why-not", "cli-asked", "customer/cli", lang="zh")
    assert (refused.returncode, "没有在运行" in refused.stderr) == (6, True)
    moment = datetime.now(UTC).isoformat()
    event = {"id": "asked", "source": "cli", "type": "app.login", "time": moment, "subject": "customer/cli"}
    assert service.admin("POST", "/v1/events", event).body["accepted"] == 1
    past = ["why-not", "cli-asked", "customer/cli", "--at", "2026-01-01T00:00:00+08:00"]
    assert "was not running then" in against(service, *past).stderr
    answered = against(service, *past, "--version", "1")
    assert "the trigger did not hold then" in answered.stdout
    assert "tree" in json.loads(against(service, *past, "--version", "1", "--json").stdout)


@pytest.mark.parametrize(
    "arguments",
    [["why"], ["why-not", "one"], ["strategy", "draft"], ["nonsense"], ["keys", "create", "--role", "king"]],
)
def test_a_wrong_call_exits_with_two(tmp_path: Path, arguments: list[str]) -> None:
    answer = run(tmp_path, *arguments)
    assert answer.returncode == 2
    assert "Traceback" not in answer.stderr
