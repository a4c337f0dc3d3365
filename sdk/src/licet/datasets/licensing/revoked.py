"""Revocations of licences that an organisation holds: learned of before a job, and kept beside the licences.

What is kept here can only restrict: a work whose notice is over is under its licence no longer.
"""

from __future__ import annotations

from licet.client import Client
from licet.datasets.examining.basis import pull_newest
from licet.datasets.licensing.held import LicenceStore, Revoked
from licet.errors import NotAllowedError


def bring_up_to_date(client: Client) -> None:
    """Make the newest snapshot the current one, and know of every licence held that was revoked.

    Raises ``ServiceError`` that names ``--offline`` where there is no network.
    """
    pull_newest(client)
    learn(client)


def learn(client: Client) -> None:
    """Know of every licence in the home that was revoked; a token that may not ask of duties learns nothing.

    The registry holds it against quotes and runs all the same.
    """
    account = client.profile.account
    if account is None or account.kind != "organisation":
        return
    store = LicenceStore(client.home.licences(account.account))
    if not store.any():
        return
    known = store.revoked()
    try:
        fresh = [each for each in client.duties() if each.duty not in known and each.due_at is not None]
        for each in fresh:
            if each.organisation == account.account and each.due_at is not None:
                works = client.duty(each.duty).works
                known[each.duty] = Revoked(each.duty, each.licence, each.effect, each.due_at, works)
    except NotAllowedError:
        return
    if fresh:
        store.keep_revoked(known)
