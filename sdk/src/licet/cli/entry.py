"""The way in: parse, run one command, turn every error of ours into a sentence and an exit code."""

from __future__ import annotations

import os
import re
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.metadata import version
from itertools import takewhile
from typing import Final, Literal, get_args, get_origin

from cyclopts import App, CoercionError, CycloptsError, MissingArgumentError, UnknownCommandError

from licet.cli.commands import ABOUT, COMMANDS
from licet.cli.output import fail
from licet.cli.speaking import finished
from licet.errors import InputError, InterruptedJobError, LicetError

INPUT: Final = 2
_KINDS: Final = {int: "a whole number", float: "a number", bool: "true or false"}
_LISTED: Final = re.compile(r"\s*Available commands: .*$", re.DOTALL)  # the first few of them
INTERRUPTED: Final = 130
_AGAIN: Final = "interrupted; run the same command again to go on"
_SHOW_CURSOR: Final = "\x1b[?25h"


def application() -> App:
    """Return the command line with every command known by name, none of them imported yet."""
    app = App(
        name="licet",
        help=ABOUT,
        version=lambda: version("licet"),
        help_format="plaintext",
        suppress_keyboard_interrupt=False,  # it would end without a word
    )
    for name, (target, line) in COMMANDS.items():
        app.command(target, name=name, help=line)
    return app


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command and exit with its code: 0 done, 1 found wrong, 2 wrong input, 3 service, 4 not allowed, 130."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    code = _run(given, as_json="--json" in given)
    sys.exit(code if finished() else INPUT)


def _run(given: list[str], *, as_json: bool) -> int:
    try:
        with _stopping_at_once_the_second_time():
            code = application()(given, exit_on_error=False, print_error=False, result_action="return_value")
    except CycloptsError as error:
        if given[0].partition("=")[0] in ("--json", "--profile"):
            behind = f"{given[0].partition('=')[0]}: expected a command before it, as in `licet works list {given[0]}`"
            return fail(InputError(f"{behind}; `licet --help` shows what there is"), as_json)
        wrong = _wrong(error)
        return fail(InputError(f"{wrong}{'' if wrong.endswith('?') else ';'} {_help_for(given, error)}"), as_json)
    except LicetError as error:
        return fail(error, as_json)
    except UnicodeEncodeError as error:  # bytes of the command line, or of a name, that nobody can send or sign
        return fail(InputError(f"expected text in UTF-8, got {error.object!a}"), as_json)
    except SystemExit:  # so the help ends where its reader has left
        return 0
    except KeyboardInterrupt:
        return fail(InterruptedJobError(_AGAIN), as_json)
    except OSError as error:
        what = f"{error.filename}: {error.strerror}" if error.filename else str(error)
        return fail(InputError(f"cannot go on: {what}"), as_json)
    return code if isinstance(code, int) and not isinstance(code, bool) else 0


@contextmanager
def _stopping_at_once_the_second_time() -> Iterator[None]:
    """Let the first Ctrl-C raise ``KeyboardInterrupt``, and the next end the process, whatever it still waits for.

    Once interrupted this stays so: the interpreter itself waits for threads when it ends. What a kill leaves behind
    every command takes up again.
    """
    here = threading.current_thread() is threading.main_thread()
    if not here or signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield  # somebody else's, or the command is not to hear it
        return

    def first(_number: int, _frame: object) -> None:
        signal.signal(signal.SIGINT, second)
        raise KeyboardInterrupt

    def second(_number: int, _frame: object) -> None:
        if sys.stderr.isatty():
            os.write(2, f"{_SHOW_CURSOR}\n".encode())  # a bar hides it, and nothing tidies up any more
        os.write(2, f"error: {_AGAIN}\n".encode())
        os._exit(INTERRUPTED)

    signal.signal(signal.SIGINT, first)
    try:
        yield
    finally:
        if signal.getsignal(signal.SIGINT) is first:
            signal.signal(signal.SIGINT, signal.default_int_handler)


def _wrong(error: CycloptsError) -> str:
    if isinstance(error, MissingArgumentError) and error.argument is not None:
        return f"{error.argument.name}: expected a value, got none"
    if isinstance(error, CoercionError) and error.token is not None and error.argument is not None:
        named = error.token.keyword or error.argument.name.lstrip("-").upper()
        if get_origin(error.target_type) is Literal:
            expected = f"one of {', '.join(map(str, get_args(error.target_type)))}"
        else:
            expected = _KINDS.get(error.target_type, "")  # type: ignore[arg-type]  # None is no key
        if expected:
            return str(InputError.field(named, expected, error.token.value))
    return _LISTED.sub("", str(error).strip()).rstrip(".,;… ")


def _help_for(given: Sequence[str], error: CycloptsError) -> str:
    """Name the command whose help lists what was meant: of a group, the one that was called."""
    words = [*takewhile(lambda word: not word.startswith("-"), given)]
    named = words[: 2 if words and COMMANDS.get(words[0], ("",))[0].endswith(":app") else 1]
    if isinstance(error, UnknownCommandError):
        named = named[:-1]
    command = " ".join(["licet", *(named if named and named[0] in COMMANDS else [])])
    return f"`{command} --help` shows what there is"
