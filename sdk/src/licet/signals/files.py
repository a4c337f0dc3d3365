"""What a file says of itself: by what it is, not by what it is called."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from licet.signals.dialects import C2PA, EXIF, XMP
from licet.signals.documents import loads
from licet.signals.needed import ensure_readers
from licet.signals.readers.books import is_epub, read_epub, read_pdf
from licet.signals.readers.c2pa import has_manifest, read_c2pa
from licet.signals.readers.croissant import is_croissant, read_croissant
from licet.signals.readers.html import read_html
from licet.signals.readers.odrl import is_policy, policies, read_tdmai
from licet.signals.readers.packets import exif_copyright, metadata_of
from licet.signals.readers.rsl import declares_rsl, read_feed, read_rsl
from licet.signals.readers.xmp import read_xmp
from licet.signals.strictness import UNSET
from licet.signals.types import Signal

MAX_BYTES: Final = 512 << 20
_HEAD: Final = 1 << 20  # bytes in which a page or a document begins, whatever comments stand before
_SPACE: Final = b"\xef\xbb\xbf \t\r\n"
_WIDE: Final = ((b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))
_PICTURES: Final = (
    (b"\xff\xd8\xff", 0, "image/jpeg"), (b"\x89PNG\r\n\x1a\n", 0, "image/png"), (b"GIF8", 0, "image/gif"),
    (b"II*\0", 0, "image/tiff"), (b"MM\0*", 0, "image/tiff"), (b"WEBP", 8, "image/webp"),
    (b"ftypavi", 4, "image/avif"), (b"ftyphei", 4, "image/heic"), (b"ftypmif1", 4, "image/heif"),
    (b"ftyp", 4, "video/mp4"), (b"WAVE", 8, "audio/wav"), (b"ID3", 0, "audio/mpeg"),
    (b"\xff\x0a", 0, "image/jxl"), (b"\0\0\0\x0cJXL ", 0, "image/jxl"),
)  # fmt: skip


def media_type_of(data: bytes) -> str | None:
    """Return the media type of a picture or film by its first bytes; None for anything else."""
    for mark, place, media_type in _PICTURES:
        if data[place : place + len(mark)] == mark:
            return media_type
    return None


def read_file(data: bytes, url: str = "") -> tuple[Signal, ...]:
    """Return what a file says of itself: a picture, a book, a page, an RSL document, a declaration or a policy.

    ``url`` is where it lies, if it lies anywhere: a page refers to it. A file of any other kind is searched for XMP.
    Raises ``InputError`` without ``licet[signals]``.
    """
    ensure_readers()
    return tuple(_signals(data, url))


def _signals(data: bytes, url: str) -> Iterator[Signal]:
    if len(data) > MAX_BYTES:
        yield XMP.unreadable("xmp", "file", f"{len(data):,} bytes", "too-long")
        return
    head = _beginning(data)
    media_type = media_type_of(data)
    if media_type is not None:
        yield from _picture(data, media_type)
    elif b"%PDF-" in data[:1024]:
        yield from read_pdf(data)
        yield from read_c2pa(data, "application/pdf")
    elif is_epub(data):
        yield from read_epub(data)
    elif head[:1] in (b"{", b"["):
        yield from _json(data, url)
    elif _is_feed(head) and declares_rsl(data):
        yield from read_feed(data, at=url)
    elif _is_rsl(head):
        yield from read_rsl(data, url or None, at=url)
    elif head[:1] == b"<" and _page_at(head) >= 0:
        yield from read_html(data, url)
        if b"<x:xmpmeta" in head or b"<rdf:rdf" in head:  # or a drawing with a page inside
            yield from _metadata(data)
    else:
        yield from _metadata(data)
        if has_manifest(data):
            yield C2PA.unreadable("c2pa", "manifest", "in a file of a kind that is not read", "no-reader")


def _beginning(data: bytes) -> bytes:
    """Return how a text begins, in lower case and ASCII, to tell what it is."""
    head = data[:_HEAD]
    for mark, coding in _WIDE:
        if head.startswith(mark):
            head = head.decode(coding, "ignore").encode("ascii", "replace")
    return head.lstrip(_SPACE).lower()


def _page_at(head: bytes) -> int:
    """Return where a page begins to be one; below 0 for what is none."""
    places = [head.find(mark) for mark in (b"<html", b"<!doctype html", b"<head", b"<body", b"<meta ")]
    return min((place for place in places if place >= 0), default=-1)


def _is_rsl(head: bytes) -> bool:
    """Return whether it is a document of RSL, and no page with one inside."""
    begins, page = head.find(b"<rsl"), _page_at(head)
    return begins >= 0 and b"rslstandard.org" in head and not 0 <= page < begins


def _is_feed(head: bytes) -> bool:
    """Return whether it is a feed: RSS 0.9 or 2, or Atom; pages and licences may stand in it."""
    begins = min((place for mark in (b"<rss", b"<feed") if (place := head.find(mark)) >= 0), default=-1)
    others = (_page_at(head), head.find(b"<rsl"))
    return head[:1] == b"<" and begins >= 0 and not any(0 <= place < begins for place in others)


def _picture(data: bytes, media_type: str) -> Iterator[Signal]:
    yield from _metadata(data)
    yield from read_c2pa(data, media_type)


def _metadata(data: bytes) -> Iterator[Signal]:
    found = metadata_of(data)
    if found.problem:
        yield XMP.unreadable("xmp", "XMP", "metadata that is damaged, or too much of it", found.problem)
    for packet in found.packets:
        yield from read_xmp(packet)
    for block in found.exif:
        if notice := exif_copyright(block):
            yield EXIF.signal("exif", "Copyright", notice, UNSET, "copyright-notice")


def _json(data: bytes, url: str) -> Iterator[Signal]:
    try:
        value: Any = loads(data)
    except (ValueError, RecursionError):
        return  # a file of anything that begins like JSON
    if isinstance(value, dict) and "iscc" in value and {"all", "train-ai", "train-genai", "ai-use"} & value.keys():
        yield from read_tdmai(value, at=url)
    elif is_croissant(value):
        yield from read_croissant(data, at=url)
    elif is_policy(value):
        yield from policies(value, at=url, carrier="document")
