"""The file of a bundle has one form: whatever else a zip can be is refused, and nothing but our errors comes out."""

from __future__ import annotations

import io
import struct
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from licet.audit.container import MAX_NAME, Container, Packer
from licet.errors import InputError, LicetError, VerificationError

MEMBERS = {"a.txt": b"one", "b/c.bin": bytes(3000), "empty": b""}


def packed(members: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    packer = Packer(out)
    for name, data in members.items():
        packer.add(name, data)
    packer.close()
    return out.getvalue()


def opened(data: bytes, path: Path) -> dict[str, bytes]:
    path.write_bytes(data)
    with Container(path) as container:
        for name in container.members:
            container.digest(name)
        return {name: container.read(name, 1 << 20) for name in container.members}


def test_what_is_packed_comes_out(tmp_path: Path) -> None:
    assert opened(packed(MEMBERS), tmp_path / "z") == MEMBERS
    assert opened(packed({}), tmp_path / "z") == {}


def test_every_flipped_bit_outside_and_inside_of_members_is_found(tmp_path: Path) -> None:
    honest = packed({"a.txt": b"one", "b/c": b"two"})
    for place in range(len(honest)):
        for bit in range(8):
            flipped = bytearray(honest)
            flipped[place] ^= 1 << bit
            with pytest.raises(VerificationError, match=r"^bundle-form: "):
                opened(bytes(flipped), tmp_path / "z")


@pytest.mark.parametrize("more", [b"x", b"PK\x05\x06" + bytes(18), bytes(30)])
def test_bytes_before_between_and_after(tmp_path: Path, more: bytes) -> None:
    honest = packed(MEMBERS)
    directory = struct.unpack("<I", honest[-6:-2])[0]
    for wrong in (more + honest, honest + more, honest[:directory] + more + honest[directory:]):
        with pytest.raises(VerificationError, match=r"^bundle-form: "):
            opened(wrong, tmp_path / "z")


def zipped(members: list[tuple[str, bytes]], compression: int = zipfile.ZIP_STORED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", compression) as archive:
        for name, data in members:
            archive.writestr(name, data)
    return out.getvalue()


@pytest.mark.parametrize(
    "data",
    [
        zipped([("a.txt", b"one")]),
        zipped([("../a.txt", b"one")]),
        zipped([("bomb", bytes(10 << 20))], compression=zipfile.ZIP_DEFLATED),
        b"",
        b"PK",
        b"%PDF-1.7" * 100,
        packed(MEMBERS)[:-1],
    ],
)
def test_any_other_file_is_refused(tmp_path: Path, data: bytes) -> None:
    with pytest.raises(VerificationError, match=r"^bundle-form: "):
        opened(data, tmp_path / "z")


def test_a_member_twice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(VerificationError, match="expected each member once"):
        opened(packed({"a.txt": b"1", "b.txt": b"1"}).replace(b"b.txt", b"a.txt"), tmp_path / "z")


@pytest.mark.parametrize(
    "name", ["/etc/passwd", "..//x.xx", "a//b/c/d", "a/./b.tx", "a\\b\\c\\d", "a:b:c:de", "a\x00b.txt8", "ä.txt..."]
)
def test_a_name_that_leads_elsewhere_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError):
        packed({name: b""})
    plain = "a" * len(name.encode())
    data = packed({plain: b"1"}).replace(plain.encode(), name.encode())
    with pytest.raises(VerificationError, match=r"^bundle-form: "):
        opened(data, tmp_path / "z")


def test_names_are_written_once_and_short() -> None:
    packer = Packer(io.BytesIO())
    packer.add("a", b"")
    for name in ("a", "b" * (MAX_NAME + 1), ""):
        with pytest.raises(InputError):
            packer.add(name, b"")


def test_a_member_over_its_limit_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "z"
    path.write_bytes(packed(MEMBERS))
    with Container(path) as container, pytest.raises(VerificationError, match="at most 10 bytes, got 3000"):
        container.read("b/c.bin", 10)
    with Container(path) as container, pytest.raises(VerificationError, match="got none"):
        container.read("missing", 10)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        Container(tmp_path / "nothing")


@given(data=st.binary(max_size=400), end=st.binary(min_size=16, max_size=18))
def test_nothing_but_our_errors_comes_out(tmp_path_factory: pytest.TempPathFactory, data: bytes, end: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "fuzzed"
    for tried in (data, data + b"PK\x05\x06" + end):
        try:
            opened(tried, path)
        except LicetError:
            continue
        assert tried == packed({})
