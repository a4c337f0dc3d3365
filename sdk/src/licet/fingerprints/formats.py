"""The picture formats that are read: their names, media types and file endings, in one place.

What a file is, its bytes say; a name only says which files of a folder are worth opening.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final, NamedTuple


class Format(NamedTuple):
    """A format that is read: ``name`` as fingerprints carry it, ``title`` as people write it, endings in lower case."""

    name: str
    title: str
    media_type: str
    suffixes: tuple[str, ...]


FORMATS: Final = (
    Format("jpeg", "JPEG", "image/jpeg", (".jpg", ".jpeg", ".jpe", ".jfif")),
    Format("png", "PNG", "image/png", (".png", ".apng")),
    Format("webp", "WEBP", "image/webp", (".webp",)),
    Format("gif", "GIF", "image/gif", (".gif",)),
    Format("tiff", "TIFF", "image/tiff", (".tif", ".tiff")),
    Format("bmp", "BMP", "image/bmp", (".bmp", ".dib")),
    Format("avif", "AVIF", "image/avif", (".avif",)),
)
#: The formats in words, for messages.
READ: Final = ", ".join(each.title for each in FORMATS[:-1]) + " or " + FORMATS[-1].title
#: File names that are worth opening, in lower case.
PICTURE_SUFFIXES: Final = frozenset(suffix for each in FORMATS for suffix in each.suffixes)
#: Named like pictures, though not of a format that is read: a folder has them as rows, so that none slips through
#: unseen, and they are refused by name.
OTHER_SUFFIXES: Final = frozenset(
    {".avifs", ".heic", ".heif", ".jxl", ".jp2", ".j2k", ".svg", ".ppm", ".pgm", ".psd", ".ico", ".dng"}
)
MEDIA_TYPES: Final = {each.name: each.media_type for each in FORMATS}

_HEAD_BYTES: Final = 32
_BEGINNINGS: Final = (
    *(b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF87a", b"GIF89a"),
    *(b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"),
)


def is_picture_name(name: str) -> bool:
    """Return whether a file of this name says that it is a picture, of a format that is read or not."""
    return os.path.splitext(name)[1].lower() in PICTURE_SUFFIXES | OTHER_SUFFIXES  # noqa: PTH122 - once a file


def is_picture_file(path: Path) -> bool:
    """Return whether a folder's file is taken for a picture: by its name, or by its first bytes if it has no ending.

    A file of another ending (``.txt``, ``.json``) is none, whatever is in it.
    """
    if path.suffix:
        return is_picture_name(path.name)
    try:
        if not path.is_file():  # a pipe would be waited for
            return False
        with path.open("rb") as file:
            return looks_like_a_picture(file.read(_HEAD_BYTES))
    except OSError:
        return False


def looks_like_a_picture(head: bytes) -> bool:
    """Return whether bytes that begin so are worth decoding; 32 of them are enough."""
    return (
        head.startswith(_BEGINNINGS)
        or (head[:4] == b"RIFF" and head[8:12] == b"WEBP")
        or (head[4:8] == b"ftyp" and head[8:12] in (b"avif", b"avis", b"mif1"))
        or (head[:2] == b"BM" and head[6:10] == b"\0\0\0\0" and len(head) > 18)
    )
