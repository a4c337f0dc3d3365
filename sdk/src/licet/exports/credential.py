"""A consent as a W3C Verifiable Credential (VCDM 2.0) with an ``eddsa-jcs-2022`` proof by the consent's own signer.

Every claim follows from the statement file that the credential carries as evidence: a verifier of ours derives the
document again and compares, others check the proof and read it.
"""

from __future__ import annotations

import json
from typing import Any, Final

import msgspec

from licet import canonical, times
from licet.canonical import from_base64, to_base64
from licet.errors import InputError, MalformedError, VerificationError
from licet.exports import integrity
from licet.exports.multikey import did_key
from licet.exports.signing import hold_to_signer, subject
from licet.log.policy import Policy
from licet.statements.keys import SigningKey
from licet.statements.kinds import Consent
from licet.statements.statement_file import VerifiedStatement, verify_statement_file
from licet.statements.trust import Trust
from licet.wire.common import StatementFile

TYPE: Final = "LicetConsentCredential"
MAX_BYTES: Final = 64 << 20
# The second defines every term that the first does not. Both are text: libraries compare contexts by identity.
_CONTEXT: Final = ["https://www.w3.org/ns/credentials/v2", "https://www.w3.org/ns/credentials/undefined-terms/v2"]


def consent_credential(file: StatementFile, key: SigningKey) -> dict[str, Any]:
    """Return the consent in ``file`` as a credential by ``key``, which must have signed the consent.

    Raises ``InputError`` for another kind of statement or key, and what `verify_statement_file` raises.
    """
    verified = verify_statement_file(file, None)
    if not isinstance(verified.payload, Consent):
        raise InputError(f"expected a consent, got a statement of kind {verified.kind}; --as scitt takes any kind")
    hold_to_signer(file, key)
    return integrity.secure(_document(file, verified, key.public), key, times.to_text(times.now()))


def verify_credential(
    data: bytes, trust: Trust | None, rules: Policy | None = None
) -> tuple[VerifiedStatement, list[str]]:
    """Return the verified consent behind the credential in ``data``, and what was checked beside it.

    Raises ``MalformedError`` and ``VerificationError`` for every way in which it does not hold.
    """
    document, public = integrity.verify(read(data))
    file = _evidence(document)
    verified = verify_statement_file(file, trust, rules)
    if not isinstance(verified.payload, Consent):
        raise VerificationError(f"expected a credential of a consent, got one of a {verified.kind}")
    hold_to_signer(file, public)
    expected = _document(file, verified, public)
    for name in sorted({*expected, *document}):
        if canonical.encode(document.get(name)) != canonical.encode(expected.get(name)):
            raise VerificationError(f"{name}: expected what the consent says, got something else", field=name)
    return verified, [f"a credential with an {integrity.SUITE} proof by {did_key(public)}, the consent's signer"]


def looks_like(data: bytes) -> bool:
    """Whether ``data`` means to be a credential."""
    return data.lstrip()[:1] == b"{" and b'"https://www.w3.org/ns/credentials/v2"' in data[:4096]


def read(data: bytes) -> dict[str, Any]:
    """Return the JSON object in ``data``, in any spelling without repeated names; raises ``MalformedError``."""
    if len(data) > MAX_BYTES:
        raise MalformedError(f"expected a credential of at most {MAX_BYTES} bytes, got {len(data)}")
    try:
        value = json.loads(data.decode("utf-8"), object_pairs_hook=_once)
    except (ValueError, RecursionError) as error:
        raise MalformedError(f"expected a credential in JSON, got bytes that do not parse: {error}") from None
    if not isinstance(value, dict):
        raise MalformedError(f"expected a JSON object, got {type(value).__name__}")
    try:
        canonical.encode(value)
    except InputError as error:
        raise MalformedError(error.message) from None
    return value


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name is there twice in one object")
    return found


def _evidence(document: dict[str, Any]) -> StatementFile:
    evidence = document.get("evidence")
    found = evidence.get("statementFile") if isinstance(evidence, dict) else None
    if not isinstance(found, str):
        raise MalformedError("evidence.statementFile: expected base64, got none", field="evidence.statementFile")
    return canonical.decode_as(StatementFile, from_base64(found, "evidence.statementFile"), limit=MAX_BYTES)


def _document(file: StatementFile, verified: VerifiedStatement, public: bytes) -> dict[str, Any]:
    consent: Consent = verified.payload
    issuer = did_key(public)
    return {
        "@context": _CONTEXT,
        "id": subject(file),
        "type": ["VerifiableCredential", TYPE],
        "issuer": issuer,
        "validFrom": consent.issued_at,
        "credentialSubject": {
            "id": issuer,
            "consent": {
                "account": consent.account,
                "effect": consent.effect,
                "logged_at": verified.logged_at,
                "log_index": verified.log_index,
                "registry": msgspec.to_builtins(consent.registry),
                "scope": msgspec.to_builtins(consent.scope),
                "seq": consent.seq,
                "terms": consent.terms,
                "terms_hash": consent.terms_hash,
                "vocab": consent.vocab,
            },
        },
        "evidence": {"type": "LicetStatementFile", "statementFile": to_base64(canonical.encode(file))},
    }
