"""Disputes: the documents of the parties, drafted alike by everybody."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

import msgspec

from licet import identifiers, times
from licet.errors import InputError
from licet.statements.kinds import DisputeStep, RegistryRef
from licet.statements.kinds.disputes import Outcome, Position, Step, wrong_subject, wrong_words

ANSWERED_WITHIN: Final = timedelta(days=14)
"""How long the other party has to answer before somebody may decide without that."""
NEAR_CONTESTABLE: Final = timedelta(days=30)
"""How long a charge of near matches alone can be disputed (semantics 18)."""
CONTESTABLE: Final = timedelta(days=180)
"""How long any other charge can be: as long as its money may wait in escrow."""
APPEALED_WITHIN: Final = timedelta(days=14)
"""How long whoever lost has to appeal a decision, from that on."""
REVIEWED_WITHIN: Final = timedelta(days=14)
"""How long another operator has to review a decision, from the appeal on; nothing moves before."""


def draft_opening(
    *,
    registry: RegistryRef,
    account: str,
    genesis: str,
    subject: str,
    text: str,
    evidence: Iterable[str] = (),
) -> DisputeStep:
    """Return the document that opens a dispute about ``subject``; raises ``InputError`` naming the field."""
    dispute = identifiers.new_id("dsp")
    return _draft(registry, dispute, "open", subject, None, account, genesis, text, evidence)


def draft_answer(
    opening: DisputeStep,
    document: str,
    *,
    account: str,
    genesis: str,
    position: Position,
    text: str,
    evidence: Iterable[str] = (),
) -> DisputeStep:
    """Return the answer to ``opening``, the payload whose SHA-256 is ``document``; raises ``InputError``."""
    return _draft(
        opening.registry, opening.dispute, "answer", opening.subject, document, account, genesis, text, evidence,
        position=position,
    )  # fmt: skip


def draft_withdrawal(opening: DisputeStep, document: str, *, text: str) -> DisputeStep:
    """Return the document by which whoever opened a dispute ends it; raises ``InputError``."""
    return _draft(
        opening.registry, opening.dispute, "withdraw", opening.subject, document, opening.account, opening.genesis,
        text, (),
    )  # fmt: skip


def draft_appeal(
    opening: DisputeStep, document: str, *, account: str, genesis: str, text: str, evidence: Iterable[str] = ()
) -> DisputeStep:
    """Return the document by which whoever lost asks somebody else to look again; raises ``InputError``."""
    return _draft(
        opening.registry, opening.dispute, "appeal", opening.subject, document, account, genesis, text, evidence
    )


def draft_acceptance(
    opening: DisputeStep, document: str, *, account: str, genesis: str, outcome: Outcome, text: str
) -> DisputeStep:
    """Return the document by which whoever lost accepts the decision ``outcome``; raises ``InputError``."""
    return _draft(
        opening.registry, opening.dispute, "accept", opening.subject, document, account, genesis, text, (),
        outcome=outcome,
    )  # fmt: skip


def draft_decision(
    opening: DisputeStep,
    document: str,
    *,
    operator: str,
    outcome: Outcome,
    text: str,
    evidence: Iterable[str] = (),
    appeal_until: datetime,
) -> DisputeStep:
    """Return the decision that the registry signs for ``operator``; raises ``InputError``."""
    return _draft(
        opening.registry, opening.dispute, "decide", opening.subject, document, operator, None, text, evidence,
        outcome=outcome, appeal_until=times.to_text(appeal_until),
    )  # fmt: skip


def draft_review(
    opening: DisputeStep, document: str, *, operator: str, outcome: Outcome, text: str, evidence: Iterable[str] = ()
) -> DisputeStep:
    """Return what another ``operator`` decides after an appeal, signed by the registry; raises ``InputError``."""
    return _draft(
        opening.registry, opening.dispute, "review", opening.subject, document, operator, None, text, evidence,
        outcome=outcome,
    )  # fmt: skip


def draft_end(
    registry: RegistryRef, dispute: str, subject: str, document: str, *, operator: str, outcome: Outcome
) -> DisputeStep:
    """Return how the registry says that nobody appealed what ``operator`` decided."""
    text = f"Nobody appealed within {APPEALED_WITHIN.days} days."
    return _draft(registry, dispute, "end", subject, document, operator, None, text, (), outcome=outcome)


def _draft(
    registry: RegistryRef, dispute: str, step: Step, subject: str, document: str | None, account: str,
    genesis: str | None, text: str, evidence: Iterable[str], *, position: Position | None = None,
    outcome: Outcome | None = None, appeal_until: str | msgspec.UnsetType = msgspec.UNSET,
) -> DisputeStep:  # fmt: skip
    named = sorted(set(evidence))
    wrong = wrong_subject(subject) or wrong_words(text, named)
    if wrong is not None:
        raise InputError(wrong, field=wrong.partition(":")[0].partition("[")[0])
    return DisputeStep(
        registry=registry,
        dispute=dispute,
        step=step,
        subject=subject,
        document=document,
        account=account,
        genesis=genesis,
        position=position,
        outcome=outcome,
        text=text,
        evidence=named,
        issued_at=times.to_text(times.now()),
        nonce=secrets.token_hex(16),
        appeal_until=appeal_until,
    )
