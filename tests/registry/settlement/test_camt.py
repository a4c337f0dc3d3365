"""A bank's file is read whole or refused by line, whatever is in it."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from licet.errors import InputError
from registry.settlement import camt
from registry.settlement.references import reference
from tests.registry.settlement.bankfile import ACCOUNT, NAMESPACE, Booked, file, statement

GOOD = file(
    statement(
        "S1",
        Booked("12.34", reference="A1", structured=[reference(7)], end_to_end="E1", party="ACME 有限公司"),
        Booked("5", credit=False, reference="A2", reversal=True, end_to_end="E0"),
        Booked("1", reference="A3", status="PDNG"),
        Booked("0", reference="A4"),
        opening="10",
        closing="17.34",
    )
)


def test_what_is_booked_is_read_and_nothing_else():
    (found,) = camt.read(GOOD)
    assert (found.account, found.name, found.page, found.passed_over) == (ACCOUNT, "S1", 1, 2)
    paid, taken = found.entries
    assert (paid.key, paid.credit, paid.amount, paid.currency, str(paid.booked_on)) == (
        "A1",
        True,
        12_340_000,
        "USD",
        "2026-11-30",
    )
    assert (paid.references, paid.end_to_end, paid.party) == ((reference(7),), "E1", "ACME 有限公司")
    assert (taken.credit, taken.reversal, taken.tokens) == (False, True, ("A2", "E0"))


def test_payments_booked_as_one_sum_are_told_apart():
    parts = [Booked("1.5", structured=[reference(1)]), Booked("2.5", structured=[reference(2)])]
    (found,) = camt.read(file(statement("S1", Booked("4.00", reference="A", parts=parts))))
    assert [(each.key, each.amount, each.references) for each in found.entries] == [
        ("A.1", 1_500_000, (reference(1),)),
        ("A.2", 2_500_000, (reference(2),)),
    ]
    (odd,) = camt.read(file(statement("S1", Booked("4.01", reference="A", parts=parts))))
    assert [(each.key, each.amount, each.references) for each in odd.entries] == [
        ("A", 4_010_000, (reference(1), reference(2)))
    ]


def test_movements_without_a_name_of_their_own_are_named_by_their_place():
    (found,) = camt.read(
        file(statement("S1", Booked("1"), Booked("1"), Booked("1", reference="A"), Booked("2", reference="A")))
    )
    assert [each.key for each in found.entries] == ["S1/1", "S1/2", "A", "A#2"]


def test_references_are_found_in_what_people_write():
    written = reference(12)
    spaced = " ".join(written[place : place + 4] for place in range(0, len(written), 4))
    wrong = f"RF00{written[4:]}"
    booked = Booked("1", text=f"invoice {spaced.lower()} thank you, not {wrong}")
    (found,) = camt.read(file(statement("S1", booked)))
    assert found.entries[0].references == (written,)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "line 1: expected well-formed XML"),
        (b"no xml", "line 1: expected well-formed XML"),
        (GOOD[:-9], "expected well-formed XML"),
        (
            GOOD.replace(NAMESPACE.encode(), NAMESPACE[:-1].encode() + b"2"),
            "line 2: expected a Document of camt.053.001.08",
        ),
        (GOOD.replace(b"CRDT", b"BOTH", 1), "line 4: element 'CdtDbtInd'"),
        (GOOD.replace(b"12.34", b"-12.34"), "line 4: element 'Amt'"),
        (GOOD.replace(b"12.34", b"9999999999999.34"), "line 4: expected an amount of at most"),
        (GOOD.replace(b'Ccy="USD">12.34', b'Ccy="XYZ">12.34'), "line 4: currency: expected an ISO 4217 code"),
        (GOOD.replace(b"17.34", b"17.35"), "statement S1: expected entries that add up to 7.35 USD"),
        (
            GOOD.replace(b"<Dt>2026-11-30</Dt></BookgDt>", b"<Dt>-0044-03-15</Dt></BookgDt>"),
            "expected a date of this era",
        ),
        (
            GOOD.replace(b"<Document", b'<!DOCTYPE Document [<!ENTITY a "b">]><Document', 1),
            "line 1: expected a document without a document type",
        ),
        (
            GOOD.replace(b"<Document", b'<!DOCTYPE Document SYSTEM "file:///etc/passwd"><Document', 1),
            "line 1: expected a document without a document type",
        ),
    ],
)
def test_what_is_not_a_statement_is_refused_by_line(data: bytes, said: str):
    with pytest.raises(InputError) as refused:
        camt.read(data, "bank.xml")
    assert refused.value.message.startswith("bank.xml: line ")
    assert said in refused.value.message


def test_entities_and_depth_cost_nothing():
    nested = b'<!DOCTYPE lolz [<!ENTITY a "ha">' + b"".join(
        b'<!ENTITY %c "&%c;&%c;&%c;&%c;">' % (98 + n, 97 + n, 97 + n, 97 + n, 97 + n) for n in range(20)
    )
    for data in (nested + b"]><lolz>&u;</lolz>", b"<a>" * 100_000, b"<a>" * 200 + b"</a>" * 200):
        with pytest.raises(InputError):
            camt.read(data)


@settings(max_examples=60)
@given(
    st.lists(
        st.tuples(
            st.integers(0, len(GOOD) - 1),
            st.sampled_from([b"", b"<", b">", b"&", b"\0", b"\xff", b"9", b"Amt", b"<!--"]),
        ),
        min_size=1,
        max_size=4,
    )
)
def test_spoilt_bytes_are_read_or_refused_as_ours(spoils: list[tuple[int, bytes]]):
    data = GOOD
    for place, piece in spoils:
        data = data[:place] + piece + data[place + 1 :]
    refused = ""
    try:
        camt.read(data)
    except InputError as error:
        refused = error.message
    assert refused.startswith("statement: line ") or not refused


@settings(max_examples=40)
@given(st.binary(max_size=300))
def test_foreign_bytes_are_refused_as_ours(data: bytes):
    with pytest.raises(InputError):
        camt.read(data)
