"""Rows of ``OUT.decisions.parquet``: which were kept, what each is, and which works it was found to be of."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from licet.compiled.texts import flat
from licet.datasets.examining.deciding import Question
from licet.datasets.examining.evidence import Evidence
from licet.datasets.examining.fixed import absent, unfixed
from licet.datasets.examining.signalled import Signalled
from licet.decisions import KEY_KINDS, MATCH_KINDS
from licet.errors import InputError, MalformedError
from licet.fingerprints.exact import parse_hex
from licet.fingerprints.urls import url_keys
from licet.index.ids import ID_CHARACTERS, ids_of
from licet.index.keys import UNKNOWN_QUALITY
from licet.index.lookup import Index, Matches


def bound_rows(batch: pa.RecordBatch) -> npt.NDArray[np.int32]:
    """Return a number for each row that grows where another part or key begins: rows of one are kept together."""
    codes = [
        pc.dictionary_encode(batch[name], "encode").indices.to_numpy(zero_copy_only=False) for name in ("part", "key")
    ]
    fresh = np.zeros(len(batch), np.int32)
    for each in codes:
        fresh[1:] |= each[1:] != each[:-1]
    return np.cumsum(fresh, dtype=np.int32)


def by_part(batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
    """Yield the runs of rows of ``batch`` that belong to one part."""
    names = pc.dictionary_encode(batch["part"])
    codes = names.indices.to_numpy(zero_copy_only=False)
    ends = [*(np.flatnonzero(codes[1:] != codes[:-1]) + 1).tolist(), len(batch)]
    start = 0
    for end in ends:
        if end > start:
            yield batch.slice(start, end - start)
        start = end


def kept_rows(batch: pa.RecordBatch, question: Question) -> npt.NDArray[np.bool_]:
    """Return which rows the job kept."""
    allowed, payable, unknown = (_is(batch["verdict"], text) for text in ("allow", "license", "unknown"))
    kept = pc.or_(allowed, pc.and_(payable, pc.is_valid(batch["licence"])))
    if question.unknown == "keep":
        kept = pc.or_(kept, unknown)
    mask: npt.NDArray[np.bool_] = kept.to_numpy(zero_copy_only=False)
    return mask


def _is(column: pa.Array, text: str) -> pa.Array:
    if pa.types.is_dictionary(column.type):
        return pc.equal(column.dictionary, text).take(column.indices)
    return pc.equal(column, text)


def stored_evidence(batch: pa.RecordBatch) -> Evidence:
    """Return what the rows are, from their stored fingerprints; raises ``MalformedError`` for unreadable ones."""
    n, names = len(batch), batch.schema.names
    sha256, pixels, (pdq, there) = (_digests(batch, name) for name in ("sha256", "pixels", "pdq"))
    turned, whole = unfixed(batch["pdq_turned"]) if there.any() and "pdq_turned" in names else absent(n, 7 * 32)
    if (there & ~whole).any():
        raise MalformedError("pdq_turned: expected the orientations of every pdq, got a row without")
    every = absent(n, 8 * 32)[0].reshape(n, 8, 32)
    if there.any():
        every = np.concatenate((pdq[:, None], turned.reshape(n, 7, 32)), axis=1)
    quality = pc.fill_null(batch["quality"], UNKNOWN_QUALITY).to_numpy(zero_copy_only=False).astype(np.uint8)
    nothing = np.zeros(n, np.uint8)
    signals = batch["signals"] if "signals" in names and batch["signals"].null_count < n else None
    return Evidence(
        *(nothing, nothing, url_keys(batch["url"]), sha256, pixels, (every, there), quality),
        addresses=batch["url"],
        iscc=batch["iscc"] if "iscc" in names else None,
        signals=None if signals is None else Signalled(signals, np.zeros(n, np.int64), nothing),
    )


def stored_matches(batch: pa.RecordBatch, index: Index) -> Matches:
    """Return the matches that were found then, as far as their works are still in ``index``."""
    lists = batch["matches"]
    counts = pc.fill_null(pc.list_value_length(lists), 0).to_numpy(zero_copy_only=False)
    values = lists.flatten()
    row = np.repeat(np.arange(len(batch), dtype=np.int64), counts)
    try:
        ids = ids_of("wrk", _characters(values.field("work"), ID_CHARACTERS))
        kind, key = _codes(values.field("match"), MATCH_KINDS), _codes(values.field("key"), KEY_KINDS)
        distance = values.field("distance").to_numpy(zero_copy_only=False).astype(np.int16)
    except (InputError, ValueError) as error:
        raise MalformedError(f"matches: expected those that licet wrote, got {error}") from None
    work = index.works.find(ids)
    there = work >= 0
    return Matches(row[there], work[there].astype(np.int32), kind[there], key[there], distance[there])


def _characters(texts: pa.Array, width: int) -> npt.NDArray[np.uint8]:
    """Return texts of one length as a table; raises ``ValueError`` for others, or a null."""
    lengths = pc.binary_length(texts)
    if texts.null_count or (len(texts) and pc.min_max(lengths).as_py() != {"min": width, "max": width}):
        raise ValueError(f"another text than one of {width} characters")
    offsets, text = flat(texts.cast(pa.large_string()))
    return text[offsets[0] : offsets[-1]].reshape(len(texts), width)


def _codes(texts: pa.Array, names: Sequence[str]) -> npt.NDArray[np.uint8]:
    """Return which of ``names`` each of ``texts`` is; raises ``ValueError`` for another one."""
    codes = pc.index_in(texts, pa.array(names, pa.string()))
    if codes.null_count:
        raise ValueError(f"another text than {', '.join(names)}")
    found: npt.NDArray[np.uint8] = codes.to_numpy(zero_copy_only=False).astype(np.uint8)
    return found


def _digests(batch: pa.RecordBatch, name: str) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.bool_]]:
    column = batch[name]
    if column.null_count == len(column):
        return absent(len(column), 32)
    table, mask = parse_hex(column.to_pylist(), 32)
    if (column.is_valid().to_numpy(zero_copy_only=False) & ~mask).any():
        raise MalformedError(f"{name}: expected 64 hexadecimal digits, got other text")
    return table, mask
