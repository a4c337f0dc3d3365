"""The commands of ``licet-registry`` that run the service or act on a running one."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from registry.errors import Invalid
from registry.settings import Settings

if TYPE_CHECKING:
    from registry.services import Services

DataFolder = Annotated[
    Path | None, Parameter(name="--data", help="Data folder; default: LICET_REGISTRY_DATA, else your user data folder.")
]
Scopes = Annotated[list[str] | None, Parameter(name="--scope", consume_multiple=True, negative="")]


def up(*, host: str | None = None, port: int | None = None, data: DataFolder = None) -> None:
    """Run the whole service on this machine: database, API, worker. Prints one line when it is ready.

    Parameters
    ----------
    host
        Address to listen on; default: LICET_REGISTRY_HOST, else 127.0.0.1.
    port
        Port to listen on, 0 for any free one; default: LICET_REGISTRY_PORT, else 8000.
    """
    from registry.logs import log_to_stderr
    from registry.running.listening import local_url
    from registry.running.up import up as run

    settings = _listening(Settings.load(host=host, port=port, data=data))
    log_to_stderr(settings, "up")

    def ready() -> None:
        path = Path(sys.executable).parent
        print(f"export LICET_URL={settings.url} PATH={path}:$PATH", file=sys.stderr, flush=True)  # noqa: T201
        print(f"ready {local_url(settings)}", flush=True)  # noqa: T201

    asyncio.run(run(settings, ready))


def serve(*, host: str | None = None, port: int | None = None, data: DataFolder = None) -> None:
    """Answer requests, and nothing else: `work` must run beside it.

    Parameters
    ----------
    host
        Address to listen on; default: LICET_REGISTRY_HOST, else 127.0.0.1.
    port
        Port to listen on; default: LICET_REGISTRY_PORT, else 8000.
    """
    from registry.running.listening import local_url
    from registry.running.part import run_part
    from registry.running.serving import serve as part

    settings = _listening(Settings.load(host=host, port=port, data=data))
    run_part("serve", part, settings, lambda: print(f"ready {local_url(settings)}", flush=True))  # noqa: T201


def work(*, data: DataFolder = None) -> None:
    """Run the loops, and nothing else: sequencer, maturing consents, snapshots, housekeeping."""
    from registry.running.part import run_part
    from registry.running.working import work as part

    run_part("work", part, Settings.load(data=data))


def openapi(*, check: bool = False) -> int:
    """Write openapi/openapi.json, the description of the HTTP interface.

    Parameters
    ----------
    check
        Change nothing; exit 1 if the file is not what this release would write.
    """
    from registry.app import create_app
    from registry.openapi import document
    from registry.packaged import packaged

    path = packaged("openapi") / "openapi.json"
    text = document(create_app(Settings(data=Path("unused"))))
    if not check:
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(text)
        print(f"wrote {path}")  # noqa: T201
        return 0
    if path.is_file() and path.read_bytes() == text:
        print("the description is up to date")  # noqa: T201
        return 0
    print(f"{path} is not what this release serves; run `licet-registry openapi`", file=sys.stderr)  # noqa: T201
    return 1


def invite(
    *,
    role: Literal["operator", "auditor"],
    name: str | None = None,
    scope: Scopes = None,
    expires: str = "90d",
    data: DataFolder = None,
) -> None:
    """Open an account for staff or an auditor and print its token, this once.

    Parameters
    ----------
    role
        What the account is for.
    name
        Who it is for.
    scope
        What the token allows; default: everything that the role may do.
    expires
        How long the token lasts, such as 90d.
    """

    from registry.accounts import operators

    async def run() -> None:
        async with _attached(data) as services:
            account, token = await operators.invite(
                services.database, role, name=name, scopes=scope or (), lifetime=_days(expires)
            )
        print(f"{account} {token.id} {token.token}")  # noqa: T201

    asyncio.run(run())


def create_token(account: str, /, *, scope: Scopes = None, expires: str = "90d", data: DataFolder = None) -> None:
    """Make a further token for an account and print it, this once.

    Parameters
    ----------
    account
        The account, such as art_…
    scope
        What the token allows; default: everything that the account may do.
    expires
        How long the token lasts, such as 90d.
    """

    from registry.accounts import operators

    async def run() -> None:
        async with _attached(data) as services:
            token = await operators.create_token(
                services.database, account, scopes=scope or (), lifetime=_days(expires)
            )
        print(f"{account} {token.id} {token.token}")  # noqa: T201

    asyncio.run(run())


def revoke_token(token: str, /, *, data: DataFolder = None) -> None:
    """Make a token worthless from now on.

    Parameters
    ----------
    token
        The token's id, tok_…, not its secret.
    """

    from registry.accounts import operators

    async def run() -> None:
        async with _attached(data) as services:
            await operators.revoke_token(services.database, token)
        print(f"revoked {token}")  # noqa: T201

    asyncio.run(run())


def attest(account: str, /, *, level: int, evidence: str, data: DataFolder = None) -> None:
    """Raise the claim level of an account, as a statement of the registry's office in the log.

    Parameters
    ----------
    account
        The account, art_… or org_…
    level
        1 one social proof, 2 domain proof, 3 source files or identity, 4 a third party.
    evidence
        What was examined, in a sentence.
    """

    from registry.accounts import operators
    from registry.app import connect_domains
    from registry.translog import sequencer

    async def run() -> None:
        async with _attached(data) as services:
            connect_domains(services)
            stop = asyncio.Event()
            # Stands by where a service runs; else it is the sequencer for this one statement.
            logging = asyncio.create_task(sequencer.run(services.database, services.keys, services.settings.data, stop))
            try:
                receipt = await operators.attest(services, account, level, evidence)
            finally:
                stop.set()
                await logging
        print(f"{account} has level {level}, log index {receipt.log_index}")  # noqa: T201

    asyncio.run(run())


@asynccontextmanager
async def _attached(data: Path | None) -> AsyncIterator[Services]:
    from registry.services import started

    async with started(Settings.load(data=data), name="licet-registry operator") as services:
        yield services


def _listening(settings: Settings) -> Settings:
    from registry.running.listening import claim_port

    return settings.model_copy(update={"port": claim_port(settings.host, settings.port)})


def _days(text: str) -> timedelta:
    days = text.removesuffix("d")
    if not (days.isascii() and days.isdigit() and len(days) < 5):
        raise Invalid.field("expires", "a number of days such as 90d", text)
    return timedelta(days=int(days))
