"""The commands of ``licet-registry`` by which an operator acts: on the running service, or on one started for the call.

With ``--json`` each prints one document on stdout.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import Parameter

from registry.database.holder import holder_of
from registry.errors import Invalid
from registry.running.listening import answers
from registry.running.sequencing import sequencing
from registry.settings import Settings

if TYPE_CHECKING:
    from registry.services import Services

DataFolder = Annotated[
    Path | None, Parameter(name="--data", help="Data folder; default: LICET_REGISTRY_DATA, else your user data folder.")
]
Scopes = Annotated[list[str] | None, Parameter(name="--scope", consume_multiple=True, negative="")]
Json = Annotated[bool, Parameter(name="--json", negative="", help="Print one JSON document on stdout.")]


def invite(
    *,
    role: Literal["operator", "auditor"] | None = None,
    account: str | None = None,
    name: str | None = None,
    scope: Scopes = None,
    expires: str = "90d",
    data: DataFolder = None,
    as_json: Json = False,
) -> None:
    """Open an account for staff or an auditor; print its token for programs, and a link for people, this once.

    The link is good for 7 days: whoever opens it makes a passkey and comes to the pages of their role. As these do all
    that the role may, none is printed beside a token that may do less.

    Parameters
    ----------
    role
        What the account is for.
    account
        Instead of --role: the account (aud_…, opr_…) of somebody whose passkey is lost. A link alone is printed, and
        the passkey made by it ends the one before.
    name
        Who it is for.
    scope
        What the token allows; default: everything that the role may do. For an auditor also what is shown: accounts
        (org_…, art_…) and months (2026-10, 2026-01..2026-12); default: everything.
    expires
        How long the token lasts, such as 90d.
    """
    from licet import identifiers
    from registry.accounts import operators, staff, tokens

    if (role is None) == (account is None):
        raise Invalid.field("--role", "it, or --account", "both" if role else None)

    async def run() -> None:
        async with attached(data) as services:
            if role is None:
                number = identifiers.to_uuid(account or "", *staff.KINDS, field="--account")
                link = staff.link(services, await staff.invited(services.database, number))
                await _warn(services)
                show(as_json, link, account=account, link=link)
                return
            own, token = await operators.invite(
                services.database, role, name=name, scopes=scope or (), lifetime=_days(expires)
            )
            lines, more = f"{own} {token.id} {token.token}", {}
            if {*tokens.SCOPES_OF[operators.ROLES[role]]} <= {*token.scopes}:
                secret = await staff.invited(services.database, identifiers.to_uuid(own))
                more["link"] = staff.link(services, secret)
                lines += f"\n{more['link']}"
                await _warn(services)
        show(as_json, lines, account=own, id=token.id, token=token.token, **more)

    asyncio.run(run())


async def _warn(services: Services) -> None:
    """Say so where a link names an address that nobody set and at which nothing answers."""
    settings = services.settings
    if not settings.public_url and not await answers(settings):
        sys.stderr.write(
            f"warning: nothing answers at {settings.url}, which the link names. Set LICET_REGISTRY_PORT or "
            "LICET_REGISTRY_PUBLIC_URL as the service has it, and invite again with --account.\n"
        )


def dismiss(account: str, /, *, data: DataFolder = None, as_json: Json = False) -> None:
    """End every way in of an auditor or operator: passkey, sessions, invitations, tokens.

    Parameters
    ----------
    account
        The account, aud_… or opr_…
    """
    from licet import identifiers
    from registry.accounts import staff

    async def run() -> None:
        async with attached(data) as services:
            await staff.dismiss(services.database, identifiers.to_uuid(account, *staff.KINDS, field="account"))
        show(as_json, f"{account} comes in nowhere any more", account=account, dismissed=True)

    asyncio.run(run())


def create_token(
    account: str, /, *, scope: Scopes = None, expires: str = "90d", data: DataFolder = None, as_json: Json = False
) -> None:
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
        async with attached(data) as services:
            token = await operators.create_token(
                services.database, account, scopes=scope or (), lifetime=_days(expires)
            )
        show(as_json, f"{account} {token.id} {token.token}", account=account, id=token.id, token=token.token)

    asyncio.run(run())


def revoke_token(token: str, /, *, data: DataFolder = None, as_json: Json = False) -> None:
    """Make a token worthless from now on.

    Parameters
    ----------
    token
        The token's id, tok_…, not its secret.
    """
    from registry.accounts import operators

    async def run() -> None:
        async with attached(data) as services:
            await operators.revoke_token(services.database, token)
        show(as_json, f"revoked {token}", revoked=token)

    asyncio.run(run())


def attest(account: str, /, *, level: int, evidence: str, data: DataFolder = None, as_json: Json = False) -> None:
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

    async def run() -> None:
        async with attached(data) as services:
            connect_domains(services)
            async with sequencing(services):
                receipt = await operators.attest(services, account, level, evidence)
        index = receipt.log_index
        show(as_json, f"{account} has level {level}, log index {index}", account=account, level=level, log_index=index)

    asyncio.run(run())


def close(*, period: str | None = None, data: DataFolder = None, as_json: Json = False) -> None:
    """Close a month of the ledger that is over, and those before it that are not closed, as a statement in the log.

    The worker does it by itself some days after a month's end: LICET_REGISTRY_CLOSE_AFTER. What closes could not charge
    is named with the reason; each close tries it again.

    Parameters
    ----------
    period
        The month, such as 2026-10; default: the last that is over.
    """
    from licet import times
    from licet.audit.layout import period_of
    from registry import translog
    from registry.agreements.left_out import LeftOut, left_out
    from registry.app import connect_domains
    from registry.closing import close_due
    from registry.closing.steps import SOONEST
    from registry.ledger.periods import first_moment

    now = times.now()
    if period is not None and first_moment(period_of(period, "--period").end) + SOONEST > now:
        raise Invalid.field("--period", f"a month that ended at least {SOONEST.seconds // 60} minutes ago", period)
    closed: list[dict[str, object]] = []
    left: list[LeftOut] = []

    async def run() -> None:
        async with attached(data) as services:
            connect_domains(services)
            async with sequencing(services):
                while found := await close_due(services, now, SOONEST, until=period):
                    receipt = await translog.wait(services.database, found[1])
                    closed.append({"period": found[0], "statement": receipt.id, "log_index": receipt.log_index})
            left.extend(await left_out(services.database))

    asyncio.run(run())
    lines = [f"{each['period']} is closed, log index {each['log_index']}" for each in closed]
    lines = lines or ["every month that is over is closed already"]
    lines += [f"{each.licence}: {each.period} is left out since {each.since}: {each.why}" for each in left]
    show(as_json, "\n".join(lines), closed=closed, left_out=left)


def verify(*, data: DataFolder = None, as_json: Json = False) -> int:
    """Rebuild every derived figure from its source and compare; exit 1 on a difference."""
    from registry.auditing import Findings, examine

    async def run() -> list[Findings]:
        async with attached(data) as services:
            try:
                return await examine(services, _progress)
            finally:
                _progress("")

    parts = asyncio.run(run())
    wrong = sum(part.wrong for part in parts)
    lines = []
    for part in parts:
        lines += [str(difference) for difference in part.told]
        if more := part.wrong - len(part.told):
            lines.append(f"{part.part}: and {more} more")
        lines += [f"{part.part}: not examined: {each}" for each in part.unexamined]
    if not wrong:
        lines.append("everything derived equals its source")
    show(
        as_json,
        "\n".join(lines),
        equal=not wrong,
        parts=[
            {
                "part": part.part,
                "examined": part.examined,
                "wrong": part.wrong,
                "not_examined": part.unexamined,
                "differences": [{"message": difference.message} for difference in part.told],
                "not_told": part.wrong - len(part.told),
            }
            for part in parts
        ],
    )
    return 1 if wrong else 0


@asynccontextmanager
async def attached(data: Path | None) -> AsyncIterator[Services]:
    """Yield the services of the data folder, on the database of the service that runs there or one started for it.

    What they log goes to stderr: stdout is the answer of the command.
    """
    from registry.observing.logs import log_to_stderr
    from registry.services import started

    settings = _as_it_runs(Settings.load(data=data))
    log_to_stderr(settings, "office")
    async with started(settings, name="licet-registry operator", only_look=True) as services:
        yield services


def _as_it_runs(settings: Settings) -> Settings:
    """Return ``settings`` with the address of the service that runs in the data folder, where nobody set another."""
    if settings.public_url or settings.database_url is not None:
        return settings
    holder = holder_of(settings.data)
    return settings.model_copy(update={"public_url": holder.url}) if holder is not None and holder.url else settings


def _progress(part: str) -> None:
    if sys.stderr.isatty():
        shown = f"verifying {part} …" if part else ""
        print(f"\r\x1b[K{shown}", end="", file=sys.stderr, flush=True)  # noqa: T201


def show(as_json: bool, line: str, **document: Any) -> None:
    """Print ``line``, or ``document`` as JSON."""
    print(json.dumps({"schema_version": 1, **document}, indent=2) if as_json else line)  # noqa: T201


def _days(text: str) -> timedelta:
    days = text.removesuffix("d")
    if not (days.isascii() and days.isdigit() and len(days) < 5):
        raise Invalid.field("expires", "a number of days such as 90d", text)
    return timedelta(days=int(days))
