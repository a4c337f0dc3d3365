"""eddsa-jcs-2022 gives the bytes that the W3C published, and refuses every way to lie about a signed document."""

from __future__ import annotations

import copy
import json
from hashlib import sha256
from pathlib import Path

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from licet import canonical
from licet.errors import MalformedError, VerificationError
from licet.exports import integrity
from licet.exports.multikey import did_key, from_base58, public_of, to_base58
from licet.statements.keys import SigningKey

FOLDER = Path(__file__).parents[4] / "shared" / "vectors" / "eddsa-jcs-2022"
if not FOLDER.is_dir():
    pytest.skip("the foreign test vectors (../shared/vectors) are not on this machine", allow_module_level=True)


def _text(name: str) -> str:
    return (FOLDER / name).read_text().strip()


PAIR = json.loads(_text("keyPair.json"))
KEY = SigningKey.from_seed(from_base58(PAIR["privateKeyMultibase"], "private")[2:])
SIGNED = json.loads(_text("signedJCS.json"))
BARE = {name: value for name, value in SIGNED.items() if name != "proof"}
CONFIG = json.loads(_text("proofConfigJCS.json"))


def test_every_published_step_comes_out():
    assert did_key(KEY.public) == f"did:key:{PAIR['publicKeyMultibase']}"
    assert canonical.encode(BARE).decode() == _text("canonDocJCS.txt")
    assert canonical.encode(CONFIG).decode() == _text("proofCanonJCS.txt")
    assert sha256(canonical.encode(BARE)).hexdigest() == _text("docHashJCS.txt")
    assert sha256(canonical.encode(CONFIG)).hexdigest() == _text("proofHashJCS.txt")
    signed = integrity.signed_bytes(BARE, CONFIG)
    assert signed.hex() == _text("combinedHashJCS.txt")
    assert KEY.sign(signed).hex() == _text("sigHexJCS.txt")
    assert to_base58(KEY.sign(signed)) == _text("sigBTC58JCS.txt")
    assert integrity.secure(BARE, KEY, CONFIG["created"]) == SIGNED
    assert integrity.verify(SIGNED) == (BARE, KEY.public)


def test_an_independent_jcs_signs_the_same_bytes():
    expected = sha256(rfc8785.dumps(CONFIG)).digest() + sha256(rfc8785.dumps(BARE)).digest()
    assert integrity.signed_bytes(BARE, CONFIG) == expected


OTHER = did_key(SigningKey.from_seed(bytes(32)).public)
LIES = {
    "another claim": (VerificationError, ["credentialSubject", "alumniOf"], "Another School"),
    "another issuer": (VerificationError, ["issuer"], "https://vc.example/issuers/1"),
    "another time": (VerificationError, ["proof", "created"], "2023-02-24T23:36:39Z"),
    "no time": (MalformedError, ["proof", "created"], "yesterday"),
    "another context": (VerificationError, ["@context"], ["https://www.w3.org/ns/credentials/v2"]),
    "another context of the proof": (VerificationError, ["proof", "@context"], []),
    "another key": (VerificationError, ["proof", "verificationMethod"], f"{OTHER}#{OTHER[8:]}"),
    "two keys": (MalformedError, ["proof", "verificationMethod"], f"{OTHER}#{PAIR['publicKeyMultibase']}"),
    "a key on the web": (MalformedError, ["proof", "verificationMethod"], "https://vc.example/key#1"),
    "another suite": (MalformedError, ["proof", "cryptosuite"], "eddsa-rdfc-2022"),
    "another purpose": (MalformedError, ["proof", "proofPurpose"], "authentication"),
    "another type": (MalformedError, ["proof", "type"], "Ed25519Signature2020"),
    "a short signature": (VerificationError, ["proof", "proofValue"], "z2"),
    "a signature in base64": (MalformedError, ["proof", "proofValue"], "mAAAA"),
    "a set of proofs": (MalformedError, ["proof"], [SIGNED["proof"]]),
    "a field that nobody knows": (MalformedError, ["proof", "expires"], "2030-01-01T00:00:00Z"),
}


@pytest.mark.parametrize("lie", LIES)
def test_a_lie_is_refused(lie):
    error, path, value = LIES[lie]
    forged = copy.deepcopy(SIGNED)
    place = forged
    for name in path[:-1]:
        place = place[name]
    place[path[-1]] = value
    with pytest.raises(error):
        integrity.verify(forged)


@given(st.binary(max_size=80))
def test_base58_has_one_spelling_a_value(data):
    if data:
        assert from_base58(to_base58(data), "x") == data


@given(st.text(max_size=60) | st.text("z123456789ABCabc", max_size=60))
def test_what_is_no_key_is_malformed(text):
    with pytest.raises(MalformedError):
        public_of(f"did:key:{text}", "key")
