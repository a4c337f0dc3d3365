"""``licet doctor`` names what is wrong with a set-up, and what to do about it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

import licet
from licet import times
from licet.cli import main
from licet.home import Home
from licet.statements.keys import SigningKey
from tests.sdk.test_pinning import Serving, info

Asked = Callable[[], dict[str, Any]]


@pytest.fixture
def asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Asked]:
    """The doctor's findings by name, with a service that says who it is."""
    serving = Serving(info(SigningKey.generate(), version=licet.__version__))
    for name in ("LICET_CACHE", "LICET_PROFILE", "LICET_TIMEOUT", "LICET_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LICET_HOME", str(tmp_path))
    monkeypatch.setenv("LICET_URL", serving.url)

    def ask() -> dict[str, Any]:
        with pytest.raises(SystemExit) as ended:
            main(["doctor", "--json"])
        document = json.loads(capsys.readouterr().out)
        assert ended.value.code == (0 if document["ok"] else 1)
        return {finding["check"]: finding for finding in document["findings"]}

    yield ask
    serving.end()


def test_a_sound_part_is_said_to_be_so(asked: Asked) -> None:
    found = asked()
    for name in ("versions", "variables", "home", "space", "service", "clock", "compatible"):
        assert found[name]["ok"], found[name]
    assert found["account"]["do"] == "`licet account create` makes an account"


def test_a_misspelled_variable_is_named(asked: Asked, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LICET_TOEKN", "x")
    found = asked()["variables"]
    assert (found["ok"], found["says"], found["do"]) == (
        False,
        "LICET_TOEKN means nothing",
        "did you mean LICET_TOKEN?",
    )


def test_a_key_that_others_can_read_is_named(asked: Asked, tmp_path: Path) -> None:
    path = Home(tmp_path).profile().key_path
    SigningKey.generate().save(path)
    path.chmod(0o644)
    assert asked()["home"]["do"] == f"chmod 600 {path}"


@pytest.mark.parametrize(("days", "words"), [(1, "24.0 h ahead of"), (-1, "24.0 h behind")])
def test_a_clock_a_day_off_is_said_in_clear_words(
    asked: Asked, monkeypatch: pytest.MonkeyPatch, days: int, words: str
) -> None:
    real = times.now
    monkeypatch.setattr(times, "now", lambda: real() + timedelta(days=days))
    found = asked()["clock"]
    assert not found["ok"]
    assert words in found["says"]


def test_nobody_at_the_address_is_said_with_the_address(asked: Asked, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LICET_URL", "http://127.0.0.1:9")
    monkeypatch.setattr("licet.transport.blocking.pause", lambda _: None)
    found = asked()
    assert "http://127.0.0.1:9" in found["service"]["says"]
    assert "LICET_URL" in found["service"]["do"]
    for name in ("clock", "registry", "compatible", "account"):
        assert found[name]["says"] == "not examined: the service does not answer"
    assert [name for name, finding in found.items() if not finding["ok"]] == ["service", "snapshot"]


def test_another_root_key_than_was_pinned_is_one_finding(asked: Asked, monkeypatch: pytest.MonkeyPatch) -> None:
    asked()
    other = Serving(info(SigningKey.generate(), version=licet.__version__))
    monkeypatch.setenv("LICET_URL", other.url)
    try:
        found = asked()
    finally:
        other.end()
    assert "as pinned on" in found["registry"]["says"]
    assert "operator" in found["registry"]["do"]
    assert [name for name, finding in found.items() if not finding["ok"]] == ["registry", "snapshot"]


def test_an_absent_extra_is_told_with_what_it_is_for(asked: Asked, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("licet.cli.doctor.find_spec", lambda name: None if name == "obstore" else object())
    found = asked()["extras"]
    assert found["says"] == "absent: cloud (filters what lies in S3, Google, Azure or the hub)"
    assert "licet[cloud]" in found["do"]


def test_a_token_that_is_no_token_is_said(asked: Asked, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LICET_TOKEN", "two words")
    assert "token" in asked()["client"]["says"]
