"""Settings: defaults that work, clear errors for what cannot."""

from __future__ import annotations

import pytest

from app.settings import load_settings, unknown_settings
from core.errors import InvalidInput


@pytest.fixture(autouse=True)
def _clean(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    import os

    for name in list(os.environ):
        if name.startswith("ZHONGSHU_"):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path_factory.mktemp("empty"))


def test_every_setting_has_a_default_that_works() -> None:
    settings = load_settings()
    assert settings.on_loopback
    assert settings.port == 8000
    assert settings.llm_base_url is None


def test_a_port_that_is_no_number_is_named_in_both_languages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZHONGSHU_PORT", "eighty")
    with pytest.raises(InvalidInput) as error:
        load_settings()
    assert error.value.where == {"field": "ZHONGSHU_PORT"}
    assert "'eighty' must be a whole number" in error.value.say("en")
    assert "应为整数" in error.value.say("zh")


def test_a_port_out_of_range_says_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZHONGSHU_PORT", "70000")
    with pytest.raises(InvalidInput, match="at most 65535"):
        load_settings()


def test_a_secret_is_never_shown_in_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZHONGSHU_WEBHOOK_URL", "http://127.0.0.1:9")
    with pytest.raises(InvalidInput) as error:
        load_settings()
    assert error.value.where == {"field": "ZHONGSHU_WEBHOOK_SECRET"}
    monkeypatch.setenv("ZHONGSHU_LLM_API_KEY", "sk-very-secret")
    assert "very-secret" not in repr(load_settings(webhook_secret="whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"))


def test_a_model_endpoint_needs_a_model_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZHONGSHU_LLM_BASE_URL", "http://127.0.0.1:11434/v1")
    with pytest.raises(InvalidInput) as error:
        load_settings()
    assert error.value.where == {"field": "ZHONGSHU_LLM_MODEL"}


def test_a_misspelt_setting_is_found_with_its_nearest_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZHONGSHU_PROT", "8001")
    assert unknown_settings()["ZHONGSHU_PROT"][0] == "ZHONGSHU_PORT"


def test_what_is_given_outweighs_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZHONGSHU_PORT", "8001")
    assert load_settings(port=8002).port == 8002
    assert load_settings(port=None).port == 8001


def test_durations_are_written_as_in_strategies(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZHONGSHU_LATENESS", "10m")
    assert load_settings().lateness == 600_000_000
    monkeypatch.setenv("ZHONGSHU_LATENESS", "soon")
    with pytest.raises(InvalidInput, match="not a duration"):
        load_settings()
