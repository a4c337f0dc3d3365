"""Which columns of a table say what a row is: ``url sha256 iscc path image pdq``, in any case, and ``text`` if asked.

A column called ``text`` is mostly the caption of a picture, so that one which is the work itself is named as such. So
are the ``headers`` that an address was answered with: they may be anybody's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from licet.errors import InputError

#: What can identify a row, the firmest last; ``key`` only names it.
USABLE: Final = ("url", "sha256", "iscc", "path", "image", "pdq")
NAMED: Final = (*USABLE, "key")
#: Read only where a mapping names them: the text that a row is, and the headers that came with it.
TEXT: Final = "text"
HEADERS: Final = "headers"
ASKED_FOR: Final = (TEXT, HEADERS)
_FILES: Final = ("path", "image", TEXT)
_NAMING: Final = ("url", "path", "key")
#: In a mapping: do not read this column, whatever it is called.
NO_COLUMN: Final = "-"
#: What may be text as bytes: a writer that says nothing of UTF-8 leaves columns of text so.
_BYTES: Final = ("url", "iscc", "path", "key", TEXT)
#: What may forbid a row: such a column is never passed over unseen.
_TELLING: Final = ("url", "sha256", "iscc")
_EXPECTED: Final = {
    "url": "text",
    "path": "text",
    "key": "text or whole numbers",
    "sha256": "text or bytes",
    "iscc": "text",
    "pdq": "text or bytes",
    "image": "bytes, or a struct with bytes and path",
    TEXT: "text",
    HEADERS: "text",
}


class Columns(msgspec.Struct, frozen=True):
    """The table's own name of each column that we read, by our name."""

    names: dict[str, str]

    @property
    def holds_files(self) -> bool:
        """Whether rows name or carry a picture or a text, not only an address or a digest."""
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
    """Return which columns of ``schema`` we read; ``mapping`` (our name → the table's, or ``-`` for none) comes first.

    Columns of our names in any case are found by themselves, if they hold what they must; text may be bytes. Raises
    ``InputError`` that names the columns which are there and those which would do: for a table without a usable one,
    for two that differ only in case, for a mapped one that is absent or of the wrong type, and for addresses, digests
    or codes of the wrong type, which may forbid what the others permit.
    """
    there: Sequence[str] = schema.names
    found: dict[str, str] = {}
    left_out = {name for name, own in (mapping or {}).items() if own == NO_COLUMN}
    for name, own in (mapping or {}).items():
        if name not in (*NAMED, *ASKED_FOR):
            raise InputError.field("columns", f"one of {', '.join((*NAMED, *ASKED_FOR))} before the =", name)
        if name in left_out:
            continue
        if there.count(own) != 1:
            raise InputError.field(f"columns {name}", f"a column of {where} ({', '.join(there)})", own)
        if not _holds(name, schema.field(own).type):
            raise InputError.field(f"{where}, column {own}", _EXPECTED[name], str(schema.field(own).type))
        found[name] = own
    for name in NAMED:
        if name in found or name in left_out:
            continue
        same = [own for own in there if own.lower() == name]
        if len(same) > 1:
            raise InputError.field(f"columns of {where}", f"one column {name}, or {name}=… to choose", ", ".join(same))
        if same and _holds(name, schema.field(same[0]).type):
            found[name] = same[0]
        elif same and name in _TELLING:
            expected = f"{_EXPECTED[name]} ({name}=- leaves the column out)"
            raise InputError.field(f"{where}, column {same[0]}", expected, str(schema.field(same[0]).type))
    if not any(name in found for name in (*USABLE, TEXT)):
        raise InputError(
            f"{where}: expected a column {', '.join(USABLE[:-1])} or {USABLE[-1]} (or a mapping such as url=IMAGE_URL,"
            f" or text=… for rows that are texts),"
            f" got only {', '.join(f'{field.name} ({field.type})' for field in schema) or 'none'}",
            columns=list(there),
            wanted=list(USABLE),
        )
    return Columns(found)


def is_text(kind: pa.DataType) -> bool:
    """Return whether a column of this type holds text, in whichever layout."""
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))


def readable(name: str, column: pa.Array) -> pa.Array:
    """Return a column of text without text that is not UTF-8: it would fail wherever it is looked at.

    A place keeps the look of it, so that it is known which row it was; what must parse becomes empty, which does not.
    """
    try:
        column.validate(full=True)
    except pa.ArrowInvalid:
        texts = [None if raw is None else _decoded(name, raw) for raw in column.cast(pa.large_binary()).to_pylist()]
        return pa.array(texts, pa.large_string())
    return column


def _holds(name: str, kind: pa.DataType) -> bool:
    value = kind.value_type if pa.types.is_dictionary(kind) else kind
    if pa.types.is_null(value):
        return True
    if name == "image":
        inside = pa.types.is_struct(value) and "bytes" in value.names
        return bool(_is_blob(value.field("bytes").type) if inside else _is_blob(value))
    if name in ("sha256", "pdq", *_BYTES) and _is_blob(value):
        return True
    return is_text(value) or (name == "key" and bool(pa.types.is_integer(value)))


def _is_blob(kind: pa.DataType) -> bool:
    tests = (
        pa.types.is_binary,
        pa.types.is_large_binary,
        pa.types.is_binary_view,
        pa.types.is_fixed_size_binary,
        pa.types.is_null,
    )
    return any(test(kind) for test in tests)


def _plain(name: str, column: pa.Array) -> pa.Array:
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    kind = column.type
    if name == "image" and pa.types.is_struct(kind):
        return column
    if name == "image" or (name in ("sha256", "pdq") and not is_text(kind)):
        return column.cast(pa.large_binary())
    if _is_blob(kind):
        column = column.cast(pa.large_binary())
    return readable(name, pc.cast(column, options=pc.CastOptions(pa.large_string(), allow_invalid_utf8=True)))


def _decoded(name: str, raw: bytes) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw.decode(errors="replace") if name in ("path", "key") else ""
