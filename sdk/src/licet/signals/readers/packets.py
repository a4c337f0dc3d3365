"""Where metadata lies in a file: XMP packets and EXIF blocks, found without decoding anything.

XMP is written so that it is found by looking for how it begins, whatever the format; beside that, JPEG (packets in
pieces), PNG (compressed ones) and WEBP are taken apart. A file that is damaged yields what can be found in it.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Generator, Iterator
from typing import Final, NamedTuple

from licet.signals.documents import MAX_XML

MAX_PACKETS: Final = 32
MAX_PARTS: Final = 1 << 16  # segments or chunks
_XAP: Final = b"http://ns.adobe.com/xap/1.0/\0"
_EXTENSION: Final = b"http://ns.adobe.com/xmp/extension/\0"
_JXL: Final = b"\0\0\0\x0cJXL \r\n\x87\n"
_SAYING: Final = (b"xml ", b"jumb")  # boxes in which a JPEG XL says something
_PNG: Final = b"\x89PNG\r\n\x1a\n"
_BEGINNINGS: Final = tuple(
    (begin.encode(coding), end.encode(coding))
    for coding in ("utf-8", "utf-16-be", "utf-16-le")
    for begin, end in (("<x:xmpmeta", "</x:xmpmeta>"), ("<rdf:RDF", "</rdf:RDF>"))
)
_COPYRIGHT: Final = 0x8298
_ASCII: Final = 2


class Metadata(NamedTuple):
    """What was found: whole XMP packets, EXIF blocks (from their TIFF header on), and why there may be more."""

    packets: list[bytes]
    exif: list[bytes]
    problem: str | None  # a reason of what could not be read


def metadata_of(data: bytes) -> Metadata:
    """Return the metadata in a file of any format."""
    packets: list[bytes] = []
    exif: list[bytes] = []
    problem: str | None = None
    for kind, found in _parts(data):
        if kind == "exif":
            exif.append(found)
        elif kind == "problem":
            problem = found.decode()
        elif len(found) > MAX_XML:
            problem = "too-long"
        elif found not in packets:
            packets.append(found)
        if len(packets) + len(exif) > MAX_PACKETS:
            return Metadata(packets[:MAX_PACKETS], exif[:MAX_PACKETS], "too-long")
    return Metadata(packets, exif, problem)


def exif_copyright(exif: bytes) -> str | None:
    """Return the copyright notice in IFD 0 of an EXIF block; None where there is none, or the block is damaged."""
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(exif[:4])
    if order is None or len(exif) < 8:
        return None
    (start,) = struct.unpack_from(order + "I", exif, 4)
    if start + 2 > len(exif):
        return None
    (count,) = struct.unpack_from(order + "H", exif, start)
    for place in range(start + 2, min(start + 2 + 12 * count, len(exif) - 11), 12):
        tag, kind, length, value = struct.unpack_from(order + "HHII", exif, place)
        if tag == _COPYRIGHT and kind == _ASCII:
            at = place + 8 if length <= 4 else value
            text = exif[at : at + min(length, 4096)].replace(b"\0", b" ").decode("utf-8", "replace").strip()
            return text or None
    return None


def _parts(data: bytes) -> Iterator[tuple[str, bytes]]:
    rest = 0  # from where on nothing has been taken apart
    if data.startswith(b"\xff\xd8"):
        rest = yield from _jpeg(data)
    elif data.startswith(_PNG):
        yield from _png(data)
    elif data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        yield from _webp(data)
    elif data[:4] in (b"II*\0", b"MM\0*"):
        yield "exif", data
    elif data.startswith(_JXL):
        yield from _jxl(data)
    yield from _scanned(data, rest)


def _scanned(data: bytes, rest: int) -> Iterator[tuple[str, bytes]]:
    """Yield what begins and ends as XMP does, from ``rest`` on; what begins and never ends is a problem."""
    spans: list[tuple[int, int]] = []
    for begin, end in _BEGINNINGS:
        place = rest
        for _ in range(MAX_PACKETS + 1):
            start = data.find(begin, place)
            if start < 0:
                break
            # RDF within a packet, and a packet that looks the same in the other order of bytes.
            around = next((after for before, after in spans if before <= start < after), None)
            if around is not None:
                place = around
                continue
            stop = data.find(end, start)
            if stop < 0:
                yield "problem", b"unreadable"
                break
            place = stop + len(end)
            spans.append((start, place))
            yield "xmp", data[start:place] if b"\0" not in end else _utf8(data[start:place], end)


def _utf8(found: bytes, end: bytes) -> bytes:
    return found.decode("utf-16-be" if end[:1] == b"\0" else "utf-16-le", "replace").encode()


def _jxl(data: bytes) -> Iterator[tuple[str, bytes]]:
    """Yield that there is more where a JPEG XL has metadata in Brotli, which is not unpacked here."""
    place = 0
    for _ in range(MAX_PARTS):
        if place + 8 > len(data):
            return
        size, kind = struct.unpack_from(">I4s", data, place)
        start = place + 8
        if size == 1 and start + 8 <= len(data):
            (size,) = struct.unpack_from(">Q", data, start)
            start += 8
        if kind == b"brob" and data[start : start + 4] in _SAYING:
            yield "problem", b"no-reader"
        if size < start - place:  # to the end, or no size at all
            return
        place += size


def _jpeg(data: bytes) -> Generator[tuple[str, bytes], None, int]:
    """Yield what the segments before the picture hold; return where they end."""
    pieces: dict[bytes, dict[int, bytes]] = {}
    sizes: dict[bytes, int] = {}
    place = 2
    for _ in range(MAX_PARTS):
        if place + 4 > len(data) or data[place] != 0xFF:
            break
        marker, length = data[place + 1], int.from_bytes(data[place + 2 : place + 4], "big")
        if marker in (0xD9, 0xDA):
            break
        body = data[place + 4 : place + 2 + length]
        place += 2 + max(length, 2)
        if marker != 0xE1:
            continue
        if body.startswith(b"Exif\0\0"):
            yield "exif", body[6:]
        elif body.startswith(_XAP):
            yield "xmp", _trimmed(body[len(_XAP) :])
        elif body.startswith(_EXTENSION) and len(body) >= len(_EXTENSION) + 40:
            rest = body[len(_EXTENSION) :]
            guid, (size, offset) = rest[:32], struct.unpack_from(">II", rest, 32)
            pieces.setdefault(guid, {})[offset] = rest[40:]
            sizes[guid] = size
    for guid, parts in pieces.items():
        joined = b"".join(parts[offset] for offset in sorted(parts))
        if len(joined) != sizes[guid]:
            yield "problem", b"unreadable"
        yield "xmp", joined
    return place


def _png(data: bytes) -> Iterator[tuple[str, bytes]]:
    place = len(_PNG)
    for _ in range(MAX_PARTS):
        if place + 12 > len(data):
            break
        length, kind = int.from_bytes(data[place : place + 4], "big"), data[place + 4 : place + 8]
        body = data[place + 8 : place + 8 + length]
        place += 12 + length
        if kind == b"eXIf":
            yield "exif", body
        elif kind == b"iTXt" and body.startswith(b"XML:com.adobe.xmp\0"):
            packed = body[18:19] == b"\1"
            text = body[20:].split(b"\0", 2)[-1]
            yield from _inflated(text) if packed else [("xmp", _trimmed(text))]
        elif kind == b"zTXt" and b"xmp" in body[:80].partition(b"\0")[0].lower():
            yield from _inflated(body.partition(b"\0")[2][1:])


def _inflated(packed: bytes) -> Iterator[tuple[str, bytes]]:
    unpacker = zlib.decompressobj()
    try:
        text = unpacker.decompress(packed, MAX_XML + 1)
    except zlib.error:
        yield "problem", b"unreadable"
        return
    yield "xmp", _trimmed(text)


def _webp(data: bytes) -> Iterator[tuple[str, bytes]]:
    place = 12
    for _ in range(MAX_PARTS):
        if place + 8 > len(data):
            break
        kind, length = data[place : place + 4], int.from_bytes(data[place + 4 : place + 8], "little")
        body = data[place + 8 : place + 8 + length]
        place += 8 + length + length % 2
        if kind == b"EXIF":
            yield "exif", body.removeprefix(b"Exif\0\0")
        elif kind == b"XMP ":
            yield "xmp", _trimmed(body)


def _trimmed(packet: bytes) -> bytes:
    """Return a packet as looking for its beginning finds it, so that it is not read twice."""
    for begin, end in _BEGINNINGS[:2]:
        start = packet.find(begin)
        stop = packet.find(end, start)
        if start >= 0 and stop >= 0:
            return packet[start : stop + len(end)]
    return packet
