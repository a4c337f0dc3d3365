"""The way in: parse, run one command, turn every error of ours into a sentence and an exit code."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.metadata import version
from typing import Final

from cyclopts import App, CycloptsError

from licet.cli.output import fail
from licet.errors import InputError, InterruptedJobError, LicetError

# Command → the module that holds it: imported only when it is called, so that `licet check` stays quick.
COMMANDS: Final = {
    "account": "licet.cli.accounts:app",
    "token": "licet.cli.tokens:app",
    "register": "licet.cli.register:register",
    "works": "licet.cli.works:app",
    "terms": "licet.cli.terms:app",
    "check": "licet.cli.check:check",
    "explain": "licet.cli.explain:explain",
    "snapshot": "licet.cli.snapshot:app",
    "filter": "licet.cli.filter:filter_dataset",
    "recheck": "licet.cli.recheck:recheck",
    "licences": "licet.cli.licences:app",
    "run": "licet.cli.runs:app",
    "usage": "licet.cli.usage:app",
    "balance": "licet.cli.balance:balance",
    "statement": "licet.cli.statements:app",
    "log": "licet.cli.log:app",
    "audit": "licet.cli.audit:app",
    "doctor": "licet.cli.doctor:doctor",
}
INTERRUPTED: Final = 130


def application() -> App:
    """Return the command line with every command known by name, none of them imported yet."""
    app = App(
        name="licet",
        help="Register works with signed terms, filter datasets against them, report use, check the books.",
        version=lambda: version("licet"),
        help_format="plaintext",
    )
    for name, target in COMMANDS.items():
        app.command(target, name=name)
    return app


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command and exit with its code: 0 done, 1 found wrong, 2 wrong input, 3 service, 4 not allowed, 130."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    as_json = "--json" in given
    try:
        code = application()(given, exit_on_error=False, print_error=False, result_action="return_value")
    except CycloptsError as error:
        sys.exit(fail(InputError(f"{error}; `licet --help` lists what there is"), as_json))
    except LicetError as error:
        sys.exit(fail(error, as_json))
    except KeyboardInterrupt:
        sys.exit(fail(InterruptedJobError("interrupted; run the same command again to go on"), as_json))
    except BrokenPipeError:
        sys.stderr.close()  # the reader went away: nothing more to say, and no traceback about it
        sys.exit(INTERRUPTED)
    sys.exit(code if isinstance(code, int) and not isinstance(code, bool) else 0)
