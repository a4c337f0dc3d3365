"""What goes wrong between the command line and its service, as its user meets it: a sentence, an exit code, no more."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest

import licet
from licet import times
from licet.cli import main
from licet.errors import ServiceError
from tests.sdk.test_clients import described, operations
from tests.sdk.test_misbehaving import Act, Proxy, Server, drips, http, reset, says, then_close

Told = tuple[int, str, str]
ME = json.dumps(
    {
        "account": "art_01m8g4r8m9fxabatq14tyjetj2", "kind": "artist", "name": "Mei Lin", "genesis": None, "level": 0,
        "scopes": ["query"], "keys": [], "head": {"seq": 0, "digest": None},
    }
).encode()  # fmt: skip


def problem(slug: str, title: str, detail: str, status: int, **headers: str) -> Act:
    document = {"type": f"https://licet.example/problems/{slug}", "title": title, "detail": detail, "status": status}
    headers = {"Content_Type": "application/problem+json", **headers}
    return says(http(status, json.dumps(document).encode(), length=None, **headers))


# What the service does → the exit code, the error's code, and what the sentence says.
FAILURES: dict[str, tuple[Act, int, str, tuple[str, ...]]] = {
    "it resets every connection": (reset, 3, "unreachable", ("no answer from http://127.0.0.1", "running there?")),
    "its body breaks off": (then_close(http(200, ME[:50], length=len(ME))), 3, "unreachable", ("no answer from",)),
    "its head drips": (drips(b"HTTP/1.1 200 "), 3, "unreachable", ("expected a whole answer within 0.4 s, got none",)),
    "it sends a page": (
        says(http(200, b"<html>Welcome to the hotel</html>", Content_Type="text/html")),
        3, "service", ("expected the service's protocol, got something else", "does not say its version"),
    ),
    "its answer lacks a field": (
        says(http(200, b'{"account":"art_x"}', Licet_Version="7.3.0")),
        3, "service", ("(kind: expected a value, got nothing)", "is of version 7.3.0"),
    ),
    "its answer has a field of another kind": (
        says(http(200, ME.replace(b'"level": 0', b'"level": "high"'), Licet_Version="7.3.0")),
        3, "service", ("(level: expected a whole number, got text)", "is of version 7.3.0"),
    ),
    "it packs a bomb": (
        says(http(200, gzip.compress(bytes(2 << 20)), Content_Encoding="gzip")),
        3, "service", ("expected an answer of at most 1,048,576 bytes, got more",),
    ),
    "its packing breaks off": (
        says(http(200, gzip.compress(ME)[:-9], Content_Encoding="gzip")),
        3, "service", ("expected an answer in gzip, got one that breaks off",),
    ),
    "an older one lacks the route": (
        problem("no-such-route", "Not found", "there is nothing at /v1/me", 404, Licet_Version="0.0.3"),
        3, "version", ("is of version 0.0.3 and lacks getMe", f"this licet {licet.__version__} asks for"),
    ),
    "something else is at the address": (
        says(http(404, b"<html>nginx</html>", Content_Type="text/html")),
        3, "version", ("expected a Licet registry at http://127.0.0.1", "is the address right?"),
    ),
    "it redirects": (
        says(http(302, b"", Location="https://login.example/")),
        3, "service", ("a redirect to https://login.example/",),
    ),
    "it takes the token for expired": (
        problem("not-authenticated", "Not authenticated", "expected a valid token", 401),
        4, "not-allowed", ("does not take this token", "expired", "licet token create"),
    ),
    "it wants another scope": (
        problem(
            "not-allowed", "Not allowed", "expected a token with scope register, got one with query", 403,
            WWW_Authenticate='Bearer error="insufficient_scope", scope="register"',
        ),
        4, "not-allowed", ("with scope register", "`licet token create --scope register`", "LICET_TOKEN is set"),
    ),
    "its quota is used up": (
        problem("quota-exceeded", "Quota exceeded", "6000 a minute", 429, Retry_After="90"),
        3, "quota", ("Quota exceeded", "there is some again in 90 s"),
    ),
    "it fails": (
        problem("internal", "Internal error", "something failed on our side", 500, X_Request_Id="req_seen"),
        3, "service", ("Internal error", "(request req_seen)"),
    ),
}  # fmt: skip


@pytest.fixture(autouse=True)
def alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A home of one's own, and nobody waits between attempts."""
    for name in ("LICET_CACHE", "LICET_PROFILE", "LICET_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LICET_HOME", str(tmp_path))
    monkeypatch.setenv("LICET_TOKEN", "lct_x")
    monkeypatch.setenv("LICET_TIMEOUT", "connect=2,read=2,total=0.4")
    monkeypatch.setattr("licet.transport.blocking.pause", lambda _: None)
    monkeypatch.setattr("licet.transport.line.MAX_ANSWER", 1 << 20)


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    yield made
    made.end()


@pytest.fixture
def typed(capsys: pytest.CaptureFixture[str]) -> Callable[..., Told]:
    def run(*arguments: str) -> Told:
        with pytest.raises(SystemExit) as ended:
            main(list(arguments))
        out, err = capsys.readouterr()
        assert isinstance(ended.value.code, int)
        return ended.value.code, out, err

    return run


@pytest.mark.parametrize("failure", FAILURES)
def test_a_failure_is_a_sentence_and_an_exit_code(
    server: Server, typed: Callable[..., Told], monkeypatch: pytest.MonkeyPatch, failure: str
) -> None:
    act, exit_code, kind, words = FAILURES[failure]
    server.acts = [act] * 20
    monkeypatch.setenv("LICET_URL", server.url)
    code, out, err = typed("account", "show")
    assert (code, out) == (exit_code, ""), err
    assert err.startswith("error: ")
    for word in words:
        assert word in err
    code, out, err = typed("account", "show", "--json")
    error = json.loads(out)["error"]
    assert (code, error["code"], err) == (exit_code, kind, "")
    assert error["message"]


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_proxy_that_resets_is_named(typed: Callable[..., Told], monkeypatch: pytest.MonkeyPatch, scheme: str) -> None:
    monkeypatch.delenv("LICET_TOKEN")
    monkeypatch.delenv("LICET_TIMEOUT")
    monkeypatch.setenv("LICET_URL", f"{scheme}://registry.example")
    proxy = Proxy(monkeypatch)
    try:
        proxy.acts = [reset] * 20
        code, _, err = typed("snapshot", "pull")
    finally:
        proxy.end()
    assert code == 3
    for word in (f"no answer from {scheme}://registry.example", "a proxy is in between", "NO_PROXY"):
        assert word in err
    assert len(proxy.seen) > 1


def test_what_a_newer_service_adds_is_passed_over(
    server: Server, typed: Callable[..., Told], monkeypatch: pytest.MonkeyPatch
) -> None:
    newer = {**json.loads(ME), "mood": "fine", "head": {"seq": 0, "digest": None, "colour": [1]}}
    server.acts = [says(http(200, json.dumps(newer).encode(), Licet_Version="9.0.0"))]
    monkeypatch.setenv("LICET_URL", server.url)
    code, out, err = typed("account", "show")
    assert (code, err) == (0, "")
    assert out.startswith("Mei Lin (artist) is art_")


@pytest.mark.parametrize("days", [1, -1])
def test_a_clock_a_day_off_is_named_where_a_signed_moment_does_not_fit(
    server: Server, typed: Callable[..., Told], monkeypatch: pytest.MonkeyPatch, days: int
) -> None:
    there = times.now() + timedelta(days=days)
    refused = problem(
        "invalid-request", "Invalid request", "issued_at: expected a time within 5 minutes of now, got another", 400,
        Date=format_datetime(there, usegmt=True),
    )  # fmt: skip
    server.acts = [refused]
    monkeypatch.setenv("LICET_URL", server.url)
    code, _, err = typed("account", "show")
    assert code == 2
    assert f"this machine's clock is 24.0 h {'behind' if days > 0 else 'ahead of'} the service's" in err


#: What is signed, or proves a signature, by its name in answers ('': a whole file): there a field more is refused.
CLOSED = {
    "",
    "asked",
    "budget",
    "close",
    "document",
    "envelope",
    "keys",
    "line",
    "lines",
    "revoked",
    "signatures",
    "totals",
    "use",
}
# No objects: something by name (terms: in the public register; reasons and documents: what is published of a work).
MAPS = {"counts", "terms", "reasons", "documents"}
REFUSED = re.compile(r"\(((?:.*\.)?)added_later: expected no field of this name, got added_later\)")


def test_what_a_newer_service_adds_is_passed_over_in_every_answer_that_the_description_shows() -> None:
    closed: set[str] = set()

    def grown(value: Any, name: str = "") -> Any:
        if isinstance(value, dict):
            more: dict[str, Any] = {} if name in closed | MAPS else {"added_later": [{}]}
            return {key: grown(each, key) for key, each in value.items()} | more
        return [grown(each, name) for each in value] if isinstance(value, list) else value

    read = 0
    for case in described():
        call = case.values[0]
        _, _, operation = operations()[call.operation]
        answers = [each for status, each in operation["responses"].items() if status.startswith("2")]
        for example in (each.get("content", {}).get("application/json", {}).get("example") for each in answers):
            while example is not None:
                try:
                    call.read(json.dumps(grown(example)).encode())
                except ServiceError as error:
                    if (refused := REFUSED.search(str(error))) is None:
                        raise
                    closed.add(re.sub(r"\[\d+\]", "", refused[1]).removesuffix(".").rpartition(".")[2])
                else:
                    read += 1
                    break
    assert read > 20
    assert closed == CLOSED
