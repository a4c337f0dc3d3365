"""``licet account key``: who else may sign for this account, and who no longer may."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from cyclopts import App, Parameter

from licet.cli.output import COMMON, Common, show
from licet.errors import InputError
from licet.wire.accounts import KeyAccepted, KeyInfo

app = App(name="key", help="Add, rotate, revoke, list and delegate to keys of the account.")


@app.command
def add(
    *,
    to: Annotated[Path, Parameter(help="New file for the new private key.")],
    key_class: Annotated[
        Literal["root", "delegate"], Parameter(name="--class", help="root: everything; delegate: what is delegated.")
    ] = "root",
    common: Common = COMMON,
) -> None:
    """Make a further key for the account; its file is for another machine or person."""
    from licet.catalogue.remembering import know
    from licet.client import keys

    with common.client() as client:
        added = keys.add(client, to, key_class)
        know(client.profile, [added.keyid])
    lines = [f"Key {added.keyid} is in {to}, entry {added.log_index} of the log."]
    if key_class == "delegate":
        lines.append(f"It signs nothing before `licet account key delegate {added.keyid[:16]} --scope …`.")
    show(common, {**_document(added), "file": str(to)}, lines)


@app.command
def rotate(*, common: Common = COMMON) -> None:
    """Put a new key in the place of this profile's; the old one signs no more that loosens or licenses."""
    from licet.client import keys

    with common.client() as client:
        done = keys.rotate(client)
        folder = client.profile.folder
    lines = [f"Key {done.keyid} signs from now on, entry {done.log_index} of the log.", f"Keep a copy of {folder}."]
    show(common, _document(done), lines)


@app.command
def revoke(
    key: str,
    /,
    *,
    from_index: Annotated[
        int | None, Parameter(name="--from", help="Log index from which it no longer counts; default: from now on.")
    ] = None,
    common: Common = COMMON,
) -> None:
    """End a key of the account: what it signs only counts where it tightens.

    Parameters
    ----------
    key
        The key's id, or the first 8 digits of it or more: `licet account key list` shows them.
    """
    from licet.client import keys

    with common.client() as client:
        done = keys.revoke(client, key, from_index)
    lines = [
        f"Key {done.keyid} is revoked, entry {done.log_index} of the log: what it signs only counts where it tightens."
    ]
    show(common, _document(done), lines)


@app.command(name="list")
def list_keys(*, common: Common = COMMON) -> None:
    """List the keys of the account, newest first."""
    with common.client() as client:
        keys = list(client.keys())
    lines = [
        f"{key.keyid}  {key.key_class}  {key.alg}  entry {key.log_index}"
        + (f"  revoked from {key.revoked_from}" if key.revoked_from is not None else "")
        for key in keys
    ]
    show(common, {"keys": keys}, lines)


@app.command
def delegate(
    key: str,
    /,
    *,
    scope: Annotated[
        list[str], Parameter(consume_multiple=True, negative="", help="Kinds of statements: consent, work-update, …")
    ],
    days: Annotated[int, Parameter(help="For how many days, at most 90.")] = 90,
    works: Annotated[int | None, Parameter(help="The most works under one statement; default: any number.")] = None,
    budget: Annotated[
        list[str] | None,
        Parameter(consume_multiple=True, negative="", help="The most that a licence may cost: 100EUR."),
    ] = None,
    common: Common = COMMON,
) -> None:
    """Let a delegate key sign for the account; what it loosens is held for 24 hours, and you are told.

    Parameters
    ----------
    key
        The key's id, or the first 8 digits of it or more: `licet account key list` shows them.
    """
    from licet.cli.wording import budgets_from
    from licet.client import keys

    if not 1 <= days <= 90:
        raise InputError.field("--days", "1 to 90", days)
    if works is not None and works < 1:
        raise InputError.field("--works", "1 or more", works)
    limits = budgets_from(budget).limits
    kinds = [part for given in scope for part in given.split(",") if part]
    with common.client() as client:
        done = keys.delegate(client, key, kinds, days, works, limits)
    show(
        common,
        _document(done),
        [f"Key {done.keyid} may sign {', '.join(sorted(kinds))}, entry {done.log_index} of the log."],
    )


def _document(key: KeyAccepted | KeyInfo) -> dict[str, Any]:
    document: dict[str, Any] = {"key": key.keyid, "log_index": key.log_index}
    return {**document, "statement": key.statement} if isinstance(key, KeyAccepted) else document
