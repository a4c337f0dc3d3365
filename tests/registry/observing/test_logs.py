"""Log lines: one a request, by route and account; one form for all that is written; nothing in them makes a line."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from litestar import get

from licet.statements.keys import SigningKey
from registry.observing.logs import shown
from registry.worker.loops import run_loops
from tests.registry.harness import genesis, new_key, running

PROGRAM = """
import asyncio, logging, sys, warnings
import structlog
from registry.observing.logs import log_to_stderr
from registry.settings import Settings

log_to_stderr(Settings.load(log_format=sys.argv[1]), "serve")
log = structlog.get_logger("registry.requests")
log.info("request", route="/v1/works", evil="a\\n2026-01-01 [info] forged", bell="\\x1b[31mred\\x85")
logging.getLogger("asyncpg").warning("from a library\\nforged %s", "too\\r\\nforged")
logging.getLogger("_granian").info("not told")
warnings.warn("careful")
try:
    raise ValueError("broken\\nforged")
except ValueError:
    log.exception("unhandled error")
raise RuntimeError("the end\\nforged")
"""


def written(form: str) -> list[str]:
    done = subprocess.run([sys.executable, "-c", PROGRAM, form], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    return done.stderr.split("\n")[:-1]


def test_json_lines_are_one_document_each_whoever_writes():
    events = [json.loads(line) for line in written("json")]
    assert [event["logger"] for event in events] == [
        "registry.requests", "asyncpg", "py.warnings", "registry.requests", "registry",
    ]  # fmt: skip
    for event in events:
        assert {"event", "level", "time", "process"} <= event.keys()
        assert event["process"] == "serve"
    assert events[0]["evil"] == "a\n2026-01-01 [info] forged"
    assert events[3]["exception"][0]["exc_value"] == "broken\nforged"
    assert events[4]["level"] == "critical"
    assert "locals" not in json.dumps(events)


def test_text_lines_cannot_be_forged():
    lines = written("text")
    assert not any(line.startswith(("forged", "2026-01-01 [info] forged")) for line in lines)
    assert not any("\x1b" in line or "\x85" in line or "\r" in line for line in lines)
    # A line begins with a time, or is an indented part of a traceback.
    assert all(line[:4].isdigit() or line.startswith("    ") for line in lines)
    assert any("RuntimeError" in line for line in lines)


@given(st.text())
def test_what_is_shown_prints_on_one_line(text: str):
    assert shown(text).isprintable()
    assert len(shown(text).splitlines()) <= 1


@pytest.mark.anyio
async def test_a_request_is_one_line_that_tells_no_secret(dsn, tmp_path, lines):
    async with running(dsn, tmp_path) as service:
        ada = await service.account()
        lines.clear()
        await ada.http.get("/v1/works?external_id=hidden&cursor=hidden")
        await ada.http.get("/v1/statements/stm_secret", headers={"X-Request-Id": "req-of-a-test"})
        found = [line for line in lines if line["event"] == "request"]
        assert len(found) == 2
        line = found[1]
        assert line.pop("ms") >= 0
        assert line.pop("sent") > 0
        assert line == {
            "event": "request", "log_level": "info", "request_id": "req-of-a-test", "method": "GET",
            "route": "/v1/statements/{statement}", "status": 400, "received": 0,
            "account": ada.id, "account_kind": "art",
        }  # fmt: skip
        assert "hidden" not in str(lines)
        assert "stm_secret" not in str(lines)
        assert ada.token not in str(lines)


@pytest.mark.anyio
@pytest.mark.parametrize("given", ["short", "x" * 65, "two words", "new\tline", ""])
async def test_an_id_that_is_no_plain_word_is_replaced(dsn, tmp_path, lines, given):
    async with running(dsn, tmp_path) as service:
        for path in ("/health/live", "/nowhere", "/v1/me"):
            answer = await service.http.get(path, headers={"X-Request-Id": given})
            assert answer.headers["x-request-id"].startswith("req_")
            assert lines[-1]["request_id"] == answer.headers["x-request-id"]


@pytest.mark.anyio
async def test_the_sequencer_names_the_requests_that_it_serves(dsn, tmp_path, lines):
    async with running(dsn, tmp_path) as service:
        named = []
        for number in range(20):  # a look by itself may be quicker than the bell, which then names the next entry
            envelope = genesis(service.services.keys.ref, SigningKey.generate())
            body = {"name": "Ada", "envelope": msgspec.to_builtins(envelope)}
            headers = {"X-Request-Id": f"req-to-be-logged-{number}", "Idempotency-Key": new_key()}
            answer = await service.http.post("/v1/accounts", json=body, headers=headers)
            assert answer.status_code == 201, answer.text
            await asyncio.sleep(0.1)  # the receipt leaves before the line is written
            named = [line for line in lines if "req-to-be-logged-" in str(line.get("requests"))]
            if named:
                break
        assert {(line["event"], line["loop"]) for line in named} == {("sequencer.integrated", "sequencer")}


@pytest.mark.anyio
async def test_an_error_nobody_foresaw_is_told_once(dsn, tmp_path, lines):
    @get("/v1/broken")
    async def broken() -> None:
        raise ZeroDivisionError("the reason")

    async with running(dsn, tmp_path) as service:
        service.app.register(broken)
        await service.http.get("/v1/broken", headers={"X-Request-Id": "req-of-a-test"})
        told = [line for line in lines if "exc_info" in line or "exception" in line]
        assert [(line["event"], line["request_id"]) for line in told] == [("unhandled error", "req-of-a-test")]


@pytest.mark.anyio
async def test_a_loop_that_fails_is_named_and_counted(dsn, tmp_path, lines):
    async def failing(services, stop):
        raise ValueError("no")

    async with running(dsn, tmp_path) as service:
        stop = asyncio.Event()
        task = asyncio.create_task(run_loops(service.services, stop, {"sequencer": failing}))
        while not any(line["event"] == "loop.failed" for line in lines):
            await asyncio.sleep(0.01)
        stop.set()
        await task
        failed = next(line for line in lines if line["event"] == "loop.failed")
        assert failed["loop"] == "sequencer"
        numbers = service.services.meters.text().decode()
        assert 'licet_loop_failures_total{loop="sequencer"} 1.0' in numbers
