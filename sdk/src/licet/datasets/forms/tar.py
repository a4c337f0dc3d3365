"""The tar format as far as copying and looking need it: members in order, each with the very bytes of its headers.

The standard library's reader keeps neither the headers' bytes nor a limit on them, which a copy and a stranger's file
need. Read are POSIX (pax), GNU and old archives. Names of a member come from its pax or GNU header, else from its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple, Protocol

from licet.errors import MalformedError

BLOCK: Final = 512
#: Two blocks of zeros end an archive, filled up to a record.
RECORD: Final = 20 * BLOCK
#: What stands before a member's own header: extended headers, together.
MAX_HEADERS: Final = 1 << 20
MAX_MEMBER: Final = 1 << 40
_CHUNK: Final = 1 << 20

_FILES: Final = frozenset(b"0\0007")  # '0', NUL (old archives) and '7' (contiguous, read as a file)
_FOLDER: Final = ord("5")
_EXTENDED: Final = frozenset(b"xX")
_GLOBAL: Final = ord("g")
_LONG_NAME: Final = ord("L")
_LONG_LINK: Final = ord("K")
_BEFORE: Final = frozenset(b"xXLK")


class Stream(Protocol):
    """What an archive is read from."""

    def read(self, size: int = -1, /) -> bytes:
        """Return the next bytes, fewer only at the end."""


class Member(NamedTuple):
    """One member, as its headers have it. ``kind``: a file, a folder, settings for all that follow, or another thing
    (a link, a device, a sparse file), which we do not look into."""

    name: bytes
    kind: str  # file, folder, global, other
    size: int
    head: bytes  # all of its headers
    passed_over: bool = False  # by readers that look for files: a link or a device, not a sparse file


class Archive:
    """Reads members one after the other; the body of each has to be read, or is passed over."""

    def __init__(self, stream: Stream, shown: str) -> None:
        self.position = 0
        self._stream = stream
        self._shown = shown
        self._left = 0  # of the body and what fills its last block

    def __iter__(self) -> Iterator[Member]:
        while (member := self._next()) is not None:
            yield member
            self._skip()

    def body(self) -> Iterator[bytes]:
        """Yield the body of the member that came last with what fills its last block, in pieces."""
        while self._left:
            piece = self._read(min(self._left, _CHUNK))
            self._left -= len(piece)
            yield piece

    def _skip(self) -> None:
        for _ in self.body():
            pass

    def _next(self) -> Member | None:
        name: bytes | None = None
        size: int | None = None
        sparse = False
        heads: list[bytes] = []
        total = 0
        while True:
            at = self.position
            head = self._stream.read(BLOCK)
            self.position += len(head)
            if not head and not heads:
                return None  # the two blocks at the end are often left out
            if len(head) < BLOCK:
                raise self._wrong(at, f"a header of {BLOCK} bytes", f"{len(head)} at the end of the file")
            if not head.strip(b"\0"):
                if heads:
                    raise self._wrong(at, "the member of an extended header", "the end of the archive")
                return None
            kind, own = head[156], self._size(head, at)
            heads.append(head)
            if kind not in _BEFORE:
                break
            total += own
            if total > MAX_HEADERS:
                raise self._wrong(at, f"extended headers of at most {MAX_HEADERS:,} bytes", f"{total:,}")
            text = self._read(own)
            filling = self._read(-own % BLOCK)
            heads += (text, filling)
            if kind == _LONG_NAME:
                name = text.split(b"\0", 1)[0]
            elif kind in _EXTENDED:
                for key, value in self._records(text, at):
                    if key == b"path":
                        name = value
                    elif key == b"size":
                        size = self._number(value, at)
                    elif key.startswith(b"GNU.sparse."):
                        sparse = True
        if size is not None:
            own = size
        is_file = kind in _FILES and not sparse
        if kind == ord("S"):
            heads += self._sparse_map(head)
        if is_file and head[257:263] not in (b"ustar\0", b"ustar ") and _own_name(head).endswith(b"/"):
            kind, is_file = _FOLDER, False  # as old archives write folders
        # Links, devices and folders have no body, whatever their headers say.
        has_body = kind in _FILES or sparse or kind in (_GLOBAL, ord("S")) or not 0x31 <= kind <= 0x36
        own = own if has_body else 0
        self._left = own + -own % BLOCK
        if kind == _GLOBAL and own > MAX_HEADERS:
            raise self._wrong(at, f"extended headers of at most {MAX_HEADERS:,} bytes", f"{own:,}")
        sort = "file" if is_file else {_FOLDER: "folder", _GLOBAL: "global"}.get(kind, "other")
        whole = _own_name(head) if name is None else name
        return Member(whole, sort, own, b"".join(heads), sort == "other" and not sparse and kind != ord("S"))

    def _sparse_map(self, head: bytes) -> list[bytes]:
        """Return the blocks in which an old GNU header of a sparse file goes on."""
        blocks: list[bytes] = []
        more = head[482]
        while more:
            blocks.append(self._read(BLOCK))
            more = blocks[-1][504]
            if len(blocks) * BLOCK > MAX_HEADERS:
                raise self._wrong(self.position, f"a map of at most {MAX_HEADERS:,} bytes", "more")
        return blocks

    def _size(self, head: bytes, at: int) -> int:
        if self._number(head[148:156], at, octal=True) != sum(head) - sum(head[148:156]) + 8 * 0x20:
            raise self._wrong(at, "a header of a tar archive", "one whose checksum does not hold")
        field = head[124:136]
        if field[0] & 0x80:  # base 256, as GNU writes large sizes
            size = int.from_bytes(bytes([field[0] & 0x7F]) + field[1:], "big")
            if field[0] & 0x40 or size > MAX_MEMBER:
                raise self._wrong(at, f"a size of at most {MAX_MEMBER:,}", "another")
            return size
        return self._number(field, at, octal=True)

    def _records(self, text: bytes, at: int) -> Iterator[tuple[bytes, bytes]]:
        """Yield key and value of each record of a pax header: ``LENGTH KEY=VALUE\\n``."""
        start = 0
        while start < len(text):
            space = text.find(b" ", start, start + 20)
            length = self._number(text[start:space], at) if space > 0 else 0
            record = text[start : start + length]
            key, equals, value = record[space - start + 1 : -1].partition(b"=")
            if not equals or record[-1:] != b"\n" or len(record) != length:
                if not text[start:].strip(b"\0"):
                    return  # filled with zeros within its size, as some writers do
                raise self._wrong(at, "records of an extended header", "other bytes")
            yield key, value
            start += length

    def _number(self, field: bytes, at: int, *, octal: bool = False) -> int:
        digits = field.split(b"\0", 1)[0].strip()
        allowed = b"01234567" if octal else b"0123456789"
        if len(digits) > 20 or digits.strip(allowed):
            raise self._wrong(at, "a number", repr(field[:20]))
        number = int(digits or b"0", 8 if octal else 10)
        if number > MAX_MEMBER:
            raise self._wrong(at, f"a size of at most {MAX_MEMBER:,}", f"{number:,}")
        return number

    def _read(self, size: int) -> bytes:
        if not size:
            return b""
        data = self._stream.read(size)
        self.position += len(data)
        if len(data) < size:
            raise self._wrong(self.position, "a whole archive", "the end of the file within a member")
        return data

    def _wrong(self, at: int, expected: str, got: str) -> MalformedError:
        return MalformedError(f"{self._shown}, byte {at}: expected {expected}, got {got}")


def _own_name(head: bytes) -> bytes:
    name = head[:100].split(b"\0", 1)[0]
    prefix = head[345:500].split(b"\0", 1)[0] if head[257:263] == b"ustar\0" else b""
    return prefix + b"/" + name if prefix else name
