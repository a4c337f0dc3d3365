"""Data Integrity proofs with the cryptosuite ``eddsa-jcs-2022``: JSON signed as its canonical form.

Source: https://www.w3.org/TR/vc-di-eddsa/#eddsa-jcs-2022 and https://www.w3.org/TR/vc-data-integrity/. JCS comes from
``licet.canonical``, so a document outside its subset (floats, keys that are not ASCII) is refused.
"""

from __future__ import annotations

import re
from hashlib import sha256
from typing import Any, Final

from licet import canonical
from licet.errors import MalformedError, VerificationError
from licet.exports.multikey import did_key, from_base58, public_of, to_base58
from licet.statements.keys import KeySet, SigningKey

SUITE: Final = "eddsa-jcs-2022"
_FIELDS: Final = {"type", "cryptosuite", "created", "verificationMethod", "proofPurpose", "proofValue"}
_TIME: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z", re.ASCII)


def secure(document: dict[str, Any], key: SigningKey, created: str) -> dict[str, Any]:
    """Return ``document`` with a proof by ``key``, made at ``created`` (RFC 3339, UTC) to assert what it says."""
    did = did_key(key.public)
    proof = {
        "type": "DataIntegrityProof",
        "cryptosuite": SUITE,
        "created": created,
        "verificationMethod": f"{did}#{did.removeprefix('did:key:')}",
        "proofPurpose": "assertionMethod",
    }
    if "@context" in document:
        proof["@context"] = document["@context"]
    return {**document, "proof": {**proof, "proofValue": to_base58(key.sign(signed_bytes(document, proof)))}}


def signed_bytes(document: dict[str, Any], proof: dict[str, Any]) -> bytes:
    """Return the 64 bytes that are signed: the digests of the proof without its value and of the bare document."""
    return sha256(canonical.encode(proof)).digest() + sha256(canonical.encode(document)).digest()


def verify(secured: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
    """Return the document without its proof and the public key that signed it, which the proof itself names.

    Whether that key may speak for anybody is the caller's to decide. Raises ``MalformedError`` for what is no such
    proof and ``VerificationError`` for one that does not hold.
    """
    proof = secured.get("proof")
    if not isinstance(proof, dict):
        raise MalformedError(f"proof: expected one proof, got {type(proof).__name__}", field="proof")
    document = {name: value for name, value in secured.items() if name != "proof"}
    if set(proof) - {"@context"} != _FIELDS or not all(isinstance(proof[name], str) for name in _FIELDS):
        raise MalformedError(f"proof: expected the texts {', '.join(sorted(_FIELDS))}, got other fields", field="proof")
    for name, expected in (
        ("type", "DataIntegrityProof"),
        ("cryptosuite", SUITE),
        ("proofPurpose", "assertionMethod"),
    ):
        if proof[name] != expected:
            raise MalformedError(f"proof.{name}: expected {expected}, got {proof[name]!r:.80}", field=f"proof.{name}")
    if not _TIME.fullmatch(proof["created"]):
        raise MalformedError(f"proof.created: expected a time in UTC, got {proof['created']!r:.80}")
    if "@context" in proof and proof["@context"] != document.get("@context"):
        raise VerificationError("proof.@context: expected the context of the document, got another")
    did, _, fragment = proof["verificationMethod"].partition("#")
    public = public_of(did, "proof.verificationMethod")
    if fragment != did.removeprefix("did:key:"):
        raise MalformedError("proof.verificationMethod: expected the one key of a did:key, got another fragment")
    signature = from_base58(proof["proofValue"], "proof.proofValue")
    bare = {name: value for name, value in proof.items() if name != "proofValue"}
    keys = KeySet()
    keys.verify(keys.add(public), signature, signed_bytes(document, bare))
    return document, public
