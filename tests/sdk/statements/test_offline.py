"""Receipts and statement files under fire: not one byte of them can change unnoticed."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from licet import canonical
from licet.errors import InputError, MalformedError, VerificationError
from licet.statements import envelope as envelopes
from licet.statements.receipt import verify_receipt
from licet.statements.statement_file import verify_statement_file
from licet.statements.trust import Trust, verify_registry_keys
from licet.wire.common import StatementFile
from tests.sdk.statements.world import Account, Registry, key

REGISTRY = Registry()
ARTIST = Account(REGISTRY, "Su Tang")
CONSENT = envelopes.seal(ARTIST.consent(), ARTIST.key)
AT = REGISTRY.log.add(CONSENT)
FILE = REGISTRY.file(AT, ARTIST.genesis_index)
BYTES = canonical.encode(FILE)
KEYS = verify_registry_keys(REGISTRY.trust, REGISTRY.keys())


def _verify(data: bytes) -> Any:
    return verify_statement_file(canonical.decode_as(StatementFile, data), REGISTRY.trust)


@given(st.integers(0, len(BYTES) - 1), st.integers(1, 255))
def test_no_single_byte_of_a_statement_file_can_change(place, change):
    forged = bytearray(BYTES)
    forged[place] ^= change
    with pytest.raises((MalformedError, VerificationError)):
        _verify(bytes(forged))


@given(st.integers(0, len(BYTES) - 1))
def test_a_file_cut_short_is_malformed(length):
    with pytest.raises(MalformedError):
        _verify(BYTES[:length])


PATHS = [
    ("salt",),
    ("entry",),
    ("proof",),
    ("envelope", "payload"),
    ("envelope", "payloadType"),
    ("envelope", "signatures", 0, "sig"),
    ("keys", 0, "proof"),
    ("keys", 4, "salt"),
    ("keys", 4, "envelope", "payload"),
]
OTHER = st.none() | st.integers() | st.text(max_size=60) | st.sampled_from((FILE.proof, FILE.entry, FILE.salt, "AAAA"))


@given(st.sampled_from(PATHS), OTHER)
def test_no_other_value_in_any_member_is_believed_or_raises_anything_else(path, value):
    forged: Any = msgspec.to_builtins(FILE)
    inner = forged
    for step in path[:-1]:
        inner = inner[step]
    if inner[path[-1]] == value or (isinstance(value, int) and abs(value) >= 2**53):
        return
    inner[path[-1]] = value
    try:
        data = canonical.encode(forged)
    except InputError:
        return
    with pytest.raises((MalformedError, VerificationError)):
        _verify(data)


def test_what_holds_says_what_was_checked():
    verified = _verify(BYTES)
    assert verified.payload == ARTIST.consent()
    assert (verified.kind, verified.log_index, verified.anchored) == ("consent", AT, True)
    assert REGISTRY.root.keyid in verified.checks[0]
    assert f"entry {AT} of {AT + 1}" in verified.checks[1]
    assert ARTIST.key.keyid in verified.checks[2]
    assert verified.logged_at == "2026-12-01T00:05:00.000Z"


def test_a_receipt_holds_for_its_own_statement_alone():
    receipt = REGISTRY.log.receipt(AT, "stm_x")
    assert verify_receipt(receipt, CONSENT, KEYS) == AT
    other = envelopes.seal(ARTIST.consent(nonce="another"), ARTIST.key)
    lies = [
        (receipt, other, "commits to another statement"),
        (msgspec.structs.replace(receipt, kind="licence"), CONSENT, "got one for a licence"),
        (msgspec.structs.replace(receipt, log_index=AT - 1), CONSENT, f"expected log index {AT - 1}"),
        (REGISTRY.log.receipt(ARTIST.genesis_index, "art_x"), CONSENT, "got one for a key-register"),
        (msgspec.structs.replace(receipt, salt=None), CONSENT, "salt"),
        (msgspec.structs.replace(receipt, proof=REGISTRY.log.proof(0)), CONSENT, "inclusion proof"),
    ]
    for lie, envelope, message in lies:
        with pytest.raises((MalformedError, VerificationError), match=message):
            verify_receipt(lie, envelope, KEYS)
    elsewhere = Registry("two")
    with pytest.raises(VerificationError):
        verify_receipt(receipt, CONSENT, verify_registry_keys(elsewhere.trust, elsewhere.keys()))


def test_the_newest_key_for_a_purpose_signs_and_the_older_one_did():
    registry = Registry()
    newer = key("newer licence")
    registry.key_indices.append(registry.name_key("licence", newer))
    keys = verify_registry_keys(registry.trust, registry.keys())
    older = registry.working["licence"].keyid
    assert keys.licence == newer.keyid
    assert keys.signer("licence", 4, "2026-12-01T00:00:00.000Z") == older
    assert keys.signer("licence", 5, "2026-12-01T00:00:00.000Z") == newer.keyid
    assert (keys.snapshot, keys.office) == (registry.working["snapshot"].keyid, registry.working["office"].keyid)
    with pytest.raises(VerificationError, match="for licence before log index 2"):
        keys.signer("licence", 2, "2026-12-01T00:00:00.000Z")
    with pytest.raises(VerificationError, match="valid at 2025"):
        keys.signer("licence", 5, "2025-12-01T00:00:00.000Z")


def test_a_key_signs_until_just_before_its_end():
    registry = Registry()
    registry.key_indices.append(registry.name_key("office", key("brief"), valid_until="2026-12-01T00:10:00.000Z"))
    registry.key_indices.append(registry.end_key(registry.working["office"].keyid))
    keys = verify_registry_keys(registry.trust, registry.keys())
    assert keys.signer("office", 9, "2026-12-01T00:09:59.999Z") == key("brief").keyid
    with pytest.raises(VerificationError, match="valid at 2026-12-01T00:10"):
        keys.signer("office", 9, "2026-12-01T00:10:00.000Z")
    before = "2026-12-01T00:05:00.000Z"
    assert keys.is_office(registry.working["office"].keyid, 4, before)
    assert not keys.is_office(registry.working["office"].keyid, 5, before)
    assert not keys.is_office(key("brief").keyid, 4, before)


def test_the_root_never_works_itself():
    registry = Registry()
    registry.key_indices.append(registry.name_key("office", registry.root))
    with pytest.raises(VerificationError, match="a different key for each purpose"):
        verify_registry_keys(registry.trust, registry.keys())


def test_a_newer_log_key_speaks_for_the_whole_log():
    registry = Registry()
    registry.key_indices.append(registry.name_key("log", key("newer log")))
    registry.log.signer = type(registry.log.signer)(registry.origin, key("newer log").seed)
    keys = verify_registry_keys(registry.trust, registry.keys())
    assert keys.log.public_key == key("newer log").public


@pytest.mark.parametrize("root", ["", "00" * 32, "zz" * 32, "ec" + "ff" * 31])
def test_a_pinned_root_must_be_a_usable_key(root):
    with pytest.raises(MalformedError, match="root: expected"):
        verify_registry_keys(Trust(REGISTRY.origin, root), REGISTRY.keys())


def test_an_origin_alone_pins_nothing():
    other_root = Trust(REGISTRY.origin, key("another root").public.hex())
    with pytest.raises(VerificationError, match="expected a key of the registry"):
        verify_statement_file(FILE, other_root)
    other_origin = Trust("registry.example/two", REGISTRY.root.public.hex())
    with pytest.raises(VerificationError, match="expected a key of the registry"):
        verify_statement_file(FILE, other_origin)
