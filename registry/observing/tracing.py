"""OpenTelemetry traces: nothing of it is imported, and nothing costs anything, until `start`.

Spans are requests (the caller's ``traceparent`` is honoured), work of the loops, and database statements inside them.
A statement is named by its constant, such as ``works.queries.ADD``: no value, body, token or name is in any span.
"""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any, Final

from registry.errors import SettingsError

_VERB: Final = re.compile(r"[A-Za-z]{1,20}")
#: Modules whose constants are statements: a domain's ``queries``, those in a folder of that name, ``bank_queries``.
_KEEPS_STATEMENTS: Final = re.compile(r"registry\.(.+(?:queries(?:\.\w+)?|\.rebuilding))")
_HEADERS: Final = (b"traceparent", b"tracestate")
_tracer: Any = None
_provider: Any = None
_names: dict[str, str] = {}


def active() -> bool:
    """Return whether this process traces."""
    return _tracer is not None


def start(url: str, process: str, *, exporter: Any = None) -> None:
    """From here on this process traces and sends its spans to ``url``, an OTLP/HTTP receiver (or to ``exporter``).

    Raises ``SettingsError`` where the extra ``tracing`` is not installed.
    """
    global _tracer, _provider  # noqa: PLW0603  # one tracer a process
    try:
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor, SimpleSpanProcessor

        if exporter is None:
            from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

            sending: Any = BatchSpanProcessor(OTLPSpanExporter(endpoint=f"{url}/v1/traces"))
        else:
            sending = SimpleSpanProcessor(exporter)
    except ImportError:
        raise SettingsError(
            "LICET_REGISTRY_TRACING_URL: expected the extra `tracing`, got a service without it; "
            "install licet-registry[tracing]"
        ) from None
    _provider = TracerProvider(
        resource=Resource.create({"service.name": "licet-registry", "licet.process": process}),
        shutdown_on_exit=False,
    )
    _provider.add_span_processor(sending)
    _tracer = _provider.get_tracer("licet-registry")


def stop() -> None:
    """Every span has been sent, or given up, and this process traces no more."""
    global _tracer, _provider  # noqa: PLW0603
    if _provider is not None:
        _provider.shutdown()
    _tracer = _provider = None


def span(name: str, **attributes: str | int) -> AbstractContextManager[Any]:
    """Return a block that is one span of work; it yields None where nothing is traced."""
    if _tracer is None:
        return nullcontext()
    block: AbstractContextManager[Any] = _tracer.start_as_current_span(name, attributes=attributes)
    return block


@contextmanager
def request(method: str, headers: Iterable[tuple[bytes, bytes]]) -> Iterator[Any]:
    """Open the span of a request, under the caller's if it names one; yields None where nothing is traced."""
    if _tracer is None:
        yield None
        return
    from opentelemetry.trace import SpanKind
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    carrier = {name.decode(): value.decode("latin-1") for name, value in headers if name in _HEADERS}
    context = TraceContextTextMapPropagator().extract(carrier)
    with _tracer.start_as_current_span(method, context=context, kind=SpanKind.SERVER) as opened:
        yield opened


def answered(opened: Any, method: str, route: str, status: int, request_id: str) -> None:
    """The span of a request says what was asked and what came of it."""
    from opentelemetry.trace import StatusCode

    opened.update_name(f"{method} {route}")
    opened.set_attributes(
        {
            "http.request.method": method,
            "http.route": route,
            "http.response.status_code": status,
            "licet.request_id": request_id,
        }
    )
    if status >= 500:
        opened.set_status(StatusCode.ERROR)


def statement(record: Any) -> None:
    """Add the span of a database statement that has just ended (an asyncpg ``LoggedQuery``) to the span it ran in."""
    if _tracer is None:
        return
    from opentelemetry.trace import SpanKind, StatusCode, get_current_span

    # The driver tells of it a turn of the loop later, when the request may have been answered and its span be over.
    if not get_current_span().get_span_context().is_valid:
        return  # what a loop asks again and again while there is nothing to do
    end = time.time_ns()
    attributes = {"db.system.name": "postgresql", "db.operation.name": _verb(record.query)}
    made = _tracer.start_span(
        _name_of(record.query),
        kind=SpanKind.CLIENT,
        attributes=attributes,
        start_time=end - int(record.elapsed * 1e9),
    )
    if record.exception is not None:
        made.set_attribute("error.type", type(record.exception).__name__)
        made.set_status(StatusCode.ERROR)
    made.end(end)


def _verb(query: str) -> str:
    found = _VERB.search(query)
    return found[0].lower() if found else "statement"


def _name_of(query: str) -> str:
    """Return the name of the constant that ``query`` is, its first word for one that is none."""
    if query not in _names:
        for module, found in list(sys.modules.items()):
            if (keeps := _KEEPS_STATEMENTS.fullmatch(module)) is not None:
                short = keeps[1]
                _names.update(
                    {
                        text: f"{short}.{name}"
                        for name, text in vars(found).items()
                        if isinstance(text, str) and name.isupper()
                    }
                )
        _names.setdefault(query, _verb(query))
        if len(_names) > 4096:  # statements made at run time must not pile up
            _names.clear()
    return _names.get(query, "statement")
