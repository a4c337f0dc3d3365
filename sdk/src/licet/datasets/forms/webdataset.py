"""webdataset: a tar whose members are samples, told apart by their names up to the first dot.

A sample is the members that follow one another under one key, as webdataset itself reads them: folders, links and
names that give no key end none. A file without a key stands or falls with the sample before it; a link is a row of its
own, or of the sample of its name. Each picture in a sample is a row, and all rows of a sample stand or fall together; a
sample without a picture is one row, known by what its JSON says. What we do not look into (links, devices, sparse
files, JSON beyond a megabyte), names that lead elsewhere and JSON that says two things keep their sample out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from itertools import compress
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa

from licet.datasets.forms.files import Base, File, Packing, packed, unpacked
from licet.datasets.forms.parts import MALFORMED, UNREADABLE, Copying, Mask, Remarks
from licet.datasets.forms.samples import Gathering, Picture, Sample, key_of, spellings
from licet.datasets.forms.seals import sealed
from licet.datasets.forms.spooling import Hashing, Spool
from licet.datasets.forms.tar import Archive, Stream

BATCH: Final = 256
_BATCH_BYTES: Final = 32 << 20
_TEXT: Final = pa.large_string()


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
        gathering: Gathering | None = None
        for member in archive:
            if member.kind in ("folder", "global"):
                if spool is not None:
                    spool.always(member, archive)
                continue
            key = key_of(member.name)
            own = member.name if key is None else key
            if gathering is not None and gathering.key != own:
                if member.passed_over and gathering.aside(own, member):
                    continue  # and its head is not copied
                if key is not None:
                    yield from gathering.samples(spool, own)
                    gathering = Gathering(key, self._spelled, gathering.links.get(key))
                    if spool is not None:
                        spool.begin()
            if gathering is None:
                gathering = Gathering(own, self._spelled)
                if spool is not None:
                    spool.begin()
            gathering.add(member, archive.body(), spool)
        if gathering is not None:
            yield from gathering.samples(spool)


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
