"""Passkey assertions (semantics 2; WebAuthn level 3): what W3C and Wycheproof say holds, and no other bytes."""

from __future__ import annotations

import json
import re
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st

from licet import canonical
from licet.canonical import to_base64
from licet.errors import LicetError, MalformedError, VerificationError
from licet.statements import envelope as envelopes
from licet.statements.keys import KeySet, SigningKey, keyid_of
from licet.statements.kinds import Consent, KeyRegister, PublicKey
from licet.statements.webauthn import (
    EDDSA,
    ES256,
    Assertion,
    Passkey,
    PasskeyVerifier,
    check_place,
    from_base64url,
    parse_authenticator_data,
    parse_client_data,
    to_base64url,
    verify_signature,
)
from tests.sdk.statements.passkey import ED, ORIGIN, RP_ID, UP, UV, Authenticator, sealed
from tests.sdk.statements.world import Account, Registry, key

ARTIST = Account(Registry(), "Su Tang")
# The W3C examples that a statement could be signed with if the user was verified, and why the others could not.
HOLDS = {"none-es256", "packed-self-es256", "none-es256-long-credential-id", "packed-es256"}
HOLDS |= {"packed-eddsa", "tpm-es256", "android-key-es256", "apple-es256", "fido-u2f-es256"}
FRAMED = {"none-es256-crossOrigin", "none-es256-topOrigin"}
_VALUE = re.compile(r"^(\w+) = h'([0-9a-f]*)'", re.MULTILINE)
OTHER_ALGORITHMS = {"packed-es384", "packed-es512", "packed-rs256", "packed-ed448"}


@pytest.mark.parametrize("cose", [ES256, EDDSA])
def test_a_passkey_signs_a_statement(cose):
    signer = Authenticator("hers", cose)
    envelope = envelopes.parse(envelopes.encode(sealed(ARTIST.consent(), signer)))
    keys = KeySet()
    assert keys.learn(signer.passkey) == signer.keyid
    assert envelopes.open_as(Consent, envelope, [signer.keyid], keys) == ARTIST.consent()
    assert set(json.loads(envelopes.encode(envelope))["signatures"][0]) == {"keyid", "sig", "webauthn"}


def test_statements_without_passkeys_keep_their_bytes():
    envelope = envelopes.seal(ARTIST.register(ARTIST.key), ARTIST.key)
    assert b"webauthn" not in envelopes.encode(envelope)
    plain = json.loads(envelope.body)["key"]
    assert plain == {"alg": "ed25519", "public": ARTIST.key.public.hex()}
    assert canonical.decode_as(KeyRegister, envelope.body) == ARTIST.register(ARTIST.key)


def test_one_public_key_as_passkey_and_bare_is_two_keys():
    signer = Authenticator("hers", EDDSA)
    bare = PublicKey(signer.passkey.public)
    assert keyid_of(bare) != signer.keyid
    message = b"DSSEv1 ..."
    signature, assertion = signer.answer(sha256(message).digest())
    keys = KeySet()
    keys.learn(signer.passkey)
    keys.learn(bare)
    keys.verify(signer.keyid, signature, message, assertion)
    with pytest.raises(VerificationError, match="expected a passkey's assertion"):
        keys.verify(signer.keyid, signer.sign(message), message)
    keys.verify(keyid_of(bare), signer.sign(message), message)
    with pytest.raises(VerificationError, match="expected a bare signature"):
        keys.verify(keyid_of(bare), signature, message, assertion)


def test_w3c_examples_hold_as_far_as_a_statement_may_be_signed_like_that(vectors: Path):
    examples = _examples(vectors / "webauthn-test-vectors.txt")
    assert set(examples) == HOLDS | FRAMED | OTHER_ALGORITHMS
    verified_users = 0
    for name, (registration, assertion) in examples.items():
        if name in OTHER_ALGORITHMS:
            with pytest.raises(MalformedError):
                _credential(registration)
            continue
        passkey = _credential(registration)
        answer = Assertion(to_base64(assertion["authenticatorData"]), to_base64(assertion["clientDataJSON"]))
        verifier = PasskeyVerifier(passkey)
        raw = assertion["authenticatorData"] + sha256(assertion["clientDataJSON"]).digest()
        verify_signature(verifier.public, assertion["signature"], raw)
        knows_user = parse_authenticator_data(assertion["authenticatorData"]).verified
        said = json.loads(assertion["clientDataJSON"])
        assert bool(name in FRAMED) is bool(said["crossOrigin"] or "topOrigin" in said), name
        if name in FRAMED:
            with pytest.raises(VerificationError, match="expected a page of its own"):
                verifier.verify_challenge(answer, assertion["signature"], assertion["challenge"])
        elif not knows_user:
            with pytest.raises(VerificationError, match="flag UV"):
                verifier.verify_challenge(answer, assertion["signature"], assertion["challenge"])
        else:
            verifier.verify_challenge(answer, assertion["signature"], assertion["challenge"])
            verified_users += 1
    assert verified_users >= 2


def test_wycheproof_agrees_on_every_p256_signature(vectors: Path):
    groups = json.loads((vectors / "wycheproof/ecdsa_secp256r1_sha256_test.json").read_text("utf-8"))["testGroups"]
    checked = high = 0
    for group in groups:
        raw = bytes.fromhex(group["publicKey"]["uncompressed"])
        public = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), raw)
        PasskeyVerifier(Passkey(ES256, raw.hex(), "ab" * 16, RP_ID, [ORIGIN]))
        for case in group["tests"]:
            try:
                verify_signature(public, bytes.fromhex(case["sig"]), bytes.fromhex(case["msg"]))
                holds = True
            except VerificationError:
                holds = False
            assert holds is (case["result"] == "valid"), case
            checked += 1
            high += holds
    assert (checked, high) == (484, 174)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"public": "04" + "00" * 64}, "a point on P-256"),
        ({"public": "02" + "ab" * 32}, "uncompressed point"),
        ({"public": "AB" * 65}, "lower-case hex"),
        ({"public": "zz"}, "lower-case hex"),
        ({"cose": EDDSA, "public": "01" + "00" * 31}, "not of small order"),
        ({"cose": EDDSA}, "Ed25519 public key"),
        ({"credential": "ab" * 15}, "16 to 1023 bytes"),
        ({"credential": "ab" * 1024}, "16 to 1023 bytes"),
        ({"rp_id": "Registry.example"}, "host name in lower case"),
        ({"rp_id": "xregistry.example"}, "origins within"),
        ({"origins": []}, "expected 1 to 8"),
        ({"origins": [ORIGIN, ORIGIN]}, "each once"),
        ({"origins": ["https://b.registry.example", "https://a.registry.example"]}, "sorted"),
        ({"origins": [f"https://{number}.registry.example" for number in range(9)]}, "expected 1 to 8"),
        ({"origins": ["http://registry.example"]}, "https origins"),
        ({"origins": ["https://registry.example/"]}, "https origins"),
        ({"origins": ["https://registry.example@evil.example"]}, "https origins"),
        ({"origins": ["https://evil-registry.example"]}, "https origins"),
        ({"origins": ["https://registry.example:99999"]}, "https origins"),
        ({"origins": ["https://REGISTRY.example"]}, "https origins"),
    ],
)
def test_a_passkey_is_usable_only_as_published(change, message):
    passkey = msgspec.structs.replace(Authenticator("hers").passkey, **change)
    with pytest.raises(MalformedError, match=re.escape(message)):
        KeySet().learn(passkey)


def test_origins_may_have_ports_and_lie_in_subdomains():
    check_place("registry.example", ["https://registry.example", "https://www.registry.example:8443"])
    check_place("localhost", ["http://localhost:8000"])


@given(st.binary(max_size=80) | st.binary(max_size=40).map(lambda tail: bytes(32) + b"\x85" + bytes(4) + tail))
def test_authenticator_data_parses_or_is_malformed(data):
    try:
        parsed = parse_authenticator_data(data)
    except MalformedError:
        return
    assert data[:32] == parsed.rp_id_hash
    assert parsed.flags == data[32]
    assert len(data) == 37 or parsed.flags & ED


_JSON: Any = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=True) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
_FIELDS = st.fixed_dictionaries(
    {},
    optional={
        name: _JSON | st.sampled_from(["webauthn.get", "AA", ORIGIN, True])
        for name in ("type", "challenge", "origin", "crossOrigin", "topOrigin", "other")
    },
)


@given(st.binary(max_size=200) | st.text(max_size=60).map(str.encode) | _FIELDS.map(lambda v: json.dumps(v).encode()))
def test_client_data_parses_or_is_malformed(data):
    try:
        parsed = parse_client_data(data)
    except MalformedError:
        return
    said = json.loads(data)
    assert (said["type"], said["origin"]) == (parsed.type, parsed.origin)
    assert from_base64url(said["challenge"], "challenge") == parsed.challenge


@pytest.mark.parametrize(
    "data", [b"[" * 5000, b'{"type":' * 900, b"1" * 5000, b'{"a":NaN}', b"\xef\xbb\xbf{}", b"\xff", b" " * 9000]
)
def test_client_data_of_ill_will_is_malformed(data):
    with pytest.raises(MalformedError, match="clientDataJSON: expected"):
        parse_client_data(data)


@given(st.data())
def test_no_changed_byte_of_an_assertion_holds(data):
    signer = Authenticator("hers", data.draw(st.sampled_from([ES256, EDDSA])))
    message = b"statement"
    signature, assertion = signer.answer(sha256(message).digest(), flags=UP | UV)
    raw = {"sig": signature}
    raw["auth"] = canonical.from_base64(assertion.authenticator_data)
    raw["client"] = canonical.from_base64(assertion.client_data)
    part = data.draw(st.sampled_from(sorted(raw)))
    place = data.draw(st.integers(0, len(raw[part]) - 1))
    bit = 1 << data.draw(st.integers(0, 7))
    raw[part] = raw[part][:place] + bytes([raw[part][place] ^ bit]) + raw[part][place + 1 :]
    keys = KeySet()
    keys.learn(signer.passkey)
    with pytest.raises(LicetError):
        keys.verify(signer.keyid, raw["sig"], message, Assertion(to_base64(raw["auth"]), to_base64(raw["client"])))


@given(st.binary(max_size=40))
def test_base64url_has_one_spelling(data):
    text = to_base64url(data)
    assert from_base64url(text, "x") == data
    for other in (text + "=", text + "\n", text.replace("-", "+").replace("_", "/") + "+"):
        with pytest.raises(MalformedError):
            from_base64url(other, "x")


def test_a_passkey_in_the_name_of_another_key_is_unknown():
    signer, other = Authenticator("hers"), SigningKey.generate()
    envelope = sealed(ARTIST.consent(), signer)
    with pytest.raises(VerificationError, match="expected keys"):
        envelopes.open_as(Consent, envelope, [other.keyid], KeySet([other.public]))
    moved = msgspec.structs.replace(signer.passkey, origins=["https://other.registry.example"])
    assert keyid_of(moved) != signer.keyid
    assert key("x").keyid not in KeySet()


def _examples(path: Path) -> dict[str, tuple[dict[str, bytes], dict[str, bytes]]]:
    """Registration and authentication of every example, by the end of its anchor."""
    found = {}
    for part in re.split(r"^## .*?\{#sctn-test-vectors-", path.read_text("utf-8"), flags=re.MULTILINE)[1:]:
        name = part.partition("}")[0]
        blocks = re.findall(r"<xmp.*?>(.*?)</xmp>", part, flags=re.DOTALL)
        read = [{field: bytes.fromhex(value) for field, value in _VALUE.findall(block)} for block in blocks]
        if len(read) >= 2 and "attestationObject" in read[0]:
            found[name] = (read[0], read[1])
    return found


def _credential(registration: dict[str, bytes]) -> Passkey:
    """The passkey of a registration, out of its attestation object by the layout that COSE keys have."""
    attested = registration["attestationObject"]
    start = attested.index(sha256(b"example.org").digest())
    length = int.from_bytes(attested[start + 53 : start + 55], "big")
    credential = attested[start + 55 : start + 55 + length]
    cose = attested[start + 55 + length :]
    if cose.startswith(bytes.fromhex("a5010203262001215820")):
        x, y = cose[10:42], cose[45:77]
        return Passkey(ES256, (b"\x04" + x + y).hex(), credential.hex(), "example.org", ["https://example.org"])
    if cose.startswith(bytes.fromhex("a4010103272006215820")):
        return Passkey(EDDSA, cose[10:42].hex(), credential.hex(), "example.org", ["https://example.org"])
    raise MalformedError("expected a key that may sign")
