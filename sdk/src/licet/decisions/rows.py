"""Decision rows: what a job decided, row by row, and the two roots that fix it.

``decisions_root`` is the RFC 6962 root over all parts by name, in each over its rows in order. A row's leaf data is
the canonical JSON of its verdict fields (`VERDICT_FIELDS`), nulls left out: what was decided and why, about which
row, without what the row looks like or where it lies. So it is the same on one machine, on Ray and on Spark.

``row_root`` is a second root over the same order. Its leaves also hold the fingerprints, behind a salt per row
(HMAC-SHA256 of the job's secret), so that single rows can be opened to an auditor who decides them again, and the
others stay closed.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Iterator, Mapping
from hashlib import sha256
from itertools import repeat
from typing import TYPE_CHECKING, Any, Final

import msgspec

from licet import canonical
from licet.compiled import hashing_of
from licet.decisions.roots import RootBuilder
from licet.errors import InputError
from licet.log import merkle

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pyarrow as pa

VERDICT_FIELDS: Final = (
    "claim_level",
    "currency",
    "distance",
    "examined",
    "licence",
    "match",
    "part",
    "price",
    "reason",
    "row",
    "statement",
    "verdict",
    "work",
)
"""What a row leaf holds, in the order of its canonical JSON."""
ROW_FIELDS: Final = (*VERDICT_FIELDS, "pdq", "pixels", "sha256", "url")
"""What a salted row leaf holds beside the salt."""
REQUIRED: Final = ("part", "row", "verdict", "reason", "examined")
SECRET_BYTES: Final = 32

_ENCODER: Final = msgspec.json.Encoder(order="sorted")
_BEFORE: Final = tuple(name for name in VERDICT_FIELDS if name < "row")
_AFTER: Final = tuple(name for name in VERDICT_FIELDS if name > "row")
# A salted leaf in the order of its canonical JSON: what rows with one decision share, around what is each row's own.
_OWN: Final = ("pdq", "pixels", "sha256", "url")
_SHARED: Final = tuple(
    tuple(name for name in VERDICT_FIELDS if after < name < before and name != "row")
    for after, before in (("", "pdq"), ("pixels", "row"), ("sha256", "url"), ("url", "~"))
)


def decision_schema() -> pa.Schema:
    """Return the Arrow schema of ``OUT.decisions.parquet``.

    ``examined`` lists the kinds of keys that were looked up, in the order of ``KEY_KINDS`` with commas between (empty:
    none); ``price`` is a decimal string beside its ``currency``; digests and ``pdq`` are hex.
    """
    import pyarrow as pa

    text = pa.string()
    match = [
        ("work", text),
        ("account", text),
        ("statement", text),
        ("match", text),
        ("key", text),
        ("distance", pa.int16()),
        ("verdict", text),
        ("reason", text),
        ("price", text),
        ("currency", text),
        ("claim_level", pa.int8()),
    ]
    columns = [
        ("part", text),
        ("row", pa.int64()),
        ("key", text),
        ("path", text),
        ("url", text),
        ("verdict", text),
        ("reason", text),
        ("work", text),
        ("statement", text),
        ("licence", text),
        ("match", text),
        ("distance", pa.int16()),
        ("examined", text),
        ("price", text),
        ("currency", text),
        ("claim_level", pa.int8()),
        ("sha256", text),
        ("pixels", text),
        ("pdq", text),
        ("matches", pa.list_(pa.struct(match))),
    ]
    return pa.schema([pa.field(name, kind, nullable=name not in REQUIRED) for name, kind in columns])


def row_leaf(row: Mapping[str, Any]) -> bytes:
    """Return the leaf data of one row: canonical JSON of its verdict fields without the nulls.

    Raises ``InputError`` that names the field where a required one is missing.
    """
    return canonical.encode(_fields(row, VERDICT_FIELDS))


def leaf_hashes(table: pa.Table | pa.RecordBatch) -> bytes:
    """Return the leaf hashes of `row_leaf` for every row of ``table``, 32 bytes each, in its order.

    Rows must be in the order of ``row``; each distinct decision is encoded once. Raises ``InputError`` for a missing
    column, a null where a value is required and for rows out of order.
    """
    import pyarrow as pa

    if isinstance(table, pa.RecordBatch):
        table = pa.Table.from_batches([table])
    _require(table)
    if not table.num_rows:
        return b""
    if (loops := hashing_of(table.num_rows)) is not None:
        from licet.decisions.leaves import Leaves

        return Leaves(loops, table, _SHARED).plain()
    return _plain(table)


def both_hashes(secret: bytes, table: pa.Table) -> tuple[bytes, bytes]:
    """Return `leaf_hashes` and `salted_leaf_hashes` of ``table``, at less than the cost of both."""
    loops = hashing_of(table.num_rows)
    if loops is None:
        return leaf_hashes(table), salted_leaf_hashes(secret, table)
    from licet.decisions.leaves import Leaves

    _require_secret(secret)
    _require(table)
    plain, hashes, done = Leaves(loops, table, _SHARED).both(secret)
    return plain, _with_escapes(secret, table, hashes, done)


def _plain(table: pa.Table) -> bytes:
    distinct, which = _distinct(table.select([name for name in VERDICT_FIELDS if name in table.schema.names]))
    around = [_around(row) for row in distinct]
    heads, tails = [head for head, _ in around], [tail for _, tail in around]
    rows = table.column("row").to_pylist()
    return b"".join(
        [sha256(b"%b%d%b" % (heads[code], row, tails[code])).digest() for row, code in zip(rows, which, strict=True)]
    )


def decisions_root(parts: Mapping[str, Iterable[bytes] | bytes]) -> str:
    """Return the hex root over ``parts``: each name with its leaf hashes (end to end, whole or in pieces)."""
    root = RootBuilder()
    for name in sorted(parts):
        pieces = parts[name]
        for piece in [pieces] if isinstance(pieces, bytes) else pieces:
            root.add(piece)
    return root.root


def salted_row_leaf(secret: bytes, row: Mapping[str, Any]) -> bytes:
    """Return the salted leaf data of one row: 32 bytes of salt, then canonical JSON of `ROW_FIELDS` without nulls.

    The salt is HMAC-SHA256 of ``secret`` (32 bytes) over ``part``, a zero byte and the row's number. Raises
    ``InputError`` as `row_leaf` does.
    """
    return salted_leaf(row_salt(secret, row), row)


def row_salt(secret: bytes, row: Mapping[str, Any]) -> bytes:
    """Return the 32 bytes that the salted leaf of ``row`` begins with; who is given them can open this row alone."""
    _require_secret(secret)
    fields = _fields(row, ("part", "row"), ("part", "row"))
    return hmac.digest(secret, f"{fields['part']}\0{fields['row']}".encode(), sha256)


def salted_leaf(salt: bytes, row: Mapping[str, Any]) -> bytes:
    """Return the salted leaf data of ``row`` behind its own ``salt`` of 32 bytes; raises ``InputError``."""
    if len(salt) != SECRET_BYTES:
        raise InputError.field("salt", f"{SECRET_BYTES} bytes", f"{len(salt)} bytes")
    return salt + canonical.encode(_fields(row, ROW_FIELDS))


def salted_leaf_hashes(secret: bytes, table: pa.Table | pa.RecordBatch) -> bytes:
    """Return the leaf hashes of `salted_row_leaf` for every row of ``table``; its root is ``row_root``.

    Each distinct decision is encoded once. Raises ``InputError`` as `leaf_hashes` does.
    """
    import pyarrow as pa

    _require_secret(secret)
    if isinstance(table, pa.RecordBatch):
        table = pa.Table.from_batches([table])
    _require(table)
    if not table.num_rows:
        return b""
    if (loops := hashing_of(table.num_rows)) is not None:
        from licet.decisions.leaves import Leaves

        return _with_escapes(secret, table, *Leaves(loops, table, _SHARED).salted(secret))
    return b"".join(_salted(secret, table))


def _with_escapes(secret: bytes, table: pa.Table, hashes: npt.NDArray[np.uint8], done: npt.NDArray[np.bool_]) -> bytes:
    """Return the salted leaf hashes, those that are not done from plain Python."""
    import numpy as np

    if len(left := np.flatnonzero(~done)):
        one_by_one = b"".join(_salted(secret, table.take(left)))
        hashes[left] = np.frombuffer(one_by_one, np.uint8).reshape(-1, merkle.HASH_SIZE)
    return hashes.tobytes()


def _salted(secret: bytes, table: pa.Table) -> Iterator[bytes]:
    distinct, which = _distinct(table.select([name for name in VERDICT_FIELDS if name in table.schema.names]))
    frames = [_frame(row) for row in distinct]
    rows = table.column("row").to_pylist()
    own = zip(*(_own_fields(table, name) for name in _OWN), strict=True)
    for row, code, (pdq, pixels, digest, url) in zip(rows, which, own, strict=True):
        part, head, price, statement, tail = frames[code]
        salt = hmac.digest(secret, b"%b%d" % (part, row), sha256)
        leaf = (salt, head, pdq, pixels, price, row, digest, statement, url, tail)
        yield sha256(b'\x00%b%b%b%b%b,"row":%d%b%b%b%b' % leaf).digest()


def _fields(row: Mapping[str, Any], names: tuple[str, ...], required: tuple[str, ...] = REQUIRED) -> dict[str, Any]:
    fields = {name: row[name] for name in names if row.get(name) is not None}
    for name in required:
        if name not in fields:
            raise InputError.field(name, "a value in every decision row", "nothing")
    return fields


def _around(row: dict[str, Any]) -> tuple[bytes, bytes]:
    """The bytes that a leaf is hashed from, before and after its row number: 0x00, then canonical JSON."""
    before = _ENCODER.encode({name: row[name] for name in _BEFORE if row.get(name) is not None})
    after = _ENCODER.encode({name: row[name] for name in _AFTER if row.get(name) is not None})
    return b"\x00" + before[:-1] + b',"row":', b"," + after[1:]


def _frame(row: dict[str, Any]) -> tuple[bytes, bytes, bytes, bytes, bytes]:
    """The bytes of a salted leaf that rows with one decision share: the name of the part for the salt, then the JSON
    up to ``part``, ``price`` and ``reason``, ``statement``, and from ``verdict`` on to the end."""
    head, price, statement, tail = (
        _ENCODER.encode({name: row[name] for name in names if row.get(name) is not None})[1:-1] for names in _SHARED
    )
    comma = b"," if statement else b""
    return row["part"].encode() + b"\0", b"{" + head, b"," + price, comma + statement, b"," + tail + b"}"


def _own_fields(table: pa.Table, name: str) -> Iterable[bytes]:
    """The bytes of one field of a row's own, with the comma before it, for every row; nothing for a null."""
    if name not in table.schema.names or table.column(name).null_count == table.num_rows:
        return repeat(b"", table.num_rows)
    before = b',"%b":' % name.encode()
    encode = _ENCODER.encode
    return [b"" if value is None else before + encode(value) for value in table.column(name).to_pylist()]


def _require_secret(secret: bytes) -> None:
    if len(secret) != SECRET_BYTES:
        raise InputError.field("secret", f"{SECRET_BYTES} bytes", f"{len(secret)} bytes")


def _require(table: pa.Table | pa.RecordBatch) -> None:
    import numpy as np

    for name in REQUIRED:
        if name not in table.schema.names:
            raise InputError.field(name, "a column of decision rows", "none")
        if table.column(name).null_count:
            raise InputError.field(name, "a value in every decision row", "a null")
    rows = table.column("row").to_numpy()
    if len(rows) and rows[0] < 0:
        raise InputError.field("row", "numbers from 0 on", int(rows[0]))
    if len(rows) > 1 and not bool(np.all(rows[1:] > rows[:-1])):
        raise InputError.field("row", "rows of one part in their order", "another order")


def _distinct(table: pa.Table) -> tuple[list[dict[str, Any]], list[int]]:
    """The distinct rows of ``table`` without ``row``, and for every row which of them it is."""
    import numpy as np
    import pyarrow.compute as pc

    codes = np.zeros(table.num_rows, dtype=np.int64)
    spread = 1
    for name in table.schema.names:
        if name == "row":
            continue
        column = table.column(name).combine_chunks()
        if column.null_count == len(column):
            continue
        encoded = column if hasattr(column, "dictionary") else pc.dictionary_encode(column)
        size = len(encoded.dictionary) + 1
        if size == 2 and not encoded.null_count:
            continue
        if spread * size >= 1 << 62:
            _, codes = np.unique(codes, return_inverse=True)
            spread = table.num_rows
        codes = codes * size + pc.fill_null(pc.cast(encoded.indices, "int64"), -1).to_numpy() + 1
        spread *= size
    _, first, which = np.unique(codes, return_index=True, return_inverse=True)
    return table.take(first).to_pylist(), which.tolist()
