"""SCITT signed statements (RFC 9943): a statement's log entry under its signer's own key, with receipts if there are.

The payload is the log entry, byte for byte, because that is what the log's leaves are over: whoever knows COSE receipts
checks the receipt in header 394 against the payload and needs nothing of ours. The statement itself, which the entry
commits to, travels unsigned in the header ``licet-statement``: the entry and the statement's own proofs vouch for it.
"""

from __future__ import annotations

from typing import Any, Final

from licet import canonical
from licet.errors import MalformedError, VerificationError
from licet.exports import cose, receipt
from licet.exports.multikey import did_key, public_of
from licet.exports.signing import hold_to_signer, subject, trusted_log
from licet.log.policy import Policy
from licet.statements.keys import SigningKey
from licet.statements.statement_file import VerifiedStatement, verify_statement_file
from licet.statements.trust import Trust
from licet.wire.common import StatementFile

MEDIA_TYPE: Final = "application/scitt-statement+cose"
ENTRY_TYPE: Final = "application/vnd.licet.log-entry+json"
RECEIPTS: Final = 394
STATEMENT: Final = "licet-statement"
MAX_BYTES: Final = 64 << 20
MAX_RECEIPTS: Final = 8


def signed_statement(file: StatementFile, key: SigningKey, receipts: list[bytes] | None = None) -> bytes:
    """Return ``file`` as a signed statement by ``key``, which signed it, and transparent with ``receipts``.

    Raises ``InputError`` for another key than the signer's, and whatever `verify_statement_file` and `receipt.verify`
    raise: what does not hold is not exported.
    """
    verify_statement_file(file, None)
    hold_to_signer(file, key)
    entry = receipt.entry_of(file)
    for each in receipts or []:
        receipt.verify(each, entry, trusted_log(file, None))
    unprotected: dict[Any, Any] = {STATEMENT: canonical.encode(file)}
    if receipts:
        unprotected[RECEIPTS] = receipts
    return cose.sign(_protected(file, did_key(key.public)), unprotected, entry, key)


def verify_signed_statement(
    data: bytes, trust: Trust | None, rules: Policy | None = None
) -> tuple[VerifiedStatement, list[str]]:
    """Return the verified statement inside of ``data``, and what was checked beside it.

    Raises ``MalformedError`` and ``VerificationError`` for every way in which it does not hold.
    """
    message = cose.parse(data, limit=MAX_BYTES)
    embedded = message.unprotected.get(STATEMENT)
    if not isinstance(embedded, bytes) or not set(message.unprotected) <= {STATEMENT, RECEIPTS}:
        raise MalformedError(f"expected the unsigned headers {STATEMENT} and {RECEIPTS}, got others")
    file = canonical.decode_as(StatementFile, embedded, limit=MAX_BYTES)
    verified = verify_statement_file(file, trust, rules)
    claims = message.protected.get(cose.CLAIMS)
    issuer = claims.get(cose.ISS) if isinstance(claims, dict) else None
    if not isinstance(issuer, str):
        raise MalformedError("expected an issuer among the CWT claims, got none")
    public = public_of(issuer, "iss")
    if message.protected != {**_protected(file, issuer), cose.ALG: cose.EDDSA}:
        raise VerificationError("expected the protected headers that follow from the statement, got others")
    hold_to_signer(file, public)
    if message.payload is None or message.payload != receipt.entry_of(file):
        raise VerificationError("expected the statement's log entry as payload, got another")
    cose.verify(message, public)
    checks = [f"a signed statement by {issuer}, the key that signed the statement"]
    receipts = message.unprotected.get(RECEIPTS, [])
    if (
        not isinstance(receipts, list)
        or len(receipts) > MAX_RECEIPTS
        or (not receipts and RECEIPTS in message.unprotected)
    ):
        raise MalformedError(f"header {RECEIPTS}: expected 1 to {MAX_RECEIPTS} receipts, got another shape")
    for each in receipts:
        if not isinstance(each, bytes):
            raise MalformedError(f"header {RECEIPTS}: expected receipts as byte strings, got another type")
        placed = receipt.verify(each, message.payload, trusted_log(file, trust))
        if placed.index != verified.log_index:
            raise VerificationError(
                f"expected a receipt for log index {verified.log_index}, got one for {placed.index}"
            )
        checks.append(f"a COSE receipt for entry {placed.index} of {placed.size}")
    return verified, checks


def _protected(file: StatementFile, issuer: str) -> dict[Any, Any]:
    return {
        cose.CONTENT_TYPE: ENTRY_TYPE,
        cose.KID: issuer.encode(),
        cose.CLAIMS: {cose.ISS: issuer, cose.SUB: subject(file)},
    }
