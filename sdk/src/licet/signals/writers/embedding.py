"""XMP into copies of pictures: JPEG, PNG, WEBP and TIFF. What makes pixels stays byte for byte as it is.

What else a packet in the file says is kept; only what we state ourselves takes the place of what stood there. The copy
is taken apart as pictures are, and refused unless what a decoder gets of it is the same, byte for byte. The original is
never opened for writing, and nothing is written over.
"""

from __future__ import annotations

import os
import secrets
import struct
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from licet.errors import InputError, MalformedError
from licet.fingerprints.containers import read_container
from licet.fingerprints.containers.common import Container
from licet.signals.documents import local, namespace, parse_xml
from licet.signals.needed import ensure_readers
from licet.signals.readers.c2pa import has_manifest
from licet.signals.readers.packets import metadata_of

MAX_BYTES: Final = 256 << 20
MAX_PIXELS: Final = 1 << 29
_XAP: Final = b"http://ns.adobe.com/xap/1.0/\0"
_KEYWORD: Final = b"XML:com.adobe.xmp\0"
_RDF: Final = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
_XMP_TAG: Final = 700
_STATED: Final = frozenset({"DataMining", "OtherConstraints", "WebStatement", "UsageTerms"})
_SPACES: Final = ("ns.useplus.org/ldf/xmp", "ns.adobe.com/xap/1.0/rights")


def embedded(data: bytes, packet: bytes) -> bytes:
    """Return the picture ``data`` with the XMP ``packet`` in it.

    Raises ``InputError`` for what is no whole JPEG, PNG, WEBP or TIFF, for more than 256 MB, for metadata that cannot
    be read and so not be kept, and for a C2PA manifest, which would not hold any more.
    """
    ensure_readers()
    if len(data) > MAX_BYTES:
        raise InputError.field("picture", f"at most {MAX_BYTES:,} bytes", len(data))
    before = read_container(data, MAX_PIXELS)
    write = _WRITERS.get(before.format)
    if write is None:
        raise InputError.field("picture", f"one of {', '.join(sorted(_WRITERS))}", before.format)
    if has_manifest(data):
        expected = (
            "a picture without a C2PA manifest, which would not hold any more (sign the assertion into a new one)"
        )
        raise InputError.field("picture", expected, "one with it")
    found = metadata_of(data)
    if found.problem or len(found.packets) > 1:
        got = found.problem or f"{len(found.packets)} packets"
        raise InputError.field("picture", "metadata that can be kept: none, or one packet of XMP", got)
    if found.packets:
        packet = merged(found.packets[0], packet)
    made = write(data, packet)
    after = read_container(made, MAX_PIXELS)
    if _decoded(after, made) != _decoded(before, data) or metadata_of(made).packets != [packet.strip()]:
        raise InputError.field("picture", "one that metadata can be written into without touching it", "another form")
    return made


def _decoded(found: Container, data: bytes) -> object:
    """Return what a decoder gets of a picture. Of a WEBP the header in front may be new: it repeats what follows."""
    if found.format != "webp":
        return found
    end = 8 + int.from_bytes(data[4:8], "little")
    kept = [(kind, body) for kind, body in _chunks(data, end) if kind not in (b"VP8X", b"XMP ")]
    return found.width, found.height, kept


def embed_copy(source: Path, target: Path, packet: bytes) -> None:
    """Write a copy of ``source`` with ``packet`` in it to ``target``; raises ``InputError`` for another file there."""
    try:
        if source.stat().st_size > MAX_BYTES:
            raise InputError.field(str(source), f"at most {MAX_BYTES:,} bytes", source.stat().st_size)
        data = source.read_bytes()
    except OSError as error:
        raise InputError(f"{source}: expected a picture, got {error.strerror or error}") from None
    try:
        made = embedded(data, packet)
    except InputError as error:
        raise InputError(f"{source}: {error.message}", **error.details) from None
    keep(target, made)


def keep(target: Path, content: bytes) -> None:
    """Write a file, whole or not at all; one that is there stays, and must be just that, else raises ``InputError``."""
    part = target.with_name(f".{target.name}.{secrets.token_hex(4)}.part")
    try:
        part.write_bytes(content)
        os.link(part, target)  # which never takes the place of what is there
    except FileExistsError:
        if not holds(target, content):
            raise InputError(f"{target}: expected no other file there, as nothing is written over, got one") from None
    except OSError as error:
        raise InputError(f"{target}: expected a place that can be written to, got {error.strerror or error}") from None
    finally:
        part.unlink(missing_ok=True)


def holds(path: Path, content: bytes) -> bool:
    """Return whether ``path`` is a file of just ``content``."""
    try:
        return path.is_file() and path.stat().st_size == len(content) and path.read_bytes() == content
    except OSError:
        return False


def merged(old: bytes, new: bytes) -> bytes:
    """Return the packet ``old`` in which ``new`` has the last word; raises ``InputError`` where it cannot be read."""
    from lxml import etree

    try:
        root, ours = parse_xml(old, "XMP"), parse_xml(new, "XMP")
    except MalformedError as error:
        raise InputError(f"picture: {error.message}", field="picture") from None
    rdf = root if root.tag == f"{{{_RDF}}}RDF" else root.find(f".//{{{_RDF}}}RDF")
    if rdf is None:
        raise InputError.field("picture", "XMP with rdf:RDF in it", "another form")
    for element in list(rdf.iter()):
        for name in [name for name in element.attrib if _is_stated(name)]:
            del element.attrib[name]
        if _is_stated(element.tag) and element.getparent() is not None:
            element.getparent().remove(element)
    rdf.extend(ours.find(f".//{{{_RDF}}}RDF"))
    if local(root.tag) != "xmpmeta":
        around = etree.Element("{adobe:ns:meta/}xmpmeta", nsmap={"x": "adobe:ns:meta/"})
        around.append(rdf)
        root = around
    whole: bytes = etree.tostring(root, encoding="utf-8")
    return whole


def _is_stated(tag: object) -> bool:
    return local(tag) in _STATED and any(space in namespace(tag) for space in _SPACES)


def _jpeg(data: bytes, packet: bytes) -> bytes:
    """Put the packet behind the first application segments: JFIF and EXIF come first."""
    body = _XAP + packet.strip()
    if len(body) + 2 > 0xFFFF:
        raise InputError.field("picture", f"XMP of at most {0xFFFF - 2 - len(_XAP):,} bytes in a JPEG", len(packet))
    parts, place, at = [data[:2]], 2, 1
    while data[place] == 0xFF and data[place + 1] not in (0xDA, 0xD9):
        marker = data[place + 1]
        if marker == 0xFF:  # padding
            parts.append(data[place : place + 1])
            place += 1
            continue
        end = place + 2 + int.from_bytes(data[place + 2 : place + 4], "big")
        segment = data[place:end]
        place = end
        if marker == 0xE1 and segment[4:].startswith(_XAP):
            continue
        parts.append(segment)
        if marker == 0xE0 or (marker == 0xE1 and segment[4:].startswith(b"Exif\0\0")):
            at = len(parts)
    parts.insert(at, b"\xff\xe1" + (len(body) + 2).to_bytes(2, "big") + body)
    return b"".join(parts) + data[place:]


def _png(data: bytes, packet: bytes) -> bytes:
    body = _KEYWORD + b"\0\0\0\0" + packet.strip()
    chunk = b"iTXt" + body
    made = len(body).to_bytes(4, "big") + chunk + zlib.crc32(chunk).to_bytes(4, "big")
    parts, place = [data[:8]], 8
    while place < len(data):
        end = place + 12 + int.from_bytes(data[place : place + 4], "big")
        kind = data[place + 4 : place + 8]
        if not (kind == b"iTXt" and data[place + 8 : end].startswith(_KEYWORD)):
            parts.append(data[place:end])
        if kind == b"IHDR":
            parts.append(made)
        place = end
        if kind == b"IEND":
            break
    return b"".join(parts) + data[place:]


def _webp(data: bytes, packet: bytes) -> bytes:
    """Put the packet last, and its flag into the extended header, which is made where there is none."""
    end = 8 + int.from_bytes(data[4:8], "little")
    chunks = [(kind, body) for kind, body in _chunks(data, end) if kind != b"XMP "]
    if chunks[0][0] != b"VP8X":
        seen = read_container(data, MAX_PIXELS)
        kind, body = chunks[0]
        alpha = 0x10 if kind == b"VP8L" and body[4] & 0x10 else 0
        size = (seen.width - 1).to_bytes(3, "little") + (seen.height - 1).to_bytes(3, "little")
        chunks.insert(0, (b"VP8X", bytes((alpha, 0, 0, 0)) + size))
    first = bytearray(chunks[0][1])
    first[0] |= 0x04
    chunks[0] = (b"VP8X", bytes(first))
    chunks.append((b"XMP ", packet.strip()))
    made = b"WEBP" + b"".join(
        kind + len(body).to_bytes(4, "little") + body + b"\0" * (len(body) % 2) for kind, body in chunks
    )
    return b"RIFF" + len(made).to_bytes(4, "little") + made + data[end:]


def _chunks(data: bytes, end: int) -> Iterator[tuple[bytes, bytes]]:
    place = 12
    while place + 8 <= end:
        length = int.from_bytes(data[place + 4 : place + 8], "little")
        yield data[place : place + 4], data[place + 8 : place + 8 + length]
        place += 8 + length + length % 2


def _tiff(data: bytes, packet: bytes) -> bytes:
    """Put the packet and a new first directory behind the file; all that it points to stays where it is."""
    order = "<" if data[:2] == b"II" else ">"
    (start,) = struct.unpack_from(order + "I", data, 4)
    (count,) = struct.unpack_from(order + "H", data, start)
    entries = [data[start + 2 + 12 * number : start + 14 + 12 * number] for number in range(count)]
    following = data[start + 2 + 12 * count : start + 6 + 12 * count]
    kept = [each for each in entries if struct.unpack_from(order + "H", each)[0] != _XMP_TAG]
    body = packet.strip()
    # An old packet is cut out of the file, so that it is not found by its beginning.
    rest = bytearray(data)
    for each in entries:
        tag, _, length, at = struct.unpack(order + "HHII", each)
        if tag == _XMP_TAG and length > 4:
            rest[at : at + length] = bytes(min(length, max(len(rest) - at, 0)))
    rest += b"\0" * (len(rest) % 2)
    kept.append(struct.pack(order + "HHII", _XMP_TAG, 1, len(body), len(rest)))
    kept.sort(key=lambda each: struct.unpack_from(order + "H", each))
    rest += body + b"\0" * (len(body) % 2)
    rest[4:8] = struct.pack(order + "I", len(rest))
    return bytes(rest) + struct.pack(order + "H", len(kept)) + b"".join(kept) + following


_WRITERS: Final[dict[str, Callable[[bytes, bytes], bytes]]] = {
    "jpeg": _jpeg,
    "png": _png,
    "webp": _webp,
    "tiff": _tiff,
}
