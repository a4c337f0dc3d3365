"""Where sealed files lie in the archive, and how the chain of segments is read.

::

    changes/000000000001   segments: committed changes, each naming the one before it
    bases/ID/000001        a copy of everything at one moment, in pieces
    bases/ID/manifest      written last: without it there is no base
"""

from __future__ import annotations

from typing import Final

from registry.archive.keys import ArchiveKey
from registry.archive.sealing import Manifest, Segment, digest, header_of, unseal
from registry.errors import ArchiveError
from registry.storage import Store

CHANGES: Final = "changes"
BASES: Final = "bases"
MANIFEST: Final = "manifest"
_DIGITS: Final = 12


def segment_name(number: int) -> str:
    """Return the name of segment ``number``."""
    return f"{CHANGES}/{number:0{_DIGITS}d}"


async def segment_numbers(store: Store) -> list[int]:
    """Return the numbers of all segments, rising; raises ``ArchiveError`` for a name that no segment has."""
    numbers = []
    for name in await store.names(CHANGES):
        last = name.removeprefix(f"{CHANGES}/")
        if len(last) != _DIGITS or not (last.isascii() and last.isdigit()):
            raise ArchiveError(f"{store.shown}/{name}: expected segments alone in this folder; move the file away")
        numbers.append(int(last))
    return numbers


async def read_segment(store: Store, number: int, key: ArchiveKey, origin: str) -> tuple[Segment, bytes, str]:
    """Return header, body and digest of segment ``number``; raises ``ArchiveError`` that names it."""
    shown = f"{store.shown}/{segment_name(number)}"
    content = await store.read(segment_name(number))
    if content is None:
        raise ArchiveError(f"{shown}: expected a segment of the archive, found none; put it back")
    header, body = unseal(content, Segment, key, origin, shown)
    if header.number != number:
        raise ArchiveError(f"{shown}: expected segment {number}, got segment {header.number} under its name")
    return header, body, digest(content)


async def segment_digest(store: Store, number: int) -> str:
    """Return the digest by which the next segment names segment ``number``, whether or not that can be read."""
    content = await store.read(segment_name(number))
    if content is None:
        raise ArchiveError(f"{store.shown}/{segment_name(number)}: expected a segment of the archive, found none")
    return digest(content)


async def manifests(store: Store, key: ArchiveKey, origin: str) -> list[Manifest]:
    """Return every whole base, oldest first, but those whose key is destroyed; a damaged one is an error."""
    found = []
    for name in await store.names(BASES):
        if not name.endswith(f"/{MANIFEST}"):
            continue
        content = await store.read(name)
        if content is None:
            continue
        shown = f"{store.shown}/{name}"
        if header_of(content, Manifest, shown)[0].epoch < key.epoch:
            continue
        header, _ = unseal(content, Manifest, key, origin, shown)
        if name != f"{BASES}/{header.base}/{MANIFEST}":
            raise ArchiveError(f"{shown}: expected the base of this name, got {header.base:.80}")
        found.append(header)
    return sorted(found, key=lambda each: (each.mark, each.at))
