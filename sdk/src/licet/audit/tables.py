"""The tables of a bundle: one record type each, as CSV for people and as Parquet for tools.

In CSV a field that is not there is empty, money is a decimal string with its currency beside it, time is RFC 3339.
Every value has one spelling.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from decimal import Decimal
from typing import IO, TYPE_CHECKING, Any, Final, Generic, Literal, NamedTuple, TypeVar

import msgspec

from licet import money
from licet.errors import MalformedError
from licet.statements.kinds import Event

if TYPE_CHECKING:
    import pyarrow as pa

GROUP: Final = 16_384  # rows in one row group
MAX_ROW: Final = 1 << 16
_MONEY: Final = re.compile(r"(-?)(0|[1-9]\d{0,15})(?:\.(\d{1,6}))?", re.ASCII)

Effect = Literal["new", "known", "memorandum", "earlier"]


class EventRow(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One use as ``source`` (``bat_…``, or ``lic_…`` for what its acceptance reported) tells of it.

    ``effect``: ``new`` is owed here; ``known`` was reported before, by ``first``, and has no second effect;
    ``memorandum`` is outside a licence; ``earlier`` is shown only because a ``known`` one refers to it, or because an
    output of an earlier month counts at the close. ``salt`` (hex) is that of the event's leaf. ``amount`` is gross,
    micro-units. ``payee`` registered the work; with a ``split`` what is left after the fee goes to its co-owners.
    """

    source: str
    effect: Effect
    first: str | None
    id: str
    licence: str | None
    statement: str | None
    work: str
    atom: str
    run: str
    unit: str
    seq: int
    quantity: int
    at: str
    match: Literal["exact", "near"]
    salt: str | None
    payee: str | None
    split: str | None
    currency: str | None
    amount: int
    fee: int
    escrow: bool
    memorandum: str | None
    posted_at: str
    corrects: str | None = None
    was: int | None = None

    @property
    def event(self) -> Event:
        """The event as it was signed."""
        fields = {name: getattr(self, name) for name in Event.__struct_fields__}
        return Event(**{name: value for name, value in fields.items() if value is not None or name not in _LEFT_OUT})


class TransferRow(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One transfer; ``source`` is the licence or batch that it is for, ``reverses`` the one that it negates."""

    transfer: str
    at: str
    kind: str
    source: str
    key: str
    memo: str | None
    reverses: str | None


class LedgerRow(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One entry of a transfer: debit positive, credit negative, micro-units."""

    transfer: str
    account: str
    currency: str
    amount: int


class BalanceRow(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One ledger account in one currency through the period: closing = opening + accrued + reversed + settled."""

    account: str
    currency: str
    opening: int
    accrued: int
    reversed: int
    settled: int
    closing: int


_LEFT_OUT: Final = frozenset({"corrects", "was"})  # of an event that is no correction
R = TypeVar("R", EventRow, TransferRow, LedgerRow, BalanceRow)


class Column(NamedTuple):
    """One column: how a value is written and read, and its Arrow type."""

    name: str
    dump: Callable[[Any], str]
    load: Callable[[str], Any]
    arrow: str


def load_money(text: str) -> int:
    """Return the micro-units of a decimal that may be negative and, being a sum, beyond what one amount can hold.

    Raises ``ValueError`` for anything but its shortest spelling.
    """
    match = _MONEY.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r:.40}")
    micro = int(match[2]) * money.MICRO + int((match[3] or "").ljust(6, "0"))
    micro = -micro if match[1] else micro
    if money.to_decimal(micro) != text:
        raise ValueError(f"{text!r:.40}")
    return micro


def _load_number(text: str) -> int:
    if not 0 < len(text) <= 16 or not text.isascii() or not text.isdigit() or (text[0] == "0" and text != "0"):
        raise ValueError(f"{text!r:.40}")
    return int(text)


def _dump_perhaps(value: int | None) -> str:
    return "" if value is None else str(value)


def _load_perhaps(text: str) -> int | None:
    return _load_number(text) if text else None


def _text(name: str) -> Column:
    return Column(name, str, str, "string")


def _optional(name: str) -> Column:
    return Column(name, lambda value: value or "", lambda text: text or None, "string")


def _number(name: str) -> Column:
    return Column(name, str, _load_number, "int64")


def _money(name: str) -> Column:
    return Column(name, money.to_decimal, load_money, "money")


def _flag(name: str) -> Column:
    return Column(name, lambda value: "true" if value else "false", {"true": True, "false": False}.__getitem__, "bool")


class Table(Generic[R]):
    """How records of one type are written down; the columns are the fields, in order."""

    def __init__(self, schema: type[R], *columns: Column) -> None:
        self.schema: Final[type[R]] = schema
        self.columns: Final = columns
        assert tuple(column.name for column in columns) == schema.__struct_fields__

    @property
    def header(self) -> str:
        """The first line."""
        return ",".join(column.name for column in self.columns) + "\n"

    def to_csv(self, rows: Iterable[R]) -> str:
        """Return the lines of ``rows``."""
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\n")
        for row in rows:
            writer.writerow([column.dump(getattr(row, column.name)) for column in self.columns])
        return out.getvalue()

    def from_csv(self, chunks: Iterable[bytes]) -> Iterator[R]:
        """Yield the rows of a whole CSV file; raises ``MalformedError`` naming the line."""
        reader = csv.reader(_texts(chunks), strict=True)
        try:
            if ",".join(next(reader, ())) + "\n" != self.header:
                raise MalformedError(f"expected the columns {self.header.strip()}, got others")
            for fields in reader:
                yield self._row(fields)
        except (csv.Error, ValueError, KeyError, TypeError) as error:
            line = reader.line_num
            raise MalformedError(f"line {line}: expected values of these columns, got others: {error}") from None

    def _row(self, fields: Sequence[str]) -> R:
        if len(fields) != len(self.columns):
            raise ValueError(f"{len(fields)} fields")
        values = {column.name: column.load(text) for column, text in zip(self.columns, fields, strict=True)}
        schema: Any = self.schema
        row: R = msgspec.convert(values, schema)
        return row

    def arrow_schema(self) -> pa.Schema:
        """Return the columns as Arrow knows them; money is decimal128(22, 6)."""
        import pyarrow as pa

        kinds = {"string": pa.string(), "int64": pa.int64(), "bool": pa.bool_(), "money": pa.decimal128(22, 6)}
        return pa.schema([pa.field(column.name, kinds[column.arrow]) for column in self.columns])

    def to_arrow(self, rows: Sequence[R]) -> pa.Table:
        """Return ``rows`` as an Arrow table."""
        import pyarrow as pa

        schema = self.arrow_schema()
        arrays = []
        for column, field in zip(self.columns, schema, strict=True):
            values = [getattr(row, column.name) for row in rows]
            if column.arrow == "money":
                values = [Decimal(value).scaleb(-6) for value in values]
            arrays.append(pa.array(values, field.type))
        return pa.Table.from_arrays(arrays, schema=schema)


EVENTS: Final = Table(
    EventRow,
    *(_text("source"), _text("effect"), _optional("first"), _text("id"), _optional("licence"), _optional("statement")),
    *(_text("work"), _text("atom"), _text("run"), _text("unit"), _number("seq"), _number("quantity"), _text("at")),
    *(
        _text("match"),
        _optional("salt"),
        _optional("payee"),
        _optional("split"),
        _optional("currency"),
        _money("amount"),
    ),
    *(_money("fee"), _flag("escrow"), _optional("memorandum"), _text("posted_at")),
    *(_optional("corrects"), Column("was", _dump_perhaps, _load_perhaps, "int64")),
)
TRANSFERS: Final = Table(
    TransferRow,
    *(_text("transfer"), _text("at"), _text("kind"), _text("source"), _text("key"), _optional("memo")),
    _optional("reverses"),
)
ENTRIES: Final = Table(LedgerRow, _text("transfer"), _text("account"), _text("currency"), _money("amount"))
BALANCES: Final = Table(
    BalanceRow,
    *(_text("account"), _text("currency"), _money("opening"), _money("accrued"), _money("reversed")),
    *(_money("settled"), _money("closing")),
)


class ParquetOut(Generic[R]):
    """Writes rows of one table to a Parquet file in groups of fixed size: the same rows, the same groups."""

    def __init__(self, table: Table[R], out: IO[bytes]) -> None:
        import pyarrow.parquet as pq

        self._table: Final[Table[R]] = table
        self._writer: Final = pq.ParquetWriter(out, table.arrow_schema(), compression="zstd", write_statistics=False)
        self._waiting: list[R] = []

    def write(self, rows: Iterable[R]) -> None:
        """Append ``rows``."""
        self._waiting.extend(rows)
        while len(self._waiting) >= GROUP:
            self._flush(self._waiting[:GROUP])
            del self._waiting[:GROUP]

    def close(self) -> None:
        """Write what is left and the footer."""
        if self._waiting:
            self._flush(self._waiting)
            self._waiting = []
        self._writer.close()

    def _flush(self, rows: Sequence[R]) -> None:
        self._writer.write_table(self._table.to_arrow(rows), row_group_size=GROUP)


def _texts(chunks: Iterable[bytes]) -> Iterator[str]:
    for line in lines_of(chunks):
        yield line.decode("utf-8") + "\n"


def lines_of(chunks: Iterable[bytes], limit: int = MAX_ROW) -> Iterator[bytes]:
    """Yield the lines of a text without their newlines; ``MalformedError`` for one over ``limit`` bytes or cut off."""
    rest = b""
    for chunk in chunks:
        lines = (rest + chunk).split(b"\n")
        rest = lines.pop()
        for line in lines:
            yield _limited(line, limit)
        _limited(rest, limit)
    if rest:
        raise MalformedError("expected text that ends with a newline, got text that does not")


def _limited(line: bytes, limit: int) -> bytes:
    if len(line) > limit:
        raise MalformedError(f"expected lines of at most {limit} bytes, got a longer one")
    return line
