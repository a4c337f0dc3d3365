"""Traces: nothing without the setting; with it requests, statements and loops, by name and never by value."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from registry.accounts import queries as accounts
from registry.consent.queries import conflicting
from registry.errors import SettingsError
from registry.observing import tracing
from registry.settlement import bank_queries
from tests.registry.harness import running

TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"


@pytest.fixture
def spans() -> Iterator[InMemorySpanExporter]:
    """What is traced in this process."""
    exporter = InMemorySpanExporter()
    tracing.start("", "test", exporter=exporter)
    yield exporter
    tracing.stop()


def test_nothing_of_it_is_loaded_without_the_setting():
    program = (
        "import sys, registry.app, registry.running.working, registry.running.serving\n"
        "from registry.observing import tracing\n"
        "with tracing.span('x'), tracing.request('GET', []): pass\n"
        "print([name for name in sys.modules if name.startswith('opentelemetry')])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_without_the_extra_the_setting_is_an_error_that_says_what_to_install(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk.resources", None)
    with pytest.raises(SettingsError, match=r"LICET_REGISTRY_TRACING_URL.*licet-registry\[tracing\]"):
        tracing.start("http://127.0.0.1:1", "test")


@pytest.mark.anyio
async def test_a_request_is_a_span_of_its_caller_with_its_statements_by_name(dsn, tmp_path, spans):
    async with running(dsn, tmp_path) as service:
        ada = await service.account()
        spans.clear()
        headers = {"traceparent": f"00-{TRACE}-{PARENT}-01", "X-Request-Id": "req-of-a-test"}
        await ada.http.get("/v1/works?q=hidden", headers=headers)
        found = {span.name: span for span in spans.get_finished_spans()}
        request = found["GET /v1/works"]
        assert format(request.context.trace_id, "032x") == TRACE
        assert format(request.parent.span_id, "016x") == PARENT
        assert request.kind is SpanKind.SERVER
        assert request.attributes == {
            "http.request.method": "GET", "http.route": "/v1/works", "http.response.status_code": 200,
            "licet.request_id": "req-of-a-test",
        }  # fmt: skip
        statement = found["accounts.queries.AUTHENTICATE"]
        assert statement.parent.span_id == request.context.span_id
        assert statement.kind is SpanKind.CLIENT
        assert statement.attributes == {"db.system.name": "postgresql", "db.operation.name": "select"}
        assert request.start_time <= statement.end_time
        told = " ".join(span.to_json() for span in spans.get_finished_spans())
        for secret in ("hidden", ada.token, ada.id, "Ada"):
            assert secret not in told


def test_a_statement_has_its_name_wherever_its_domain_keeps_it():
    assert tracing._name_of(accounts.ACCOUNT) == "accounts.queries.ACCOUNT"
    assert tracing._name_of(conflicting.LAPSE) == "consent.queries.conflicting.LAPSE"
    assert tracing._name_of(bank_queries.ADD_ENTRY) == "settlement.bank_queries.ADD_ENTRY"
    assert tracing._name_of("select 1 from nowhere") == "select"


@pytest.mark.anyio
async def test_a_traceparent_that_is_none_begins_a_trace_of_its_own(dsn, tmp_path, spans):
    async with running(dsn, tmp_path) as service:
        for given in ("", "00-xyz", f"00-{'0' * 32}-{PARENT}-01", "é" * 30, f"00-{TRACE}-{PARENT}-01,x"):
            spans.clear()
            answer = await service.http.get("/health/live", headers={b"traceparent": given.encode("utf-8")})
            assert answer.status_code == 200
            (request,) = spans.get_finished_spans()
            assert request.parent is None


@pytest.mark.anyio
async def test_errors_and_the_sequencer_are_traced(dsn, tmp_path, spans):
    async with running(dsn, tmp_path) as service:
        await service.account()
        assert "POST /v1/accounts" in {span.name for span in spans.get_finished_spans()}
        for _ in range(20):  # the answer leaves before the span ends
            if "translog.queries.ADVANCE" in _under(spans, "sequencer.integrate"):
                break
            await service.account()
        assert "translog.queries.ADVANCE" in _under(spans, "sequencer.integrate")
        await service.services.database.close()
        spans.clear()
        await service.http.get("/health/ready")
        failed = [span for span in spans.get_finished_spans() if span.name == "GET /health/ready"]
        assert [span.status.status_code for span in failed] == [StatusCode.ERROR]


def _under(spans: InMemorySpanExporter, name: str) -> set[str]:
    finished = spans.get_finished_spans()
    parents = {span.context.span_id for span in finished if span.name == name}
    return {span.name for span in finished if span.parent and span.parent.span_id in parents}


@pytest.mark.anyio
async def test_spans_reach_a_receiver_over_otlp(dsn, tmp_path):
    received: list[ExportTraceServiceRequest] = []

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            assert self.path == "/v1/traces"
            body = self.rfile.read(int(self.headers["Content-Length"]))
            received.append(ExportTraceServiceRequest.FromString(body))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        tracing.start(f"http://127.0.0.1:{server.server_port}", "test")
        async with running(dsn, tmp_path) as service:
            await service.http.get("/health/live")
        tracing.stop()
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
    resources = [each for request in received for each in request.resource_spans]
    names = {span.name for each in resources for scope in each.scope_spans for span in scope.spans}
    assert "GET /health/live" in names
    attributes = {each.key: each.value.string_value for each in resources[0].resource.attributes}
    assert (attributes["service.name"], attributes["licet.process"]) == ("licet-registry", "test")
