"""Finding out what each row is: its file's digests and hashes, or what the table states of it.

A row with a picture (``image``, else ``path``) is judged by the picture itself, and what else is stated of it counts
beside; a row without one by its ``text``, if it is one, and by what is stated. Nothing is fetched from the network, but
what a `SignalReader` asks.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from itertools import repeat
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeGuard

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from licet.datasets.examining.asking import BESIDE, Asker, Questions
from licet.datasets.examining.signalled import Signalled
from licet.datasets.forms.columns import is_text, readable
from licet.datasets.forms.files import Base
from licet.datasets.forms.parts import MALFORMED, TIMEOUT, UNREADABLE
from licet.datasets.forms.seals import seal_of, sealed
from licet.errors import InputError, MalformedError, PictureError
from licet.fingerprints.bounded import decoders
from licet.fingerprints.decode import DEFAULT_LIMITS, PictureLimits
from licet.fingerprints.exact import KEY_BYTES, parse_hex
from licet.fingerprints.iscc import LONGEST_LIST
from licet.fingerprints.pdq import MIN_QUALITY, orientations_from_hashes
from licet.fingerprints.picture import Fingerprint, read_picture
from licet.fingerprints.text import TOO_SHORT, content_code, fingerprint_text, is_text_name, read_text
from licet.fingerprints.urls import url_keys
from licet.index.keys import UNKNOWN_QUALITY, Keys, iscc_columns

if TYPE_CHECKING:
    from licet.datasets.examining.signalling import SignalReader, Signals

Bytes = npt.NDArray[np.uint8]
Mask = npt.NDArray[np.bool_]
#: A picture's bytes, its place here, or what reads so many bytes of it at most.
Picture = bytes | Path | Callable[[int], bytes]

#: How a row was examined, by code; 0 where there was nothing to examine.
EXAMINED: Final = (None, "files", "digests", "urls")
FILES, DIGESTS, URLS = 1, 2, 3

#: What is wrong with the row of a picture, by why the picture was refused; with all others it is unreadable.
_WRONG: Final = dict.fromkeys(("truncated", "not-a-picture", "not-a-text"), MALFORMED) | {"too-slow": TIMEOUT}
_PDQ_BYTES: Final = 8 * 32
_TEXTS: Final = ("addresses", "iscc")
_BLIND: Final = b"licet.blind"
_SIGNALS: Final = ("signals", "signals_at", "signals_from")
_KEYS: Final = {"url": KEY_BYTES, "sha256": 32, "pixels": 32, "pdq": _PDQ_BYTES}


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known of ``n`` rows. ``examined`` and ``problem`` are codes; each key has a mask of the rows with one.

    ``sha256`` and ``pixels`` are n × 32 bytes, ``pdq`` n × 8 × 32 (all orientations), ``quality`` n × u1, 255 unknown.
    Rows with one number in ``sample`` are kept or dropped together; None: each row for itself. ``seal`` is the digest
    of what the batch was read from, where its form gives one. ``addresses`` are the rows' URLs as they stand, for rules
    of sites; ``iscc`` their ISCCs: of a picture its own, where they were made, before what is stated. ``parts``: what
    the service said of each that it was asked about (`licet.datasets.examining.asking`); ``signals``: what others say
    about their uses, where that was read (`licet.datasets.examining.signalled`). ``blind``: the addresses that there
    were are left out.
    """

    examined: Bytes
    problem: Bytes
    url: tuple[Bytes, Mask]
    sha256: tuple[Bytes, Mask]
    pixels: tuple[Bytes, Mask]
    pdq: tuple[Bytes, Mask]
    quality: Bytes
    sample: npt.NDArray[np.int32] | None = None
    seal: str | None = None
    addresses: pa.Array | None = None
    iscc: pa.Array | None = None
    parts: pa.Array | None = None
    signals: Signalled | None = None
    blind: bool = False

    def __len__(self) -> int:
        return len(self.examined)

    def keys(self) -> Keys:
        """Return what the index is asked by."""
        file, pixels = self.sha256, self.pixels
        return Keys(
            len(self),
            file=np.ascontiguousarray(file[0][:, :KEY_BYTES]) if file[1].any() else None,
            file_mask=file[1],
            pixels=np.ascontiguousarray(pixels[0][:, :KEY_BYTES]) if pixels[1].any() else None,
            pixels_mask=pixels[1],
            url=self.url[0] if self.url[1].any() else None,
            url_mask=self.url[1],
            pdq=self.pdq[0] if self.pdq[1].any() else None,
            pdq_mask=self.pdq[1],
            quality=self.quality,
            addresses=self.addresses,
            **(iscc_columns(self.iscc.to_pylist(), _passed_over) if _says_something(self.iscc) else {}),
        )

    def to_batch(self, *, addresses: bool = True) -> pa.RecordBatch:
        """Return this as columns; a key that no row has is left out, and so are the ``addresses`` if nothing is to be
        asked by them."""
        columns = {"examined": pa.array(self.examined), "problem": pa.array(self.problem)}
        for name, width in _KEYS.items():
            table, mask = getattr(self, name)
            if mask.any():
                columns[name] = fixed(table.reshape(-1, width), mask)
        if self.pdq[1].any():
            columns["quality"] = pa.array(self.quality)
        if self.sample is not None:
            columns["sample"] = pa.array(self.sample)
        for name in _TEXTS[not addresses :]:
            texts = getattr(self, name)
            if texts is not None and texts.null_count < len(texts):
                columns[name] = texts.cast(pa.large_string())
        if self.parts is not None:
            columns["parts"] = self.parts
        if self.signals is not None:
            columns["signals"] = self.signals.said
            columns["signals_at"] = pa.array(self.signals.at)
            columns["signals_from"] = pa.array(self.signals.sources)
        batch = pa.RecordBatch.from_pydict(columns)
        batch = batch if self.seal is None else sealed(batch, bytes.fromhex(self.seal))
        if addresses or self.addresses is None:
            return batch
        return batch.replace_schema_metadata({**(batch.schema.metadata or {}), _BLIND: b"1"})

    @classmethod
    def from_batch(cls, batch: pa.RecordBatch) -> Evidence:
        """Return what `to_batch` wrote; raises ``MalformedError`` for other columns."""
        n, names = len(batch), batch.schema.names
        known = {"examined", "problem", "quality", "sample", "parts", *_KEYS, *_TEXTS, *_SIGNALS}
        widths = {name: batch.schema.field(name).type for name in _KEYS if name in names}
        if not set(names) <= known or any(kind != pa.binary(_KEYS[name]) for name, kind in widths.items()):
            raise MalformedError(f"expected columns of evidence, got {names}")
        keys = {name: unfixed(batch[name]) if name in names else absent(n, width) for name, width in _KEYS.items()}
        pdq, mask = keys.pop("pdq")
        return cls(
            examined=_codes(batch, "examined", 0),
            problem=_codes(batch, "problem", 0),
            **keys,
            pdq=(pdq.reshape(n, 8, 32), mask),
            quality=_codes(batch, "quality", UNKNOWN_QUALITY),
            sample=_samples(batch),
            seal=seal_of(batch),
            addresses=batch["addresses"] if "addresses" in names else None,
            iscc=batch["iscc"] if "iscc" in names else None,
            parts=batch["parts"] if "parts" in names else None,
            signals=_signalled(batch),
            blind=_BLIND in (batch.schema.metadata or {}),
        )


def _codes(batch: pa.RecordBatch, name: str, absent: int) -> Bytes:
    if name not in batch.schema.names:
        return np.full(len(batch), absent, np.uint8)
    codes: Bytes = batch[name].to_numpy(zero_copy_only=False).astype(np.uint8)
    return codes


def _signalled(batch: pa.RecordBatch) -> Signalled | None:
    if "signals" not in batch.schema.names:
        return None
    at, sources = (batch[name].to_numpy(zero_copy_only=False) for name in _SIGNALS[1:])
    return Signalled(batch["signals"], at.astype(np.int64), sources.astype(np.uint8))


def _samples(batch: pa.RecordBatch) -> npt.NDArray[np.int32] | None:
    """Return which rows belong together, None if each stands for itself."""
    if "sample" not in batch.schema.names:
        return None
    numbers: npt.NDArray[np.int32] = batch["sample"].to_numpy(zero_copy_only=False).astype(np.int32)
    return numbers if len(np.unique(numbers)) < len(numbers) else None


def examine(
    rows: pa.RecordBatch,
    base: Base,
    pool: Executor,
    limits: PictureLimits = DEFAULT_LIMITS,
    *,
    iscc: bool = False,
    asker: Asker | None = None,
    signals: SignalReader | None = None,
    advance: Callable[[int], None] = lambda _: None,
) -> Evidence:
    """Return what ``rows`` (columns of `licet.datasets.forms.parts`) are; ``path`` is relative to ``base``.

    Pictures are read in ``pool`` and decoded in other processes (``licet.fingerprints.bounded``); the result does not
    depend on how many. With ``iscc`` their ISCCs are made too, which takes a third longer. A stated address, digest or
    hash that does not parse makes its row malformed, unless the row's picture was examined. Never raises for a bad row.
    With an ``asker`` each picture that was decoded is asked about; what that raises is raised. With ``signals`` it is
    read what others say about each row, and ``advance`` told of rows whose addresses were asked.
    """
    n = len(rows)
    stated = _stated(rows)
    examined = np.zeros(n, np.uint8)
    examined[stated.url[1]] = URLS
    examined[stated.sha256[1] | stated.pdq[1] | stated.iscc] = DIGESTS
    problem = np.where(stated.malformed, MALFORMED, 0).astype(np.uint8)
    found = _files(rows, base)
    if found or "text" in rows.schema.names:
        stated.take_apart()
    questions = None if asker is None else Questions(asker, n)
    own: dict[int, str] = {}
    said: dict[int, Signals] = {}
    if found:
        own = _examine_files(found, pool, limits, stated, examined, problem, questions, signals, said, iscc=iscc)
    if "text" in rows.schema.names:
        _examine_texts(rows["text"], pool, stated, examined, problem, own, iscc=iscc)
        if signals is not None:
            for place, text in enumerate(rows["text"].to_pylist()):
                if text and place not in said:
                    said[place] = signals.of_file(text.encode())
    problem[(examined == 0) & (problem == 0)] = MALFORMED  # a row that names nothing
    told = _codes(rows, "problem", 0)
    problem[told != 0] = told[told != 0]
    keys = (stated.url, stated.sha256, stated.pixels, stated.pdq)
    names = rows.schema.names
    addresses = rows["url"] if "url" in names else None
    codes = rows["iscc"] if "iscc" in names else None
    if own:
        codes = _beside(own, [None] * n if codes is None else codes.to_pylist(), stated.iscc)
    return Evidence(
        examined,
        problem,
        *keys,
        stated.quality,
        _samples(rows),
        seal_of(rows),
        addresses=addresses,
        iscc=codes,
        parts=None if questions is None else questions.answered(),
        signals=None if signals is None else signals.of_rows(rows, said, advance),
    )


@dataclass(slots=True)
class _Stated:
    url: tuple[Bytes, Mask]
    sha256: tuple[Bytes, Mask]
    pixels: tuple[Bytes, Mask]
    pdq: tuple[Bytes, Mask]
    quality: Bytes
    iscc: Mask
    malformed: Mask

    def take_apart(self) -> None:
        """Give each row bytes of its own to put something into, also in columns that state nothing."""
        for name in ("sha256", "pixels", "pdq"):
            table, mask = getattr(self, name)
            if not table.flags.writeable:
                setattr(self, name, (table.copy(), mask))


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


def _stated(rows: pa.RecordBatch) -> _Stated:
    n = len(rows)
    malformed = np.zeros(n, np.bool_)
    url = absent(n, KEY_BYTES)
    names = rows.schema.names
    if "url" in names:
        column = rows["url"]
        url = url_keys(column)
        malformed |= ~url[1] & _present(column)
    sha256 = absent(n, 32)
    if "sha256" in names:
        column = rows["sha256"]
        sha256 = _digests(column)
        malformed |= ~sha256[1] & _present(column)
    flat, mask = absent(n, _PDQ_BYTES)
    pdq = flat.reshape(n, 8, 32)
    if "pdq" in names:
        column = rows["pdq"]
        pdq, mask = _hashes(column)
        malformed |= ~mask & _present(column)
    iscc = np.zeros(n, np.bool_)
    if "iscc" in names:
        iscc = _present(rows["iscc"]).copy()
        iscc_columns(rows["iscc"].to_pylist(), lambda place, _: iscc.__setitem__(place, False))
        malformed |= ~iscc & _present(rows["iscc"])
    quality = np.full(n, UNKNOWN_QUALITY, np.uint8)
    return _Stated(url, sha256, absent(n, 32), (pdq, mask), quality, iscc, malformed)


def _files(rows: pa.RecordBatch, base: Base) -> list[tuple[int, Picture]]:
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


def _examine_files(
    found: Sequence[tuple[int, Picture]],
    pool: Executor,
    limits: PictureLimits,
    stated: _Stated,
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
            _put(stated.sha256, place, bytes.fromhex(outcome.sha256))
        if outcome.pixels is not None:
            _put(stated.pixels, place, bytes.fromhex(outcome.pixels))
        if outcome.orientations is not None:
            _put(stated.pdq, place, outcome.orientations)
            stated.quality[place] = outcome.quality if outcome.quality is not None else UNKNOWN_QUALITY
        if outcome.iscc is not None:
            own[place] = outcome.iscc
    return own


def _examine_texts(
    column: pa.Array,
    pool: Executor,
    stated: _Stated,
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
                _put(stated.sha256, place, hashlib.sha256(text.encode()).digest())
        if code is not None:
            own[place] = f"{own[place]} {code}" if place in own else code


def _beside(own: dict[int, str], codes: list[str | None], good: Mask) -> pa.Array:
    """Return the ISCCs of rows, a picture's own before those stated: of two units of a kind the first counts."""
    for place, made in own.items():
        told = codes[place]
        both = made if told is None or not good[place] else f"{made} {told}"
        codes[place] = both if len(both) <= LONGEST_LIST else made
    return pa.array(codes, pa.string())


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


def _digests(column: pa.Array) -> tuple[Bytes, Mask]:
    if is_text(column.type):
        return parse_hex(column.to_pylist(), 32)
    values: list[bytes | None] = column.to_pylist()
    # What is no digest as it stands may be the text of one, which a column of bytes holds as well.
    table, mask = parse_hex([None if each is None else each.decode("latin-1") for each in values], 32)
    for place, value in enumerate(values):
        if value is not None and len(value) == 32:
            _put((table, mask), place, value)
    return table, mask


def _hashes(column: pa.Array) -> tuple[Bytes, Mask]:
    """Return n × 8 × 32 bytes: from one hash (the other orientations follow roughly) or from eight."""
    n = len(column)
    table, mask = np.zeros((n, 8, 32), np.uint8), np.zeros(n, np.bool_)
    for place, value in enumerate(column.to_pylist()):
        if value is None:
            continue
        if isinstance(value, bytes) and len(value) in (32, _PDQ_BYTES):
            valid, parsed = np.ones(1, np.bool_), np.frombuffer(value, np.uint8).reshape(-1, 32)
        else:
            text = value.decode("latin-1") if isinstance(value, bytes) else value
            parsed, valid = parse_hex(text.split(","), 32)
        if valid.all() and len(parsed) in (1, 8):
            _put((table, mask), place, orientations_from_hashes(parsed)[0] if len(parsed) == 1 else parsed)
    return table, mask


def _passed_over(_place: int, _error: InputError) -> None:
    """A malformed code finds nothing; that its row is malformed was said when it was examined."""


def _says_something(column: pa.Array | None) -> TypeGuard[pa.Array]:
    return column is not None and column.null_count < len(column)


def _put(column: tuple[Bytes, Mask], place: int, value: Any) -> None:
    column[0][place] = np.frombuffer(value, np.uint8) if isinstance(value, bytes) else value
    column[1][place] = True


def _present(column: pa.Array) -> Mask:
    mask: Mask = column.is_valid().to_numpy(zero_copy_only=False)
    return mask


def absent(n: int, width: int) -> tuple[Bytes, Mask]:
    """Return a column that no row has anything in: all rows share one, so that it costs nothing, however wide it is."""
    return np.broadcast_to(np.zeros(width, np.uint8), (n, width)), np.zeros(n, np.bool_)


def fixed(table: Bytes, mask: Mask) -> pa.Array:
    """Return n × width bytes as a column of fixed-size binaries, null where ``mask`` is False."""
    validity = pa.py_buffer(np.packbits(mask, bitorder="little"))
    data = pa.py_buffer(np.ascontiguousarray(table))
    kind = pa.binary(table.shape[1])
    return pa.FixedSizeBinaryArray.from_buffers(kind, len(table), [validity, data])


def unfixed(column: pa.Array) -> tuple[Bytes, Mask]:
    """Return what `fixed` made a column of; null rows are zero bytes."""
    width = column.type.byte_width
    mask = _present(column)
    data = column.buffers()[1]
    if data is None:
        return np.zeros((len(column), width), np.uint8), mask
    whole = np.frombuffer(data, np.uint8)[: (column.offset + len(column)) * width].reshape(-1, width)
    table = whole[column.offset :].copy()
    table[~mask] = 0
    return table, mask
