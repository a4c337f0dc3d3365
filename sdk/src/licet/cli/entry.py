"""The way in: parse, run one command, turn every error of ours into a sentence and an exit code."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.metadata import version
from itertools import takewhile
from typing import Final

from cyclopts import App, CycloptsError, MissingArgumentError, UnknownCommandError

from licet.cli.output import fail
from licet.errors import InputError, InterruptedJobError, LicetError

# Command → its module, imported only when it is called so that `licet check` stays quick, and its line of help.
COMMANDS: Final = {
    "account": ("licet.cli.accounts:app", "Make an account with a key of your own, or show it."),
    "token": ("licet.cli.tokens:app", "Create, list and revoke access tokens."),
    "register": ("licet.cli.register:register", "Register pictures or a table of works, and sign their terms."),
    "works": ("licet.cli.works:app", "List, show, change, withdraw and export your works."),
    "terms": ("licet.cli.terms:app", "Show, change and undo what you consent to."),
    "check": ("licet.cli.check:check", "Ask whether a use of a picture, URL or digest is permitted."),
    "explain": ("licet.cli.explain:explain", "Show the chain from a picture to the rule that decides it."),
    "snapshot": ("licet.cli.snapshot:app", "Fetch and verify the signed snapshot that decisions are made from."),
    "filter": ("licet.cli.filter:filter_dataset", "Filter a dataset: keep what is permitted, take licences if asked."),
    "recheck": ("licet.cli.recheck:recheck", "Name the rows of an earlier filter that must go now."),
    "dataset": ("licet.cli.dataset:app", "Compare two filtered datasets."),
    "licences": ("licet.cli.licences:app", "List and show the licences that you hold, or that hold your works."),
    "run": ("licet.cli.runs:app", "Report a training run."),
    "usage": ("licet.cli.usage:app", "Send spooled usage, or show what is still to be sent."),
    "balance": ("licet.cli.balance:balance", "Show what you are owed, or owe."),
    "statement": ("licet.cli.statements:app", "Fetch a signed statement, or verify one offline."),
    "log": ("licet.cli.log:app", "Verify the transparency log."),
    "witness": ("licet.cli.witness:app", "Cosign the checkpoints of logs that only ever grow."),
    "audit": ("licet.cli.audit:app", "Pull an evidence bundle, or verify one offline."),
    "doctor": ("licet.cli.doctor:doctor", "Say what is wrong with this set-up."),
}
INTERRUPTED: Final = 130


def application() -> App:
    """Return the command line with every command known by name, none of them imported yet."""
    app = App(
        name="licet",
        help="Register works with signed terms, filter datasets against them, report use, check the books.",
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
    as_json = "--json" in given
    try:
        code = application()(given, exit_on_error=False, print_error=False, result_action="return_value")
    except CycloptsError as error:
        sys.exit(fail(InputError(f"{_wrong(error)}; {_help_for(given, error)}"), as_json))
    except LicetError as error:
        sys.exit(fail(error, as_json))
    except KeyboardInterrupt:
        sys.exit(fail(InterruptedJobError("interrupted; run the same command again to go on"), as_json))
    except BrokenPipeError:
        sys.stderr.close()  # the reader went away: nothing more to say, and no traceback about it
        sys.exit(INTERRUPTED)
    except OSError as error:
        what = f"{error.filename}: {error.strerror}" if error.filename else str(error)
        sys.exit(fail(InputError(f"cannot go on: {what}"), as_json))
    sys.exit(code if isinstance(code, int) and not isinstance(code, bool) else 0)


def _wrong(error: CycloptsError) -> str:
    if isinstance(error, MissingArgumentError) and error.argument is not None:
        return f"{error.argument.name}: expected a value, got none"
    return str(error).strip().rstrip(".,;… ")


def _help_for(given: Sequence[str], error: CycloptsError) -> str:
    """Name the command whose help lists what was meant: of a group, the one that was called."""
    words = [*takewhile(lambda word: not word.startswith("-"), given)]
    named = words[: 2 if words and COMMANDS.get(words[0], ("",))[0].endswith(":app") else 1]
    if isinstance(error, UnknownCommandError):
        named = named[:-1]
    command = " ".join(["licet", *(named if named and named[0] in COMMANDS else [])])
    return f"`{command} --help` shows what there is"
