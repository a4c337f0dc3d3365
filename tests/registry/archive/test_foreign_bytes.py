"""Bytes that nobody of us made: read with limits, and refused by our own errors alone."""

from __future__ import annotations

import contextlib
import itertools
import struct
import zlib
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given
from hypothesis import strategies as st

from licet import times
from licet.canonical import to_base64
from licet.errors import MalformedError
from registry.archive import ArchiveKey
from registry.archive.feed import all_visible
from registry.archive.keys import epoch_at
from registry.archive.pgoutput import UNCHANGED, Begin, Insert, Update, frames, parse
from registry.archive.sealing import MAX_BODY, Segment, header_of, now_text, seal, unseal
from registry.database.copying import Values
from registry.errors import ArchiveError

values = st.one_of(st.none(), st.binary(max_size=40), st.just(UNCHANGED))


def encoded(row: list[object]) -> bytes:
    out = struct.pack("!H", len(row))
    for value in row:
        if value is None:
            out += b"n"
        elif value is UNCHANGED:
            out += b"u"
        else:
            assert isinstance(value, bytes)
            out += b"b" + struct.pack("!I", len(value)) + value
    return out


def framed(message: bytes) -> bytes:
    return struct.pack("!I", len(message)) + message


@given(st.lists(values, max_size=20), st.none() | st.lists(values, max_size=5), st.integers(0, 2**32 - 1))
def test_an_update_is_read_as_it_was_written(new, old, relation):
    former = b"" if old is None else b"K" + encoded(old)
    found = parse(b"U" + struct.pack("!I", relation) + former + b"N" + encoded(new))
    assert found == Update(relation, None if old is None else tuple(old), tuple(new))


@given(st.binary(max_size=200))
def test_any_bytes_are_a_message_or_malformed(raw):
    with contextlib.suppress(MalformedError):
        parse(raw)


@given(st.sampled_from(b"BCRIUDTOY"), st.binary(max_size=120))
def test_any_bytes_of_a_known_kind_are_a_message_or_malformed(kind, raw):
    with contextlib.suppress(MalformedError):
        parse(bytes([kind]) + raw)


@given(st.lists(st.binary(min_size=1, max_size=30), max_size=10), st.integers(1, 40))
def test_messages_are_told_apart_and_a_cut_is_noticed(messages, cut):
    body = b"".join(framed(each) for each in messages)
    assert [bytes(each) for each in frames(body)] == messages
    short = body[:-cut]
    whole = 0
    ends = {0}
    for each in messages:
        whole += 4 + len(each)
        ends.add(whole)
    if len(short) in ends:
        assert len(list(frames(short))) < len(messages) or not messages
    else:
        with pytest.raises(MalformedError):
            list(frames(short))


def test_an_insert_must_be_whole():
    with pytest.raises(MalformedError, match="every value"):
        parse(b"I" + struct.pack("!I", 7) + b"N" + encoded([b"x", UNCHANGED]))
    assert parse(b"I" + struct.pack("!I", 7) + b"N" + encoded([b"x", None])) == Insert(7, (b"x", None))
    assert parse(b"B" + struct.pack("!QqI", 5, 0, 9)) == Begin(5, 9)


@pytest.fixture(scope="module")
def a_key(tmp_path_factory: pytest.TempPathFactory) -> ArchiveKey:
    return ArchiveKey.make(tmp_path_factory.mktemp("keys"), datetime(2026, 3, 1, tzinfo=UTC))


def segment(**changes: object) -> Segment:
    facts = {
        "origin": "log.example/licet", "number": 1, "previous": 0, "digest": "", "since": 0, "end": True,
        "entries": 4, "schema": 13, "at": now_text(),
    }  # fmt: skip
    return Segment(**{**facts, **changes})  # type: ignore[arg-type]


@given(st.data())
def test_no_byte_of_a_sealed_file_can_be_another(a_key, data):
    sealed = seal(segment(), b"body" * 20, a_key)
    place = data.draw(st.integers(0, len(sealed) - 1))
    other = data.draw(st.integers(1, 255))
    harmed = sealed[:place] + bytes([sealed[place] ^ other]) + sealed[place + 1 :]
    with pytest.raises(ArchiveError, match=r"^name: "):
        unseal(harmed, Segment, a_key, "log.example/licet", "name")
    with pytest.raises(ArchiveError, match=r"^name: "):
        unseal(sealed[:place], Segment, a_key, "log.example/licet", "name")


@given(st.binary(max_size=300))
def test_any_bytes_are_a_sealed_file_or_refused_by_name(raw):
    for content in (raw, b"licet-archive/1\n" + raw):
        with pytest.raises(ArchiveError, match=r"^name: "):
            header_of(content, Segment, "name")


@pytest.mark.parametrize("size", [80, 79, 81])
def test_a_file_of_an_earlier_release_is_opened_and_so_is_none_of_another_size(a_key, size):
    """Until then a body was packed by zlib, and the header did not say how."""
    header = segment(epoch=a_key.current(times.now()), salt=to_base64(bytes(32)), size=size)
    said = {name: value for name, value in msgspec.to_builtins(header).items() if name != "packed"}
    encoded = msgspec.json.encode(said)
    head = b"licet-archive/1\n" + len(encoded).to_bytes(4, "big") + encoded
    own = AESGCM(a_key.of_epoch(header.epoch, bytes(32)))
    sealed = head + own.encrypt(bytes(12), zlib.compress(b"body" * 20, 1), head)
    if size == 80:
        assert unseal(sealed, Segment, a_key, "log.example/licet", "name")[1] == b"body" * 20
    else:
        with pytest.raises(ArchiveError, match=f"expected {size} bytes"):
            unseal(sealed, Segment, a_key, "log.example/licet", "name")


def test_a_body_that_says_it_is_larger_than_anything_is_not_unpacked(a_key, monkeypatch):
    monkeypatch.setattr("registry.archive.sealing.MAX_BODY", 10)
    sealed = seal(segment(), b"body" * 20, a_key)
    with pytest.raises(ArchiveError, match="at most 10 bytes"):
        unseal(sealed, Segment, a_key, "log.example/licet", "name")
    assert MAX_BODY > 1 << 30


def test_an_old_copy_of_the_key_opens_what_came_later_and_the_new_one_nothing_older(tmp_path: Path):
    start = datetime(2026, 3, 1, tzinfo=UTC)
    key = ArchiveKey.make(tmp_path / "keys", start)
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept" / "archive.key").write_bytes(key.path.read_bytes())
    assert key.path.stat().st_mode & 0o777 == 0o600
    old = key.of_epoch(key.epoch + 3, b"salt")
    later = key.of_epoch(key.epoch + 40, b"salt")
    assert key.forget_before(epoch_at(start + timedelta(days=30)))
    again = ArchiveKey.load(tmp_path / "keys")
    assert again is not None
    assert again.of_epoch(epoch_at(start) + 40, b"salt") == later
    with pytest.raises(ArchiveError, match="destroyed"):
        again.of_epoch(epoch_at(start) + 3, b"salt")
    kept = ArchiveKey.load(tmp_path / "kept")
    assert kept is not None
    assert kept.of_epoch(epoch_at(start) + 3, b"salt") == old
    assert kept.of_epoch(epoch_at(start) + 40, b"salt") == later
    assert not again.forget_before(epoch_at(start))


def test_all_who_make_a_key_at_once_get_the_same(tmp_path: Path):
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda _: ArchiveKey.make(tmp_path, datetime(2026, 3, 1, tzinfo=UTC)), range(8)))
    assert len({each.of_epoch(each.epoch, b"salt") for each in made}) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["archive.key"]


def test_a_broken_key_file_is_told_by_name(tmp_path: Path):
    (tmp_path / "archive.key").write_bytes(b'{"epoch": 1}')
    with pytest.raises(ArchiveError, match=r"archive.key: expected the archive's key"):
        ArchiveKey.load(tmp_path)


def test_what_a_snapshot_sees_also_where_numbers_wrap_around():
    assert all_visible("100:105:", {99, 104})
    assert not all_visible("100:105:104", {99, 104})
    assert not all_visible("100:105:", {105})
    assert all_visible(f"{2**32 + 2}:{2**32 + 5}:", {2**32 - 1, 4})
    assert not all_visible(f"{2**32 + 2}:{2**32 + 5}:{2**32 + 4}", {4})


@given(st.lists(st.binary(max_size=30), max_size=10), st.lists(st.integers(0, 400), max_size=12))
def test_the_values_of_a_copy_are_told_apart_wherever_it_is_cut(found, cuts):
    copy = b"PGCOPY\n\xff\r\n\0" + bytes(8) + b"".join(b"\0\1" + framed(each) for each in found) + b"\xff\xff"
    places = [0, *sorted(min(cut, len(copy)) for cut in cuts), len(copy)]
    rows = Values()
    told = [bytes(each) for one, two in itertools.pairwise(places) for each in rows.of(copy[one:two])]
    assert told == [framed(each) for each in found]
