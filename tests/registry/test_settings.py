"""Settings: the environment is checked as a whole, and whatever is wrong in it is named."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from registry.errors import SettingsError
from registry.settings import Settings, explain, shown, variable


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    for name in Settings.model_fields:
        monkeypatch.delenv(variable(name), raising=False)


def test_defaults_are_what_the_rules_say():
    settings = Settings.load()
    assert settings.fee_bps == 1000
    assert settings.quote_ttl == timedelta(minutes=15)
    assert settings.snapshot_ttl == settings.loosening_hold == settings.upload_ttl == timedelta(hours=24)
    assert settings.snapshot_delay == timedelta(minutes=5)
    assert settings.token_ttl == timedelta(days=90)
    assert settings.url == "http://localhost:8000"
    assert settings.database_url is None


def test_the_environment_wins_over_defaults_and_arguments_over_both(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("LICET_REGISTRY_PORT", "9000")
    monkeypatch.setenv("LICET_REGISTRY_LOOSENING_HOLD", "2d")
    monkeypatch.setenv("LICET_REGISTRY_DATA", "/srv/licet")
    monkeypatch.setenv("LICET_REGISTRY_PUBLIC_URL", "https://registry.example/")
    settings = Settings.load(port=9001, host=None)
    assert (settings.port, settings.host) == (9001, "127.0.0.1")
    assert settings.loosening_hold == timedelta(days=2)
    assert settings.data == Path("/srv/licet")
    assert settings.url == "https://registry.example"


@pytest.mark.parametrize("name", ["DATABASE_URL", "LICET_REGISTRY_DATABASE_URL"])
def test_the_database_is_set_by_either_name_and_its_password_is_never_shown(monkeypatch: pytest.MonkeyPatch, name: str):
    monkeypatch.setenv(name, "postgresql://licet:secret@db/licet")
    settings = Settings.load()
    assert settings.database_url is not None
    assert settings.database_url.get_secret_value().endswith("@db/licet")
    assert "secret" not in explain(settings) + repr(settings)


@pytest.mark.parametrize(
    ("contact", "link"),
    [
        ("", ""),
        ("help+licet@registry.example", "mailto:help+licet@registry.example"),
        ("https://registry.example/help?a=b@c", "https://registry.example/help?a=b@c"),
    ],
)
def test_who_runs_the_registry_is_reached_by_mail_or_at_an_address(
    monkeypatch: pytest.MonkeyPatch, contact: str, link: str
):
    monkeypatch.setenv("LICET_REGISTRY_CONTACT", contact)
    settings = Settings.load()
    assert (settings.contact, settings.contact_link) == (contact, link)
    assert f"LICET_REGISTRY_CONTACT = {contact or '(empty)'}" in explain(settings)


def test_an_empty_database_url_means_our_own(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("DATABASE_URL", "")
    assert Settings.load().database_url is None


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("LICET_REGISTRY_PORT", "http", "a whole number from 0 to 65535"),
        ("LICET_REGISTRY_FEE_BPS", "10001", "a whole number from 0 to 10000"),
        ("LICET_REGISTRY_QUOTE_TTL", "15 minutes", "a duration such as 30s, 15m, 24h or 90d"),
        ("LICET_REGISTRY_LOG_LEVEL", "loud", "one of debug, info, warning, error"),
        ("LICET_REGISTRY_PUBLIC_URL", "registry.example", "an address such as https://registry.example"),
        ("LICET_REGISTRY_ORIGIN", "a b", "a text like "),
        *(
            ("LICET_REGISTRY_CONTACT", each, "an e-mail address such as help@registry.example, or an https:// address")
            for each in (
                *("us", "us@", "us@here", "@registry.example", "us@registry.example?subject=x", "a b@registry.example"),
                *("http://registry.example", "https://", "https://u:p@registry.example", "https://a b", "https://[::1"),
                *("javascript:alert(1)", "mailto:us@registry.example", "https://registry.example/\n", "允@r.example"),
            )
        ),
        ("LICET_REGISTRY_CONTACT", f"https://{'a' * 200}.example", "a text of at most 200 characters"),
        ("LICET_REGISTRY_BANK_HOLDER", "A" * 141, "a text of at most 140 characters"),
        ("DATABASE_URL", "mysql://u:secret@h/d", "an address such as postgresql://"),
    ],
)
def test_a_wrong_value_is_named_with_its_variable(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, expected: str
):
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError) as caught:
        Settings.load()
    message = str(caught.value)
    assert message.startswith(f"{name}: expected {expected}")
    assert "secret" not in message


def test_a_variable_that_no_setting_reads_is_refused_with_the_nearest(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("LICET_REGISTRY_FEE_BSP", "5")
    with pytest.raises(SettingsError, match="did you mean LICET_REGISTRY_FEE_BPS"):
        Settings.load()


def test_everything_wrong_is_said_at_once(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("LICET_REGISTRY_PORT", "x")
    monkeypatch.setenv("LICET_REGISTRY_WORKERS", "0")
    with pytest.raises(SettingsError, match=r"LICET_REGISTRY_PORT.*; LICET_REGISTRY_WORKERS"):
        Settings.load()


def test_explain_names_every_setting_and_what_it_does():
    text = explain(Settings.load())
    for name, field in Settings.model_fields.items():
        assert f"{variable(name)} = " in text
        assert field.description
    assert "LICET_REGISTRY_QUOTE_TTL = 15m  (default)" in text


def test_shown_values_can_be_given_back(monkeypatch: pytest.MonkeyPatch):
    settings = Settings.load()
    for name in Settings.model_fields:
        value = getattr(settings, name)
        if value not in {None, "", ()}:
            monkeypatch.setenv(variable(name), shown(value))
    assert Settings.load() == settings
