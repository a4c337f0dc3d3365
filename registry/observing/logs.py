"""Log lines: all of a process on stderr, one event a line, as JSON or for people.

What callers write never makes a line of its own: in the form for people control characters are shown as escapes and
tracebacks are indented; JSON escapes them by itself.
"""

from __future__ import annotations

import io
import logging
import sys
from types import TracebackType
from typing import Any

import structlog

from registry.settings import Settings

_INDENT = "    "
_LAST = ("account", "account_kind", "loop", "process", "request_id")  # in the form for people: behind what happened


def log_to_stderr(settings: Settings, process: str) -> None:
    """Every log line of this process goes to stderr in the form that the settings ask for, and names ``process``.

    Lines of libraries, warnings and an error that ends the process too.
    """
    level = logging.getLevelName(settings.log_level.upper())
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
        lambda _, __, event: {"process": process, **event},
    ]
    last: list[Any]
    if settings.log_format == "json":
        # Without the values of local variables, here and below: some are secrets.
        tracebacks = structlog.tracebacks.ExceptionDictTransformer(show_locals=False)
        last = [structlog.processors.ExceptionRenderer(tracebacks), structlog.processors.JSONRenderer()]
    else:
        last = [
            one_line,
            as_read,
            structlog.dev.ConsoleRenderer(
                colors=sys.stderr.isatty(),
                exception_formatter=_indented,
                timestamp_key="time",
                sort_keys=False,
                pad_level=False,
                pad_event_to=0,
            ),
        ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    logging.captureWarnings(True)
    logging.getLogger("_granian").setLevel(logging.WARNING)
    sys.excepthook = _ended_by


def one_line(_: Any, __: str, event: dict[str, Any]) -> dict[str, Any]:
    """Return the event with control characters in its values shown as escapes; a processor of structlog."""
    return {name: shown(value) if isinstance(value, str) else value for name, value in event.items()}


def as_read(_: Any, __: str, event: dict[str, Any]) -> dict[str, Any]:
    """Return the event with what happened first, who it was about last, and nothing that is empty; a processor."""
    told = {name: value for name, value in event.items() if name not in _LAST and value not in ([], None, "")}
    return told | {name: event[name] for name in _LAST if name in event}


def shown(text: str) -> str:
    r"""Return ``text`` on one line: what does not print is an escape, such as ``\n`` or ``\x1b``."""
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in text)


def _indented(out: Any, error: Any) -> None:
    told = io.StringIO()
    structlog.dev.plain_traceback(told, error)
    out.write("\n".join(_INDENT + shown(line) for line in told.getvalue().splitlines()))


def _ended_by(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, trace)
        return
    structlog.get_logger("registry").critical("process.ended", exc_info=(kind, error, trace))
