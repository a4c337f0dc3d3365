"""One file of the input, wherever it lies, and what its name says of its form."""

from __future__ import annotations

import io
import os
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any, Final, Literal, NamedTuple, Protocol

import pyarrow as pa

from licet.errors import MalformedError

Form = Literal["parquet", "csv", "jsonl", "tar"]
Packing = Literal["gzip", "zstd"]

_FORMS: Final[dict[str, Form]] = {
    ".parquet": "parquet",
    ".pq": "parquet",
    ".csv": "csv",
    ".tsv": "csv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".tar": "tar",
}
_PACKINGS: Final[dict[str, Packing]] = {".gz": "gzip", ".zst": "zstd"}
_SHORT: Final = {".tgz": ".tar.gz", ".tzst": ".tar.zst"}
_STREAM_BYTES: Final = 1 << 20
#: What a packed file may come to: so much, or so many times its size. Texts that repeat themselves stay far below.
MOST_UNPACKED: Final = 256 << 20
MOST_EXPANSION: Final = 500


class Named(NamedTuple):
    """What a name says: the form, how it is compressed, and the name without both endings."""

    form: Form
    packing: Packing | None
    stem: str


class Base(Protocol):
    """Where the paths in a table start: a folder here, or a place in a store."""

    def __truediv__(self, path: str, /) -> Path | Callable[[int], bytes]:
        """Return the picture's place, or what reads so many bytes of it at most."""


class File(Protocol):
    """A file that can be read as often as needed."""

    @property
    def shown(self) -> str:
        """How people call it: its path or its address."""

    @property
    def name(self) -> str:
        """The last piece of its path."""

    @property
    def pieces(self) -> tuple[str, ...]:
        """Its path in pieces, which tell it apart from others."""

    @property
    def path(self) -> Path | None:
        """Where it lies on this machine, if it does."""

    @property
    def base(self) -> Base:
        """The folder that it lies in."""

    @property
    def size(self) -> int:
        """Bytes."""

    def stamp(self) -> dict[str, Any]:
        """Return what changes when the file does, without reading it."""

    def open(self) -> io.BufferedReader:
        """Return it opened at its start, read ahead."""

    def ranges(self) -> io.RawIOBase:
        """Return it opened for reading single ranges, of which no more is fetched than is asked for."""

    def sibling(self, name: str) -> File | None:
        """Return the file of this name in the same folder, if there is one."""


class LocalFile:
    """A file on this machine."""

    def __init__(self, path: Path) -> None:
        self.path: Path = path

    @property
    def shown(self) -> str:
        """Its path."""
        return str(self.path)

    @property
    def name(self) -> str:
        """The last piece of its path."""
        return self.path.name

    @property
    def pieces(self) -> tuple[str, ...]:
        """Its path in pieces."""
        return self.path.parts

    @property
    def base(self) -> Base:
        """The folder that it lies in."""
        return self.path.parent

    @property
    def size(self) -> int:
        """Bytes."""
        return self.path.stat().st_size

    def stamp(self) -> dict[str, Any]:
        """Return its size and the time of its last change."""
        status = self.path.stat()
        return {"size": status.st_size, "mtime_ns": status.st_mtime_ns}

    def open(self) -> io.BufferedReader:
        """Return it opened for reading."""
        return self.path.open("rb")

    def ranges(self) -> io.RawIOBase:
        """Return it opened for reading."""
        return self.path.open("rb", buffering=0)

    def sibling(self, name: str) -> LocalFile | None:
        """Return the file of this name in the same folder, if there is one."""
        path = self.path.with_name(name)
        return LocalFile(path) if path.is_file() else None


def named(name: str) -> Named | None:
    """Return what ``name`` says of a table's or archive's form, or None if it says nothing."""
    stem, ending = os.path.splitext(name)  # noqa: PTH122 - names alone, also of objects in a store
    if ending.lower() in _SHORT:
        stem, ending = os.path.splitext(stem + _SHORT[ending.lower()])  # noqa: PTH122
    packing = _PACKINGS.get(ending.lower())
    if packing is not None:
        stem, ending = os.path.splitext(stem)  # noqa: PTH122
    form = _FORMS.get(ending.lower())
    if form is None or (packing is not None and form == "parquet"):
        return None
    return Named(form, packing, stem)


def unpacked(file: File, packing: Packing | None) -> io.BufferedReader:
    """Return ``file`` opened as a stream of what is in it; what cannot be unpacked, or comes to far more than anybody
    would have packed, raises ``MalformedError`` once it is read."""
    stream = file.open()
    if packing is None:
        return stream
    most = max(MOST_UNPACKED, MOST_EXPANSION * file.size)
    return io.BufferedReader(_Unpacked(stream, packing, file.shown, most), _STREAM_BYTES)


def packed(target: Path, packing: Packing | None) -> IO[bytes]:
    """Return the new file ``target`` opened for writing, compressed as asked."""
    stream = target.open("wb")
    if packing is None:
        return stream
    return io.BufferedWriter(_Packed(stream, packing), _STREAM_BYTES)


class _Unpacked(io.RawIOBase):
    def __init__(self, stream: IO[bytes], packing: Packing, shown: str, most: int) -> None:
        self._left = self._most = most
        self._stream = stream
        self._inside = pa.CompressedInputStream(pa.PythonFile(stream, mode="r"), packing)
        self._packing = packing
        self._shown = shown

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:
        try:
            size = int(self._inside.readinto(buffer))
        except (pa.ArrowException, OSError) as error:
            raise MalformedError(f"{self._shown}: expected a whole {self._packing} file, got {error}") from None
        self._left -= size
        if self._left < 0:
            raise MalformedError(
                f"{self._shown}: expected at most {self._most:,} bytes in it, or {MOST_EXPANSION} times its size,"
                " got more: it repeats itself as no dataset does"
            )
        return size

    def close(self) -> None:
        self._stream.close()
        super().close()


class _Packed(io.RawIOBase):
    def __init__(self, stream: IO[bytes], packing: Packing) -> None:
        self._stream = stream
        self._inside = pa.CompressedOutputStream(pa.PythonFile(stream, mode="w"), packing)

    def writable(self) -> bool:
        return True

    def write(self, data: Any, /) -> int:
        self._inside.write(data)
        return len(data)

    def close(self) -> None:
        if not self.closed:
            super().close()
            self._inside.close()
            self._stream.close()
