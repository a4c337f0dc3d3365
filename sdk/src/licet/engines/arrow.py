"""Arrow streams: batches from anywhere, decided as they pass."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pyarrow as pa

from licet.datasets.annotate import ADDED, refuse_taken
from licet.datasets.pinned import Pinned, asking
from licet.decisions import Request


def annotate(
    stream: Any, pin: Pinned, request: Request, *, columns: Mapping[str, str] | None = None, **how: Any
) -> pa.RecordBatchReader:
    """Return a ``RecordBatchReader`` over ``stream`` with a decision for each row, decided as it is read.

    ``stream`` is a reader, or whatever speaks Arrow's stream interface (DuckDB, polars, a dataset's scanner). Memory
    holds one batch. ``how`` is what `Pinned.annotate` takes: ``unknown``, ``match``, ``min_claim_level``, ``base``,
    ``prefix``. Raises ``InputError`` for a stream with a column that is called like a new one.
    """
    return _decided(stream, pin, request, dropping=False, columns=columns, **how)


def filter(  # noqa: A001 - the name that every engine has for it
    stream: Any, pin: Pinned, request: Request, *, columns: Mapping[str, str] | None = None, **how: Any
) -> pa.RecordBatchReader:
    """Return what `annotate` returns, without the rows that may not be kept."""
    return _decided(stream, pin, request, dropping=True, columns=columns, **how)


def _decided(stream: Any, pin: Pinned, request: Request, *, dropping: bool, **how: Any) -> pa.RecordBatchReader:
    asked = asking(request, **how)
    reader = stream if isinstance(stream, pa.RecordBatchReader) else pa.RecordBatchReader.from_stream(stream)
    added = [pa.field(f"{asked.prefix}{name}", kind) for name, kind in ADDED.items()]
    refuse_taken(reader.schema.names, {field.name: field for field in added})
    schema = pa.schema([*reader.schema, *added], reader.schema.metadata)

    def batches() -> Iterator[pa.RecordBatch]:
        for batch in reader:
            yield pa.RecordBatch.from_arrays(pin.answer(batch, asked, dropping=dropping).columns, schema=schema)

    return pa.RecordBatchReader.from_batches(schema, batches())
