"""Duties of the month: each follows from a revocation that is here, and is done by a statement that is here, or open.

Listed are those that somebody caused before the month ended and that were not stated to be done before it began. When
one is due follows from the time of the revocation's log entry and the notice that the consented terms ask for. Where
the licence's lines are not here, notice and effect are the registry's word, and the check says so.
"""

from __future__ import annotations

from typing import Final

from licet import times
from licet.audit import layout
from licet.audit.checks.granted import Granting
from licet.audit.checks.opening import Audit
from licet.audit.checks.signed import Signed, Statements
from licet.audit.checks.used import CLOCKS_DIFFER
from licet.audit.layout import BundleDuty
from licet.audit.report import checking, refused
from licet.counted import many
from licet.errors import VerificationError
from licet.statements.kinds import DutyDone, LicenceRevoke
from licet.statements.revoking import condition, over_at

_CHECK: Final = "duties"


def check_duties(audit: Audit, statements: Statements, granting: Granting) -> None:
    """Hold every listed duty to what was signed, and what was signed in the month to the list."""
    if layout.DUTIES not in audit.container.members:
        if layout.DUTIES in (audit.manifest.covers or ()):
            raise refused(_CHECK, layout.DUTIES, "expected the duties of the month, got none")
        return  # a bundle from before they were listed
    with checking(_CHECK, layout.DUTIES):
        rows = {each.duty: each for each in _in_order(audit)}
        done = {each.payload.duty: each for each in statements.all["duty-done"].values()}
        on_word = 0
        for duty, row in rows.items():
            revoked = statements.all["licence-revoke"].get(duty)
            if revoked is None:
                raise VerificationError(f"{duty}: expected the revocation that it follows from, got none")
            _as_revoked(row, revoked)
            _as_done(row, revoked, done.get(duty))
            on_word += not _as_agreed(row, revoked.payload, granting)
        for duty, revoked in statements.all["licence-revoke"].items():
            if duty not in rows and audit.period.holds(revoked.time) and _concerns(audit, revoked.payload, granting):
                raise VerificationError(f"{duty}: expected what was revoked in the month among its duties, got none")
        for duty in done.keys() - rows.keys():
            raise VerificationError(f"{duty}: expected what was done in the month among its duties, got none")
    stated = sum(row.done_at is not None for row in rows.values())
    told = f"{many(len(rows), 'duty', 'duties')} of the month, {stated} stated to be done"
    told += f", {on_word} of them on conditions that are not shown" if on_word else ""
    audit.passed(_CHECK, told)


def _in_order(audit: Audit) -> list[BundleDuty]:
    rows = list(audit.lines_as(BundleDuty, layout.DUTIES))
    names = [each.duty for each in rows]
    if names != sorted(set(names)):
        raise VerificationError("expected each duty once, in order, got another order")
    return rows


def _concerns(audit: Audit, said: LicenceRevoke, granting: Granting) -> bool:
    """Whether a revocation is listed for whoever's part the bundle is: who caused the duty, and who owes it."""
    granted = granting.get(said.licence)
    owing = None if granted is None else granted.payload.organisation
    return audit.manifest.account in (None, said.account, owing)


def _as_revoked(row: BundleDuty, revoked: Signed) -> None:
    said: LicenceRevoke = revoked.payload
    signed = (revoked.document, said.licence, said.account, len(said.works), revoked.time)
    listed = (row.document, row.licence, row.account, row.works, row.revoked_at)
    if listed != signed:
        raise VerificationError(f"{row.duty}: expected what was revoked, {signed}, got {listed}")
    due = times.to_text(over_at(times.from_text(revoked.time), row.notice_days))
    if row.due_at != due:
        raise VerificationError(f"{row.duty}: expected it due at {due}, when its notice is over, got {row.due_at}")


def _as_done(row: BundleDuty, revoked: Signed, done: Signed | None) -> None:
    if done is None:
        if row.done_at is not None:
            raise VerificationError(f"{row.duty}: expected the statement that it was done at {row.done_at}, got none")
        return
    said: DutyDone = done.payload
    if (said.document, said.organisation) != (revoked.document, row.organisation) or done.index <= revoked.index:
        raise VerificationError(
            f"{row.duty}: expected {row.organisation} to have done what {revoked.document} revoked before, got "
            f"{said.organisation} of {said.document}"
        )
    if row.done_at != said.done_at:
        raise VerificationError(f"{row.duty}: expected it to be done at {said.done_at}, got {row.done_at}")
    if times.from_text(said.done_at) > times.from_text(done.time) + CLOCKS_DIFFER:
        raise VerificationError(f"{row.duty}: expected it done by {done.time}, when it was logged, got {said.done_at}")


def _as_agreed(row: BundleDuty, said: LicenceRevoke, granting: Granting) -> bool:
    """Whether notice and effect follow from lines that are here; raises where they are others."""
    granted = granting.get(row.licence)
    if granted is None or not all(work in granted.lines for work in said.works):
        return False
    if granted.payload.organisation != row.organisation:
        owing = granted.payload.organisation
        raise VerificationError(f"{row.duty}: expected a duty of {owing}, got one of {row.organisation}")
    for work in said.works:
        line = granted.lines[work]
        agreed = condition(line.agreed, granting.prices.terms(line), granted.payload.use.atoms)
        if agreed is None or (agreed.notice_days, agreed.effect) != (row.notice_days, row.effect):
            raise VerificationError(f"{row.duty}: expected the condition of {work}, {agreed}, got {row.effect}")
    return True
