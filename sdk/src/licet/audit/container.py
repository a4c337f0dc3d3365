"""The file of an evidence bundle: a zip in one canonical form, so that no byte of it is left unchecked.

Any zip tool opens it. Members are stored, not compressed (nothing can swell), end to end in the order of the
directory, with one fixed date and no extra fields, comments or gaps: names, sizes and CRCs give every other byte.
Source: APPNOTE.TXT 6.3.10, the fields of 4.3.7, 4.3.12 and 4.3.16.
"""

from __future__ import annotations

import hashlib
import os
import re
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import IO, Final, NamedTuple

from licet.audit.report import refused
from licet.errors import InputError

CHECK: Final = "bundle-form"
MAX_MEMBERS: Final = 40_000  # the manifest, which lists them all, is a payload of at most 8 MiB
MAX_NAME: Final = 160
MAX_FILE: Final = 0xFFFF_FFFE
CHUNK: Final = 1 << 20
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*(?:/[A-Za-z0-9][A-Za-z0-9._-]*)*", re.ASCII)

_LOCAL: Final = struct.Struct("<IHHHHHIIIHH")
_CENTRAL: Final = struct.Struct("<IHHHHHHIIIHHHHHII")
_END: Final = struct.Struct("<IHHHHIIH")
_VERSION: Final = 20
_MADE_BY: Final = 3 << 8 | _VERSION
_DATE: Final = 1 << 5 | 1  # 1980-01-01, the first that a zip can hold
_MODE: Final = 0o100644 << 16


class Member(NamedTuple):
    """One file in the bundle: ``start`` is the place of its first byte."""

    name: str
    size: int
    crc: int
    start: int


class Written(NamedTuple):
    """A member as it was written: its size and the hex SHA-256 of its content."""

    name: str
    size: int
    sha256: str


class MemberOut:
    """The content of one member, on its way into the bundle."""

    def __init__(self, out: IO[bytes], name: str) -> None:
        self.name: Final = name
        self.size = 0
        self.crc = 0
        self._digest = hashlib.sha256()
        self._out = out

    def write(self, data: bytes) -> int:
        """Append ``data``."""
        self.size += len(data)
        if self.size > MAX_FILE:
            raise InputError(f"{self.name}: expected at most {MAX_FILE} bytes in a bundle, got more")
        self.crc = zlib.crc32(data, self.crc)
        self._digest.update(data)
        self._out.write(data)
        return len(data)

    def text(self, text: str) -> None:
        """Append ``text`` in UTF-8."""
        self.write(text.encode())

    @property
    def sha256(self) -> str:
        """Hex SHA-256 of what was written so far."""
        return self._digest.hexdigest()


class Packer:
    """Writes a bundle into a file that can be seeked; members come one after the other, each in pieces."""

    def __init__(self, out: IO[bytes]) -> None:
        self.members: Final[list[Written]] = []
        self._out: Final = out
        self._directory: Final[list[Member]] = []
        self._names: Final[set[str]] = set()
        self._at = 0

    def begin(self, name: str) -> MemberOut:
        """Return the member ``name`` to write to; end it with `end` before the next begins."""
        if not _NAME.fullmatch(name) or len(name) > MAX_NAME or name in self._names:
            raise InputError.field("name", "a new relative path of plain characters", name)
        self._names.add(name)
        if len(self._names) > MAX_MEMBERS:
            raise InputError(f"expected at most {MAX_MEMBERS} members in a bundle, got more")
        self._out.write(bytes(_LOCAL.size + len(name)))
        return MemberOut(self._out, name)

    def end(self, member: MemberOut) -> None:
        """Close ``member``: its header, which stands in front of it, is now known."""
        start = self._at + _LOCAL.size + len(member.name)
        placed = Member(member.name, member.size, member.crc, start)
        if start + member.size > MAX_FILE:
            raise InputError(f"expected a bundle of at most {MAX_FILE} bytes, got more")
        self._out.seek(self._at)
        self._out.write(_local(placed))
        self._out.seek(start + member.size)
        self._at = start + member.size
        self._directory.append(placed)
        self.members.append(Written(member.name, member.size, member.sha256))

    def add(self, name: str, data: bytes) -> None:
        """Add a whole member."""
        member = self.begin(name)
        member.write(data)
        self.end(member)

    def close(self) -> None:
        """Write the directory; nothing may follow."""
        directory = b"".join(_central(member) for member in self._directory)
        self._out.write(directory + _end(len(self._directory), len(directory), self._at))


class Container:
    """An open bundle: members by name, in order. Its directory has been held to the canonical form."""

    def __init__(self, path: Path) -> None:
        """Raises ``InputError`` if the file cannot be read, ``VerificationError`` if it is no bundle."""
        self.path: Final = path
        try:
            self._file: Final = path.open("rb")
        except OSError as error:
            raise InputError(f"{path}: cannot be read: {error.strerror}") from None
        try:
            self.size: Final = os.fstat(self._file.fileno()).st_size
            self.members: Final = self._directory()
        except BaseException:
            self._file.close()
            raise

    def chunks(self, name: str) -> Iterator[bytes]:
        """Yield the content of member ``name`` in pieces."""
        member = self.member(name)
        for at in range(0, member.size, CHUNK):
            self._file.seek(member.start + at)
            yield self._take(min(CHUNK, member.size - at))

    def read(self, name: str, limit: int) -> bytes:
        """Return the content of member ``name``, at most ``limit`` bytes."""
        member = self.member(name)
        if member.size > limit:
            raise refused(CHECK, name, f"expected at most {limit} bytes, got {member.size}")
        return b"".join(self.chunks(name))

    def member(self, name: str) -> Member:
        """Return where ``name`` is; ``VerificationError`` if it is missing."""
        found = self.members.get(name)
        if found is None:
            raise refused(CHECK, name, "expected this member in the bundle, got none")
        return found

    def digest(self, name: str) -> str:
        """Return the hex SHA-256 of member ``name``, once its header and CRC hold."""
        member = self.member(name)
        head = _local(member)
        self._file.seek(member.start - len(head))
        if self._take(len(head)) != head:
            raise refused(CHECK, name, "expected the header of a stored member in canonical form, got another")
        digest, crc = hashlib.sha256(), 0
        for chunk in self.chunks(name):
            digest.update(chunk)
            crc = zlib.crc32(chunk, crc)
        if crc != member.crc:
            raise refused(CHECK, name, "its CRC does not hold")
        return digest.hexdigest()

    def close(self) -> None:
        """Give the file back."""
        self._file.close()

    def __enter__(self) -> Container:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _directory(self) -> dict[str, Member]:
        if not _END.size <= self.size <= MAX_FILE:
            raise self._wrong(f"expected {_END.size} to {MAX_FILE} bytes, got {self.size}")
        self._file.seek(self.size - _END.size)
        end = self._take(_END.size)
        *_, count, length, start, _ = _END.unpack(end)
        if end != _end(count, length, start) or start + length + _END.size != self.size or count > MAX_MEMBERS:
            raise self._wrong("expected a bundle as the registry packed it, got a file that ends otherwise")
        if length > count * (_CENTRAL.size + MAX_NAME):
            raise self._wrong("expected names of plain length, got a directory that is too large")
        self._file.seek(start)
        directory = self._take(length)
        members: dict[str, Member] = {}
        at = place = 0
        while at < length:
            member, at = self._entry(directory, at, place)
            if member.name in members:
                raise refused(CHECK, member.name, "expected each member once, got it twice")
            members[member.name] = member
            place = member.start + member.size
        if len(members) != count or place != start:
            raise self._wrong("expected members end to end and nothing between them, got another layout")
        return members

    def _entry(self, directory: bytes, at: int, place: int) -> tuple[Member, int]:
        if at + _CENTRAL.size > len(directory):
            raise self._wrong("expected a whole directory, got one that is cut off")
        fields = _CENTRAL.unpack_from(directory, at)
        crc, size, length = fields[7], fields[9], fields[10]
        until = at + _CENTRAL.size + length
        name = directory[at + _CENTRAL.size : until].decode("ascii", "replace")
        if length > MAX_NAME or not _NAME.fullmatch(name):
            raise self._wrong(f"expected a relative path of plain characters, got {name!r:.80}")
        member = Member(name, size, crc, place + _LOCAL.size + length)
        if directory[at:until] != _central(member):
            raise refused(CHECK, name, "expected a stored member in canonical form, got another")
        return member, until

    def _take(self, count: int) -> bytes:
        data = self._file.read(count)
        if len(data) != count:
            raise self._wrong(f"expected {count} more bytes, got {len(data)}")
        return data

    def _wrong(self, message: str) -> Exception:
        return refused(CHECK, self.path.name, message)


def _local(member: Member) -> bytes:
    name = member.name.encode()
    sizes = (member.crc, member.size, member.size)
    return _LOCAL.pack(0x04034B50, _VERSION, 0, 0, 0, _DATE, *sizes, len(name), 0) + name


def _central(member: Member) -> bytes:
    name = member.name.encode()
    sizes = (member.crc, member.size, member.size)
    head = member.start - _LOCAL.size - len(name)
    rest = (len(name), 0, 0, 0, 0, _MODE, head)
    return _CENTRAL.pack(0x02014B50, _MADE_BY, _VERSION, 0, 0, 0, _DATE, *sizes, *rest) + name


def _end(count: int, length: int, start: int) -> bytes:
    return _END.pack(0x06054B50, 0, 0, count, count, length, start, 0)
