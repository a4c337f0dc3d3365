"""``licet doctor`` names what is wrong with a set-up, and what to do about it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

import licet
from licet import times
from licet.cli import doctor, main
from licet.home import AccountFile, Home
from licet.identifiers import new_id
from licet.statements.keys import SigningKey
from licet.wire.accounts import ConsentHead, KeyInfo, Me
from tests.sdk.test_pinning import Serving, info

Asked = Callable[[], dict[str, Any]]
Patch = pytest.MonkeyPatch


@pytest.fixture
def serving() -> Iterator[Serving]:
    """A service that says who it is."""
    made = Serving(info(SigningKey.generate(), version=licet.__version__))
    yield made
    made.end()


@pytest.fixture
def asked(
    serving: Serving, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Asked:
    """The doctor's findings by name."""
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

    return ask


def test_a_sound_part_is_said_to_be_so(asked: Asked) -> None:
    found = asked()
    for name in ("versions", "variables", "home", "space", "service", "clock", "compatible"):
        assert found[name]["ok"], found[name]
    assert found["account"]["do"] == "`licet account create` makes an account"


def test_what_was_not_done_yet_is_not_wrong_and_says_what_comes_first(
    asked: Asked, capsys: pytest.CaptureFixture[str]
) -> None:
    found = asked()
    assert [name for name, finding in found.items() if finding["not_yet"]] == ["snapshot"]
    assert "`licet snapshot pull` fetches one" in found["snapshot"]["do"]
    with pytest.raises(SystemExit):
        main(["doctor"])
    assert "not yet snapshot: no snapshot here yet\n        → `licet snapshot pull`" in capsys.readouterr().out


def test_a_mirror_is_told_as_what_it_is(asked: Asked, serving: Serving) -> None:
    serving.gone.add("/health/live")
    found = asked()["service"]
    assert found["ok"]
    assert "is a mirror: it has what the registry publishes" in found["says"]


def test_a_token_at_a_mirror_is_of_no_use_there(asked: Asked, serving: Serving, monkeypatch: Patch) -> None:
    serving.gone.add("/v1/me")
    monkeypatch.setenv("LICET_TOKEN", "lct_mine")
    found = asked()["account"]
    assert not found["ok"]
    assert "knows no accounts" in found["says"]
    assert "unset LICET_TOKEN" in found["do"]


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
    assert [name for name, finding in found.items() if not finding["ok"]] == ["service"]


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
    assert [name for name, finding in found.items() if not finding["ok"]] == ["registry"]


def test_an_absent_extra_is_told_with_what_it_is_for(asked: Asked, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("licet.cli.doctor.find_spec", lambda name: None if name == "obstore" else object())
    found = asked()["extras"]
    assert found["says"] == "absent: cloud (filters what lies in S3, Google, Azure or the hub)"
    assert "licet[cloud]" in found["do"]


def test_a_token_that_is_no_token_is_said(asked: Asked, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LICET_TOKEN", "two words")
    assert "token" in asked()["client"]["says"]


# -- each check can fail, and says what to do -----------------------------------------------------------------------


class Someone:
    """An account in the home that the service knows."""

    def __init__(self, home: Home, serving: Serving) -> None:
        self.home, self.serving = home, serving
        self.account, self.genesis = new_id("art"), "0" * 64
        key = SigningKey.generate()
        self.keyid = key.keyid
        profile = home.profile()
        profile.token = "lct_mine"
        profile.account = AccountFile(serving.url, self.account, "artist", "Mei Lin", self.genesis, self.keyid)
        key.save(profile.key_path)
        self.is_known()

    def is_known(self, **changes: Any) -> None:
        """Let the service say who this is, but for ``changes``."""
        known = KeyInfo(self.keyid, "root", 1, None)
        me = Me(self.account, "artist", "Mei Lin", self.genesis, 0, ["account", "query"], [known], ConsentHead(0, None))
        self.serving.others["/v1/me"] = msgspec.json.encode(msgspec.structs.replace(me, **changes))


@pytest.fixture
def someone(asked: Asked, serving: Serving, tmp_path: Path) -> Someone:
    return Someone(Home(tmp_path), serving)


def _versions(someone: Someone, patch: Patch) -> None:
    patch.setattr(doctor, "version", lambda name: {"licet": "0.1.0"}.get(name, "0.2.0"))


def _variables(someone: Someone, patch: Patch) -> None:
    patch.setenv("LICET_BANANA_SPLIT", "1")


def _home(someone: Someone, patch: Patch) -> None:
    (someone.home.profile().folder / "token").chmod(0o640)


def _space(someone: Someone, patch: Patch) -> None:
    patch.setattr(doctor, "ROOM", 1 << 62)


def _address(someone: Someone, patch: Patch) -> None:
    patch.setenv("LICET_URL", someone.serving.url.replace("127.0.0.1", "localhost"))


def _service(someone: Someone, patch: Patch) -> None:
    patch.setenv("LICET_URL", "http://127.0.0.1:9")
    patch.setattr("licet.transport.blocking.pause", lambda _: None)


def _clock(someone: Someone, patch: Patch) -> None:
    real = times.now
    patch.setattr(times, "now", lambda: real() + timedelta(minutes=6))


def _registry(someone: Someone, patch: Patch) -> None:
    someone.serving.says = info(SigningKey.generate(), key="00" * 32, version=licet.__version__)


def _compatible(someone: Someone, patch: Patch) -> None:
    someone.serving.says = msgspec.structs.replace(someone.serving.says, version="9.1.0")


def _account(someone: Someone, patch: Patch) -> None:
    someone.is_known(account=new_id("art"))


def _key(someone: Someone, patch: Patch) -> None:
    someone.is_known(keys=[])


def _snapshot(someone: Someone, patch: Patch) -> None:
    folder = someone.home.snapshots(someone.serving.says.origin)
    folder.mkdir(parents=True)
    (folder / "manifest.json").write_bytes(b"nonsense")


FAILED: dict[str, tuple[str, Callable[[Someone, Patch], None], str, str]] = {
    "versions": ("versions", _versions, "licet 0.1.0 beside licet-registry 0.2.0", "the same version of both"),
    "variables": ("variables", _variables, "LICET_BANANA_SPLIT means nothing", "remove it"),
    "home": ("home", _home, "token can be read by others", "chmod 600"),
    "space": ("space", _space, "MiB free at", "LICET_CACHE"),
    "address": ("address", _address, "its token is not sent", "unset LICET_URL, or use another --profile"),
    "service": ("service", _service, "no answer from http://127.0.0.1:9", "set LICET_URL"),
    "clock": ("clock", _clock, "clock is 6 min ahead of", "NTP"),
    "registry": ("registry", _registry, "expected the digest of root key", "operator"),
    "compatible": ("compatible", _compatible, "the service is of version 9.1.0", "pip install licet==9.1.0"),
    "account": ("account", _account, "the token is art_", "unset LICET_TOKEN"),
    "account's key": ("account", _key, "does not know this profile's key", "restore key.pem"),
    "snapshot": ("snapshot", _snapshot, "manifest.json", "licet snapshot pull"),
}


@pytest.mark.parametrize("case", FAILED)
def test_each_check_can_fail_and_says_what_to_do(asked: Asked, someone: Someone, monkeypatch: Patch, case: str) -> None:
    name, spoil, says, do = FAILED[case]
    if name not in ("registry", "snapshot"):  # this one has no log that could hold its keys, and no snapshot
        assert asked()[name]["ok"]
    spoil(someone, monkeypatch)
    found = asked()[name]
    assert not found["ok"], found
    assert says in found["says"]
    assert do in found["do"]


def test_no_check_is_without_a_test_that_fails_it() -> None:
    only_advises = {"extras"}
    assert {name for name, *_ in FAILED.values()} | only_advises == {*doctor._HERE, *doctor._THERE}


@pytest.mark.parametrize(
    ("scopes", "left", "words", "advice"),
    [
        (["account", "query"], timedelta(days=40), None, None),
        (
            ["account", "query"],
            timedelta(days=6, hours=1),
            "6 days from now",
            "--scope account,query` makes the next one",
        ),
        (["query"], timedelta(hours=5), "5 h from now", "from a profile whose own token has the scope account"),
        (["query"], None, None, None),
    ],
)
def test_a_token_that_ends_soon_is_said_in_time(
    asked: Asked,
    someone: Someone,
    scopes: list[str],
    left: timedelta | None,
    words: str | None,
    advice: str | None,
) -> None:
    ends = None if left is None else times.to_text(times.now() + left + timedelta(seconds=30))
    someone.is_known(scopes=scopes, token_expires_at=ends)
    found = asked()["account"]
    assert found["ok"]
    assert (ends or "until")[:10] in found["says"] or ends is None
    assert (found["do"] is None) == (advice is None)
    if words and advice:
        assert words in found["says"]
        assert advice in found["do"]


def test_a_token_of_another_address_is_not_sent_and_said(
    asked: Asked, someone: Someone, monkeypatch: Patch, capsys: pytest.CaptureFixture[str]
) -> None:
    other = someone.serving.url.replace("127.0.0.1", "localhost")
    assert asked()["address"]["says"] == f"{someone.serving.url}, where this profile's account is"
    monkeypatch.setenv("LICET_URL", other)
    monkeypatch.setenv("LICET_TOKEN", "lct_other")  # then nothing of the profile is missed
    assert asked()["address"]["ok"]
