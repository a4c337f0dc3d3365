"""The command ``licet-registry``: every subcommand is one function below, registered on ``app``.

Exit codes: 0 done · 1 checked and found wrong · 2 wrong arguments, settings or data folder · 3 the database or the
network failed · 130 interrupted.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Coroutine, Sequence
from pathlib import Path
from typing import Annotated, Any, TypeVar

from cyclopts import App, CycloptsError, MissingArgumentError, Parameter

from licet.errors import LicetError
from registry import __version__
from registry.errors import MigrationError, RegistryError, Unavailable
from registry.settings import Settings, explain, shown, variable

T = TypeVar("T")

app = App(
    name="licet-registry",
    help="The Licet registry: signed consent, a public log, licences and a ledger.",
    version=__version__,
    help_format="plaintext",
    default_parameter=Parameter(negative=""),
)

DataFolder = Annotated[
    Path | None, Parameter(name="--data", help="Data folder; default: LICET_REGISTRY_DATA, else your user data folder.")
]


@app.command
def migrate(*, check: bool = False, data: DataFolder = None) -> int:
    """Bring the database's schema up to this release.

    Uses DATABASE_URL if it is set; else the database in the data folder, which is started for the call unless a
    service already runs it.

    Parameters
    ----------
    check
        Change nothing; exit 1 and list what would be applied if anything would, and indexes left half-built.
    """
    from registry import database
    from registry.observing.logs import log_to_stderr

    settings = Settings.load(data=data)
    log_to_stderr(settings, "migrate")

    async def work() -> int:
        async with database.opened(settings, attach=True, name="licet-registry migrate") as opened:
            if check:
                todo = await database.pending(opened)
                for migration in todo:
                    print(f"pending {migration.file}")
                left = await database.stranded(opened)
                for index in left:
                    print(f"invalid index {index}: its build was cut off; run DROP INDEX CONCURRENTLY {index}")
                if todo or not left:
                    print(f"{len(todo)} to apply" if todo else "the schema is up to date")
                return 1 if todo or left else 0
            applied = await database.migrate(opened)
            for migration in applied:
                print(f"applied {migration.file}")
            print(f"{len(applied)} applied" if applied else "the schema is up to date")
            return 0

    return run(work())


@app.command
def upgrade_database(*, data: DataFolder = None) -> int:
    """Carry the database in the data folder over to the PostgreSQL of this release.

    Everything is copied and compared; the old database stays beside the new one, in postgres-VERSION. Stop the service
    first.
    """
    from registry.database import carrying

    settings = Settings.load(data=data)
    found = carrying.carry_over(settings.data)
    if found is None:
        print("the database is of this release's PostgreSQL already")
        return 0
    kept = settings.data / f"postgres-{found}"
    print(f"carried over from PostgreSQL {found}; remove {kept} once you are content")
    return 0


@app.command(name="settings")
def show_settings(*, explained: Annotated[bool, Parameter(name="--explain")] = False) -> int:
    """Print the settings in force, one variable a line.

    Parameters
    ----------
    explained
        Say for each what it does, and whether it was set.
    """
    settings = Settings.load()
    if explained:
        print(explain(settings), end="")
        return 0
    for name in Settings.model_fields:
        value = getattr(settings, name)
        print(f"{variable(name)}={'' if value in {None, ''} else shown(value)}")
    return 0


# Imported when called: they load the framework.
for _name, _help in {
    "up": "Run the whole service on this machine: database, API, worker.",
    "serve": "Answer requests, and nothing else.",
    "work": "Run the loops, and nothing else.",
    "openapi": "Write or check the description of the HTTP interface.",
}.items():
    app.command(f"registry.running.commands:{_name}", help=_help)
for _name, _help in {
    "invite": "Open an account for staff or an auditor; print its token and a link.",
    "dismiss": "End every way in of an auditor or operator.",
    "attest": "Raise the claim level of an account.",
    "close": "Close a month of the ledger that is over, and those before it.",
    "verify": "Rebuild every derived figure from its source and compare.",
}.items():
    app.command(f"registry.running.office:{_name}", help=_help)
for _name, _help in {
    "backup": "Copy the database into one file, while the service runs.",
    "restore": "Fill an empty database from a backup or the archive, and bring it up to date.",
}.items():
    app.command(f"registry.running.safekeeping:{_name}", help=_help)
app.command("registry.running.keys:app", name="key", help="Show, rotate, retire and revoke working keys.")
app.command(
    "registry.running.settling.invoicing:invoices",
    name="invoices",
    help="Issue invoices to organisations, and list them.",
)
app.command(
    "registry.running.settling.banking:bank", name="bank", help="Record the bank's statements, and match entries."
)
app.command("registry.running.settling.banking:payments", name="payments", help="Record a payment by hand.")
app.command(
    "registry.running.settling.remitting:remittances", name="remittances", help="Pay artists: orders for the bank."
)
app.command(
    "registry.running.settling.charging:charges", name="charges", help="Refund charges, and hold contested ones."
)
app.command("registry.running.settling.disputing:disputes", name="disputes", help="List, show, decide disputes.")
_token = App(name="token", help="Make tokens and take them back.")
_token.command("registry.running.office:create_token", name="create", help="Make a further token for an account.")
_token.command("registry.running.office:revoke_token", name="revoke", help="Make a token worthless from now on.")
app.command(_token)


def run(work: Coroutine[Any, Any, T]) -> T:
    """Return what ``work`` returned, run on an event loop of its own."""
    return asyncio.run(work)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command and end the process with its exit code; errors go to stderr as one line."""
    sys.exit(_dispatch(arguments))


def _dispatch(arguments: Sequence[str] | None) -> int:
    try:
        code = app(arguments, exit_on_error=False, print_error=False, result_action="return_value")
    except CycloptsError as error:
        return _say(_wrong(error), 2)
    except Unavailable as error:
        return _say(error.detail, 3)
    except MigrationError as error:
        return _say(error.detail, 1)
    except RegistryError as error:
        return _say(error.detail, 2)
    except LicetError as error:  # of what was given: an identifier, an amount, a file
        return _say(error.message, error.exit_code)
    except KeyboardInterrupt:
        return _say("interrupted", 130)
    return code if isinstance(code, int) else 0


def _wrong(error: CycloptsError) -> str:
    if isinstance(error, MissingArgumentError) and error.argument is not None:
        command = " ".join(["licet-registry", *(error.command_chain or ())])
        return f"{error.argument.name}: expected a value, got none; `{command} --help` shows what there is"
    return str(error)


def _say(message: str, code: int) -> int:
    print(f"licet-registry: {message}", file=sys.stderr)
    return code


if __name__ == "__main__":
    main()
