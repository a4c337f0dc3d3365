"""TIFF and BigTIFF: the first page, rebuilt with the few tags that make pixels.

Grey, palette, RGB and CMYK of 1 to 16 bits, in strips or tiles, plain, packed (LZW, Deflate, PackBits, fax) or as
JPEG. Further pages, folders of tags and what lies between are never followed, so they cannot loop. The rebuilt file
says ``rgb`` or ``grey`` of its samples whatever they are: what they mean is applied after decoding.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Final, Literal, NamedTuple

from licet.fingerprints.containers import jpeg
from licet.fingerprints.containers.common import MAX_PARTS, Container, check_pixels, refuse

SIGNATURES: Final = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")

_SUBFILE, _WIDTH, _HEIGHT, _BITS, _COMPRESSION, _PHOTOMETRIC, _FILL_ORDER = 254, 256, 257, 258, 259, 262, 266
_STRIP_OFFSETS, _ORIENTATION, _SAMPLES, _ROWS_PER_STRIP, _STRIP_BYTES, _PLANAR = 273, 274, 277, 278, 279, 284
_FAX3, _FAX4, _PREDICTOR, _COLOURS, _TILE_WIDTH, _TILE_HEIGHT, _TILE_OFFSETS = 292, 293, 317, 320, 322, 323, 324
_TILE_BYTES, _INK_SET, _EXTRA, _FORMAT, _JPEG_TABLES, _SUBSAMPLING, _DNG = 325, 332, 338, 339, 347, 530, 50706
_TAGS: Final = frozenset(
    (
        *(_SUBFILE, _WIDTH, _HEIGHT, _BITS, _COMPRESSION, _PHOTOMETRIC, _FILL_ORDER, _STRIP_OFFSETS, _ORIENTATION),
        *(_SAMPLES, _ROWS_PER_STRIP, _STRIP_BYTES, _PLANAR, _FAX3, _FAX4, _PREDICTOR, _COLOURS, _TILE_WIDTH),
        *(_TILE_HEIGHT, _TILE_OFFSETS, _TILE_BYTES, _INK_SET, _EXTRA, _FORMAT, _JPEG_TABLES, _SUBSAMPLING, _DNG),
    )
)
# BYTE, ASCII, SHORT, LONG, UNDEFINED, LONG8: what the tags above may be written as.
_KINDS: Final = {1: "B", 2: "B", 3: "H", 4: "I", 7: "B", 16: "Q"}
_JPEG: Final = 7
_FAX: Final = (2, 3, 4)
_COMPRESSIONS: Final = frozenset({1, *_FAX, 5, _JPEG, 8, 32773, 32946})
_NAMES: Final = {6: "old-style JPEG", 34925: "LZMA", 50000: "Zstandard", 50001: "WEBP", 50002: "JPEG XL"}
_GREY, _RGB, _PALETTE, _CMYK, _YCBCR = (0, 1), 2, 3, 5, 6
_FORMATS: Final = {2: "signed integers", 3: "floating point", 5: "complex integers", 6: "complex numbers"}
_COLOURS_NAMES: Final = {4: "a mask", 8: "CIE Lab", 9: "ICC Lab", 10: "ITU Lab", 32803: "a camera's raw samples"}
_REDUCED: Final = 1

Tags = dict[int, tuple[int, ...]]


class _Form(NamedTuple):
    """How samples are stored: the photometric interpretation to tell the decoder, and what they mean."""

    photometric: int
    meaning: Literal["grey", "inverted", "palette", "rgb", "alpha", "premultiplied", "cmyk"]
    depth: int
    channels: int


class _Layout(NamedTuple):
    width: int
    height: int
    pieces: tuple[bytes, ...]
    tile: tuple[int, int] | None
    rows: int


def read(data: bytes, max_pixels: int) -> Container:
    """Return the first page of the TIFF."""
    order = "<" if data[:2] == b"II" else ">"
    tags = _tags(data, order)
    width, height = _one(tags, _WIDTH), _one(tags, _HEIGHT)
    check_pixels(width, height, max_pixels)
    if _DNG in tags or _one(tags, _SUBFILE, 0) & _REDUCED:
        refuse("unsupported-format", "expected a picture on the first page of a TIFF, got a preview (camera raw?)")
    compression = _one(tags, _COMPRESSION, 1)
    if compression not in _COMPRESSIONS:
        got = _NAMES.get(compression, f"compression {compression}")
        refuse("unsupported-format", f"expected a TIFF that is plain, packed by LZW, Deflate, fax or JPEG, got {got}")
    form = _form(tags, compression)
    planar = _one(tags, _PLANAR, 1) == 2 and form.channels > 1
    layout = _layout(data, tags, width, height, form.channels if planar else 1, max_pixels)
    if compression == _JPEG:
        for piece in layout.pieces:
            jpeg.read(piece, max_pixels)
    orientation = _one(tags, _ORIENTATION, 1)
    return Container(
        "tiff",
        width,
        height,
        orientation if 1 <= orientation <= 8 else 1,
        _rebuilt(order, tags, form, layout, compression, planar=planar),
        depth=form.depth,
        palette=_palette(tags, form),
        samples=form.meaning,
    )


def _tags(data: bytes, order: str) -> Tags:
    """Return the values of the tags that we need, of the first folder of tags."""
    big = data[2:4] in (b"+\0", b"\0+")
    try:
        if big:
            size, zero, place = struct.unpack_from(order + "HHQ", data, 4)
            if (size, zero) != (8, 0):
                refuse("unreadable", f"expected a BigTIFF with places of 8 bytes, got {size}")
        else:
            (place,) = struct.unpack_from(order + "I", data, 4)
        (count,) = struct.unpack_from(order + ("Q" if big else "H"), data, place)
        if not 1 <= count <= MAX_PARTS:
            refuse("unreadable", f"expected 1 to {MAX_PARTS:,} tags in a TIFF, got {count:,}")
        place += 8 if big else 2
        found: Tags = {}
        for _ in range(count):
            tag, kind, values = struct.unpack_from(order + ("HHQ" if big else "HHI"), data, place)
            if tag in _TAGS and kind in _KINDS and tag not in found:
                if not 1 <= values <= 1 << 20:
                    refuse("unreadable", f"expected 1 to {1 << 20:,} values of tag {tag} of a TIFF, got {values:,}")
                form = f"{order}{values}{_KINDS[kind]}"
                at = place + (12 if big else 8)
                if struct.calcsize(form) > (8 if big else 4):
                    (at,) = struct.unpack_from(order + ("Q" if big else "I"), data, at)
                found[tag] = struct.unpack_from(form, data, at)
            place += 20 if big else 12
    except (struct.error, OverflowError) as error:
        refuse("truncated", "expected the tags of a TIFF, got the end of the file", error)
    return found


def _one(tags: Tags, tag: int, default: int | None = None) -> int:
    value = tags.get(tag)
    if value is None:
        if default is None:
            refuse("unreadable", f"expected tag {tag} in a TIFF, got none")
        return default
    return value[0]


def _form(tags: Tags, compression: int) -> _Form:
    channels = _one(tags, _SAMPLES, 1)
    depths = tags.get(_BITS, (1,))
    if not 1 <= channels <= 4 or len(set(depths)) != 1 or len(depths) not in (1, channels):
        refuse("unsupported-format", f"expected 1 to 4 channels of one depth in a TIFF, got {channels} of {depths[:8]}")
    formats = set(tags.get(_FORMAT, (1,))) - {1, 4}
    if formats:
        got = _FORMATS.get(min(formats), f"format {min(formats)}")
        refuse("unsupported-format", f"expected samples of whole numbers in a TIFF, got {got}")
    depth = depths[0]
    photometric = _one(tags, _PHOTOMETRIC)
    extra = tags.get(_EXTRA, (2,))[0]
    form: _Form | None = None
    if photometric in _GREY and channels == 1 and depth in (1, 2, 4, 8, 16):
        form = _Form(1, "grey" if photometric else "inverted", depth, 1)
    elif photometric == 1 and channels == 2 and depth == 8:
        form = _Form(1, {0: "grey", 1: "premultiplied"}.get(extra, "alpha"), 8, 2)  # type: ignore[arg-type]
    elif photometric == _PALETTE and channels == 1 and depth in (1, 2, 4, 8):
        form = _Form(1, "palette", depth, 1)
    elif photometric == _RGB and channels == 3 and depth in (8, 16):
        form = _Form(2, "rgb", depth, 3)
    elif photometric == _RGB and channels == 4 and depth in (8, 16):
        form = _Form(2, {0: "rgb", 1: "premultiplied"}.get(extra, "alpha"), depth, 4)  # type: ignore[arg-type]
    elif photometric == _CMYK and channels == 4 and depth in (8, 16) and _one(tags, _INK_SET, 1) == 1:
        form = _Form(_CMYK, "cmyk", depth, 4)
    elif photometric == _YCBCR and channels == 3 and depth == 8 and compression == _JPEG:
        form = _Form(_YCBCR, "rgb", 8, 3)
    if form is None or (compression in _FAX and depth != 1) or (compression == _JPEG and depth != 8):
        colours = _COLOURS_NAMES.get(photometric, f"colours of kind {photometric}")
        refuse(
            "unsupported-format",
            "expected grey, palette, RGB or CMYK of 8 or 16 bits in a TIFF,"
            f" got {colours} in {channels} channels of {depth} bits",
        )
    return form


def _layout(data: bytes, tags: Tags, width: int, height: int, planes: int, max_pixels: int) -> _Layout:
    """Return the strips or tiles; each lies in the file, and together they are no more than it."""
    tiled = _TILE_OFFSETS in tags
    offsets = tags.get(_TILE_OFFSETS if tiled else _STRIP_OFFSETS, ())
    sizes = tags.get(_TILE_BYTES if tiled else _STRIP_BYTES, ())
    tile = None
    rows = min(_one(tags, _ROWS_PER_STRIP, height), height)
    if tiled:
        tile = across, down = _one(tags, _TILE_WIDTH), _one(tags, _TILE_HEIGHT)
        # Tiles reach over the border: what they hold together is what decoding costs.
        check_pixels(across, down, max_pixels)
        expected = -(-width // across) * -(-height // down)
        check_pixels(across * down, expected, max_pixels * 4)
    else:
        if rows < 1:
            refuse("unreadable", "expected at least 1 row in a strip of a TIFF, got 0")
        expected = -(-height // rows)
    if not len(offsets) == len(sizes) == expected * planes:
        got = f"{len(offsets):,} places and {len(sizes):,} sizes"
        refuse("unreadable", f"expected {expected * planes:,} strips or tiles in a TIFF, got {got}")
    for offset, size in zip(offsets, sizes, strict=True):
        if offset + size > len(data):
            refuse("truncated", f"expected {size:,} bytes of TIFF at {offset:,}, got the end of the file")
    if sum(sizes) > len(data):
        refuse("unreadable", f"expected strips of at most {len(data):,} bytes in a TIFF, got {sum(sizes):,}")
    pieces = tuple(data[offset : offset + size] for offset, size in zip(offsets, sizes, strict=True))
    return _Layout(width, height, pieces, tile, rows)


def _palette(tags: Tags, form: _Form) -> bytes:
    """Return RGB triples of 8 bits; the file has 16-bit reds, greens, blues."""
    if form.meaning != "palette":
        return b""
    colours, count = tags.get(_COLOURS, ()), 1 << form.depth
    if len(colours) != 3 * count or max(colours) > 0xFFFF:
        refuse("unreadable", f"expected {3 * count} values in the palette of a TIFF, got {len(colours)}")
    # Some writers forget to widen to 16 bits: then every value is below 256.
    shift = 8 if max(colours) > 0xFF else 0
    return bytes(colours[plane * count + index] >> shift for index in range(count) for plane in range(3))


def _rebuilt(order: str, tags: Tags, form: _Form, layout: _Layout, compression: int, *, planar: bool) -> bytes:
    """Return a TIFF of one page with these pieces and no tag that makes no pixels."""
    sizes = [len(piece) for piece in layout.pieces]
    wanted: list[tuple[int, int, Sequence[int]]] = [
        (_WIDTH, 4, [layout.width]),
        (_HEIGHT, 4, [layout.height]),
        (_BITS, 3, [form.depth] * form.channels),
        (_COMPRESSION, 3, [compression]),
        (_PHOTOMETRIC, 3, [form.photometric]),
        (_SAMPLES, 3, [form.channels]),
        (_PLANAR, 3, [2 if planar else 1]),
    ]
    if form.channels in (2, 4) and form.photometric != _CMYK:
        wanted.append((_EXTRA, 3, [2]))
    for tag, kind in ((_FILL_ORDER, 3), (_FAX3, 4), (_FAX4, 4), (_PREDICTOR, 3), (_SUBSAMPLING, 3)):
        if tag in tags and max(tags[tag]) <= 0xFFFF:
            wanted.append((tag, kind, tags[tag][:2]))
    if compression == _JPEG and _JPEG_TABLES in tags and max(tags[_JPEG_TABLES]) <= 0xFF:
        wanted.append((_JPEG_TABLES, 7, tags[_JPEG_TABLES]))
    if layout.tile is not None:
        wanted += [(_TILE_WIDTH, 4, [layout.tile[0]]), (_TILE_HEIGHT, 4, [layout.tile[1]]), (_TILE_BYTES, 4, sizes)]
    else:
        wanted += [(_ROWS_PER_STRIP, 4, [layout.rows]), (_STRIP_BYTES, 4, sizes)]
    # The values of the places are known once everything before them has its place.
    place_tag = _STRIP_OFFSETS if layout.tile is None else _TILE_OFFSETS
    wanted.append((place_tag, 4, sizes))
    wanted.sort()
    start = 8 + 2 + 12 * len(wanted) + 4
    after = start + sum(_room(kind, values) for _, kind, values in wanted)
    offsets = []
    for size in sizes:
        offsets.append(after)
        after += size + size % 2
    folder, beside = [struct.pack(order + "H", len(wanted))], []
    for tag, kind, values in wanted:
        packed = struct.pack(f"{order}{len(values)}{_KINDS[kind]}", *(offsets if tag == place_tag else values))
        if len(packed) <= 4:
            folder.append(struct.pack(order + "HHI4s", tag, kind, len(values), packed))
        else:
            folder.append(struct.pack(order + "HHII", tag, kind, len(values), start))
            start += len(packed) + len(packed) % 2
            beside.append(packed + b"\0" * (len(packed) % 2))
    head = (b"II" if order == "<" else b"MM") + struct.pack(order + "HI", 42, 8)
    pixels = [piece + b"\0" * (len(piece) % 2) for piece in layout.pieces]
    return b"".join((head, *folder, b"\0\0\0\0", *beside, *pixels))


def _room(kind: int, values: Sequence[int]) -> int:
    """Return the bytes beside the folder that ``values`` take."""
    size = struct.calcsize(f"={len(values)}{_KINDS[kind]}")
    return 0 if size <= 4 else size + size % 2
