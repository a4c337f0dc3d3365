"""Log entries: one byte form, known kinds only, and commitments that open to one statement only."""

from __future__ import annotations

import json
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from licet.errors import InputError, MalformedError, VerificationError
from licet.log import entry as entries
from licet.log.entry import Entry

TIME = "2026-11-22T21:40:00.123Z"
SALT = bytes(range(32))
SEALED = Entry(1, "consent", TIME, entries.commitment("consent", SALT, b"envelope"))
PUBLIC = Entry(1, "snapshot", TIME, entries.commitment("snapshot", None, b"envelope"))


def changed(**fields: object) -> bytes:
    value = json.loads(entries.encode(SEALED)) | fields
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


def test_the_bytes_of_an_entry_are_canonical_and_hold_nothing_but_four_fields() -> None:
    assert entries.encode(PUBLIC) == (
        b'{"commitment":"' + sha256(b"envelope").hexdigest().encode() + b'","kind":"snapshot",'
        b'"time":"2026-11-22T21:40:00.123Z","v":1}'
    )
    assert entries.parse(entries.encode(SEALED)) == SEALED
    assert changed() == entries.encode(SEALED)


def test_a_salted_commitment_is_the_published_formula() -> None:
    expected = sha256(b"licet/consent/v1" + SALT + sha256(b"envelope").digest()).hexdigest()
    assert SEALED.commitment == expected


@given(st.sampled_from(sorted(entries.KINDS)), st.binary(max_size=50))
def test_every_kind_commits_and_opens(kind: str, envelope: bytes) -> None:
    salt = None if kind in entries.PUBLIC_KINDS else SALT
    made = Entry(1, kind, TIME, entries.commitment(kind, salt, envelope))
    entries.verify_commitment(entries.parse(entries.encode(made)), salt, envelope)
    with pytest.raises(VerificationError):
        entries.verify_commitment(made, salt, envelope + b" ")


@given(st.sampled_from(sorted(entries.KINDS)), st.lists(st.binary(min_size=32, max_size=32), max_size=5))
def test_many_entries_at_once_are_those_that_would_be_made_one_by_one(kind: str, digests: list[bytes]) -> None:
    salt = None if kind in entries.PUBLIC_KINDS else SALT
    commitments = [entries.commitment_to(kind, salt, digest) for digest in digests]
    one_by_one = [entries.encode(Entry(1, kind, TIME, each)) for each in commitments]
    assert entries.encoded(kind, TIME, commitments) == one_by_one


@pytest.mark.parametrize(
    ("kind", "time", "commitment"),
    [("gift", TIME, "0" * 64), ("consent", "now", "0" * 64), ("consent", TIME, "0" * 63), ("consent", TIME, "A" * 64)],
)
def test_what_one_entry_refuses_many_refuse(kind: str, time: str, commitment: str) -> None:
    with pytest.raises(InputError):
        entries.encoded(kind, time, [commitment])


def test_a_commitment_opens_to_nothing_else() -> None:
    entries.verify_commitment(SEALED, SALT, b"envelope")
    for salt, envelope in ((SALT[::-1], b"envelope"), (SALT, b"Envelope"), (SALT, b"")):
        with pytest.raises(VerificationError):
            entries.verify_commitment(SEALED, salt, envelope)
    relabelled = Entry(1, "licence", TIME, SEALED.commitment)
    with pytest.raises(VerificationError):
        entries.verify_commitment(relabelled, SALT, b"envelope")


@pytest.mark.parametrize(
    ("kind", "salt"), [("consent", None), ("consent", SALT[:31]), ("snapshot", SALT), ("Consent", SALT), ("", None)]
)
def test_a_salt_goes_with_sealed_kinds_only(kind: str, salt: bytes | None) -> None:
    with pytest.raises(InputError):
        entries.commitment(kind, salt, b"envelope")


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(changed(v=2), id="another version"),
        pytest.param(changed(v=True), id="version true"),
        pytest.param(changed(v=1.0), id="version as a float"),
        pytest.param(changed(kind="gossip"), id="unknown kind"),
        pytest.param(changed(kind=None), id="no kind"),
        pytest.param(changed(commitment=SEALED.commitment.upper()), id="upper-case digits"),
        pytest.param(changed(commitment=SEALED.commitment[:-1]), id="short commitment"),
        pytest.param(changed(commitment=SEALED.commitment + "\n"), id="newline after the commitment"),
        pytest.param(changed(artist="Alice"), id="another field"),
        pytest.param(changed(time="2026-11-22T21:40:00Z"), id="no milliseconds"),
        pytest.param(changed(time="2026-11-22T21:40:00.1234Z"), id="microseconds"),
        pytest.param(changed(time="2026-11-22T21:40:00.123+00:00"), id="an offset"),
        pytest.param(changed(time="2026-11-22 21:40:00.123Z"), id="a space"),
        pytest.param(changed(time="2026-02-30T21:40:00.123Z"), id="no such day"),
        pytest.param(changed(time="2026-11-22T24:00:00.000Z"), id="hour 24"),
        pytest.param(changed(time="2026-11-22T21:40:60.000Z"), id="leap second"),
        pytest.param(entries.encode(SEALED) + b" ", id="white space"),
        pytest.param(entries.encode(SEALED).replace(b'"v":1', b'"v":1,"v":1'), id="duplicate key"),
        pytest.param(b"{}", id="nothing"),
        pytest.param(b"[" * 70_000, id="too long"),
    ],
)
def test_anything_but_an_entry_is_malformed(data: bytes) -> None:
    with pytest.raises(MalformedError):
        entries.parse(data)


@pytest.mark.parametrize(
    "unfit",
    [
        Entry(2, "consent", TIME, SEALED.commitment),
        Entry(1, "gossip", TIME, SEALED.commitment),
        Entry(1, "consent", "now", SEALED.commitment),
        Entry(1, "consent", TIME, "00"),
    ],
)
def test_an_unfit_entry_is_not_written(unfit: Entry) -> None:
    with pytest.raises(InputError):
        entries.encode(unfit)
