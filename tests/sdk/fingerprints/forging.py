"""TIFF and GIF files written by hand, of forms that no encoder writes."""

from __future__ import annotations

import struct
from typing import Any


def tiff(
    tags: dict[int, Any], pixels: bytes | list[bytes], order: str = "<", *, big: bool = False, tiled: bool = False
) -> bytes:
    """Return a TIFF with these tags, (kind, values) each, and its strips or tiles at once behind the header."""
    pieces = [pixels] if isinstance(pixels, bytes) else pixels
    start = 16 if big else 8
    sizes = tuple(len(piece) for piece in pieces)
    places = tuple(start + sum(sizes[:number]) for number in range(len(sizes)))
    tags = {**tags, (324 if tiled else 273): (4, places), (325 if tiled else 279): (4, sizes)}
    pixels = b"".join(pieces)
    folder = start + len(pixels) + len(pixels) % 2
    beside = folder + (8 if big else 2) + len(tags) * (20 if big else 12) + (8 if big else 4)
    head = (b"II" if order == "<" else b"MM") + (
        struct.pack(order + "HHHQ", 43, 8, 0, folder) if big else struct.pack(order + "HI", 42, folder)
    )
    entries, values = [], b""
    for tag, (kind, numbers) in sorted(tags.items()):
        packed = struct.pack(order + str(len(numbers)) + {1: "B", 3: "H", 4: "I"}[kind], *numbers)
        room = 8 if big else 4
        if len(packed) > room:
            place = struct.pack(order + ("Q" if big else "I"), beside + len(values))
            values += packed
        else:
            place = packed.ljust(room, b"\0")
        entries.append(struct.pack(order + ("HHQ" if big else "HHI"), tag, kind, len(numbers)) + place)
    count = struct.pack(order + ("Q" if big else "H"), len(tags))
    return head + pixels + b"\0" * (len(pixels) % 2) + count + b"".join(entries) + bytes(8 if big else 4) + values


def plain(width: int, height: int, photometric: int, depths: tuple[int, ...], **more: Any) -> dict[int, Any]:
    tags: dict[int, Any] = {256: (4, (width,)), 257: (4, (height,)), 258: (3, depths), 259: (3, (1,))}
    tags |= {262: (3, (photometric,)), 277: (3, (len(depths),)), 278: (4, (height,))}
    return tags | {int(name[1:]): value for name, value in more.items()}


def gif(
    indices: list[list[int]],
    *,
    screen: tuple[int, int],
    place: tuple[int, int] = (0, 0),
    palette: bytes = b"\x10\x20\x30\x40\x50\x60\0\0\0\xff\xff\xff",
    local: bytes = b"",
    transparent: int | None = None,
    tail: bytes = b";",
) -> bytes:
    """Return a GIF of one frame with four colours, each index as a code of its own after a clear code."""
    codes = [code for row in indices for index in row for code in (4, index)] + [5]
    bits = sum(code << 3 * number for number, code in enumerate(codes))
    body = bits.to_bytes(-(-3 * len(codes) // 8), "little")
    control = b"" if transparent is None else bytes((0x21, 0xF9, 4, 1, 0, 0, transparent, 0))
    header = b"GIF89a" + struct.pack("<HHBBB", *screen, 0x81 if palette else 0, 0, 0) + palette
    frame = struct.pack("<BHHHHB", 0x2C, *place, len(indices[0]), len(indices), 0x81 if local else 0) + local
    return header + control + frame + bytes((2, len(body))) + body + b"\0" + tail
