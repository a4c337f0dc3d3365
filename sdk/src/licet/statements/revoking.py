"""Revoking a licence and doing what that obliges to: on which condition, and the documents, drafted alike by everybody.

A licence can be revoked work by work, where the terms that it was taken under say so, or the answer that it accepts.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from datetime import datetime, timedelta
from functools import reduce
from typing import Final

import msgspec

from licet import identifiers, times
from licet.errors import InputError
from licet.statements.kinds import Agreed, DutyDone, LicenceRevoke, RegistryRef
from licet.statements.kinds.agreements import wrong_done, wrong_names, wrong_text
from licet.terms import Revocation, Terms, stricter_revocation

DAY: Final = timedelta(days=1)
MOST_REVOKED: Final = 100_000
"""Works of one statement."""


def condition(agreed: Agreed | msgspec.UnsetType, terms: Terms, atoms: Iterable[str]) -> Revocation | None:
    """Return on which condition the artist can revoke works licensed under ``terms``; None where she gave that away.

    What her answer offered, if their lines have ``agreed``, goes before her terms. Of several uses that were licensed
    together the strictest counts: one of them cannot go on without the others.
    """
    if agreed is not msgspec.UNSET and agreed.notice_days is not None:
        return Revocation(notice_days=agreed.notice_days, effect=agreed.effect)  # type: ignore[arg-type]
    rules = [terms.rules[atom] for atom in atoms]
    return reduce(stricter_revocation, [rule.revocation for rule in rules if rule.permission == "license"], None)


def over_at(revoked_at: datetime, notice_days: int) -> datetime:
    """Return when the notice that began at the log entry of ``revoked_at`` is over: days of 24 hours."""
    return revoked_at + notice_days * DAY


def draft_revocation(
    *, registry: RegistryRef, licence: str, account: str, genesis: str, works: Iterable[str], reason: str = ""
) -> LicenceRevoke:
    """Return the document that revokes ``licence`` for ``works``; raises ``InputError`` naming the field."""
    named = sorted(works)
    _hold(wrong_names(named, MOST_REVOKED) or wrong_text(reason, "reason"))
    return LicenceRevoke(
        registry=registry,
        duty=identifiers.new_id("dut"),
        licence=licence,
        account=account,
        genesis=genesis,
        works=named,
        reason=reason,
        issued_at=times.to_text(times.now()),
        nonce=secrets.token_hex(16),
    )


def draft_done(
    revoked: LicenceRevoke, document: str, *, organisation: str, genesis: str, done_at: str | None, statement: str
) -> DutyDone:
    """Return the statement that what ``revoked`` (of SHA-256 ``document``) obliges to was done; ``InputError``."""
    _hold(wrong_done(statement))
    now = times.to_text(times.now())
    return DutyDone(
        registry=revoked.registry,
        duty=revoked.duty,
        document=document,
        organisation=organisation,
        genesis=genesis,
        done_at=done_at or now,
        statement=statement,
        issued_at=now,
        nonce=secrets.token_hex(16),
    )


def _hold(wrong: str | None) -> None:
    if wrong is not None:
        raise InputError(wrong, field=wrong.partition(":")[0])
