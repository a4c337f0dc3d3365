"""A table of weights is read whole or refused by its line; whatever else a file holds is one of our errors."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from licet.datasets.agreeing.reporting import weights_from
from licet.errors import InputError, LicetError
from licet.identifiers import from_uuid

WORKS = [from_uuid("wrk", UUID(int=number)) for number in range(1, 4)]  # the same in every worker: they name tests
CELLS = st.sampled_from([*WORKS, "work", "weight", "7", "-1", "1.5", "٣", "9" * 30, "", '"', "\0", "\r", "wrk_x"])


def test_what_works_weigh_is_read_in_any_order_of_columns(tmp_path: Path):
    table = tmp_path / "weights.csv"
    table.write_text(f"weight,title,work\n3,Heron,{WORKS[0]}\n0,\u82cd\u9e6d, {WORKS[1]} \n", encoding="utf-8-sig")
    assert weights_from(table) == {WORKS[0]: 3, WORKS[1]: 0}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("work\n", "the columns work and weight"),
        (f"work,weight\n{WORKS[0]},1\nwrk_x,1\n", "line 3, work: expected"),
        (f"work,weight\n{WORKS[0]},1\n{WORKS[0]},1\n", "line 3, work: expected each work once"),
        (f"work,weight\n{WORKS[0]},1000000001\n", "line 2, weight: expected a whole number"),
        (f"work,weight\n{WORKS[0]}\n", "line 2, weight: expected a whole number"),
    ],
)
def test_what_is_wrong_is_named_by_its_line(tmp_path: Path, content: str, said: str):
    table = tmp_path / "weights.csv"
    table.write_text(content)
    with pytest.raises(InputError) as raised:
        weights_from(table)
    assert said in raised.value.message
    with pytest.raises(InputError, match="weights: expected a file"):
        weights_from(tmp_path / "none.csv")


@given(st.lists(st.lists(CELLS, max_size=4).map(",".join), max_size=5).map("\n".join).map(str.encode) | st.binary())
def test_whatever_a_file_holds_it_is_read_or_refused(tmp_path_factory, data: bytes):
    table = tmp_path_factory.getbasetemp() / "weights.csv"
    table.write_bytes(data)
    try:
        found = weights_from(table)
    except LicetError:
        return
    assert all(work in WORKS and 0 <= weight <= 10**9 for work, weight in found.items())
