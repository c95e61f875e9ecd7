"""Errors, text, ids, audit chain and the one place that commits."""

from pathlib import Path

import pytest
from sqlmodel import select

from core.audit import AuditRow, first_broken, record
from core.clock import ManualClock
from core.context import system_context
from core.db import Database
from core.errors import UnknownName
from core.ids import new_id, stable_id
from core.text import Text, guess_lang, negotiate_lang


def test_an_error_says_place_problem_and_nearest_in_both_languages() -> None:
    error = UnknownName(Text("没有事件 x", "there is no event x"), where={"line": 3}, nearest=["app.login"])
    assert error.say("en") == "line 3: there is no event x. Nearest: app.login."
    assert error.say("zh") == "行 3：没有事件 x。最接近的有：app.login。"


@pytest.mark.parametrize(
    ("header", "lang"),
    [
        ("zh-CN,zh;q=0.9,en;q=0.8", "zh"),
        ("en-GB", "en"),
        ("fr, zh;q=0.2", "zh"),
        ("en;q=0.1, zh;q=0.3", "zh"),
        (None, "en"),
    ],
)
def test_the_language_follows_the_header(header: str | None, lang: str) -> None:
    assert negotiate_lang(header) == lang


def test_one_ideograph_makes_a_text_chinese() -> None:
    assert guess_lang("VIP 客户 churn") == "zh"
    assert guess_lang("VIP churn") == "en"


def test_new_ids_sort_by_time_and_stable_ids_repeat() -> None:
    clock = ManualClock(1_000_000_000_000)
    first = new_id("x", clock)
    clock.advance(1_000)
    assert first < new_id("x", clock)
    assert stable_id("d", "a", "b") == stable_id("d", "a", "b") != stable_id("d", "ab")


@pytest.fixture
def db(tmp_path: Path) -> Database:
    database = Database(f"sqlite:///{tmp_path}/t.db")
    database.create_tables()
    return database


def test_a_failed_block_leaves_nothing_behind(db: Database) -> None:
    with pytest.raises(RuntimeError), db.transaction() as session:
        record(session, system_context(), ManualClock(1), "test.change", "x")
        raise RuntimeError
    with db.reading() as session:
        assert session.exec(select(AuditRow)).all() == []


def test_the_audit_chain_shows_tampering(db: Database) -> None:
    with db.transaction() as session:
        for n in range(3):
            record(session, system_context(), ManualClock(n), "test.change", f"x{n}", {"名": n})
    with db.reading() as session:
        assert first_broken(session, "default") is None
    with db.transaction() as session:
        row = session.exec(select(AuditRow).where(AuditRow.target == "x1")).one()
        row.target = "y"
        session.add(row)
    with db.reading() as session:
        assert first_broken(session, "default") == 2
