"""The transport against a real server on loopback that misbehaves on purpose."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from licet.errors import ConflictError, InputError, NotAllowedError, ServiceError, UnreachableError
from licet.transport import ATTEMPTS, LONGEST_DELAY, Transport, delay, failure, idempotency_key


class Script:
    """The answers that the server gives, one after another, and the requests that it saw."""

    def __init__(self) -> None:
        self.answers: list[tuple[int, dict[str, str], bytes] | None] = []
        self.seen: list[tuple[str, str, dict[str, str], bytes]] = []


@pytest.fixture
def script() -> Iterator[tuple[Script, str]]:
    plan = Script()

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            plan.seen.append((self.command, self.path, dict(self.headers), body))
            answer = plan.answers.pop(0)
            if answer is None:  # the connection is cut before any answer
                self.connection.close()
                return
            status, headers, data = answer
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_POST = do_PUT = answer  # noqa: N815 - the names that http.server calls

        def log_message(self, *_: Any) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield plan, f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(autouse=True)
def short_waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    waits: list[float] = []
    monkeypatch.setattr("licet.transport.blocking.pause", waits.append)
    return waits


def test_a_lost_answer_is_asked_for_again_under_the_same_key(
    script: tuple[Script, str], short_waits: list[float]
) -> None:
    plan, url = script
    plan.answers = [None, (503, {"Retry-After": "3"}, b""), (200, {}, b"{}")]
    with Transport(url, "lct_x") as connection:
        answer = connection.request("POST", "/v1/works", body=b'{"a":1}', idempotent=True)
    assert answer.status == 200
    keys = {headers["Idempotency-Key"] for _, _, headers, _ in plan.seen}
    assert len(plan.seen) == 3
    assert len(keys) == 1
    assert short_waits[1] >= 3


def test_a_request_that_is_still_being_worked_on_is_waited_for(script: tuple[Script, str]) -> None:
    plan, url = script
    working = json.dumps({"type": "https://licet.example/problems/request-in-progress", "status": 409}).encode()
    plan.answers = [(409, {"Retry-After": "1"}, working), (201, {}, b"{}")]
    with Transport(url) as connection:
        assert connection.request("POST", "/v1/works", body=b"{}", idempotent=True).status == 201


def test_what_can_not_get_better_is_not_tried_again(script: tuple[Script, str]) -> None:
    plan, url = script
    problem = {
        "type": "https://licet.example/problems/invalid",
        "title": "the request is wrong",
        "status": 422,
        "errors": [{"pointer": "/works/0/sha256", "expected": "64 hex digits", "got": "'x'"}],
    }
    headers = {"Content-Type": "application/problem+json", "X-Request-Id": "req-7"}
    plan.answers = [(422, headers, json.dumps(problem).encode())]
    with Transport(url) as connection, pytest.raises(InputError) as caught:
        connection.request("POST", "/v1/works", body=b"{}")
    assert len(plan.seen) == 1
    assert "/works/0/sha256: expected 64 hex digits, got 'x'" in str(caught.value)
    assert "req-7" in str(caught.value)


def test_nobody_there_is_said_plainly() -> None:
    with Transport("http://127.0.0.1:9") as connection, pytest.raises(UnreachableError, match="is the service running"):
        connection.request("GET", "/v1/registry")


def test_a_token_never_leaves_this_machine_unencrypted() -> None:
    with pytest.raises(InputError, match="https"):
        Transport("http://registry.example", "lct_secret")
    with pytest.raises(InputError, match="https"):
        Transport("http://localhost.evil.example", "lct_secret")
    Transport("http://localhost:8000", "lct_secret").close()


@pytest.mark.parametrize(
    ("status", "kind"),
    [(401, NotAllowedError), (403, NotAllowedError), (409, ConflictError), (422, InputError), (500, ServiceError)],
)
def test_each_status_is_an_error_of_the_tree(status: int, kind: type[Exception]) -> None:
    assert type(failure(status, {}, b"<html>not json</html>")) is kind


@given(st.integers(1, 10), st.sampled_from([None, 429, 500, 503, 404]), st.floats(0, 0.999))
def test_waits_stay_within_their_bounds(attempt: int, status: int | None, chance: float) -> None:
    wait = delay(attempt, status, {}, chance)
    if attempt >= ATTEMPTS or status in (500, 404):
        assert wait is None
    else:
        assert wait is not None
        assert 0.25 <= wait <= LONGEST_DELAY


@pytest.mark.parametrize("value", ["soon", "-1", "Thu, 99 Foo 2026", "", "1e9", "9" * 400])
def test_a_strange_retry_after_is_no_trap(value: str) -> None:
    wait = delay(1, 503, {"retry-after": value}, 0.5)
    assert wait is None or wait <= LONGEST_DELAY


@given(st.lists(st.binary(max_size=8), max_size=4), st.lists(st.binary(max_size=8), max_size=4))
def test_only_equal_content_shares_a_key(one: list[bytes], other: list[bytes]) -> None:
    assert (idempotency_key(*one) == idempotency_key(*other)) == (one == other)
