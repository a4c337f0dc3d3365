"""How a command speaks: one JSON document or plain lines on stdout; progress, warnings and errors on stderr."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from secrets import token_hex
from typing import TYPE_CHECKING, Annotated, Any, Final

import msgspec
from cyclopts import Parameter

from licet.cli.speaking import narrow, say
from licet.errors import LicetError

if TYPE_CHECKING:
    from licet.client import Client

SCHEMA_VERSION: Final = 1
_AT_A_TIME: Final = 256  # values of a long list

#: What a terminal obeys, or turns the order of what is read; halves of surrogates it cannot even be sent.
_NUMBER: Final = re.compile(r"\[Errno -?\d+\] ")
_OBEYED: Final = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u206f\ud800-\udfff]")

Advance = Callable[[int], None]


@Parameter(name="*")
@dataclass(frozen=True)
class Common:
    """Options that every command takes."""

    json: Annotated[bool, Parameter(negative="", help="Print one JSON document on stdout.")] = False
    profile: Annotated[str | None, Parameter(help="Which identity in LICET_HOME to use.")] = None

    def client(self) -> Client:
        """Return a client for this profile."""
        from licet.client import Client

        return Client(profile=self.profile)


COMMON: Final = Common()


def show(common: Common, document: Mapping[str, Any], lines: Iterator[str] | list[str]) -> None:
    """Print ``document`` under ``--json``, else ``lines``; both say the same."""
    if common.json:
        emit(document)
    else:
        for line in lines:
            say(harmless(line))


def emit(document: Mapping[str, Any]) -> None:
    """Print ``document`` with its ``schema_version``. A sequence in it that is no list is printed as it is read."""
    long: dict[str, Sequence[Any]] = {}
    mark = token_hex(16)

    def standing_for(value: object) -> str:
        if not isinstance(value, Sequence):
            # What msgspec wants of a hook that cannot encode a value.
            raise NotImplementedError(f"expected what JSON has, got {type(value).__name__}")
        name = f"{mark}{len(long)}"
        long[name] = value
        return name

    rest = _formatted({"schema_version": SCHEMA_VERSION, **document}, standing_for)
    for name, values in long.items():
        before, found, after = rest.partition(f'"{name}"')
        if not found:  # of a first try that was given up
            continue
        rest = after
        say(before, end="")
        line = before[before.rfind("\n") + 1 :]
        _print_each(values, " " * (len(line) - len(line.lstrip(" "))))
    say(rest)


def _print_each(values: Sequence[Any], indent: str) -> None:
    """Print a list of ``values`` as one of JSON, some at a time."""
    if not values:
        say("[]", end="")
        return
    say("[", end="")
    comma, some = "", []
    for value in values:
        text = _formatted(value).replace("\n", f"\n{indent}  ")
        some.append(f"{comma}\n{indent}  {text}")
        comma = ","
        if len(some) == _AT_A_TIME:
            say("".join(some), end="")
            some.clear()
    say("".join(some) + f"\n{indent}]", end="")


def _formatted(value: Any, hook: Callable[[object], Any] | None = None) -> str:
    try:
        data = msgspec.json.encode(value, enc_hook=hook)
    except UnicodeEncodeError:  # a file's name that is no text
        data = msgspec.json.encode(_textual(msgspec.to_builtins(value, enc_hook=hook or str)))
    if narrow():  # then every character beyond ASCII as JSON has it
        import json

        return json.dumps(json.loads(data), indent=2)
    return _OBEYED.sub(lambda found: f"\\u{ord(found[0]):04x}", msgspec.json.format(data).decode())


def printable(text: str) -> str:
    """Return ``text`` on one line and without control characters, which a name may hold to paint over a terminal."""
    return "".join(each if each.isprintable() else "\ufffd" for each in text)


def harmless(text: str) -> str:
    """Return ``text`` as it may be sent to a terminal, whoever wrote the names in it; its lines stay lines."""
    return _OBEYED.sub("\ufffd", text)


def one_line(text: str) -> str:
    """Return ``text`` harmless and on one line: a name with a line of its own could command what reads a log."""
    return harmless(text.replace("\n", "\\n"))


def note(text: str) -> None:
    """Print a remark on stderr: never part of a result."""
    say(one_line(text), aside=True)


def fail(error: LicetError, as_json: bool) -> int:
    """Print ``error`` and return its exit code. Numbers of the operating system's errors are left out: words follow."""
    error.message = _NUMBER.sub("", error.message)
    if as_json:
        details = {key: value for key, value in error.details.items() if value is not None}
        document = {"error": {"code": error.code, "message": error.message, **_plain(details)}}
        emit(document)
    else:
        say(one_line(f"error: {error}"), aside=True)
    return error.exit_code


@contextmanager
def progress(title: str, total: int | None) -> Iterator[Advance]:
    """Give a function that counts work done; a bar shows it on a terminal and nothing anywhere else."""
    if sys.stderr is None or not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        ProgressColumn,
        Task,
        TextColumn,
        TimeRemainingColumn,
    )

    from licet.compiled import told

    class Speed(ProgressColumn):
        def render(self, task: Task) -> str:
            return f"{task.speed:,.0f}/s" if task.speed else ""

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), Speed(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(title, total=total)

        def waits(what: str) -> None:
            bar.update(task, description=f"{title} ({what})" if what else title)

        with told(waits):
            yield lambda count: bar.advance(task, count)


def _plain(details: Mapping[str, Any]) -> dict[str, Any]:
    def other(value: object) -> str:
        return str(value)

    plain: dict[str, Any] = msgspec.to_builtins(dict(details), enc_hook=other)
    return plain


def _textual(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode(errors="replace").decode()
    if isinstance(value, dict):
        return {_textual(name): _textual(each) for name, each in value.items()}
    return [_textual(each) for each in value] if isinstance(value, list) else value
