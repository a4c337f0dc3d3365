"""``licet token``: further keys to the door, each for less."""

from __future__ import annotations

from typing import Annotated

from cyclopts import App, Parameter

from licet.cli.output import COMMON, Common, note, show
from licet.errors import InputError
from licet.wire.accounts import SCOPES

app = App(name="token", help="Create, list and revoke access tokens.")


def _days(text: str) -> int:
    digits = text.removesuffix("d")
    if not digits.isascii() or not digits.isdigit() or not 1 <= int(digits) <= 365:
        raise InputError.field("--expires", "1d to 365d", text)
    return int(digits)


@app.command
def create(
    *,
    scope: Annotated[
        list[str], Parameter(consume_multiple=True, negative="", help=f"What it may do: {', '.join(SCOPES)}.")
    ],
    expires: Annotated[str | None, Parameter(help="For how many days: 90d, and 1d with erase.")] = None,
    common: Common = COMMON,
) -> None:
    """Make a token with fewer rights than yours; it is printed this once.

    No token has erase or payout unless this profile's root key signs for it, which is done here.
    """
    scopes = [part for given in scope for part in given.split(",") if part]
    unknown = sorted(set(scopes) - set(SCOPES))
    if unknown:
        raise InputError.field("--scope", f"any of {', '.join(SCOPES)}", ", ".join(unknown))
    special = {"erase", "payout"}.intersection(scopes)
    days = 1 if expires is None and special else _days(expires or "90d")
    with common.client() as client:
        if special:
            from licet.client import account

            created = account.stepped_up(client, scopes, days)
        else:
            created = client.create_token(scopes, days)
    document = {"token": created.token, "id": created.id, "scopes": created.scopes, "expires_at": created.expires_at}
    show(common, document, [created.token])
    if not common.json:
        note(f"{created.id} may {', '.join(created.scopes)} until {created.expires_at[:10]}; it is not shown again.")


@app.command(name="list")
def list_tokens(*, common: Common = COMMON) -> None:
    """List the account's tokens, without their secrets."""
    with common.client() as client:
        tokens = list(client.tokens())
    lines = [
        f"{token.id}  {','.join(token.scopes)}  until {token.expires_at[:10]}{'  revoked' if token.revoked_at else ''}"
        for token in tokens
    ]
    show(common, {"tokens": tokens}, lines or ["No tokens."])


@app.command
def revoke(token: str, /, *, common: Common = COMMON) -> None:
    """Make a token open nothing any more, by its id (tok_…)."""
    with common.client() as client:
        client.revoke_token(token)
    show(common, {"revoked": token}, [f"{token} is revoked."])
