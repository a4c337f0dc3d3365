"""Streamed tables are what the ledger and the uses are, in three forms, each to whom it is due."""

from __future__ import annotations

import csv
import io
import json
import random
from decimal import Decimal
from typing import Any

import httpx
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from licet import identifiers, times
from registry.auditing import export
from registry.auditing.blocks import EVENTS, NOTHING, TEXT_END
from registry.auditing.columns import Writer, batch_of, order_of
from registry.errors import RegistryError
from tests.registry.auditing.month import Month
from tests.registry.auditing.test_scopes import auditor
from tests.registry.market import problem

pytestmark = pytest.mark.anyio


async def read(http: httpx.AsyncClient, month: Month, table: str, form: str = "parquet", **more: str) -> Any:
    """The rows of an export."""
    params = {"period": month.period, "table": table, "format": form, **more}
    answer = await http.get("/v1/audit/export", params=params)
    assert answer.status_code == 200, answer.text
    if form == "parquet":
        return pq.read_table(io.BytesIO(answer.content)).to_pylist()
    if form == "csv":
        return list(csv.DictReader(io.StringIO(answer.text)))
    return [json.loads(line) for line in answer.text.splitlines()]


async def stored(month: Month, query: str) -> list[Any]:
    async with month.site.services.database.acquire() as conn:
        return await conn.fetch(query)


async def test_every_use_of_the_month_is_told_once_as_it_is(month: Month):
    rows = await read(month.auditor, month, "events")
    kept = await stored(
        month,
        "select v.*, a.kind from usage_events v left join accounts a on a.id = v.artist order by v.batch is null, "
        "coalesce(v.batch, v.licence), v.id",
    )
    assert len(rows) == len(kept) > 20
    for row, use in zip(rows, kept, strict=True):
        assert row["id"] == use["id"].hex()
        for name, kind in (("organisation", "org"), ("licence", "lic"), ("statement", "stm"), ("work", "wrk")):
            assert row[name] == (None if use[name] is None else identifiers.from_uuid(kind, use[name]))
        payee = None if use["artist"] is None else identifiers.from_uuid(use["kind"], use["artist"])
        source = ("lic", use["licence"]) if use["batch"] is None else ("bat", use["batch"])
        assert (row["payee"], row["source"]) == (payee, identifiers.from_uuid(*source))
        assert (row["at"], row["posted_at"]) == (use["at"], use["posted_at"])
        assert row["amount"] == Decimal(use["amount"]).scaleb(-6)
        for name in ("atom", "run", "unit", "seq", "quantity", "match", "currency", "escrow", "memorandum"):
            assert row[name] == use[name]


async def test_transfers_and_entries_are_those_of_the_ledger(month: Month):
    transfers = await read(month.auditor, month, "transfers")
    kept = await stored(month, "select * from transfers order by id")
    assert [row["transfer"] for row in transfers] == [identifiers.from_uuid("tra", each["id"]) for each in kept]
    assert {row["reverses"] for row in transfers} > {None}
    entries = await read(month.auditor, month, "entries")
    summed = await stored(month, "select count(*) as lines, sum(abs(amount)) as moved from entries")
    assert len(entries) == summed[0]["lines"]
    assert sum(abs(row["amount"]) for row in entries) == Decimal(summed[0]["moved"]).scaleb(-6)
    totals: dict[str, Decimal] = {}
    for row in entries:
        totals[row["currency"]] = totals.get(row["currency"], Decimal(0)) + row["amount"]
    assert set(totals.values()) == {Decimal(0)}


@pytest.mark.parametrize("table", ["events", "transfers", "entries"])
async def test_the_three_forms_tell_the_same(month: Month, table: str):
    plain = [{name: _told(value) for name, value in row.items()} for row in await read(month.auditor, month, table)]
    lines = await read(month.auditor, month, table, "jsonl")
    assert [{name: _told(value) for name, value in row.items()} for row in lines] == plain
    assert [
        {name: value or "" for name, value in row.items()} for row in await read(month.auditor, month, table, "csv")
    ] == plain


def _told(value: Any) -> str:
    """A value as CSV has it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if hasattr(value, "isoformat"):
        return f"{value:%Y-%m-%dT%H:%M:%S.%f}Z"
    return str(value)


async def test_everybody_gets_their_own_part(month: Month):
    own = await read(month.lantern.http, month, "events")
    assert {row["organisation"] for row in own} == {month.lantern.id}
    assert own == await read(month.auditor, month, "events", organisation=month.lantern.id)
    assert own == await read(await auditor(month, month.lantern.id), month, "events")
    artist = await read(month.trusted.owner.http, month, "events")
    assert {row["work"] for row in artist} == set(month.trusted.works)
    below = month.unknown.owner
    assert await read(below.http, month, "events") == []
    accounts = {row["account"] for row in await read(below.http, month, "entries")}
    assert accounts == {f"escrow:{below.id}"}
    for table in ("events", "transfers", "entries"):
        params = {"period": month.period, "table": table, "organisation": month.candle.id}
        assert problem(await month.lantern.http.get("/v1/audit/export", params=params))[0] == 404


async def test_blocks_of_any_size_make_the_same_file(month: Month, monkeypatch: pytest.MonkeyPatch):
    whole = {table: await read(month.auditor, month, table) for table in ("events", "transfers", "entries")}
    monkeypatch.setattr(export, "ROWS", 8)
    monkeypatch.setattr(export, "_SOURCES", 1)
    for table, rows in whole.items():
        assert await read(month.auditor, month, table) == rows


async def test_a_month_without_anything_is_an_empty_table(month: Month):
    for table in ("events", "transfers", "entries"):
        for form in ("parquet", "csv", "jsonl"):
            params = {"period": "2020-01", "table": table, "format": form}
            answer = await month.auditor.get("/v1/audit/export", params=params)
            assert answer.status_code == 200
            if form == "parquet":
                assert pq.read_table(io.BytesIO(answer.content)).num_rows == 0


@pytest.mark.parametrize(
    ("wrong", "pointer"),
    [
        ({"table": "works"}, "?table"),
        ({"format": "xlsx"}, "?format"),
        ({"period": "2020-13"}, "?period"),
        ({}, "?table"),
    ],
)
async def test_what_cannot_be_asked_is_refused(month: Month, wrong: dict[str, str], pointer: str):
    params = {"period": month.period, **({"table": "events"} if wrong else {}), **wrong}
    answer = await month.auditor.get("/v1/audit/export", params=params)
    assert problem(answer)[0] == 400
    assert {error["pointer"] for error in answer.json()["errors"]} == {pointer}


async def test_one_export_at_a_time_and_the_next_once_it_was_left(month: Month):
    params = {"period": month.period, "table": "entries"}
    services = month.site.services
    found = export.exported(services.database, "entries", "jsonl", *await _asked(month))
    assert await anext(found)
    await found.aclose()  # as when nobody reads on
    assert (await month.auditor.get("/v1/audit/export", params=params)).status_code == 200
    assert (await month.auditor.get("/v1/audit/export", params=params)).status_code == 200


async def _asked(month: Month) -> Any:
    from licet.audit.layout import period_of
    from registry.auditing.contents import span_of
    from registry.auditing.types import Part

    async with month.site.services.database.transaction() as conn:
        return await span_of(conn, period_of(month.period)), Part(None, None, uses=True)


def test_rows_are_put_in_order_by_source_and_id():
    def row(source: int, number: int) -> tuple[bytes, bytes]:
        return source.to_bytes(16, "big"), number.to_bytes(32, "big")

    rows = [row(2, 1), row(1, 2**255), row(1, 5), row(2**100, 0), row(1, 5 + 2**64)]
    order = order_of(b"".join(source for source, _ in rows), b"".join(number for _, number in rows))
    assert order is not None
    assert [rows[at] for at in order] == sorted(rows)
    alone = [row(7, 2**255), row(7, 5 + 2**64), row(7, 2**200), row(7, 5)]  # two begin alike
    for some in (alone, alone[:3]):
        order = order_of(b"".join(each[0] for each in some), b"".join(each[1] for each in some))
        assert order is not None
        assert [some[at] for at in order] == sorted(some)
    ordered = [row(7, 2**200), row(7, 2**201), row(7, 2**202)]
    assert order_of(b"".join(each[0] for each in ordered), b"".join(each[1] for each in ordered)) is None


def _random_block(rows: int) -> dict[str, Any]:
    """Uses of two licences, most of them of different works, with some texts and some that are not there."""
    made = random.Random(rows)
    some = [made.randbytes(16) for _ in range(3)] + [bytes(16)]
    texts = ("run-1", "a longer run", "名字", NOTHING)
    block: dict[str, Any] = {"rows": rows, "source_kind": "lic"}
    for column in EVENTS:
        match column.kind:
            case "uuid":
                block[column.name] = b"".join(made.choices(some, k=rows))
            case "hex":
                block[column.name] = made.randbytes(32 * rows)
            case "text":
                block[column.name] = TEXT_END.join(made.choices(texts, k=rows))
            case "flag":
                block[column.name] = bytes(made.choices((0, 1), k=rows))
            case "int" | "money" | "time":
                block[column.name] = b"".join(made.randrange(2**40).to_bytes(8, "big") for _ in range(rows))
    kinds = dict.fromkeys(some, "art") | {bytes(16): NOTHING}
    payees = [block["payee"][at : at + 16] for at in range(0, 16 * rows, 16)]
    return block | {
        "work": made.randbytes(16 * rows),
        "statement": bytes(16 * rows),
        "memorandum": TEXT_END.join([NOTHING] * rows),
        "payee_kind": TEXT_END.join(kinds[each] for each in payees),
    }


def test_rows_in_an_order_are_the_same_rows():
    block = _random_block(300)
    order = order_of(block["source"], block["id"])
    assert order is not None
    plain = batch_of(EVENTS, block).to_pylist()
    assert batch_of(EVENTS, block, order).to_pylist() == [plain[at] for at in order]
    assert {row["run"] for row in plain} == {"run-1", "a longer run", "名字", None}
    assert {row["statement"] for row in plain} == {row["memorandum"] for row in plain} == {None}


def test_only_what_repeats_is_written_as_a_dictionary():
    writer, batches = Writer("parquet", EVENTS), [batch_of(EVENTS, _random_block(rows)) for rows in (5000, 200)]
    whole = io.BytesIO(b"".join([*map(writer.add, batches), writer.finish()]))
    found = pq.ParquetFile(whole)
    encodings = {
        part.path_in_schema: part.encodings
        for part in map(found.metadata.row_group(0).column, range(found.metadata.num_columns))
    }
    assert {name for name, used in encodings.items() if "RLE_DICTIONARY" not in used} == {"id", "work", "escrow"}
    assert found.read().to_pylist() == [row for batch in batches for row in batch.to_pylist()]


def test_columns_of_bytes_become_values_whatever_they_are():
    now = times.now()
    one, two = identifiers.new_uuid(), identifiers.new_uuid()
    moment = int(now.timestamp()) * 1_000_000 - 946_684_800_000_000
    empty = bytes(16)
    texts = {name: TEXT_END.join(["", NOTHING]) for name in ("atom", "run", "unit", "match", "currency", "memorandum")}
    numbers = b"".join(value.to_bytes(8, "big", signed=True) for value in (-1, 2**53))
    block = {
        "rows": 2,
        **dict.fromkeys(("organisation", "licence", "statement", "work", "split"), one.bytes + empty),
        "source": one.bytes + two.bytes,
        "payee": two.bytes + empty,
        "source_kind": "bat",
        "payee_kind": TEXT_END.join(["art", NOTHING]),
        "id": bytes(32) + b"\xff" * 32,
        **dict.fromkeys(("seq", "quantity", "amount", "fee"), numbers),
        **{name: 2 * moment.to_bytes(8, "big") for name in ("at", "posted_at")},
        "escrow": b"\0\1",
        **texts,
    }
    first, second = batch_of(EVENTS, block).to_pylist()
    assert (first["source"], second["source"]) == (
        identifiers.from_uuid("bat", one),
        identifiers.from_uuid("bat", two),
    )
    assert (first["payee"], second["payee"]) == (identifiers.from_uuid("art", two), None)
    assert (first["amount"], second["amount"]) == (Decimal("-0.000001"), Decimal(2**53).scaleb(-6))
    assert (first["atom"], second["atom"], second["escrow"]) == ("", None, True)
    assert first["at"].timestamp() == int(now.timestamp())
    assert pa.RecordBatch.from_pylist([first, second]).num_rows == 2
    assert Writer("csv", EVENTS).add(batch_of(EVENTS, block)).count(b"\n") == 3
    with pytest.raises(RegistryError, match="control characters"):
        batch_of(EVENTS, {**block, "run": "one"})
