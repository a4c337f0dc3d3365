"""Verdicts as columns: what ``OUT.decisions.parquet`` holds of each row, and what `annotate` adds to a batch."""

from __future__ import annotations

import binascii
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from licet import money
from licet.datasets.examining.asking import Parts
from licet.datasets.examining.deciding import Question, Verdicts
from licet.datasets.examining.evidence import Evidence
from licet.datasets.examining.fixed import fixed
from licet.datasets.results.parquet import Writer
from licet.decisions import KEY_KINDS, MATCH_KINDS, VERDICTS
from licet.decisions.rows import decision_schema
from licet.index.ids import ID_CHARACTERS, id_bytes
from licet.index.lookup import Index

SCHEMA: Final = decision_schema()
#: What a batch gets beside its own columns.
DECISION_COLUMNS: Final = (
    "verdict",
    "reason",
    "work",
    "statement",
    "licence",
    "match",
    "distance",
    "examined",
    "price",
    "currency",
    "claim_level",
)
#: Fingerprints that a later re-check needs beside those of the schema: quality of the PDQ, and its other seven
#: orientations, 32 bytes each; what the row stated as its ISCC; what others said about its uses, as
#: `licet.datasets.examining.signalled` has it.
QUALITY: Final = pa.field("quality", pa.uint8())
TURNED: Final = pa.field("pdq_turned", pa.binary(7 * 32))
ISCC: Final = pa.field("iscc", pa.string())
SIGNALS: Final = pa.field("signals", pa.string())
FILE_SCHEMA: Final = pa.schema([*SCHEMA, QUALITY, TURNED, ISCC, SIGNALS])
#: What such a file was before rows had signals, and before they had ISCCs.
FORMER_SCHEMAS: Final = (pa.schema([*SCHEMA, QUALITY, TURNED, ISCC]), pa.schema([*SCHEMA, QUALITY, TURNED]))
_CODED: Final = (
    "part", "verdict", "reason", "work", "statement", "licence", "match", "examined", "price", "currency", "signals"
)  # fmt: skip
_REPEATED: Final = ("account", "statement", "match", "key", "verdict", "reason", "price", "currency")
_COUNTED: Final = ("part", "row", "verdict", "reason")  # of which a reader may want a few
#: The same columns as they are handed to the file: text that repeats itself as dictionaries.
WRITTEN_SCHEMA: Final = pa.schema(
    [
        field.with_type(pa.dictionary(pa.int32(), pa.string())) if field.name in _CODED else field
        for field in FILE_SCHEMA
    ]
)
#: Where such a file says what job it is of.
METADATA: Final = b"licet"
#: What a part's own file of decisions is called, after the part's name.
PART_ENDING: Final = ".decisions.parquet"
_KEYS_LOOKED_UP: Final = tuple(
    ",".join(kind for bit, kind in enumerate(KEY_KINDS) if number >> bit & 1) for number in range(1 << len(KEY_KINDS))
)
_MATCH_TYPE: Final = SCHEMA.field("matches").type.value_type

Bytes = npt.NDArray[np.uint8]


def decision_columns(index: Index, evidence: Evidence, question: Question, verdicts: Verdicts) -> dict[str, pa.Array]:
    """Return the columns of `DECISION_COLUMNS` and ``matches``, a value for each row, null where there is none.

    Columns of text are dictionaries: what few decisions say of many rows is there once.
    """
    table = _matches(verdicts)
    deciding = _Deciding(verdicts.deciding)
    columns: dict[str, pa.Array] = {
        "verdict": _named(verdicts.verdict, VERDICTS),
        "reason": _named(verdicts.reason, verdicts.reasons),
        "examined": _examined(evidence, near=question.tiers == "near" and index.near),
    }
    for name in ("distance", "claim_level"):
        columns[name] = deciding.of(table[name])
    for name in ("work", "statement", "match", "price", "currency", "licence"):
        column = table[name]
        if pa.types.is_dictionary(column.type):
            columns[name] = pa.DictionaryArray.from_arrays(deciding.of(column.indices), column.dictionary)
        else:
            columns[name] = pa.DictionaryArray.from_arrays(deciding.numbers, column)
    columns["matches"] = _lists(verdicts, table)
    return columns


def decision_rows(
    rows: pa.RecordBatch,
    part: str,
    first: int,
    index: Index,
    evidence: Evidence,
    question: Question,
    verdicts: Verdicts,
) -> pa.RecordBatch:
    """Return the batch of ``OUT.decisions.parquet`` for ``rows``, whose numbers in ``part`` begin at ``first``.

    It has the columns of `FILE_SCHEMA`, some of them as dictionaries (`WRITTEN_SCHEMA`).
    """
    n = len(rows)
    columns = decision_columns(index, evidence, question, verdicts)
    columns["part"] = _named(np.zeros(n, np.int32), (part,))
    columns["row"] = pa.array(np.arange(first, first + n, dtype=np.int64))
    for name in ("key", "path", "url"):
        columns[name] = rows[name].cast(pa.string()) if name in rows.schema.names else _without(n, pa.string())
    columns["sha256"] = _hex(*evidence.sha256)
    columns["pixels"] = _hex(*evidence.pixels)
    pdq, mask = evidence.pdq
    columns["pdq"] = _hex(pdq[:, 0], mask)
    columns["quality"] = _quality(evidence.quality, mask)
    columns["pdq_turned"] = _turned(pdq, mask)
    columns["iscc"] = _without(n, pa.string()) if evidence.iscc is None else evidence.iscc.cast(pa.string())
    said = _without(n, pa.string()) if evidence.signals is None else evidence.signals.said
    columns["signals"] = said.cast(pa.string()).dictionary_encode()
    return pa.RecordBatch.from_arrays([columns[name] for name in WRITTEN_SCHEMA.names], schema=WRITTEN_SCHEMA)


def decisions_writer(path: Path, about: bytes) -> Writer:
    """Return a writer of rows of `WRITTEN_SCHEMA` into a file of `FILE_SCHEMA` that says ``about`` of itself."""
    coded = [*_CODED, *(f"matches.list.element.{name}" for name in _REPEATED)]
    return Writer(path, FILE_SCHEMA, {METADATA: about}, coded, _COUNTED)


def _matches(verdicts: Verdicts) -> dict[str, pa.Array]:
    """Return a value for each match: the columns of the schema's ``matches``, and ``licence``."""
    answers = verdicts.answers
    matches, works = answers.matches, answers.works
    decided = [
        {
            "verdict": each.verdict,
            "reason": each.reason,
            "price": money.to_decimal(each.price.micro) if each.price and each.price.currency else None,
            "currency": each.price.currency if each.price else None,
            "licence": each.licence,
        }
        for each in answers.decisions
    ]
    columns: dict[str, pa.Array] = {
        name: _named(answers.decision, [each[name] for each in decided])
        for name in ("verdict", "reason", "price", "currency", "licence")
    }
    columns["work"] = _identifiers("wrk", works.work)
    # Works belong to artists and to organisations; which of the two a snapshot does not say, and neither do we.
    columns["account"] = _identifiers("art", works.account)
    columns["statement"] = _identifiers("stm", works.statement)
    columns["match"] = _named(matches.kind, MATCH_KINDS)
    columns["key"] = _named(matches.key, KEY_KINDS)
    columns["distance"] = pa.array(matches.distance, pa.int16())
    columns["claim_level"] = pa.array(works.level.astype(np.int8))
    return columns


def _lists(verdicts: Verdicts, table: Mapping[str, pa.Array]) -> pa.Array:
    counts = np.bincount(verdicts.answers.matches.row, minlength=len(verdicts))
    offsets = np.zeros(len(verdicts) + 1, np.int32)
    np.cumsum(counts, out=offsets[1:])
    values = pa.StructArray.from_arrays([plain(table[field.name]) for field in _MATCH_TYPE], fields=list(_MATCH_TYPE))
    kind = SCHEMA.field("matches").type
    return pa.ListArray.from_arrays(pa.array(offsets), values, type=kind, mask=pa.array(counts == 0))


def _examined(evidence: Evidence, *, near: bool) -> pa.Array:
    """Return which kinds of keys each row was looked up by, in the order of `KEY_KINDS`."""
    searched, asked = np.zeros(len(evidence), np.bool_), evidence.keys()
    if near:
        searched[asked.near_rows] = True
    none = np.zeros(len(evidence), np.bool_)
    masks = {"file": evidence.sha256[1], "pixels": evidence.pixels[1], "url": evidence.url[1], "pdq": searched}
    masks["iscc-instance"] = asked.exact["instance"][1] if "instance" in asked.exact else none
    masks["iscc-content"] = np.logical_or.reduce([none, *(bits > 0 for _, bits in asked.content.values() if near)])
    masks["parts"] = Parts.read(evidence.parts, len(evidence)).asked
    masks["site"] = none  # goes without saying: every address is held against the rules of sites
    code = np.zeros(len(evidence), np.int32)
    for bit, kind in enumerate(KEY_KINDS):
        if masks[kind].any():
            code |= masks[kind].astype(np.int32) << np.int32(bit)
    return _named(code, _KEYS_LOOKED_UP)


def plain(column: pa.Array) -> pa.Array:
    """Return a column without its dictionary, if it has one."""
    return column.dictionary_decode() if pa.types.is_dictionary(column.type) else column


def _named(codes: npt.NDArray[Any], names: Sequence[str | None]) -> pa.Array:
    there = np.array([name is not None for name in names], np.bool_)
    absent = None if there.all() or not len(codes) else ~there[codes]
    values = pa.array([name or "" for name in names], pa.string())
    return pa.DictionaryArray.from_arrays(pa.array(codes.astype(np.int32, copy=False), mask=absent), values)


def _identifiers(kind: str, ids: Bytes) -> pa.Array:
    n = len(ids)
    offsets = np.arange(n + 1, dtype=np.int32) * ID_CHARACTERS
    return pa.StringArray.from_buffers(n, pa.py_buffer(offsets), pa.py_buffer(id_bytes(kind, ids)))


def _hex(table: Bytes, mask: npt.NDArray[np.bool_]) -> pa.Array:
    n, width = table.shape
    if not mask.any():
        return _without(n, pa.string())
    data = binascii.hexlify(table.tobytes())
    offsets = np.arange(n + 1, dtype=np.int32) * (2 * width)
    validity = pa.py_buffer(np.packbits(mask, bitorder="little"))
    return pa.StringArray.from_buffers(n, pa.py_buffer(offsets), pa.py_buffer(data), validity)


def _quality(quality: Bytes, mask: npt.NDArray[np.bool_]) -> pa.Array:
    if not mask.any():
        return _without(len(quality), pa.uint8())
    return pa.array(quality, mask=~mask | (quality > 100))


def _turned(pdq: npt.NDArray[np.uint8], mask: npt.NDArray[np.bool_]) -> pa.Array:
    if not mask.any():
        return _without(len(pdq), TURNED.type)
    return fixed(np.ascontiguousarray(pdq[:, 1:]).reshape(len(pdq), 7 * 32), mask)


@lru_cache(8)
def _without(rows: int, kind: pa.DataType) -> pa.Array:
    """Return rows without anything: to fill a wide column with zeros takes longer than writing it."""
    return pa.nulls(rows, kind)


class _Deciding:
    """Which match decides each row: a few of many rows have one, so columns are filled where they do."""

    def __init__(self, deciding: npt.NDArray[np.integer[Any]]) -> None:
        self._rows = np.flatnonzero(deciding >= 0)
        self._matches = deciding[self._rows]
        self._there = pa.py_buffer(np.packbits(deciding >= 0, bitorder="little"))
        self._n = len(deciding)
        self.numbers: pa.Array = self._filled(self._matches, pa.int32())

    def of(self, column: pa.Array) -> pa.Array:
        """Return, for each row, the value of its match in a column of numbers; null where there is none."""
        if column.null_count == len(column):
            return _without(self._n, column.type)
        if column.null_count:
            return column.take(self.numbers)
        return self._filled(column.to_numpy()[self._matches], column.type)

    def _filled(self, values: npt.NDArray[Any], kind: pa.DataType) -> pa.Array:
        whole = np.zeros(self._n, kind.to_pandas_dtype())
        whole[self._rows] = values
        return pa.Array.from_buffers(kind, self._n, [self._there, pa.py_buffer(whole)])
