"""Reading the files of rows: pictures and texts, each with what becomes of it where it cannot be read."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from itertools import repeat
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pyarrow as pa
import pyarrow.compute as pc

from licet.datasets.examining.asking import BESIDE, Questions
from licet.datasets.examining.evidence import FILES
from licet.datasets.examining.fixed import Bytes, put
from licet.datasets.examining.stated import Stated
from licet.datasets.forms.columns import is_text, readable
from licet.datasets.forms.files import Base
from licet.datasets.forms.parts import MALFORMED, TIMEOUT, UNREADABLE
from licet.errors import PictureError
from licet.fingerprints.bounded import decoders
from licet.fingerprints.decode import PictureLimits
from licet.fingerprints.pdq import MIN_QUALITY
from licet.fingerprints.picture import Fingerprint, read_picture
from licet.fingerprints.text import TOO_SHORT, content_code, fingerprint_text, is_text_name, read_text
from licet.index.keys import UNKNOWN_QUALITY

if TYPE_CHECKING:
    from licet.datasets.examining.signalling import SignalReader, Signals


#: A picture's bytes, its place here, or what reads so many bytes of it at most.
Picture = bytes | Path | Callable[[int], bytes]

#: What is wrong with the row of a picture, by why the picture was refused; with all others it is unreadable.
_WRONG: Final = dict.fromkeys(("truncated", "not-a-picture", "not-a-text"), MALFORMED) | {"too-slow": TIMEOUT}


@dataclass(frozen=True, slots=True)
class _File:
    """The outcome of one picture: ``problem`` is a code of `PROBLEMS`."""

    problem: int
    sha256: str | None = None
    pixels: str | None = None
    orientations: Bytes | None = None
    quality: int | None = None
    iscc: str | None = None
    features: bytes = b""
    said: Signals | None = None  # None where nothing could be read, or was to be


def files_of(rows: pa.RecordBatch, base: Base) -> list[tuple[int, Picture]]:
    """Return, for each row that has a picture, its number and the picture's bytes or place."""
    names = rows.schema.names
    found: dict[int, Picture] = {}
    if "path" in names:
        for place, path in enumerate(rows["path"].to_pylist()):
            if path:
                found[place] = base / path
    if "image" in names:
        data, paths = _images(rows["image"])
        for place, (image, path) in enumerate(zip(data, paths, strict=True)):
            if image is not None:
                found[place] = image
            elif path and place not in found:
                found[place] = base / path
    return sorted(found.items())


def _images(column: pa.Array) -> tuple[Iterable[bytes | None], Iterable[str | None]]:
    """Return the bytes of each picture, or its place: a struct (as Hugging Face has it) may hold either."""
    n = len(column)
    if not pa.types.is_struct(column.type):
        return column.to_pylist(), repeat(None, n)
    data = pc.struct_field(column, "bytes").cast(pa.large_binary()).to_pylist()
    names = column.type.names
    if "path" not in names or not is_text(column.type.field("path").type):
        return data, repeat(None, n)
    return data, readable("path", pc.struct_field(column, "path").cast(pa.large_string())).to_pylist()


def examine_files(
    found: Sequence[tuple[int, Picture]],
    pool: Executor,
    limits: PictureLimits,
    stated: Stated,
    examined: Bytes,
    problem: Bytes,
    questions: Questions | None,
    signals: SignalReader | None,
    said: dict[int, Signals],
    *,
    iscc: bool,
) -> dict[int, str]:
    """Put what is found of pictures in place of what is stated of them, and in ``said`` what they say of themselves;
    return the ISCCs of those that have one."""
    own = {}
    beside = None if questions is None else BESIDE
    outcomes = pool.map(lambda item: _examine_file(item[1], limits, signals, iscc=iscc, beside=beside), found)
    for (place, _), outcome in zip(found, outcomes, strict=True):
        if outcome.said is not None:
            said[place] = outcome.said
        if questions is not None and outcome.features:
            questions.add(place, outcome.features)
        problem[place] = outcome.problem
        if outcome.sha256 is not None:
            examined[place] = FILES
            put(stated.sha256, place, bytes.fromhex(outcome.sha256))
        if outcome.pixels is not None:
            put(stated.pixels, place, bytes.fromhex(outcome.pixels))
        if outcome.orientations is not None:
            put(stated.pdq, place, outcome.orientations)
            stated.quality[place] = outcome.quality if outcome.quality is not None else UNKNOWN_QUALITY
        if outcome.iscc is not None:
            own[place] = outcome.iscc
    return own


def examine_texts(
    column: pa.Array,
    pool: Executor,
    stated: Stated,
    examined: Bytes,
    problem: Bytes,
    own: dict[int, str],
    *,
    iscc: bool,
) -> None:
    """Put in ``own`` what texts say; one that is all there is of a row is also looked up as the file that it may be."""
    texts = [(place, text) for place, text in enumerate(column.to_pylist()) if text]
    codes = pool.map(lambda item: content_code(item[1]), texts) if iscc else repeat(None)
    for (place, text), code in zip(texts, codes, strict=False):
        if examined[place] != FILES:
            examined[place] = FILES
            if not stated.sha256[1][place]:
                put(stated.sha256, place, hashlib.sha256(text.encode()).digest())
        if code is not None:
            own[place] = f"{own[place]} {code}" if place in own else code


def _examine_file(
    picture: Picture, limits: PictureLimits, signals: SignalReader | None, *, iscc: bool, beside: str | None
) -> _File:
    said: Signals | None = None
    try:
        if isinstance(picture, Path) and is_text_name(picture.name):
            text = read_text(picture)
            if signals is not None:
                said = signals.of_file(text, picture)
            written = fingerprint_text(text)
            return _File(0, written.sha256, iscc=written.iscc if iscc else None, said=said)
        if isinstance(picture, Path):
            data = read_picture(picture, limits)
        else:
            data = picture if isinstance(picture, bytes) else picture(limits.max_bytes + 1)
        if signals is not None:
            said = signals.of_file(data, picture if isinstance(picture, Path) else None)
        done, features = decoders(limits, iscc=iscc, beside=beside).examine(data)
    except PictureError as error:
        why = error.details.get("why")
        if why == TOO_SHORT:  # for anything but an exact copy
            return _File(0, error.details["sha256"], said=said)
        return _File(_WRONG.get(str(why), UNREADABLE), error.details.get("sha256"), said=said)
    except MemoryError:
        return _File(UNREADABLE, said=said)
    made = done.fingerprint
    return _File(0, made.sha256, made.pixels, done.orientations, made.quality, _telling(made), features, said)


def _telling(made: Fingerprint) -> str | None:
    """Return the ISCC to look a picture up by. Its content code is no part of that where the picture has next to no
    structure: such pictures have codes that are alike, whatever they show."""
    if made.iscc is None or (made.quality or 0) >= MIN_QUALITY:
        return made.iscc
    return made.iscc.split()[-1]
