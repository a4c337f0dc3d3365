"""Disputes from either party's side: read once every signature is proven, opened, answered, taken back, appealed."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from licet import times
from licet.client import Client
from licet.errors import NotAllowedError, VerificationError
from licet.home import AccountFile
from licet.statements import envelope as envelopes
from licet.statements.disputes import (
    draft_acceptance,
    draft_answer,
    draft_appeal,
    draft_opening,
    draft_withdrawal,
)
from licet.statements.keys import SigningKey
from licet.statements.kinds import DisputeStep
from licet.statements.kinds.disputes import Position
from licet.statements.receipt import verify_receipt
from licet.statements.statement_file import verify_statement_file
from licet.statements.trust import Trust
from licet.wire.disputes import DisputeAccepted, DisputeShown


def open_dispute(client: Client, subject: str, text: str, evidence: Iterable[str] = ()) -> DisputeAccepted:
    """Return once the dispute about ``subject`` is signed and in the log. Raises ``InputError`` naming the field."""
    account = client.need_account().account
    assert account is not None
    registry = client.working_keys().ref
    opening = draft_opening(
        registry=registry,
        account=account.account,
        genesis=account.genesis,
        subject=subject,
        text=text,
        evidence=evidence,
    )
    return _send(client, opening)


def steps_of(client: Client, shown: DisputeShown) -> list[DisputeStep | None]:
    """Return what each step says, once the log and the keys of whoever took it prove it; None for one that is gone.

    Raises ``VerificationError`` where the registry tells of a dispute what its documents do not say.
    """
    return proven_steps(shown, client.trust())


def proven_steps(shown: DisputeShown, trust: Trust) -> list[DisputeStep | None]:
    """The same under ``trust``, without a client."""
    found: list[DisputeStep | None] = []
    decided: DisputeStep | None = None
    for each in shown.steps:
        if each.document is None:
            found.append(None)
            continue
        verified = verify_statement_file(each.document, trust)
        step = verified.payload
        document = None if each.step == "open" else shown.dispute.document
        told = (each.step, shown.dispute.dispute, shown.dispute.subject, document)
        if not isinstance(step, DisputeStep) or (step.step, step.dispute, step.subject, step.document) != told:
            raise VerificationError(f"expected a step of {shown.dispute.dispute}, got another statement")
        lost = shown.dispute.lost_by
        by = {"answer": shown.dispute.against, "appeal": lost, "accept": lost}
        by |= dict.fromkeys(("open", "withdraw"), shown.dispute.account)
        if step.account != by.get(step.step, step.account):
            raise VerificationError(f"{shown.dispute.dispute}: expected a step of a party, got one of {step.account}")
        if step.step == "open" and each.document.envelope.payload_digest != shown.dispute.document:
            raise VerificationError(f"expected what opened {shown.dispute.dispute}, got another document")
        if step.step == "decide":
            decided = step
        elif decided is not None:
            _hold_to_decision(step, decided, verified.logged_at)
        found.append(step)
    return found


def _hold_to_decision(step: DisputeStep, decided: DisputeStep, at: str) -> None:
    """Return only if ``step`` can follow a decision: by its time, its outcome, and who reviewed."""
    until = decided.appeal_until
    if until is msgspec.UNSET:
        raise VerificationError(f"{step.dispute}: expected nothing after a decision that ended it, got {step.step}")
    if step.step == "end" and times.from_text(at) < times.from_text(until):
        raise VerificationError(f"{step.dispute}: expected an end not before {until}, got one of {at}")
    if step.step in ("accept", "end") and step.outcome != decided.outcome:
        raise VerificationError(f"{step.dispute}: expected what was decided, {decided.outcome}, got {step.outcome}")
    if step.step == "review" and step.account == decided.account:
        raise VerificationError(f"{step.dispute}: expected a review by another operator, got one by {step.account}")


def answer(
    client: Client, shown: DisputeShown, position: Position, text: str, evidence: Iterable[str] = ()
) -> DisputeAccepted:
    """Return once the answer is signed and in the log; raises ``NotAllowedError`` where another one is to answer."""
    opening, account = _opening(client, shown), client.need_account().account
    assert account is not None
    if shown.dispute.against != account.account:
        raise NotAllowedError(
            f"{shown.dispute.dispute} is for {shown.dispute.against} to answer, and this profile is {account.account}"
        )
    said = draft_answer(
        opening,
        shown.dispute.document,
        account=account.account,
        genesis=account.genesis,
        position=position,
        text=text,
        evidence=evidence,
    )
    return _send(client, said)


def withdraw(client: Client, shown: DisputeShown, text: str) -> DisputeAccepted:
    """Return once it is in the log that one's own dispute is taken back; raises ``NotAllowedError`` for another's."""
    opening, account = _opening(client, shown), client.need_account().account
    assert account is not None
    if opening.account != account.account:
        raise NotAllowedError(f"{opening.dispute} was opened by {opening.account}, and only that one takes it back")
    return _send(client, draft_withdrawal(opening, shown.dispute.document, text=text))


def appeal(client: Client, shown: DisputeShown, text: str, evidence: Iterable[str] = ()) -> DisputeAccepted:
    """Return once it is in the log that somebody else is to look again; raises ``NotAllowedError`` for who won."""
    opening, account = _lost(client, shown)
    said = draft_appeal(
        opening,
        shown.dispute.document,
        account=account.account,
        genesis=account.genesis,
        text=text,
        evidence=evidence,
    )
    return _send(client, said)


def accept(client: Client, shown: DisputeShown, text: str) -> DisputeAccepted:
    """Return once the dispute has ended as it was decided; raises ``NotAllowedError`` for who won."""
    opening, account = _lost(client, shown)
    assert shown.dispute.decided is not None  # somebody lost
    said = draft_acceptance(
        opening,
        shown.dispute.document,
        account=account.account,
        genesis=account.genesis,
        outcome=shown.dispute.decided,
        text=text,
    )
    return _send(client, said)


def _lost(client: Client, shown: DisputeShown) -> tuple[DisputeStep, AccountFile]:
    """Return what opened a dispute, and this profile's account, which lost it."""
    opening, account = _opening(client, shown), client.need_account().account
    assert account is not None
    if shown.dispute.lost_by != account.account:
        who = f"that is {shown.dispute.lost_by}" if shown.dispute.lost_by else "nothing was decided"
        raise NotAllowedError(f"only whoever lost {opening.dispute} appeals or accepts: {who}")
    return opening, account


def _opening(client: Client, shown: DisputeShown) -> DisputeStep:
    first = next(iter(steps_of(client, shown)), None)
    if first is None or first.step != "open":
        raise VerificationError("expected what opened the dispute, got none: it was erased")
    return first


def _send(client: Client, step: DisputeStep) -> DisputeAccepted:
    envelope = envelopes.seal(step, SigningKey.load(client.need_account().key_path))
    opens = step.step == "open"
    accepted = client.open_dispute(envelope) if opens else client.step_dispute(step.dispute, envelope)
    verify_receipt(accepted.receipt, envelope, client.working_keys())
    return accepted
