"""Tables as people hold them: Arrow, pandas, polars, Hugging Face datasets, lists of dicts, dicts of lists.

What goes in comes out as the same kind. Only the columns that say what a row is are looked at; the rest is carried
along untouched, whatever is in it. None of these libraries is imported here: who hands in their table has them.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any, Final, TypeVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from licet.datasets.columns import NAMED
from licet.errors import InputError

T = TypeVar("T")
Mask = npt.NDArray[np.bool_]
KINDS: Final = "an Arrow batch or table, a pandas or polars frame, a Hugging Face dataset, or a list of dicts"


def names(table: Any) -> list[str]:
    """Return the names of the columns of ``table``."""
    match _kind(table):
        case "arrow":
            return list(table.schema.names)
        case "pandas":
            return [str(name) for name in table.columns]
        case "polars":
            return list(table.columns)
        case "huggingface":
            return list(table.column_names)
        case "columns":
            return list(table)
        case _:
            return list(dict.fromkeys(name for row in table for name in row))


def rows(table: Any, mapping: Mapping[str, str] | None = None) -> pa.RecordBatch:
    """Return the columns of ``table`` that may say what a row is, under their own names."""
    wanted = {own for own in names(table) if own.lower() in NAMED or own in (mapping or {}).values()}
    ordered = [name for name in names(table) if name in wanted]
    try:
        return _batch(_chosen(table, ordered), len(table))
    except (pa.ArrowException, TypeError, ValueError) as error:
        raise InputError(f"expected columns of text or bytes among {', '.join(ordered)}, got {error}") from None


def extended(table: T, columns: Mapping[str, pa.Array]) -> T:
    """Return ``table`` with ``columns`` after its own."""
    found: Any
    given: Any = table
    match _kind(table):
        case "arrow" if isinstance(table, pa.RecordBatch):
            fields = [*table.schema, *(pa.field(name, column.type) for name, column in columns.items())]
            found = pa.RecordBatch.from_arrays(
                [*table.columns, *columns.values()], schema=pa.schema(fields, table.schema.metadata)
            )
        case "arrow":
            found = given
            for name, column in columns.items():
                found = found.append_column(name, column)
        case "pandas":
            found = given.assign(**{name: column.to_pylist() for name, column in columns.items()})
        case "polars":
            polars = sys.modules["polars"]
            found = given.with_columns([polars.from_arrow(column).alias(name) for name, column in columns.items()])
        case "huggingface":
            found = given
            for name, column in columns.items():
                found = found.add_column(name, column.to_pylist())
        case "columns":
            found = {**given, **{name: column.to_pylist() for name, column in columns.items()}}
        case _:
            values = {name: column.to_pylist() for name, column in columns.items()}
            found = [{**row, **{name: values[name][place] for name in values}} for place, row in enumerate(given)]
    result: T = found
    return result


def chosen(table: T, mask: Mask) -> T:
    """Return the rows of ``table`` where ``mask`` is True."""
    found: Any
    given: Any = table
    match _kind(table):
        case "arrow":
            found = given.filter(pa.array(mask))
        case "pandas":
            found = given[mask]
        case "polars":
            found = given.filter(sys.modules["polars"].Series(mask))
        case "huggingface":
            found = given.select(np.flatnonzero(mask))
        case "columns":
            found = {
                name: [value for value, keep in zip(column, mask, strict=True) if keep]
                for name, column in given.items()
            }
        case _:
            found = [row for row, keep in zip(given, mask, strict=True) if keep]
    result: T = found
    return result


def length(table: Any) -> int:
    """Return how many rows ``table`` has."""
    if _kind(table) == "columns":
        return len(next(iter(table.values()), ()))
    return len(table)


def _kind(table: Any) -> str:
    library = type(table).__module__.partition(".")[0]
    if isinstance(table, (pa.RecordBatch, pa.Table)):
        return "arrow"
    if library in ("pandas", "polars") and type(table).__name__ == "DataFrame":
        return library
    if library == "datasets" and hasattr(table, "with_format"):
        return "huggingface"
    if isinstance(table, Mapping):
        return "columns"
    if isinstance(table, (list, tuple)) and all(isinstance(row, Mapping) for row in table):
        return "rows"
    raise InputError.field("batch", KINDS, type(table).__name__)


def _chosen(table: Any, ordered: list[str]) -> Mapping[str, Any]:
    match _kind(table):
        case "arrow":
            return {name: table.column(name) for name in ordered}
        case "pandas":
            return {name: pa.array(table[name], from_pandas=True) for name in ordered}
        case "polars":
            return {name: table[name].to_arrow() for name in ordered}
        case "huggingface":
            arrow = table.select_columns(ordered).with_format("arrow")[:]
            return {name: arrow.column(name) for name in ordered}
        case "columns":
            return {name: pa.array(list(table[name])) for name in ordered}
        case _:
            return {name: pa.array([row.get(name) for row in table]) for name in ordered}


def _batch(columns: Mapping[str, Any], count: int) -> pa.RecordBatch:
    whole = {
        name: column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
        for name, column in columns.items()
    }
    plain = {
        name: pa.concat_arrays(column.chunks) if isinstance(column, pa.ChunkedArray) else column
        for name, column in whole.items()
    }
    return pa.RecordBatch.from_pydict(plain) if plain else pa.RecordBatch.from_pydict({"none": pa.nulls(count)})
