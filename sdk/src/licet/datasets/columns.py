"""Which columns of a table say what a row is: ``url``, ``sha256``, ``path``, ``image``, ``pdq``, in any case."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec
import pyarrow as pa

from licet.errors import InputError

#: What can identify a row, the firmest last; ``key`` only names it.
USABLE: Final = ("url", "sha256", "path", "image", "pdq")
NAMED: Final = (*USABLE, "key")
_FILES: Final = ("path", "image")
_NAMING: Final = ("url", "path", "key")


class Columns(msgspec.Struct, frozen=True):
    """The table's own name of each column that we read, by our name."""

    names: dict[str, str]

    @property
    def holds_files(self) -> bool:
        """Whether rows name or carry a picture, not only an address or a digest."""
        return any(name in self.names for name in _FILES)

    def naming(self) -> Columns:
        """Return those that name a row: address, place and key."""
        return Columns({name: own for name, own in self.names.items() if name in _NAMING})

    def select(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Return the columns that we read, under our names, as text or bytes."""
        arrays = {name: _plain(name, batch.column(own)) for name, own in self.names.items()}
        schema = pa.schema([(name, array.type) for name, array in arrays.items()])
        if not arrays:  # a batch without columns has no length of its own
            return pa.RecordBatch.from_pydict({"none": pa.nulls(len(batch))})
        return pa.RecordBatch.from_arrays(list(arrays.values()), schema=schema)


def find_columns(schema: pa.Schema, where: str, mapping: Mapping[str, str] | None = None) -> Columns:
    """Return which columns of ``schema`` we read; ``mapping`` (our name → the table's) wins over equal names.

    Raises ``InputError`` that names the columns which are there and those which would do: for a table without a
    usable one, for two that differ only in case, for a mapped one that is absent, and for one of the wrong type.
    """
    there: Sequence[str] = schema.names
    found: dict[str, str] = {}
    for name, own in (mapping or {}).items():
        if name not in NAMED:
            raise InputError.field("columns", f"one of {', '.join(NAMED)} before the =", name)
        if there.count(own) != 1:
            raise InputError.field(f"columns {name}", f"a column of {where} ({', '.join(there)})", own)
        found[name] = own
    for name in NAMED:
        same = [own for own in there if own.lower() == name]
        if name in found or not same:
            continue
        if len(same) > 1:
            raise InputError.field(f"columns of {where}", f"one column {name}, or {name}=… to choose", ", ".join(same))
        found[name] = same[0]
    if not any(name in found for name in USABLE):
        raise InputError(
            f"{where}: expected a column {', '.join(USABLE[:-1])} or {USABLE[-1]} (or a mapping such as url=IMAGE_URL),"
            f" got only {', '.join(there) or 'none'}",
            columns=list(there),
            wanted=list(USABLE),
        )
    for name, own in found.items():
        _check_type(name, schema.field(own).type, f"{where}, column {own}")
    return Columns(found)


def _check_type(name: str, kind: pa.DataType, where: str) -> None:
    value = kind.value_type if pa.types.is_dictionary(kind) else kind
    text = is_text(value)
    blob = (
        pa.types.is_binary(value)
        or pa.types.is_large_binary(value)
        or pa.types.is_binary_view(value)
        or pa.types.is_fixed_size_binary(value)
    )
    if name == "image":
        inside = value.names if pa.types.is_struct(value) else []
        fits = blob or ("bytes" in inside)
        expected = "bytes, or a struct with bytes and path"
    elif name in ("sha256", "pdq"):
        fits, expected = text or blob, "text or bytes"
    elif name == "key":
        fits, expected = True, "anything"
    else:
        fits, expected = text, "text"
    if not (fits or pa.types.is_null(value)):
        raise InputError.field(where, expected, str(kind))


def _plain(name: str, column: pa.Array) -> pa.Array:
    kind = column.type
    if pa.types.is_dictionary(kind):
        column = column.dictionary_decode()
        kind = column.type
    if name == "image" and pa.types.is_struct(kind):
        return column
    try:
        if name == "image" or (name in ("sha256", "pdq") and not is_text(kind)):
            return column.cast(pa.large_binary())
        return column.cast(pa.large_string())
    except pa.ArrowException as error:
        raise InputError(f"column {name}: expected text in UTF-8, got {error}") from None


def is_text(kind: pa.DataType) -> bool:
    """Return whether a column of this type holds text, in whichever layout."""
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))
