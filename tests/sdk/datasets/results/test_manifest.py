"""Manifests: read only as they were signed, and never another error than ours for foreign bytes."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from licet.client import Client
from licet.datasets.results.manifest import MAX_BYTES, encode_manifest, read_manifest, row_secret, signer
from licet.errors import InputError, LicetError, MalformedError, VerificationError
from licet.statements.keys import SigningKey
from licet.statements.kinds import DatasetManifest, RegistryRef
from tests.sdk.datasets.world import World

KEY = SigningKey.from_seed(bytes(32))
ZERO = "0" * 64
PAYLOAD = DatasetManifest(
    registry=RegistryRef("registry.example", ZERO),
    dataset="dst_1",
    name="train",
    organisation="org_1",
    stage="files",
    use={"uses": ["train-gen"]},
    unknown_policy="exclude",
    match="near",
    min_claim_level=0,
    snapshot=ZERO,
    log_size=1,
    decided_at="2026-11-22T12:00:00.000Z",
    parts=[],
    rows=0,
    counts={},
    kept=0,
    decisions_root=ZERO,
    row_root=ZERO,
    licences=[],
    nonce="n",
)
FILE = encode_manifest(PAYLOAD, KEY)


def test_what_is_written_is_read(tmp_path: Path) -> None:
    (tmp_path / "m.json").write_bytes(FILE)
    read = read_manifest(tmp_path / "m.json")
    assert (read.payload, read.key) == (PAYLOAD, KEY.keyid)
    assert read.digest == read.envelope.payload_digest


def test_another_key_than_the_one_named_is_refused(tmp_path: Path) -> None:
    other = SigningKey.from_seed(bytes([1] * 32))
    (tmp_path / "m.json").write_bytes(FILE.replace(KEY.public.hex().encode(), other.public.hex().encode()))
    with pytest.raises(VerificationError):
        read_manifest(tmp_path / "m.json")


def test_a_local_key_does_not_pass_for_an_organisations(tmp_path: Path) -> None:
    (tmp_path / "m.json").write_bytes(FILE.replace(b'"registered": true', b'"registered": false'))
    with pytest.raises(VerificationError, match="says of itself"):
        read_manifest(tmp_path / "m.json")


def test_no_file_and_an_endless_file_are_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="a manifest"):
        read_manifest(tmp_path / "none.json")
    with (tmp_path / "long.json").open("wb") as file:
        file.truncate(MAX_BYTES + 1)
    with pytest.raises(MalformedError, match="at most"):
        read_manifest(tmp_path / "long.json")


@given(at=st.integers(0, len(FILE) - 1), byte=st.integers(0, 255))
def test_a_changed_byte_is_refused_or_changes_nothing(
    tmp_path_factory: pytest.TempPathFactory, at: int, byte: int
) -> None:
    path = tmp_path_factory.getbasetemp() / "flipped.json"
    path.write_bytes(FILE[:at] + bytes([byte]) + FILE[at + 1 :])
    with contextlib.suppress(LicetError):
        assert read_manifest(path).payload == PAYLOAD


@given(data=st.binary(max_size=300) | st.text(max_size=300).map(str.encode))
def test_foreign_bytes_are_malformed(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "foreign.json"
    path.write_bytes(data)
    with pytest.raises(InputError):
        read_manifest(path)


def test_rows_can_be_opened_by_whoever_holds_the_key() -> None:
    assert row_secret(KEY, "n") == row_secret(SigningKey.from_seed(bytes(32)), "n")
    assert row_secret(KEY, "n") != row_secret(KEY, "m")
    assert len(row_secret(KEY, "n")) == 32


def test_who_has_no_organisation_signs_with_a_key_of_the_home(world: World, client: Client) -> None:
    assert signer(client).organisation is not None
    with world.client("nobody", None) as nobody, world.client("artist", "artist") as artist:
        first = signer(nobody)
        assert first.organisation is None
        assert signer(nobody).key.keyid == first.key.keyid
        assert (nobody.home.folder / "local-key.pem").stat().st_mode & 0o077 == 0
        assert signer(artist).organisation is None
