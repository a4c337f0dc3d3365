"""webdataset: a tar whose members are samples, told apart by their names up to the first dot.

A sample is the members that follow one another under one key, as webdataset itself reads them: folders, links and
names that give no key end none. A file without a key stands or falls with the sample before it; a link is a row of its
own, or of the sample of its name. Each picture in a sample is a row, and all rows of a sample stand or fall together; a
sample without a picture is one row, known by what its JSON says. What we do not look into (links, devices, sparse
files, JSON beyond a megabyte), names that lead elsewhere and JSON that says two things keep their sample out.
"""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from hashlib import sha256
from itertools import compress
from pathlib import Path
from typing import IO, Any, Final, NamedTuple

import msgspec
import numpy as np
import pyarrow as pa

from licet.datasets.forms.columns import NO_COLUMN
from licet.datasets.forms.files import Base, File, Packing, packed, unpacked
from licet.datasets.forms.folder import is_picture
from licet.datasets.forms.jsonl import Repeated
from licet.datasets.forms.parts import MALFORMED, UNREADABLE, Copying, Mask, Remarks
from licet.datasets.forms.seals import sealed
from licet.datasets.forms.tar import BLOCK, RECORD, Archive, Member, Stream
from licet.errors import InputError
from licet.fingerprints.decode import DEFAULT_LIMITS
from licet.fingerprints.formats import looks_like_a_picture

BATCH: Final = 256
_BATCH_BYTES: Final = 32 << 20
_SPOOL_BYTES: Final = 64 << 20
_MAX_JSON: Final = 1 << 20
_MOST_MEMBERS: Final = 10_000
_MOST_BYTES: Final = 256 << 20  # of the pictures of one sample
_CHUNK: Final = 1 << 20
_TEXT: Final = pa.large_string()
#: How webdataset tells key and ending apart (`base_plus_ext`), and the names that it keeps for itself (`skip_meta`).
_KEY: Final = re.compile(rb"((?:.*/|)[^.]+)[.][^/]*$")
_SETTINGS: Final = re.compile(rb"__[^/]*__(?:$|/)")
#: What a JSON member says of a sample: the address, and without a picture also digest and hash.
_STATED: Final = ("url", "sha256", "iscc", "pdq")


class Picture(NamedTuple):
    """A picture in a sample; without data it was too large to be one."""

    path: str
    data: bytes | None


class Sample(NamedTuple):
    """What is known of one sample. ``wrong``: why it cannot be kept."""

    key: str
    pictures: Sequence[Picture]
    stated: Mapping[str, str]
    wrong: str | None
    size: int  # in the archive


class TarPart:
    """One archive. Members that are no file (folders, settings) are copied always, and are of no sample."""

    holds_files = True
    bundle = False
    steps = None  # what lies before has to be read
    bound = True

    def __init__(
        self, file: File, name: str, packing: Packing | None = None, mapping: Mapping[str, str] | None = None
    ) -> None:
        self.name = name
        self.remarks = Remarks()
        self._file = file
        self._packing = packing
        self._spelled = spellings(mapping)
        self._digest: str | None = None
        with unpacked(file, packing) as stream:
            next(iter(Archive(stream, file.shown)), None)  # refuses what is no archive

    @property
    def base(self) -> Base:
        """The folder that it lies in."""
        return self._file.base

    @property
    def place(self) -> Path | None:
        """Where it lies on this machine."""
        return self._file.path

    @property
    def rows(self) -> int | None:
        """Nobody knows how many before it is read."""
        return None

    def stamp(self) -> dict[str, Any]:
        """Return what tells this input from a changed one without reading it."""
        read = {name: list(own) for name, own in sorted(self._spelled.items())}
        return {"name": self.name, "kind": "tar", "batch": BATCH, "columns": read, **self._file.stamp()}

    def batches(self, skip: int = 0) -> Iterator[pa.RecordBatch]:
        """Yield the rows as batches, without the first ``skip`` batches; a sample is never torn."""
        with Hashing(unpacked(self._file, self._packing)) as stream:
            for number, samples in enumerate(_gathered(self.samples(stream))):
                if number >= skip:
                    yield sealed(batch_of(samples, naming=False), stream.so_far())

    def write(self, target: Path | None) -> Copying:
        """Yield the rows by their names; write the kept samples in their order, with the bytes of their headers."""
        self.remarks = Remarks()
        with ExitStack() as stack:
            stream = stack.enter_context(Hashing(unpacked(self._file, self._packing)))
            out = None if target is None else stack.enter_context(packed(target, self._packing))
            spool = Spool(stack, out, None if target is None else target.parent)
            for samples in _gathered(self.samples(stream, spool)):
                for sample in samples:
                    if sample.wrong is not None:
                        self.remarks.add(f"{self._file.shown}, sample {sample.key}: {sample.wrong}")
                mask = yield sealed(batch_of(samples, naming=True), stream.so_far())
                kept = kept_samples(samples, mask)
                spool.write(kept)
                self._kept(compress(samples, kept))
            spool.end()
            self._digest = stream.digest()

    def digest(self, digests: Iterable[bytes | None]) -> str:
        """Return the SHA-256 of the archive (unpacked), hex, once it was copied."""
        assert self._digest is not None
        return self._digest

    def _kept(self, samples: Iterable[Sample]) -> None:
        """Be told of the samples that were copied."""

    def samples(self, stream: Stream, spool: Spool | None = None) -> Iterator[Sample]:
        """Yield the samples of an archive, and put their bytes into ``spool``, if that is where they go."""
        archive = Archive(stream, self._file.shown)
        gathering: _Gathering | None = None
        for member in archive:
            if member.kind in ("folder", "global"):
                if spool is not None:
                    spool.always(member, archive)
                continue
            key = _key(member.name)
            own = member.name if key is None else key
            if gathering is not None and gathering.key != own:
                if member.passed_over and gathering.aside(own, member):
                    continue  # and its head is not copied
                if key is not None:
                    yield from gathering.samples(spool, own)
                    gathering = _Gathering(key, self._spelled, gathering.links.get(key))
                    if spool is not None:
                        spool.begin()
            if gathering is None:
                gathering = _Gathering(own, self._spelled)
                if spool is not None:
                    spool.begin()
            gathering.add(member, archive.body(), spool)
        if gathering is not None:
            yield from gathering.samples(spool)


class Hashing:
    """A stream that is hashed as it is read, to its very end."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._hash = sha256()

    def read(self, size: int = -1, /) -> bytes:
        """Return the next bytes."""
        data = self._stream.read(size)
        self._hash.update(data)
        return data

    def so_far(self) -> bytes:
        """Return the digest of everything that was read until now."""
        return self._hash.digest()

    def digest(self) -> str:
        """Return the digest of all of it, hex: what comes after the archive's end is read for that."""
        while self.read(_CHUNK):
            pass
        return self._hash.hexdigest()

    def __enter__(self) -> Hashing:
        return self

    def __exit__(self, *_: object) -> None:
        self._stream.close()


class Spool:
    """Samples on their way to the copy: they wait, on disk if they are large, until it is said which are kept."""

    def __init__(self, stack: ExitStack, out: IO[bytes] | None, folder: Path | None) -> None:
        self._out = out
        # Beside the copy: where it has room, its samples have.
        beside = None if folder is None else str(folder)
        waiting = tempfile.SpooledTemporaryFile(_SPOOL_BYTES, dir=beside)  # noqa: SIM115 - the stack closes it
        self._waiting: IO[bytes] = stack.enter_context(waiting)
        self._starts: list[tuple[int, int | None]] = []  # where each piece begins, and of which sample it is, if any
        self._samples = 0
        self._written = 0

    def begin(self) -> None:
        """Begin the next sample."""
        self._starts.append((self._waiting.tell(), self._samples))
        self._samples += 1

    def always(self, member: Member, archive: Archive) -> None:
        """Take a member that is of no sample, and is kept whatever is said; the sample that was begun goes on."""
        self._starts.append((self._waiting.tell(), None))
        self.add(member.head)
        for piece in archive.body():
            self.add(piece)
        if self._samples:
            self._starts.append((self._waiting.tell(), self._samples - 1))

    def add(self, data: bytes) -> None:
        """Take bytes of the sample that was begun last."""
        if self._out is not None:
            self._waiting.write(data)

    def write(self, kept: Sequence[bool]) -> None:
        """Copy those of the samples that are kept; nothing waits any longer."""
        starts, self._starts, self._samples = self._starts, [], 0
        if not starts:
            return
        ends = [*(start for start, _ in starts[1:]), self._waiting.tell()]
        for (start, sample), end in zip(starts, ends, strict=True):
            if self._out is None or not (sample is None or kept[sample]):
                continue
            self._waiting.seek(start)
            for _ in range(start, end, _CHUNK):
                self._out.write(self._waiting.read(min(end - self._waiting.tell(), _CHUNK)))
            self._written += end - start
        self._waiting.seek(0)
        self._waiting.truncate()

    def end(self) -> None:
        """End the copy as an archive ends."""
        self.write(())
        if self._out is not None:
            end = 2 * BLOCK
            self._out.write(bytes(end + -(self._written + end) % RECORD))


class _Gathering:
    """The sample whose members are being read."""

    def __init__(self, key: bytes, spelled: Mapping[str, Sequence[str]], wrong: str | None = None) -> None:
        self.key = key
        self.links: dict[bytes, str] = {}  # what is wrong with links of other keys, which lie within it
        self._spelled = spelled
        self._pictures: list[Picture] = []
        self._stated: dict[str, str] = {}
        self._wrong = wrong
        self._size = self._members = self._held = 0

    def add(self, member: Member, body: Iterable[bytes], spool: Spool | None) -> None:
        """Take the next member and its body, in pieces that fill its last block."""
        name = member.name.decode(errors="replace")
        self._members += 1
        self._wrong = self._wrong or _why_not(member) or self._too_many()
        wanted = member.kind == "file" and spool is None
        is_json = member.kind == "file" and _is_named_json(name)
        if is_json and member.size > _MAX_JSON:
            self._wrong = self._wrong or f"expected JSON of at most {_MAX_JSON:,} bytes, got {member.size:,}"
            is_json = False
        # Nothing at all under the name of a picture is one too: it cannot be read.
        seen = named = member.kind == "file" and _is_named_picture(name)
        held = wanted and named and not member.size
        pieces: list[bytes] = []
        if spool is not None:
            spool.add(member.head)
        for number, piece in enumerate(body):
            if not number:  # a picture under another name is one all the same to whoever opens it
                seen = named or (member.kind == "file" and looks_like_a_picture(piece[: member.size]))
                held = is_json or (wanted and seen and self._fits(member.size))
            if held:
                pieces.append(piece)
            if spool is not None:
                spool.add(piece)
        data = b"".join(pieces)[: member.size]
        self._size += len(member.head) + member.size
        if seen and len(self._pictures) < _MOST_MEMBERS:
            self._pictures.append(Picture(name, data if held else None))
        if is_json:
            self._state(data)

    def _fits(self, size: int) -> bool:
        if size > DEFAULT_LIMITS.max_bytes or self._held + size > _MOST_BYTES:
            return False
        self._held += size
        return True

    def _too_many(self) -> str | None:
        return None if self._members <= _MOST_MEMBERS else f"expected at most {_MOST_MEMBERS:,} members"

    def _state(self, body: bytes) -> None:
        values = _object(body)
        for name, spellings in self._spelled.items():
            for own in spellings:
                value = values.get(own)
                if not isinstance(value, str) or not value:
                    continue
                if self._stated.setdefault(name, value) != value:
                    words = f"expected one {name} in the JSON of a sample, got two that differ"
                    self._wrong = self._wrong or f"{words}; --columns {name}=… chooses"
        again = Repeated(own for spellings in self._spelled.values() for own in spellings).find(body)
        if again is not None and self._wrong is None:
            self._wrong = f"expected one member {again} in JSON, got it twice"

    def aside(self, key: bytes, link: Member) -> bool:
        """Take a link of another key, if there is room: readers pass over it, so it does not end this sample."""
        if len(self.links) >= _MOST_MEMBERS:
            return False
        self.links.setdefault(key, _why_not(link) or "")
        return True

    def samples(self, spool: Spool | None, following: bytes | None = None) -> Iterator[Sample]:
        """Yield what it came to, and the links in it that are of no sample; one named ``following`` is the next's."""
        yield Sample(_shown(self.key), self._pictures, self._stated, self._wrong, self._size)
        for key, why in self.links.items():
            if key != following:
                if spool is not None:
                    spool.begin()
                yield Sample(_shown(key), (), {}, why, 0)


def sample_of(key: str, members: Mapping[str, bytes], spelled: Mapping[str, Sequence[str]]) -> Sample:
    """Return a sample that somebody else has read: its members by the endings of their names.

    ``spelled`` is what `spellings` returns.
    """
    gathering = _Gathering(key.encode(), spelled)
    for ending, data in members.items():
        name = f"{key}.{ending}".encode()
        gathering.add(Member(name, "file", len(data), b""), (data,) if data else (), None)
    return next(gathering.samples(None))


def batch_of(samples: Sequence[Sample], *, naming: bool) -> pa.RecordBatch:
    """Return the rows of ``samples``: ``url path key``, and unless ``naming`` what they are examined by."""
    nothing: Sequence[Picture | None] = (None,)
    rows = [
        (number, sample, picture) for number, sample in enumerate(samples) for picture in sample.pictures or nothing
    ]
    columns = {
        "url": pa.array([sample.stated.get("url") for _, sample, _ in rows], _TEXT),
        "key": pa.array([sample.key for _, sample, _ in rows], _TEXT),
    }
    if naming:  # a place within the archive is named, but it is no place to look for the picture
        columns["path"] = pa.array([picture and picture.path for *_, picture in rows], _TEXT)
        return pa.RecordBatch.from_pydict(columns)
    columns["image"] = pa.array([picture and picture.data for *_, picture in rows], pa.large_binary())
    for name in ("sha256", "iscc", "pdq"):
        columns[name] = pa.array([None if picture else sample.stated.get(name) for _, sample, picture in rows], _TEXT)
    problem = [
        MALFORMED if sample.wrong else UNREADABLE if picture and picture.data is None else 0
        for _, sample, picture in rows
    ]
    columns["problem"] = pa.array(problem, pa.uint8())
    columns["sample"] = pa.array([number for number, *_ in rows], pa.int32())
    return pa.RecordBatch.from_pydict(columns)


def kept_samples(samples: Sequence[Sample], mask: Mask) -> list[bool]:
    """Return whether each sample is kept: all of its rows are."""
    ends = np.cumsum([len(sample.pictures) or 1 for sample in samples])
    return [
        bool(mask[end - (len(sample.pictures) or 1) : end].all()) for sample, end in zip(samples, ends, strict=True)
    ]


def _gathered(samples: Iterable[Sample]) -> Iterator[list[Sample]]:
    gathered: list[Sample] = []
    rows = size = 0
    for sample in samples:
        gathered.append(sample)
        rows += len(sample.pictures) or 1
        size += sample.size
        if rows >= BATCH or size >= _BATCH_BYTES:
            yield gathered
            gathered, rows, size = [], 0, 0
    if gathered:
        yield gathered


def _shown(key: bytes) -> str:
    return key.decode(errors="replace")


def _key(name: bytes) -> bytes | None:
    """Return the key of a member by its name, None for one that webdataset passes over."""
    found = None if _SETTINGS.match(name) else _KEY.match(name)
    return found and found[1]


def _why_not(member: Member) -> str | None:
    if member.kind == "other":
        return "expected files, got a link, a device or a sparse file"
    pieces = member.name.split(b"/")
    if not member.name or member.name.startswith(b"/") or b".." in pieces:
        return "expected names within the archive, got one that leads elsewhere"
    try:
        member.name.decode()
    except UnicodeDecodeError:
        return "expected names in UTF-8, got other bytes"
    return None


def _is_named_picture(name: str) -> bool:
    """Whether a name says so: webdataset unpacks a picture whose name ends in ``.gz`` without being asked."""
    return is_picture(name) or (name.lower().endswith(".gz") and is_picture(name[:-3]))


def _is_named_json(name: str) -> bool:
    return name.lower().endswith(".json")


def tells(name: str) -> bool:
    """Return whether a member of this name says what its sample is."""
    return _is_named_picture(name) or _is_named_json(name)


def _object(body: bytes) -> Mapping[str, Any]:
    """Return the members of a JSON object that are text; none of what is no object, which is a caption's business.

    Python writes ``NaN`` and halves of surrogates, and reads UTF-16: what it reads, whoever trains on it does.
    """
    try:
        values = msgspec.json.decode(body, type=dict[str, msgspec.Raw])
        return {name: text for name, raw in values.items() if (text := _text_in(raw)) is not None}
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        pass
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return {name: value for name, value in found.items() if _is_text(value)} if isinstance(found, dict) else {}


def _text_in(raw: msgspec.Raw) -> str | None:
    try:
        return msgspec.json.decode(raw, type=str)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None


def _is_text(value: object) -> bool:
    try:
        return isinstance(value, str) and value.encode() is not None
    except UnicodeEncodeError:
        return False


def spellings(mapping: Mapping[str, str] | None) -> dict[str, list[str]]:
    """Return how a JSON member may call what we read of it."""
    found: dict[str, list[str]] = {}
    for name, own in (mapping or {}).items():
        if name not in _STATED:
            raise InputError.field(
                "columns", f"one of {', '.join(_STATED)} before the =, of the JSON in an archive", name
            )
        found[name] = [] if own == NO_COLUMN else [own]
    return {name: found.get(name, [name, name.upper(), name.capitalize()]) for name in _STATED}
