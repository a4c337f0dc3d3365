"""``licet login``: who this profile is here. There are no passwords; where it is nobody yet, the ways in are said."""

from __future__ import annotations

from typing import Final

from licet.cli.output import COMMON, Common, show

_NOBODY: Final = 4
_WAYS: Final = (
    ("licet account create --kind artist|organisation --name NAME", "a new account: its key is made and kept here"),
    (
        "LICET_TOKEN=… licet account join ACCOUNT",
        "an account that you have, by a token of it: a key is let in for here",
    ),
    ("licet account recover ACCOUNT --code CODE", "an account whose keys are lost, by one of its recovery codes"),
    ("export LICET_TOKEN=…", "a token alone, such as an auditor's: for this terminal, until unset LICET_TOKEN"),
)


def login(*, common: Common = COMMON) -> int:
    """Say who this profile is at the registry; exit 4, with the ways in, where it is nobody.

    A profile signs with the key in its folder: once it has an account there is nothing to log in to, and out of.
    """
    with common.client() as client:
        url, folder = client.url, client.profile.folder
        me = client.me() if client.contact.token else None
    if me is not None:
        document = {"account": me.account, "kind": me.kind, "name": me.name, "url": url, "profile": str(folder)}
        lines = [f"You are {me.name} ({me.kind}, {me.account}) at {url}: nothing is left to do."]
        show(common, document, [*lines, f"Key and token are in {folder}; `licet account show` says more."])
        return 0
    ways = [{"command": command, "for": what} for command, what in _WAYS]
    lines = [f"Nobody is logged in at {url} in {folder}. There is no password; the ways in are:"]
    for command, what in _WAYS:
        lines += [f"  {command}", f"    {what}"]
    show(common, {"account": None, "url": url, "profile": str(folder), "ways": ways}, lines)
    return _NOBODY
