"""Doing what revocations oblige to: read once the log proves them, and stated under the organisation's signature."""

from __future__ import annotations

from licet import times
from licet.client import Client
from licet.errors import InputError, VerificationError
from licet.statements import envelope as envelopes
from licet.statements import kinds
from licet.statements.keys import SigningKey
from licet.statements.receipt import verify_receipt
from licet.statements.revoking import draft_done
from licet.statements.statement_file import verify_statement_file
from licet.wire.duties import DutyAccepted, DutyShown


def documents(client: Client, shown: DutyShown) -> tuple[kinds.LicenceRevoke, kinds.DutyDone | None]:
    """Return what was revoked, and what was stated to be done since, once the log and both signers' keys prove them.

    Raises ``VerificationError`` where they say something else than the registry tells, or belong to others.
    """
    told = shown.duty
    if shown.revoked is None:
        raise VerificationError("expected the revocation, got none: it was erased, or is not published yet")
    revoked = verify_statement_file(shown.revoked, client.trust()).payload
    document = shown.revoked.envelope.payload_digest
    if not isinstance(revoked, kinds.LicenceRevoke) or (revoked.duty, document) != (told.duty, told.document):
        raise VerificationError(f"expected the revocation of {told.duty}, got another statement")
    if (revoked.licence, revoked.account, revoked.works) != (told.licence, told.account, shown.works):
        raise VerificationError(f"{told.duty}: expected the licence, account and works that were signed, got others")
    if shown.done is None:
        return revoked, None
    done = verify_statement_file(shown.done, client.trust()).payload
    if not isinstance(done, kinds.DutyDone) or (done.document, done.organisation) != (document, told.organisation):
        raise VerificationError(f"{told.duty}: expected what {told.organisation} stated, got another statement")
    return revoked, done


def state_done(client: Client, shown: DutyShown, statement: str, done_at: str | None = None) -> DutyAccepted:
    """Return once it is signed and in the log that the duty was done, at ``done_at`` (None: now), and how.

    Raises ``InputError`` for a time before the duty began.
    """
    revoked, _ = documents(client, shown)
    profile = client.need_account()
    account = profile.account
    assert account is not None
    began = shown.duty.revoked_at or ""  # as a moment is written, which sorts by time
    if done_at is not None and done_at < began:
        raise InputError.field("done_at", f"a time from {began} on, when the works were revoked", done_at)
    payload = draft_done(
        revoked,
        shown.duty.document,
        organisation=account.account,
        genesis=account.genesis,
        done_at=done_at or max(began, times.to_text(times.now())),  # our clock may be behind
        statement=statement,
    )
    envelope = envelopes.seal(payload, SigningKey.load(profile.key_path))
    accepted = client.report_done(shown.duty.duty, envelope)
    verify_receipt(accepted.receipt, envelope, client.working_keys())
    return accepted
