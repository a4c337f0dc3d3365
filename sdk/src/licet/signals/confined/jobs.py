"""What is done in confined processes, and what it comes to.

An answer is foreign: it is read with limits and by type.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec

from licet.errors import MalformedError
from licet.signals.readers import books, c2pa
from licet.signals.types import Signal


class Manifest(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """Read a C2PA manifest: the one in a file of ``media_type``, or ``beside`` it."""

    media_type: str
    beside: bytes | None


class Catalogue(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """Read the metadata stream of a PDF's catalogue."""


class Signals(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """What a file says."""

    signals: tuple[Signal, ...]


class Packets(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """Packets of XMP."""

    packets: list[bytes]


class Unread(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """Why a file could not be read; ``why`` is the reason for a signal about that."""

    message: str
    why: str


class Ready(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """The process waits for files; ``holds`` names what confines it."""

    holds: list[str]


Job = Manifest | Catalogue
Answer = Signals | Packets
ANSWERS: Final[Any] = Signals | Packets | Unread


def _manifest(job: Manifest, data: bytes) -> Signals | Unread:
    return Signals(c2pa.parsed(data, job.media_type, job.beside))


def _catalogue(_: Catalogue, data: bytes) -> Packets | Unread:
    try:
        return Packets(books.of_catalogue(data))
    except ImportError as error:
        return Unread(f"no reader for PDF: {error}", "no-reader")
    except MalformedError as error:
        return Unread(error.message, "too-long" if error.details.get("why") == "too-long" else "unreadable")
    except MemoryError:
        return Unread("expected metadata in the memory that files of its size take, got no end", "unreadable")
    except Exception as error:  # noqa: BLE001 - what a damaged file makes of a parser is not one kind of error
        return Unread(f"{type(error).__name__}: {error}"[:500], "unreadable")


JOBS: Final[Mapping[type[Any], Callable[[Any, bytes], Answer | Unread]]] = {Manifest: _manifest, Catalogue: _catalogue}
