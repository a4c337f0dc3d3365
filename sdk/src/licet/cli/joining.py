"""Standing for an account with a further key: asking, waiting to be let in, and what the key may sign then."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from licet import money
from licet.cli.output import Common, show

if TYPE_CHECKING:
    from licet.client import Client
    from licet.home import AccountFile
    from licet.statements.kinds import Delegation


def joined_now(common: Common, own: AccountFile, given: Delegation | None) -> None:
    """Say whom this profile signs for by now, and what it may sign."""
    document = {"account": own.account, "name": own.name, "key": own.keyid, "delegation": given}
    lines = [f"This profile signs for {own.name} ({own.account}) with key {own.keyid}."]
    if given is not None:
        lines += [*allowed(given), "The owner is told of everything that it signs; what loosens waits a day."]
    show(common, {**document, "state": "joined"}, lines)


def join_by(common: Common, secret: str) -> None:
    """Ask by an invitation, or stand for its team once this key was let in and a token of the team is there."""
    from licet.client import joining

    with common.client() as client:
        seen = joining.ask_by(client, secret)
        token = client.contact.token is not None
        found = joining.joined(client, seen.account) if token and seen.state == "joined" else None
    if found is not None:
        return joined_now(common, *found)
    assert seen.keyid is not None
    if seen.state == "asked":
        lines = [f"{seen.team} was asked to let key {seen.keyid} in."]
        lines += [f"Tell them its first digits: {seen.keyid[:16]}.", "Once they have let it in, run this again."]
    elif token:
        lines = [f"{seen.team} let this key in. Once they have said what it may sign, run this again."]
    else:
        lines = [f"{seen.team} let this key in. Run this again with a token of the team in LICET_TOKEN."]
    document = {"account": seen.account, "name": seen.team, "key": seen.keyid, "delegation": None, "state": seen.state}
    return show(common, document, lines)


def let_in(client: Client, account: str, seconds: int) -> tuple[AccountFile, Delegation | None] | None:
    """Look every two seconds whether the key was let in."""
    from time import monotonic, sleep

    from licet.client import joining

    until = monotonic() + seconds
    while monotonic() < until:
        sleep(2)
        found = joining.joined(client, account)
        if found is not None:
            return found
    return None


def allowed(delegation: Delegation) -> Iterator[str]:
    """Say what a delegate may do."""
    yield f"It may sign {', '.join(delegation.scope)} until {delegation.valid_until}."
    works = delegation.limit.works
    yield "Under one statement: any number of works." if works is None else f"Under one statement: {works:,} works."
    for each in delegation.limit.budget:
        yield f"One licence may cost up to {money.written(each.amount, each.currency)}."
