"""Files that end their reader, or never end: they could not be read, and the next one is."""

from __future__ import annotations

import os
import signal
import time
import zlib
from collections.abc import Iterator
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from licet.errors import LicetError
from licet.fingerprints.bounded import POSSIBLE
from licet.signals import Signal, confined
from licet.signals.files import read_file
from licet.signals.readers.c2pa import parsed
from licet.signals.sidecars import read_beside
from tests.sdk.datasets.world import encoded, picture
from tests.sdk.fingerprints.bounded.watching import needs_proc, until

pytestmark = pytest.mark.skipif(not POSSIBLE, reason="processes cannot be confined here")

#: A PDF without a table of its objects, of which there are very many: finding them takes seconds.
ENDLESS = b"%PDF-1.7\n" + b"1 0 obj<<>>endobj\n" * 1_000_000 + b"trailer<</Root 1 0 R>>"
PACKET = (
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    b'<rdf:Description xmlns:tdm="http://www.w3.org/ns/tdmrep/" tdm:reservation="1"/></rdf:RDF></x:xmpmeta>'
)


def pdf(packet: bytes) -> bytes:
    """A PDF with compressed metadata."""
    stream = zlib.compress(packet)
    objects = [
        b"<</Type/Catalog/Metadata 2 0 R>>",
        b"<</Type/Metadata/Filter/FlateDecode/Length %d>>stream\n%s\nendstream" % (len(stream), stream),
    ]
    body = b"%PDF-1.7\n"
    places = []
    for number, each in enumerate(objects, 1):
        places.append(len(body))
        body += b"%d 0 obj%s\nendobj\n" % (number, each)
    table = b"xref\n0 3\n0000000000 65535 f \n" + b"".join(b"%010d 00000 n \n" % place for place in places)
    return body + table + b"trailer<</Size 3/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF" % len(body)


@pytest.fixture(autouse=True)
def fresh() -> Iterator[confined.Readers]:
    """No process that another test has started."""
    pool = confined._pool()
    pool.close()
    yield pool
    pool.close()


def only(found: tuple[Signal, ...]) -> Signal:
    (one,) = found
    return one


def test_a_file_is_read_in_a_process_that_can_do_nothing_else(fresh: confined.Readers) -> None:
    assert only(read_file(pdf(PACKET))).standard == "tdmrep"
    (reader,) = fresh._alive
    assert reader.pid != os.getpid()
    assert "limits" in reader.holds
    assert only(read_file(pdf(PACKET))).reason == "reserved"
    assert fresh.pids == [reader.pid], "it stays for the next file"


def test_what_is_read_there_is_what_is_read_here(vectors: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for path in sorted((vectors / "c2pa").glob("*.png"))[:4]:
        data = path.read_bytes()
        there = read_file(data)
        assert [each for each in there if each.carrier == "c2pa"] == list(parsed(data, "image/png"))
    monkeypatch.setattr(confined, "_shared", {})
    monkeypatch.setenv("LICET_DECODERS", "0")
    assert only(read_file(pdf(PACKET))).standard == "tdmrep"
    assert not confined._pool().pids


def test_a_file_that_never_ends_could_not_be_read_and_the_next_one_is(
    monkeypatch: pytest.MonkeyPatch, fresh: confined.Readers
) -> None:
    assert only(read_file(pdf(PACKET))).standard == "tdmrep"
    monkeypatch.setattr(confined, "SECONDS", 0.3)
    begun = time.monotonic()
    found = only(read_file(ENDLESS))
    assert time.monotonic() - begun < 10
    assert (found.reason, found.unreadable) == ("unreadable", True)
    assert "no end within 0.3 s" in found.said
    assert not fresh.pids
    assert only(read_file(pdf(PACKET))).standard == "tdmrep"


@needs_proc
@pytest.mark.parametrize("sign", [signal.SIGSEGV, signal.SIGKILL, signal.SIGABRT])
def test_a_file_that_ends_its_reader_could_not_be_read(fresh: confined.Readers, sign: signal.Signals) -> None:
    outcome: list[Any] = []
    assert only(read_file(pdf(PACKET))).standard == "tdmrep"
    (pid,) = fresh.pids
    before = _spent(pid)
    thread = Thread(target=lambda: outcome.append(read_file(ENDLESS)))
    thread.start()
    until(lambda: _spent(pid) > before + 30)  # in the middle of it
    os.kill(pid, sign)
    thread.join(30)
    found = only(outcome[0])
    assert found.reason == "unreadable"
    assert f"status {-sign}" in found.said


def test_metadata_that_unpacks_to_far_more_than_it_may_could_not_be_read() -> None:
    packed = zlib.compressobj()
    bomb = b"".join(packed.compress(bytes(1 << 24)) for _ in range(16)) + packed.flush()
    body = (
        pdf(PACKET)
        .replace(zlib.compress(PACKET), bomb)
        .replace(b"/Length %d" % len(zlib.compress(PACKET)), b"/Length %d" % len(bomb))
    )
    assert only(read_file(body)).unreadable


@needs_proc
def test_ending_readers_lets_go_of_whoever_waits(fresh: confined.Readers) -> None:
    outcome: list[Any] = []
    assert only(read_file(pdf(PACKET))).standard == "tdmrep"
    (pid,) = fresh.pids
    before = _spent(pid)

    def read() -> None:
        try:
            outcome.append(read_file(ENDLESS))
        except LicetError as error:
            outcome.append(error.message)

    thread = Thread(target=read)
    thread.start()
    until(lambda: _spent(pid) > before + 30)  # in the middle of it
    fresh.close()
    thread.join(10)
    assert outcome == ["reading was stopped"]


def test_a_manifest_beside_a_picture_is_read_as_one_inside_is(vectors: Path, tmp_path: Path) -> None:
    """The manifest of another picture does not hold for this one: whoever swapped them is told of."""
    store = _store_of((vectors / "c2pa" / "training-mining-notAllowed.png").read_bytes())
    place = tmp_path / "a.png"
    place.write_bytes(encoded(picture(1)))
    assert read_beside(place.read_bytes(), place) == ()
    (tmp_path / "a.png.c2pa").write_bytes(store)
    found = read_beside(place.read_bytes(), place)
    assert {each.reason for each in found} == {"tampered", "denied"}
    (tmp_path / "a.png.c2pa").write_bytes(b"no manifest")
    assert only(read_beside(place.read_bytes(), place)).unreadable
    (tmp_path / "a.png.c2pa").unlink()
    (tmp_path / "a.xmp").mkdir()
    assert only(read_beside(place.read_bytes(), place)).unreadable


def _store_of(png: bytes) -> bytes:
    """The manifest store in a PNG: its chunk ``caBX``."""
    at = png.index(b"caBX")
    return png[at + 4 : at + 4 + int.from_bytes(png[at - 4 : at], "big")]


def _spent(pid: int) -> int:
    """How much processor time a process has had, in ticks of a hundredth of a second."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])
