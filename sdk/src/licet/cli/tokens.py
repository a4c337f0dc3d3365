"""``licet token``: further keys to the door, each for less."""

from __future__ import annotations

from typing import Annotated

from cyclopts import App, Parameter

from licet import money
from licet.cli.output import COMMON, Common, note, show
from licet.errors import InputError
from licet.wire.accounts import SCOPES, SpendLimit, SpendLimitWanted, TokenInfo

app = App(name="token", help="Create, list and revoke access tokens.")


def _days(text: str) -> int:
    digits = text.removesuffix("d")
    if not digits.isascii() or not digits.isdigit() or not 1 <= int(digits) <= 365:
        raise InputError.field("--expires", "1d to 365d", text)
    return int(digits)


def _limit(text: str) -> SpendLimitWanted:
    amount, slash, period = text.partition("/")
    try:
        most = money.parse(amount, "--spend-limit")
    except InputError:
        slash = ""
    if not slash or period.strip() != "month":
        raise InputError.field("--spend-limit", "an amount a month, such as 500USD/month", text)
    return SpendLimitWanted(money.to_decimal(most.micro), most.currency)


def _written(limit: SpendLimit) -> str:
    return money.written(limit.amount, limit.currency)


def _spending(token: TokenInfo) -> str:
    if token.spend_limit is None or token.spent is None:
        return ""
    spent = money.figure(token.spent, token.spend_limit.currency)
    return f"  {spent} of {_written(token.spend_limit)} this month"


@app.command
def create(
    *,
    scope: Annotated[
        list[str], Parameter(consume_multiple=True, negative="", help=f"What it may do: {', '.join(SCOPES)}.")
    ],
    expires: Annotated[str | None, Parameter(help="For how many days: 90d, and 1d with erase.")] = None,
    spend_limit: Annotated[
        str | None, Parameter(help="The most that it may charge in a month: 500USD/month; nothing in other currencies.")
    ] = None,
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
    limit = None if spend_limit is None else _limit(spend_limit)
    with common.client() as client:
        if special:
            from licet.client import account

            created = account.stepped_up(client, scopes, days, spend_limit=limit)
        else:
            created = client.create_token(scopes, days, spend_limit=limit)
    document = {
        "token": created.token,
        "id": created.id,
        "scopes": created.scopes,
        "expires_at": created.expires_at,
        "spend_limit": created.spend_limit,
    }
    show(common, document, [created.token])
    if not common.json:
        note(f"{created.id} may {', '.join(created.scopes)} until {created.expires_at[:10]}; it is not shown again.")
        if created.spend_limit is not None:
            note(f"It charges at most {_written(created.spend_limit)} a month, by what it takes and reports.")


@app.command(name="list")
def list_tokens(*, common: Common = COMMON) -> None:
    """List the account's tokens, without their secrets."""
    with common.client() as client:
        tokens = list(client.tokens())
    lines = [
        f"{token.id}  {','.join(token.scopes)}  until {token.expires_at[:10]}{'  revoked' if token.revoked_at else ''}"
        + _spending(token)
        for token in tokens
    ]
    show(common, {"tokens": tokens}, lines or ["No tokens."])


@app.command
def revoke(token: str, /, *, common: Common = COMMON) -> None:
    """Make a token open nothing any more, by its id (tok_…)."""
    with common.client() as client:
        client.revoke_token(token)
    show(common, {"revoked": token}, [f"{token} is revoked."])
