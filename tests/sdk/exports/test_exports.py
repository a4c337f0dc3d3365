"""Receipts, signed statements and credentials: each proves what it says, and every way to lie is refused."""

from __future__ import annotations

import json
from typing import Any

import cbor2
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from licet import canonical
from licet.errors import InputError, LicetError, MalformedError, VerificationError
from licet.exports import cose, integrity, receipt, signing
from licet.exports.credential import consent_credential, verify_credential
from licet.exports.multikey import did_key
from licet.exports.reading import verify_any
from licet.exports.signed_statement import RECEIPTS, STATEMENT, signed_statement, verify_signed_statement
from licet.log import proof as proofs
from licet.statements import envelope as envelopes
from tests.sdk.statements.world import Account, Registry, key

REGISTRY = Registry()
ARTIST = Account(REGISTRY, "Su Tang")
AT = REGISTRY.log.add(envelopes.seal(ARTIST.consent(), ARTIST.key))
NEXT = REGISTRY.log.add(envelopes.seal(ARTIST.consent(), ARTIST.key))
FILE = REGISTRY.file(AT, ARTIST.genesis_index)
ENTRY = receipt.entry_of(FILE)
LOG = REGISTRY.log.signer.verifier
LOG_KEY = REGISTRY.working["log"]
PROOF = proofs.parse(FILE.proof)
RECEIPT = receipt.issue(PROOF, LOG, LOG_KEY)
SCITT = signed_statement(FILE, ARTIST.key, [RECEIPT])
CREDENTIAL = consent_credential(FILE, ARTIST.key)
VC = msgspec.json.encode(CREDENTIAL)
OTHER = Registry("two")


def _message(data: bytes) -> list[Any]:
    parts: list[Any] = cbor2.loads(data).value
    return [cbor2.loads(parts[0]), *parts[1:]]


def _signed(protected: dict[Any, Any], unprotected: dict[Any, Any], payload: bytes, by: Any, **more: Any) -> bytes:
    return cose.sign(protected, unprotected, payload, by, **more)


# -- receipts ------------------------------------------------------------------------------------------------------


def test_a_receipt_places_the_entry_where_the_proof_does():
    placed = receipt.verify(RECEIPT, ENTRY, LOG)
    assert (placed.index, placed.size) == (AT, NEXT + 1)


def test_a_receipt_has_the_shape_of_the_rfc():
    protected, unprotected, payload, signature = _message(RECEIPT)
    assert cbor2.loads(RECEIPT).tag == 18
    assert protected == {1: -8, 4: bytes.fromhex(LOG_KEY.keyid), 15: {1: REGISTRY.origin}, 395: 1}
    [content] = unprotected[396][-1]
    assert cbor2.loads(content) == [NEXT + 1, AT, list(PROOF.hashes)]
    assert payload is None
    assert len(signature) == 64


def test_only_a_checkpoint_that_the_log_signed_becomes_a_receipt():
    with pytest.raises(VerificationError):
        receipt.issue(PROOF, OTHER.log.signer.verifier, OTHER.working["log"])
    with pytest.raises(VerificationError, match="the key that signs"):
        receipt.issue(PROOF, LOG, OTHER.working["log"])


PROTECTED, UNPROTECTED, _, SIGNATURE = _message(RECEIPT)
ROOT = receipt.verify(RECEIPT, ENTRY, LOG).root


def _receipt(protected: dict[Any, Any], content: Any, root: bytes = ROOT, by: Any = LOG_KEY, **more: Any) -> bytes:
    shown = {396: {-1: [content if isinstance(content, bytes) else cbor2.dumps(content, canonical=True)]}}
    return _signed(protected, shown, root, by, **{"detached": True, **more})


GOOD: list[Any] = [NEXT + 1, AT, list(PROOF.hashes)]
RECEIPT_LIES = {
    "another place": _receipt(PROTECTED, [NEXT + 1, NEXT, GOOD[2]]),
    "a place outside": _receipt(PROTECTED, [NEXT + 1, NEXT + 1, GOOD[2]]),
    "another size": _receipt(PROTECTED, [NEXT + 9, AT, GOOD[2]]),
    "a path cut short": _receipt(PROTECTED, [NEXT + 1, AT, GOOD[2][:-1]]),
    "a path with a short hash": _receipt(PROTECTED, [NEXT + 1, AT, [*GOOD[2][:-1], b"x"]]),
    "no path": _receipt(PROTECTED, [1, 0, []]),
    "a negative place": _receipt(PROTECTED, [NEXT + 1, -1, GOOD[2]]),
    "a text as size": _receipt(PROTECTED, ["7", AT, GOOD[2]]),
    "another root": _receipt(PROTECTED, GOOD, bytes(32)),
    "another key": _receipt(PROTECTED, GOOD, by=OTHER.working["log"]),
    "the key id of another": _receipt({**PROTECTED, 4: bytes(32)}, GOOD),
    "another issuer": _receipt({**PROTECTED, 15: {1: OTHER.origin}}, GOOD),
    "another structure": _receipt({**PROTECTED, 395: 2}, GOOD),
    "no structure": _receipt({each: PROTECTED[each] for each in (1, 4, 15)}, GOOD),
    "one more signed header": _receipt({**PROTECTED, 3: "text/plain"}, GOOD),
    "an attached root": _receipt(PROTECTED, GOOD, detached=False),
    "one more unsigned header": _signed(PROTECTED, {**UNPROTECTED, 4: b""}, ROOT, LOG_KEY, detached=True),
    "a consistency proof": _signed(PROTECTED, {396: {-2: UNPROTECTED[396][-1]}}, ROOT, LOG_KEY, detached=True),
    "two proofs": _signed(PROTECTED, {396: {-1: UNPROTECTED[396][-1] * 2}}, ROOT, LOG_KEY, detached=True),
    "a proof in long numbers": _receipt(PROTECTED, b"\x83\x18\x07" + cbor2.dumps(GOOD)[2:]),
    "a checkpoint's signature": cbor2.dumps(
        cbor2.CBORTag(18, [cbor2.dumps(PROTECTED, canonical=True), UNPROTECTED, None, bytes(64)]), canonical=True
    ),
    "another algorithm": cbor2.dumps(
        cbor2.CBORTag(18, [cbor2.dumps({**PROTECTED, 1: -7}, canonical=True), UNPROTECTED, None, SIGNATURE])
    ),
    "unsorted headers": cbor2.dumps(
        cbor2.CBORTag(18, [cbor2.dumps(dict(reversed(PROTECTED.items()))), UNPROTECTED, None, SIGNATURE])
    ),
    "no tag": RECEIPT[1:],
    "a byte more": RECEIPT + b"\0",
    "nothing": b"",
}


@pytest.mark.parametrize("lie", RECEIPT_LIES)
def test_a_receipt_that_lies_is_refused(lie):
    with pytest.raises((MalformedError, VerificationError)):
        receipt.verify(RECEIPT_LIES[lie], ENTRY, LOG)


def test_a_receipt_of_another_entry_or_log_is_refused():
    for entry, log in ((ENTRY + b" ", LOG), (b"", LOG), (ENTRY, OTHER.log.signer.verifier)):
        with pytest.raises(VerificationError):
            receipt.verify(RECEIPT, entry, log)


@given(st.integers(0, len(RECEIPT) - 1), st.integers(1, 255))
def test_no_byte_of_a_receipt_can_change(place, change):
    forged = bytearray(RECEIPT)
    forged[place] ^= change
    with pytest.raises((MalformedError, VerificationError)):
        receipt.verify(bytes(forged), ENTRY, LOG)


# -- CBOR ----------------------------------------------------------------------------------------------------------


@given(st.binary(max_size=200) | st.binary(max_size=60).map(lambda tail: b"\xd2\x84" + tail))
def test_foreign_bytes_become_one_of_our_errors(data):
    for call in (lambda: cose.parse(data), lambda: verify_any(data, None), lambda: receipt.verify(data, ENTRY, LOG)):
        with pytest.raises(LicetError):
            call()


VALUES = st.recursive(
    st.none() | st.integers(-(2**63), 2**63 - 1) | st.binary(max_size=20) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.integers(-99, 999), inner, max_size=4),
    max_leaves=5,
)


@given(VALUES)
def test_deterministic_cbor_reads_back(value):
    assert cose.from_cbor(cose.to_cbor(value)) == value


BAD_CBOR = {
    "a float": "f93c00",
    "true, which equals 1": "f5",
    "undefined": "f7",
    "a tag": "c11a514b67b0",
    "a bignum": "c249010000000000000000",
    "an indefinite array": "9f01ff",
    "an indefinite string": "5f4101ff",
    "a long number": "1801",
    "a number in nine bytes": "1b0000000000000001",
    "keys out of order": "a202010101",
    "a key twice": "a201010102",
    "a string too short": "5affffffff00",
    "an array too short": "9affffffff00",
    "a map too short": "bbffffffffffffffff",
    "text that is no UTF-8": "61ff",
    "two values": "0101",
    "nothing": "",
    "depth": "81" * 40 + "01",
    "many": "99ffff" + "00" * 65535,
}


@pytest.mark.parametrize("what", BAD_CBOR)
def test_cbor_outside_the_profile_is_malformed(what):
    with pytest.raises(MalformedError):
        cose.from_cbor(bytes.fromhex(BAD_CBOR[what]))


# -- SCITT signed statements ---------------------------------------------------------------------------------------


def test_a_signed_statement_verifies_under_the_pinned_root_and_names_its_receipts():
    verified, checks = verify_signed_statement(SCITT, REGISTRY.trust)
    assert verified.anchored
    assert verified.log_index == AT
    assert [each.split(" ")[1:3] for each in checks] == [["signed", "statement"], ["COSE", "receipt"]]
    bare, fewer = verify_any(signed_statement(FILE, ARTIST.key), REGISTRY.trust)
    assert bare.verified
    assert len(fewer) == 1


def test_the_receipt_in_a_signed_statement_is_about_its_payload():
    _, unprotected, payload, _ = _message(SCITT)
    assert payload == ENTRY
    assert receipt.verify(unprotected[RECEIPTS][0], payload, LOG).index == AT


def test_only_the_signer_exports_and_only_what_holds():
    for export in (signed_statement, consent_credential):
        with pytest.raises(InputError, match="the key that signed the statement"):
            export(FILE, key("somebody else"))
        with pytest.raises(VerificationError):
            export(msgspec.structs.replace(FILE, proof=REGISTRY.log.proof(NEXT)), ARTIST.key)
    with pytest.raises(VerificationError):
        signed_statement(REGISTRY.file(NEXT, ARTIST.genesis_index), ARTIST.key, [RECEIPT])
    with pytest.raises(InputError, match="expected a consent"):
        consent_credential(REGISTRY.file(ARTIST.genesis_index), ARTIST.key)


HEAD, BESIDE, _, _ = _message(SCITT)
SOMEBODY = key("somebody else")
STATEMENT_LIES = {
    "another payload": _signed(HEAD, BESIDE, ENTRY + b" ", ARTIST.key),
    "another signer": _signed(HEAD, BESIDE, ENTRY, SOMEBODY),
    "another issuer": _signed(
        {**HEAD, 4: b"x", 15: {1: did_key(SOMEBODY.public), 2: HEAD[15][2]}}, BESIDE, ENTRY, SOMEBODY
    ),
    "an issuer that is no key": _signed(
        {**HEAD, 15: {1: "did:web:x.example", 2: HEAD[15][2]}}, BESIDE, ENTRY, ARTIST.key
    ),
    "no claims": _signed({each: HEAD[each] for each in (1, 3, 4)}, BESIDE, ENTRY, ARTIST.key),
    "another subject": _signed({**HEAD, 15: {1: HEAD[15][1], 2: "ni:///sha-256;x"}}, BESIDE, ENTRY, ARTIST.key),
    "another content type": _signed({**HEAD, 3: "text/plain"}, BESIDE, ENTRY, ARTIST.key),
    "another statement": _signed(
        HEAD, {STATEMENT: canonical.encode(REGISTRY.file(NEXT, ARTIST.genesis_index))}, ENTRY, ARTIST.key
    ),
    "no statement": _signed(HEAD, {RECEIPTS: [RECEIPT]}, ENTRY, ARTIST.key),
    "one more unsigned header": _signed(HEAD, {**BESIDE, 4: b""}, ENTRY, ARTIST.key),
    "no receipt in the list": _signed(HEAD, {**BESIDE, RECEIPTS: []}, ENTRY, ARTIST.key),
    "a receipt that is none": _signed(HEAD, {**BESIDE, RECEIPTS: [b"x"]}, ENTRY, ARTIST.key),
    "a receipt that is a text": _signed(HEAD, {**BESIDE, RECEIPTS: ["x"]}, ENTRY, ARTIST.key),
    "a receipt of another log": _signed(
        HEAD, {**BESIDE, RECEIPTS: [_receipt(PROTECTED, GOOD, by=OTHER.working["log"])]}, ENTRY, ARTIST.key
    ),
    "a receipt of another entry": _signed(
        HEAD,
        {**BESIDE, RECEIPTS: [receipt.issue(proofs.parse(REGISTRY.log.proof(NEXT)), LOG, LOG_KEY)]},
        ENTRY,
        ARTIST.key,
    ),
    "a detached payload": _signed(HEAD, BESIDE, ENTRY, ARTIST.key, detached=True),
}


@pytest.mark.parametrize("lie", STATEMENT_LIES)
def test_a_signed_statement_that_lies_is_refused(lie):
    with pytest.raises((MalformedError, VerificationError)):
        verify_signed_statement(STATEMENT_LIES[lie], REGISTRY.trust)


def test_a_whole_signed_statement_of_another_registry_is_refused():
    with pytest.raises(VerificationError):
        verify_signed_statement(SCITT, OTHER.trust)
    with pytest.raises(VerificationError):
        verify_credential(VC, OTHER.trust)


# -- credentials ---------------------------------------------------------------------------------------------------


def test_a_credential_says_what_the_consent_says_in_any_spelling():
    for data in (VC, json.dumps(CREDENTIAL, indent=2).encode(), canonical.encode(CREDENTIAL)):
        verified, [check] = verify_any(data, REGISTRY.trust)
        assert verified.anchored
        assert integrity.SUITE in check
    subject = CREDENTIAL["credentialSubject"]["consent"]
    assert (subject["terms"], subject["log_index"]) == (verified.payload.terms, AT)
    assert CREDENTIAL["issuer"] == did_key(ARTIST.key.public)


def test_contexts_are_text_which_every_library_can_compare():
    assert all(isinstance(each, str) for each in CREDENTIAL["@context"])
    assert CREDENTIAL["proof"]["@context"] == CREDENTIAL["@context"]


def test_a_claim_that_the_consent_does_not_make_is_refused_though_its_signer_signs_it():
    bare = {name: value for name, value in CREDENTIAL.items() if name != "proof"}
    consent = bare["credentialSubject"]["consent"]
    for name, value in (
        ("credentialSubject", {**bare["credentialSubject"], "consent": {**consent, "log_index": AT + 1}}),
        ("credentialSubject", {**bare["credentialSubject"], "consent": {**consent, "terms": {}}}),
        ("credentialSubject", {**bare["credentialSubject"], "id": "did:example:x"}),
        ("issuer", "did:example:x"),
        ("id", "ni:///sha-256;x"),
        ("validFrom", "2020-01-01T00:00:00Z"),
        ("validUntil", "2030-01-01T00:00:00Z"),
        ("type", ["VerifiableCredential"]),
        ("@context", ["https://www.w3.org/ns/credentials/v2"]),
        ("evidence", {**bare["evidence"], "type": "x"}),
    ):
        forged = integrity.secure({**bare, name: value}, ARTIST.key, "2026-12-01T00:00:00Z")
        with pytest.raises(VerificationError, match=name):
            verify_credential(canonical.encode(forged), REGISTRY.trust)


def test_a_credential_by_somebody_else_or_without_evidence_is_refused():
    bare = {name: value for name, value in CREDENTIAL.items() if name != "proof"}
    for document, by in ((bare, SOMEBODY), ({**bare, "evidence": {}}, ARTIST.key)):
        forged = canonical.encode(integrity.secure(document, by, "2026-12-01T00:00:00Z"))
        with pytest.raises((MalformedError, VerificationError)):
            verify_credential(forged, REGISTRY.trust)


@pytest.mark.parametrize(
    "data",
    [b"", b"[]", b"{", b'{"a":1,"a":1}', b'{"a":1.5}', b'{"\xc3\xa9":1}', b"\xff", b"[" * 100_000, b'{"a":"\\ud800"}'],
)
def test_a_credential_that_does_not_parse_is_malformed(data):
    with pytest.raises(MalformedError):
        verify_credential(data, None)


@given(st.integers(0, len(VC) - 1), st.integers(1, 127))
def test_no_byte_of_a_credential_can_change_what_it_proves(place, change):
    forged = bytearray(VC)
    forged[place] ^= change
    try:
        verified, _ = verify_credential(bytes(forged), REGISTRY.trust)
    except (MalformedError, VerificationError):
        return
    assert json.loads(forged) == json.loads(VC)
    assert verified.log_index == AT


def test_a_receipt_asks_for_the_statement_that_it_is_about():
    verified, [check] = verify_any(RECEIPT, REGISTRY.trust, about=canonical.encode(FILE))
    assert verified.verified
    assert check == f"a COSE receipt for entry {AT} of {NEXT + 1}"
    with pytest.raises(InputError, match="--entry"):
        verify_any(RECEIPT, REGISTRY.trust)


def test_the_name_of_a_statement_is_the_digest_of_its_payload():
    assert signing.subject(FILE).startswith("ni:///sha-256;")
    assert CREDENTIAL["id"] == signing.subject(FILE) == HEAD[15][2]
