"""Ed25519 as foreign vectors see it: which signatures and keys hold, and which never do."""

from __future__ import annotations

import json
import stat
from pathlib import Path
from typing import Any

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from hypothesis import given
from hypothesis import strategies as st

from licet.errors import InputError, MalformedError, VerificationError
from licet.statements.keys import KeySet, SigningKey, key_id, public_key
from tests.sdk.statements.world import key

# All fourteen encodings of the eight points of small order, as C2SP CCTV lists them.
SMALL_ORDER = [
    "0000000000000000000000000000000000000000000000000000000000000000",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "0000000000000000000000000000000000000000000000000000000000000080",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    "0100000000000000000000000000000000000000000000000000000000000000",
    "0100000000000000000000000000000000000000000000000000000000000080",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
]


def _holds(public: bytes, signature: bytes, message: bytes) -> bool:
    try:
        KeySet([public]).verify(key_id(public), signature, message)
    except (VerificationError, MalformedError):
        return False
    return True


@pytest.mark.parametrize("public", SMALL_ORDER)
def test_no_key_of_small_order_is_usable_in_any_encoding(public):
    with pytest.raises(MalformedError, match="not of small order"):
        public_key(public)
    with pytest.raises(MalformedError, match="not of small order"):
        KeySet([bytes.fromhex(public)])


def test_wycheproof_agrees_on_every_signature(vectors: Path):
    groups = json.loads((vectors / "wycheproof/ed25519_test.json").read_text("utf-8"))["testGroups"]
    checked = 0
    for group in groups:
        public = bytes.fromhex(group["publicKey"]["pk"])
        for case in group["tests"]:
            holds = _holds(public, bytes.fromhex(case["sig"]), bytes.fromhex(case["msg"]))
            assert holds is (case["result"] == "valid"), case
            checked += 1
    assert checked == 151


def test_cctv_follows_the_profile(vectors: Path):
    """OpenSSL's profile (no non-canonical R, no residue of low order), less the keys of small order."""
    cases = json.loads((vectors / "cctv/ed25519vectors.json").read_text("utf-8"))
    flags_seen: set[str] = set()
    for case in cases:
        flags = set(case["flags"] or ())
        flags_seen |= flags
        public, signature = bytes.fromhex(case["key"]), bytes.fromhex(case["sig"])
        refused = {"low_order_A", "non_canonical_A", "non_canonical_R", "low_order_residue", "reencoded_k"}
        assert _holds(public, signature, case["msg"].encode()) is not bool(flags & refused), case
        assert ("low_order_A" in flags) is (case["key"] in SMALL_ORDER)
        if "reencoded_k" not in flags:  # with keys of small order those hold or not by chance
            openssl = {"non_canonical_R", "low_order_residue"}
            assert _openssl(public, signature, case["msg"].encode()) is not bool(flags & openssl), case
    assert flags_seen == refused | {"low_order_R", "low_order_component_A", "low_order_component_R"}
    assert len(cases) == 914


def _openssl(public: bytes, signature: bytes, message: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except InvalidSignature:
        return False
    return True


@given(st.binary(min_size=32, max_size=32))
def test_bytes_are_a_key_only_if_they_are_a_point(raw):
    try:
        assert public_key(raw.hex()) == raw
    except MalformedError:
        return
    # A point is half of all y: its negative shares the y, so the other sign bit is a key too.
    assert public_key((raw[:31] + bytes([raw[31] ^ 0x80])).hex())


@given(st.binary(min_size=32, max_size=32), st.binary(max_size=64))
def test_every_key_made_here_is_usable_and_signs(seed, message):
    signer = SigningKey.from_seed(seed)
    assert public_key(signer.public.hex()) == signer.public
    assert _holds(signer.public, signer.sign(message), message)
    assert not _holds(signer.public, signer.sign(message), message + b"!")
    assert signer.seed == seed


@pytest.mark.parametrize("text", ["", "00", "zz" * 32, "AB" * 32, "ab " * 32, " " + "ab" * 32, None, "02" + "00" * 31])
def test_a_public_key_has_one_spelling(text: Any):
    with pytest.raises(MalformedError, match="key: expected"):
        public_key(text, "key")


def test_a_key_file_is_private_and_never_overwritten(tmp_path):
    path = tmp_path / "deep" / "key.pem"
    signer = key("kept")
    signer.save(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert SigningKey.load(path).keyid == signer.keyid
    with pytest.raises(InputError, match="never overwritten"):
        SigningKey.generate().save(path)
    assert SigningKey.load(path).keyid == signer.keyid


def test_what_is_no_key_file_is_refused(tmp_path):
    other = ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    for content in (b"", b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", other):
        path = tmp_path / "key.pem"
        path.write_bytes(content)
        with pytest.raises(InputError, match="expected an Ed25519 private key"):
            SigningKey.load(path)
    with pytest.raises(InputError, match="expected an Ed25519 private key"):
        SigningKey.load(tmp_path / "none.pem")
    with pytest.raises(InputError, match="seed: expected 32 bytes"):
        SigningKey.from_seed(b"short")


def test_an_unknown_key_verifies_nothing():
    first, second = key("first"), key("second")
    keys = KeySet([first.public])
    with pytest.raises(VerificationError, match="expected a signature by a known key"):
        keys.verify(second.keyid, second.sign(b"x"), b"x")
    both = keys | KeySet([second.public])
    both.verify(second.keyid, second.sign(b"x"), b"x")
    assert second.keyid not in keys
    assert {first.keyid, second.keyid} <= {each for each in (first.keyid, second.keyid) if each in both}
