"""What lies beside a picture and speaks for it: XMP in a file of its own, and a C2PA manifest that is not embedded.

Both kinds of names are in use: ``picture.xmp`` and ``picture.jpg.xmp``.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from licet.signals.dialects import C2PA, XMP
from licet.signals.documents import MAX_XML
from licet.signals.files import media_type_of, read_file
from licet.signals.readers.c2pa import read_c2pa
from licet.signals.types import Signal

MAX_MANIFEST: Final = 32 << 20


def read_beside(data: bytes, place: Path) -> tuple[Signal, ...]:
    """Return what the files beside the one at ``place``, whose bytes are ``data``, say of it; nothing without any."""
    return tuple(_signals(data, place))


def _signals(data: bytes, place: Path) -> Iterator[Signal]:
    for sidecar in _named(place, ".xmp"):
        content = _content(sidecar, MAX_XML)
        if content is None:
            yield XMP.unreadable("xmp", sidecar.name, "a file beside it that cannot be read")
        else:
            yield from read_file(content)
    for sidecar in _named(place, ".c2pa"):
        content = _content(sidecar, MAX_MANIFEST)
        if content is None:
            yield C2PA.unreadable("c2pa", sidecar.name, "a file beside it that cannot be read")
        else:
            yield from read_c2pa(data, media_type_of(data) or "application/octet-stream", content)


def _named(place: Path, ending: str) -> list[Path]:
    names = (place.with_suffix(ending), place.with_name(place.name + ending))
    return [each for each in dict.fromkeys(names) if each != place and each.exists()]


def _content(place: Path, most: int) -> bytes | None:
    """Return the bytes of a file; None for what is none, or has more than ``most``."""
    try:
        if not place.is_file() or place.stat().st_size > most:
            return None
        return place.read_bytes()
    except OSError:
        return None
