"""The signed statements: each with its proof, signatures and keys; and that none of the period is missing."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

from licet.audit import layout
from licet.audit.checks.opening import MAX_JSON, Audit
from licet.audit.checks.the_log import LogFacts
from licet.audit.report import checking, refused
from licet.counted import many
from licet.errors import VerificationError
from licet.log import proof as proofs
from licet.statements.kinds import Consent
from licet.statements.splits import Splits
from licet.statements.statement_file import verify_statement_file
from licet.terms import Terms
from licet.wire.common import StatementFile

_CHECK: Final = "statements"


@dataclass(frozen=True)
class Signed:
    """A statement that holds: its payload, and where and when the log took it."""

    payload: Any
    index: int
    time: str
    document: str  # SHA-256 of the payload


@dataclass(frozen=True)
class ConsentFacts:
    """What a consent says, as far as licences rely on it."""

    payload: Consent
    terms: Terms
    index: int


@dataclass(frozen=True)
class Statements:
    """All statements of a bundle by identifier."""

    licences: dict[str, Signed]
    batches: dict[str, Signed]
    consents: dict[str, ConsentFacts]
    splits: Splits
    requests: dict[str, Signed]
    answers: dict[str, Signed]
    closes: dict[str, Signed]
    all: dict[str, dict[str, Signed]] = field(default_factory=dict)  # kind → identifier →


def check_statements(audit: Audit, log: LogFacts) -> Statements:
    """Return the statements, each verified on its own and in the log that the bundle shows."""
    found: dict[str, dict[str, Signed]] = {kind: {} for kind in layout.STATEMENT_KINDS}
    for member in audit.container.members:
        name = layout.statement_of(member)
        if name is not None:
            with checking(_CHECK, member):
                kind, identifier = name
                signed = found[kind][identifier] = _verified(audit, log, member, kind, identifier)
                audit.tally.statement(kind, in_period=audit.period.holds(signed.time))
    counted = ", ".join(f"{len(each)} {kind}" for kind, each in found.items())
    audit.passed(_CHECK, f"signatures, keys and places in the log hold: {counted}")
    _covered(audit, log, found)
    consents = {
        identifier: ConsentFacts(signed.payload, _terms(signed.payload), signed.index)
        for identifier, signed in found["consent"].items()
    }
    return Statements(
        licences=found["licence"],
        batches=found["usage-batch"],
        consents=consents,
        splits=_splits(audit, found),
        requests=found["licence-request"],
        answers=found["licence-answer"],
        closes=found[layout.CLOSE],
        all=found,
    )


def _splits(audit: Audit, found: dict[str, dict[str, Signed]]) -> Splits:
    """Return which split was in force when, replayed from the documents and the answers to them."""
    member = "statements/split"
    splits, agreed = Splits(), 0
    with checking("splits", member):
        taken = [each for kind in ("split", "split-answer", "erase") for each in found[kind].values()]
        for each in sorted(taken, key=lambda each: each.index):
            agreed += splits.take(each.payload, each.document, each.index, each.time) is not None
    audit.passed("splits", f"{many(agreed, 'split')} in force once every co-owner had signed the same document")
    return splits


def _verified(audit: Audit, log: LogFacts, member: str, kind: str, identifier: str) -> Signed:
    file = audit.read_as(StatementFile, member, MAX_JSON)
    for proof in (file.proof, *(each.proof for each in file.keys)):
        if proofs.parse(proof).checkpoint != log.note:
            raise VerificationError("expected a proof under the closing checkpoint, got one under another")
    verified = verify_statement_file(file, audit.trust)
    payload = verified.payload
    if verified.kind != kind:
        raise VerificationError(f"expected a statement of kind {kind}, got {verified.kind}")
    own = layout.KINDS[kind].named
    named = identifier if own is None else getattr(payload, own)
    if named != identifier:
        raise VerificationError(f"expected the statement of {identifier}, got that of {named}")
    return Signed(payload, verified.log_index, verified.logged_at, file.envelope.payload_digest)


def _covered(audit: Audit, log: LogFacts, found: dict[str, dict[str, Signed]]) -> None:
    counted = []
    said = audit.manifest.covers or ()
    covered = [name for name, kind in layout.KINDS.items() if kind.covered and (kind.always or name in said)]
    for kind in covered:
        here = [signed.index for signed in found[kind].values()]
        if len(set(here)) != len(here):
            raise refused("log-coverage", f"statements/{kind}", "expected each log entry once, got one twice")
        missing = log.taken[kind] - set(here)
        if audit.whole and missing:
            raise refused(
                "log-coverage", layout.ENTRIES, f"the log took a {kind} at index {min(missing)} that is not here"
            )
        counted.append(f"{len(log.taken[kind])} {kind}")
    if audit.whole:
        every = "every statement of these kinds that the log took in the period is here"
        audit.passed("log-coverage", f"{every}: {', '.join(counted)}")


def _terms(consent: Consent) -> Terms:
    return Terms.parse({"vocab": consent.vocab, "terms": consent.terms})
