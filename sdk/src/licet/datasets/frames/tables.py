"""Tables as people hold them: Arrow, pandas, polars, Hugging Face datasets, lists of dicts, dicts of lists.

What goes in comes out as the same kind. Only the columns that say what a row is are looked at; the rest is carried
along untouched, whatever is in it: types, index, features, pictures that nobody decodes. None of these libraries is
imported here: who hands in their table has them.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, Final, TypeVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from licet.datasets.forms import choosing
from licet.datasets.forms.columns import NAMED, NO_COLUMN, USABLE
from licet.datasets.frames import hugging
from licet.errors import InputError

T = TypeVar("T")
Mask = npt.NDArray[np.bool_]
KINDS: Final = (
    "an Arrow batch or table, a pandas or polars DataFrame, a Hugging Face dataset, a list of dicts or a dict of lists"
)
SLICE_ROWS: Final = 65_536
SLICE_PICTURES: Final = 256  # rows of a dataset on disk that carry pictures: each may be megabytes


def names(table: Any) -> list[str]:
    """Return the names of the columns of ``table``, in their order; as text, where a frame has others."""
    match kind_of(table):
        case "arrow":
            return list(table.schema.names)
        case "pandas":
            return [str(name) for name in table.columns]
        case "polars":
            return list(table.columns)
        case "huggingface":
            return list(table.column_names)
        case "columns":
            return [str(name) for name in table]
        case _:
            return list(dict.fromkeys(str(name) for row in table for name in row))


def rows(table: Any, mapping: Mapping[str, str] | None = None) -> pa.RecordBatch:
    """Return the columns of ``table`` that may say what a row is, under their own names.

    Raises ``InputError`` that names the columns which are there: where none will do, where a mapped one is absent, and
    where two of one name are wanted.
    """
    pieces = list(slices(table, mapping))
    return pieces[0] if len(pieces) == 1 else pa.concat_batches(pieces)


def slices(table: Any, mapping: Mapping[str, str] | None = None) -> Iterator[pa.RecordBatch]:
    """Yield what `rows` returns, a slice after the other; of a dataset on disk only one is in memory."""
    wanted = _wanted(names(table), mapping)
    count = length(table)
    if kind_of(table) != "huggingface":
        yield from _cut(_batch(_chosen(table, wanted), count, wanted))
        return
    step = SLICE_PICTURES if any(name.lower() in ("image", "path") for name in wanted) else SLICE_ROWS
    chosen_columns = hugging.columns(table, wanted)
    for start in range(0, max(count, 1), step):
        end = min(start + step, count)
        yield _batch(hugging.arrow(chosen_columns, start, end), end - start, wanted)


def extended(table: T, columns: Mapping[str, pa.Array]) -> T:
    """Return ``table`` with ``columns`` after its own."""
    found: Any
    given: Any = table
    match kind_of(table):
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
            # Arrays have no index, so rows meet by their place, whatever labels they have.
            found = given.assign(**{name: _for_pandas(column) for name, column in columns.items()})
        case "polars":
            polars = sys.modules["polars"]
            found = given.with_columns([polars.from_arrow(column).alias(name) for name, column in columns.items()])
        case "huggingface":
            found = hugging.extended(given, columns)
        case "columns":
            found = {**given, **{name: column.to_pylist() for name, column in columns.items()}}
        case _:
            values = {name: column.to_pylist() for name, column in columns.items()}
            found = [{**row, **{name: values[name][place] for name in values}} for place, row in enumerate(given)]
            found = tuple(found) if isinstance(given, tuple) else found
    result: T = found
    return result


def chosen(table: T, mask: Mask) -> T:
    """Return the rows of ``table`` where ``mask`` is True."""
    found: Any
    given: Any = table
    match kind_of(table):
        case "arrow":
            found = choosing.chosen(given, mask)
        case "pandas":
            found = given[mask]
        case "polars":
            found = given.filter(sys.modules["polars"].from_arrow(pa.array(mask)))
        case "huggingface":
            found = given.select(np.flatnonzero(mask))
        case "columns":
            found = {
                name: [value for value, keep in zip(column, mask, strict=True) if keep]
                for name, column in given.items()
            }
        case _:
            found = [row for row, keep in zip(given, mask, strict=True) if keep]
            found = tuple(found) if isinstance(given, tuple) else found
    result: T = found
    return result


def length(table: Any) -> int:
    """Return how many rows ``table`` has; raises ``InputError`` for columns of different lengths."""
    if kind_of(table) != "columns":
        return len(table)
    lengths = {name: len(column) for name, column in table.items()}
    if len(set(lengths.values())) > 1:
        shown = ", ".join(f"{name} {count}" for name, count in lengths.items())
        raise InputError.field("batch", "columns of one length", shown)
    return next(iter(lengths.values()), 0)


def kind_of(table: Any) -> str:
    """Return which kind of table it is; raises ``InputError`` that says what would do, and how to get there."""
    if isinstance(table, (pa.RecordBatch, pa.Table)):
        return "arrow"
    for library in ("pandas", "polars"):
        if _is(table, library, "DataFrame"):
            return library
    if _is(table, "datasets", "Dataset"):
        return "huggingface"
    if _is(table, "polars", "LazyFrame"):
        raise InputError.field("batch", "a polars DataFrame: collect() the LazyFrame first", "LazyFrame")
    if _is(table, "datasets", "IterableDataset"):
        raise InputError.field("batch", "a whole table here: filter() and annotate() take a stream", "IterableDataset")
    if hugging.is_dict(table):
        raise InputError.field("batch", "one split of the DatasetDict, such as dataset['train']", type(table).__name__)
    if isinstance(table, Mapping):
        single = [str(name) for name, column in table.items() if not _is_column(column)]
        if single:
            raise InputError.field("batch", "a list of values in every column", f"a single one in {single[0]}")
        return "columns"
    if isinstance(table, (list, tuple)) and all(isinstance(row, Mapping) for row in table):
        return "rows"
    raise InputError.field("batch", KINDS, type(table).__name__)


def is_table(given: Any) -> bool:
    """Return whether ``given`` is one table, rather than several of them.

    Dicts in a list are its rows, unless all that is in the first is lists: then each is a batch.
    """
    if isinstance(given, (list, tuple)):
        first = given[0] if given else None
        return isinstance(first, Mapping) and not all(_is_column(value) for value in first.values())
    try:
        kind_of(given)
    except InputError:
        return False
    return True


def _is(table: Any, library: str, name: str) -> bool:
    """Whether ``table`` is one of a library's class, or of a subclass; the library is there if somebody holds one."""
    kind = getattr(sys.modules.get(library), name, None)
    return isinstance(kind, type) and isinstance(table, kind)


def _is_column(column: Any) -> bool:
    return hasattr(column, "__len__") and hasattr(column, "__getitem__") and not isinstance(column, (str, bytes, dict))


def _wanted(there: list[str], mapping: Mapping[str, str] | None) -> list[str]:
    mapped = {own for own in (mapping or {}).values() if own != NO_COLUMN}
    wanted = [name for name in there if name.lower() in NAMED or name in mapped]
    shown = ", ".join(there) or "none"
    for name, own in (mapping or {}).items():
        if own != NO_COLUMN and own not in there:
            raise InputError.field(f"columns {name}", f"a column of the batch ({shown})", own)
    if not any(name.lower() in USABLE or name in mapped for name in wanted):
        raise InputError(
            f"the batch: expected a column {', '.join(USABLE[:-1])} or {USABLE[-1]}"
            f" (or columns={{'url': 'IMAGE_URL'}}), got only {shown}",
            columns=there,
            wanted=list(USABLE),
        )
    twice = [name for name, count in Counter(wanted).items() if count > 1]
    if twice:
        raise InputError.field("the batch", f"one column {twice[0]}", f"{wanted.count(twice[0])} of that name")
    return wanted


def _chosen(table: Any, wanted: list[str]) -> Mapping[str, Any]:
    there = names(table)
    match kind_of(table):
        case "arrow":
            return {name: table.column(there.index(name)) for name in wanted}
        case "pandas":
            series = {name: table.iloc[:, there.index(name)] for name in wanted}
            return {name: _made(name, column, from_pandas=True) for name, column in series.items()}
        case "polars":
            return {name: table[name].to_arrow() for name in wanted}
        case "columns":
            return {name: _made(name, list(table[name])) for name in wanted}
        case _:
            return {name: _made(name, [row.get(name) for row in table]) for name in wanted}


def _made(name: str, values: Any, *, from_pandas: bool = False) -> Any:
    try:
        made = _array(values, from_pandas=from_pandas)
    except (pa.ArrowException, TypeError, ValueError, OverflowError) as error:
        raise InputError(f"column {name}: expected text or bytes in every row, got {error}", field=name) from None
    # A column in which nothing is has no type to speak of, though a frame gives it one.
    return pa.nulls(len(made)) if made.null_count == len(made) else made


def _array(values: Any, *, from_pandas: bool) -> Any:
    try:
        return pa.array(values, from_pandas=from_pandas)
    except UnicodeEncodeError:
        # Half of a character, as JSON may spell it, is no text: which row that is, is found out where it is read.
        raw = [each.encode(errors="surrogatepass") if isinstance(each, str) else each for each in values]
        options = pc.CastOptions(pa.large_string(), allow_invalid_utf8=True)
        return pc.cast(pa.array(raw, pa.large_binary(), from_pandas=from_pandas), options=options)


def _batch(columns: Mapping[str, Any], count: int, wanted: list[str]) -> pa.RecordBatch:
    try:
        plain = {name: _whole(column) for name, column in columns.items()}
        return pa.RecordBatch.from_pydict(plain)
    except (pa.ArrowException, TypeError, ValueError) as error:
        raise InputError(f"expected {count} values in each of {', '.join(wanted)}, got {error}") from None


def _whole(column: Any) -> Any:
    if not isinstance(column, pa.ChunkedArray):
        return column
    joined = column.combine_chunks()
    return pa.concat_arrays(joined.chunks) if isinstance(joined, pa.ChunkedArray) else joined


def _cut(batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
    for start in range(0, max(len(batch), 1), SLICE_ROWS):
        yield batch.slice(start, SLICE_ROWS)


def _for_pandas(column: pa.Array) -> Any:
    """Return ``column`` as pandas would have read it: text as its own text, whole numbers with gaps as such."""
    pandas = sys.modules["pandas"]
    if pa.types.is_integer(column.type):
        return pandas.array(column.to_pylist(), dtype=str(column.type).capitalize())
    if pa.types.is_boolean(column.type):
        return np.array(column.to_pylist(), np.bool_)
    return pandas.Series(column.to_pylist(), dtype="str").array
