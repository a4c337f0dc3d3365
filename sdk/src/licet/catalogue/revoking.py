"""Revoking licences from an artist's side: what can be, with which consequences, and the signed statements."""

from __future__ import annotations

from collections.abc import Collection

from licet import identifiers
from licet.client import Client
from licet.errors import InputError, NotAllowedError
from licet.statements import envelope as envelopes
from licet.statements.keys import SigningKey
from licet.statements.receipt import verify_receipt
from licet.statements.revoking import draft_revocation
from licet.wire.duties import DutyAccepted, Revocable, RevocableWorks


def chosen(found: Revocable, works: Collection[str]) -> list[RevocableWorks]:
    """Return what of ``found`` is to be revoked: ``works``, or all that can be where none are named.

    Raises ``InputError`` naming a work that is not hers under the licence, ``NotAllowedError`` for one whose terms
    allow no revocation, and where nothing can be revoked at all.
    """
    known = {work for each in found.groups for work in each.works}
    for work in works:
        identifiers.to_uuid(work, "wrk", field="--work")
        if work in found.firm:
            raise NotAllowedError(f"{work}: the terms that it was licensed under allow no revocation")
        if work in found.revoked:
            raise NotAllowedError(f"{work} was revoked already: `licet duties` lists what is due")
        if work not in known:
            raise InputError.field("--work", f"a work of yours under {found.licence}", work)
    wanted = set(works) or known
    groups = [
        RevocableWorks(sorted(wanted.intersection(each.works)), each.notice_days, each.effect) for each in found.groups
    ]
    groups = [each for each in groups if each.works]
    if not groups:
        why = "was revoked already" if found.revoked and not found.firm else "allows no revocation of your works"
        raise NotAllowedError(f"{found.licence} {why}")
    return groups


def revoke(client: Client, licence: str, groups: Collection[RevocableWorks], reason: str = "") -> list[DutyAccepted]:
    """Return once every group is revoked by a statement of its own, signed and in the log."""
    profile = client.need_account()
    account = profile.account
    assert account is not None
    key = SigningKey.load(profile.key_path)
    done = []
    for each in groups:
        payload = draft_revocation(
            registry=client.registry_ref(),
            licence=licence,
            account=account.account,
            genesis=account.genesis,
            works=each.works,
            reason=reason,
        )
        envelope = envelopes.seal(payload, key)
        accepted = client.revoke_licence(licence, envelope)
        verify_receipt(accepted.receipt, envelope, client.working_keys())
        done.append(accepted)
    return done
