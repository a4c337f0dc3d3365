"""Tables come back as they were written, every value has one spelling, and nothing but our errors comes out."""

from __future__ import annotations

import io
from typing import Any

import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from licet.audit.layout import statement_of
from licet.audit.tables import (
    BALANCES,
    ENTRIES,
    EVENTS,
    GROUP,
    TRANSFERS,
    BalanceRow,
    EventRow,
    ParquetOut,
    lines_of,
    load_money,
)
from licet.errors import LicetError, MalformedError

TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=12)
MICRO = st.integers(-(10**21), 10**21)
ROWS = st.lists(
    st.builds(
        EventRow, source=TEXT, effect=st.sampled_from(["new", "known"]), first=st.none() | TEXT, id=TEXT,
        licence=st.none() | TEXT, statement=st.none() | TEXT, work=TEXT, atom=TEXT, run=TEXT, unit=TEXT,
        seq=st.integers(0, 10**15), quantity=st.integers(0, 10**15), at=TEXT, match=st.sampled_from(["exact", "near"]),
        salt=st.none() | TEXT, payee=st.none() | TEXT, split=st.none() | TEXT, currency=st.none() | TEXT,
        amount=MICRO, fee=MICRO,
        escrow=st.booleans(), memorandum=st.none() | TEXT, posted_at=TEXT,
    ),
    max_size=5,
)  # fmt: skip


@given(rows=ROWS, cut=st.integers(1, 50))
def test_events_come_back_as_they_were_written(rows: list[EventRow], cut: int) -> None:
    data = (EVENTS.header + EVENTS.to_csv(rows)).encode()
    chunks = [data[at : at + cut] for at in range(0, len(data), cut)]
    assert list(EVENTS.from_csv(chunks)) == rows
    out = io.BytesIO()
    parquet = ParquetOut(EVENTS, out)
    parquet.write(rows)
    parquet.close()
    assert pq.read_table(io.BytesIO(out.getvalue())).equals(EVENTS.to_arrow(rows))


def test_row_groups_have_a_fixed_size() -> None:
    row = EventRow(
        "s", "new", None, "i", None, None, "w", "a", "1", "u", 0, 1, "t", "exact", None, None, None, None, 0, 0, False,
        None, "p",
    )  # fmt: skip
    written = []
    for step in (1, 1000, GROUP * 3):
        out = io.BytesIO()
        parquet = ParquetOut(EVENTS, out)
        for at in range(0, 2 * GROUP + 5, step):
            parquet.write([row] * min(step, 2 * GROUP + 5 - at))
            if step == 1:
                parquet.write([row] * (2 * GROUP + 4))
                break
        parquet.close()
        written.append(out.getvalue())
    meta = pq.ParquetFile(io.BytesIO(written[0])).metadata
    assert [meta.row_group(at).num_rows for at in range(meta.num_row_groups)] == [GROUP, GROUP, 5]
    assert len(set(written)) == 1


@pytest.mark.parametrize(
    "text", ["", "-", "01", "1.", ".5", "1.50", "1e3", "+1", "-0", " 1", "1.0000001", "٣", "9" * 17]
)
def test_money_has_one_spelling(text: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        load_money(text)


def test_a_sum_may_be_more_than_one_amount() -> None:
    row = BalanceRow("payable:art_x", "IDR", -(10**17), 0, 0, 0, -(10**17))
    assert list(BALANCES.from_csv([(BALANCES.header + BALANCES.to_csv([row])).encode()])) == [row]


@given(data=st.binary(max_size=200))
def test_nothing_but_our_errors_comes_out_of_any_table(data: bytes) -> None:
    tables: list[Any] = [EVENTS, TRANSFERS, ENTRIES, BALANCES]
    for table in tables:
        for tried in (data, table.header.encode() + data):
            try:
                list(table.from_csv([tried]))
            except LicetError:
                continue


@pytest.mark.parametrize(
    "line", ["tra_x,a:b,USD", "tra_x,a:b,USD,1,2", "tra_x,a:b,USD,1.10", "tra_x,a:b,USD,one", 'tra_x,a:b,"USD"x,1']
)
def test_a_line_that_does_not_fit_is_named(line: str) -> None:
    with pytest.raises(MalformedError, match=r"^line 2: "):
        list(ENTRIES.from_csv([ENTRIES.header.encode(), line.encode() + b"\n"]))


def test_lines_have_a_limit_even_without_an_end() -> None:
    with pytest.raises(MalformedError, match="at most 10 bytes"):
        list(lines_of([b"x" * 6, b"y" * 6], 10))
    with pytest.raises(MalformedError, match="ends with a newline"):
        list(lines_of([b"one\ntwo"], 10))


@pytest.mark.parametrize("name", ["statements/run/bat_00000000000000000000000000.json", "statements/claim/stm_0.json"])
def test_a_statement_has_one_place(name: str) -> None:
    assert statement_of(name) is None
