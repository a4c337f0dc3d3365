"""AVIF: the primary picture of the file; tracks of a sequence, EXIF, XMP and what else is boxed are hidden.

Which way is up, ``irot`` and ``imir`` say, never EXIF. Boxes that are hidden keep their place under the name ``free``,
as the places of the pixels are counted from the file's beginning.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from licet.fingerprints.containers.av1 import checked_pixels
from licet.fingerprints.containers.boxes import Box, Reader, box_at, boxes
from licet.fingerprints.containers.common import Container, check_pixels, refuse

_BRANDS: Final = frozenset({b"avif", b"avis"})
_STILL: Final = {b"avis": b"avif", b"msf1": b"mif1"}
_SHOWN: Final = frozenset({b"ftyp", b"meta", b"mdat"})
_PICTURES: Final = frozenset({b"av01", b"grid"})
_MAX_ITEMS: Final = 4096
# Of a picture, its opacity, a gain map and a preview there may be that many pixels, each within the limit.
_MAX_LAYERS: Final = 4
_NO_TURN, _UP_DOWN, _LEFT_RIGHT = None, 0, 1
# irot in quarter turns to the left, then imir.
_ORIENTATIONS: Final[dict[tuple[int, int | None], int]] = {
    (0, _NO_TURN): 1,
    (0, _LEFT_RIGHT): 2,
    (2, _NO_TURN): 3,
    (0, _UP_DOWN): 4,
    (1, _UP_DOWN): 5,
    (3, _NO_TURN): 6,
    (1, _LEFT_RIGHT): 7,
    (1, _NO_TURN): 8,
    (2, _LEFT_RIGHT): 4,
    (2, _UP_DOWN): 2,
    (3, _LEFT_RIGHT): 5,
    (3, _UP_DOWN): 7,
}


@dataclass(slots=True)
class _Items:
    """What the box of metadata says of the items in the file."""

    primary: int = -1
    kinds: dict[int, bytes] = field(default_factory=dict)
    hidden: list[int] = field(default_factory=list)  # where the names of items stand that are no pictures
    places: dict[int, list[tuple[int, int]]] = field(default_factory=dict)
    properties: list[Box] = field(default_factory=list)
    linked: dict[int, list[int]] = field(default_factory=dict)
    content: Box | None = None  # of items that lie in the box of metadata itself
    inside: set[int] = field(default_factory=set)


def is_avif(data: bytes) -> bool:
    """Return whether ``data`` begins with a file type box that names AVIF."""
    return data[4:8] == b"ftyp" and not _BRANDS.isdisjoint(_brands(data))


def read(data: bytes, max_pixels: int) -> Container:
    """Return the primary picture of the AVIF."""
    shown, end = _top(data)
    meta = next((box for box in shown if box.kind == b"meta"), None)
    if meta is None:
        tracks = any(box.kind == b"moov" for box in shown)
        why = "got a sequence without one" if tracks else "got none"
        refuse("unsupported-format" if tracks else "truncated", f"expected a still picture in an AVIF, {why}")
    items = _items(data, meta)
    kind = items.kinds.get(items.primary)
    if kind not in _PICTURES:
        refuse("unsupported-format", f"expected a picture of AV1 in an AVIF, got {kind or b'none'!r}")
    width, height, orientation = _form(data, items)
    check_pixels(width, height, max_pixels)
    _check_layers(data[:end], items, max_pixels)
    return Container("avif", width, height, orientation, _still(data[:end], shown, items))


def _brands(data: bytes) -> list[bytes]:
    size = min(int.from_bytes(data[:4], "big"), len(data), 4096)
    return [data[8:12], *(data[place : place + 4] for place in range(16, size - 3, 4))]


def _top(data: bytes) -> tuple[list[Box], int]:
    """Return the boxes of the file and where the last one ends; what follows is no part of it."""
    found: list[Box] = []
    place = 0
    while (box := box_at(data, place, len(data))) is not None:
        if box.end > len(data):
            if box.kind in _SHOWN or box.kind == b"moov":
                refuse("truncated", f"expected {box.end - len(data):,} more bytes of AVIF, got the end of the file")
            break
        found.append(box)
        place = box.end
        if len(found) > _MAX_ITEMS:
            refuse("unreadable", f"expected at most {_MAX_ITEMS:,} boxes in an AVIF")
    return found, place


def _items(data: bytes, meta: Box) -> _Items:
    items = _Items()
    for box in boxes(data, meta.body + 4, meta.end):
        reader = Reader(data, box.body, box.end)
        if box.kind == b"pitm":
            items.primary = reader.number(4 if reader.full()[0] else 2)
        elif box.kind == b"iinf":
            version, _ = reader.full()
            reader.number(4 if version else 2)
            for entry in boxes(data, reader.place, box.end):
                _read_kind(data, entry, items)
        elif box.kind == b"iloc":
            _read_places(reader, items)
        elif box.kind == b"iprp":
            _read_properties(data, box, items)
        elif box.kind == b"idat":
            items.content = box
    return items


def _read_kind(data: bytes, entry: Box, items: _Items) -> None:
    reader = Reader(data, entry.body, entry.end)
    version, _ = reader.full()
    if entry.kind != b"infe" or version not in (2, 3):
        refuse("unreadable", f"expected an entry of an item in an AVIF, got {entry.kind!r} of version {version}")
    item = reader.number(4 if version == 3 else 2)
    reader.number(2)
    place = reader.place
    kind = reader.number(4).to_bytes(4, "big")
    if item in items.kinds or len(items.kinds) >= _MAX_ITEMS:
        refuse("unreadable", f"expected at most {_MAX_ITEMS:,} items in an AVIF, each once")
    items.kinds[item] = kind
    if kind not in _PICTURES:
        items.hidden.append(place)


def _read_places(reader: Reader, items: _Items) -> None:
    version, _ = reader.full()
    sizes = reader.number(2)
    offset_size, length_size, base_size = sizes >> 12, sizes >> 8 & 15, sizes >> 4 & 15
    index_size = sizes & 15 if version else 0
    if version > 2 or any(size not in (0, 4, 8) for size in (offset_size, length_size, base_size, index_size)):
        refuse("unreadable", "expected the places of items in an AVIF, got them in an unknown form")
    for _ in range(reader.number(4 if version == 2 else 2)):
        item = reader.number(4 if version == 2 else 2)
        method = reader.number(2) & 15 if version else 0
        reader.number(2)
        base = reader.number(base_size)
        extents = []
        for _ in range(reader.number(2)):
            reader.number(index_size)
            extents.append((base + reader.number(offset_size), reader.number(length_size)))
        if item in items.places or method > 1:
            refuse("unreadable", "expected one place of each item in an AVIF, in the file or beside it")
        items.places[item] = extents
        if method:
            items.inside.add(item)


def _read_properties(data: bytes, box: Box, items: _Items) -> None:
    for part in boxes(data, box.body, box.end):
        if part.kind == b"ipco":
            items.properties = list(boxes(data, part.body, part.end))
        elif part.kind == b"ipma":
            reader = Reader(data, part.body, part.end)
            version, flags = reader.full()
            for _ in range(reader.number(4)):
                item = reader.number(4 if version else 2)
                linked = [
                    reader.number(2) & 0x7FFF if flags & 1 else reader.number(1) & 0x7F for _ in range(reader.number(1))
                ]
                items.linked.setdefault(item, []).extend(linked)


def _form(data: bytes, items: _Items) -> tuple[int, int, int]:
    """Return width, height and orientation of the primary picture."""
    size: tuple[int, int] | None = None
    turn, mirror = 0, _NO_TURN
    for index in items.linked.get(items.primary, []):
        if index == 0:
            continue
        if index > len(items.properties):
            refuse("unreadable", f"expected a property of an AVIF, got number {index} of {len(items.properties)}")
        box = items.properties[index - 1]
        reader = Reader(data, box.body, box.end)
        if box.kind == b"ispe":
            reader.full()
            size = reader.number(4), reader.number(4)
        elif box.kind == b"irot":
            turn = reader.number(1) & 3
        elif box.kind == b"imir":
            mirror = reader.number(1) & 1
    if size is None:
        refuse("unreadable", "expected the size of the picture in an AVIF, got none")
    return (*size, _ORIENTATIONS[turn, mirror])


def _check_layers(data: bytes, items: _Items, max_pixels: int) -> None:
    """Refuse coded pictures that are larger than the file says, wherever in it they are."""
    total = 0
    for item, kind in items.kinds.items():
        extents = items.places.get(item, [])
        if kind not in _PICTURES or not extents:
            continue
        start, end = 0, len(data)
        if item in items.inside:
            if items.content is None:
                refuse("unreadable", "expected the content of items in an AVIF, got none")
            start, end = items.content.body, items.content.end
        parts = []
        for offset, length in extents:
            first, last = start + offset, start + offset + length if length else end
            if last > end:
                refuse("truncated", f"expected {length:,} bytes of AVIF at {offset:,}, got the end of the file")
            parts.append(data[first:last])
        if kind == b"av01":
            total += checked_pixels(b"".join(parts), max_pixels)
            if total > _MAX_LAYERS * max_pixels:
                got = f"{total:,} in all its pictures"
                refuse("too-many-pixels", f"expected at most {_MAX_LAYERS * max_pixels:,} pixels, got {got}")


def _still(data: bytes, shown: list[Box], items: _Items) -> bytes:
    """Return the file with everything hidden that is no picture, and nothing moved."""
    still = bytearray(data)
    for place in range(8, shown[0].end, 4):
        brand = bytes(still[place : place + 4])
        if place != 12 and brand in _STILL:
            still[place : place + 4] = _STILL[brand]
    first_meta = next(box for box in shown if box.kind == b"meta")
    for box in shown[1:]:
        if box.kind not in _SHOWN or (box.kind == b"meta" and box is not first_meta):
            still[box.start + 4 : box.start + 8] = b"free"
    for place in items.hidden:
        still[place : place + 4] = b"none"
    return bytes(still)
