"""Findings are a list to whoever reads them, and a file where there are many."""

from __future__ import annotations

import gc
import pickle
import tempfile
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from licet.datasets.usage import findings
from licet.datasets.usage.findings import Finding, Findings, write_findings


def finding(number: int) -> Finding:
    path = None if number % 3 else f"ordner/ünd-{number}.png"
    return Finding(
        f"part-{number // 7}", number, path, None, None, "deny", "denied", f"wrk_{number}", None, None,
        "near", number % 31, "allow, allowed",
    )  # fmt: skip


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(findings, "BATCH", 4)
    monkeypatch.setattr(findings, "HELD", 600)


@given(st.integers(0, 30), st.slices(30))
def test_they_read_like_a_list(count: int, wanted: slice) -> None:
    listed = [finding(number) for number in range(count)]
    found = Findings(listed[: count // 2])
    found.extend(listed[count // 2 :])
    assert (len(found), list(found)) == (count, listed)
    assert found == listed
    assert found == Findings(listed)
    assert found[wanted] == listed[wanted]
    assert [found[at] for at in range(-count, count)] == [listed[at] for at in range(-count, count)]
    assert [each for batch in found.batches() for each in batch["row"].to_pylist()] == list(range(count))
    with pytest.raises(IndexError):
        found[count]
    with pytest.raises(IndexError):
        found[-count - 1]


def test_others_are_unlike_them() -> None:
    listed = [finding(number) for number in range(9)]
    assert Findings(listed) != listed[:8]
    assert Findings(listed) != [*listed[:8], finding(9)]
    assert Findings(listed) != 9


def test_one_reader_does_not_disturb_another() -> None:
    found = Findings(map(finding, range(10)))
    pairs = [(one.row, other.row) for one, other in zip(found, reversed(found), strict=True)]
    assert pairs == [(number, 9 - number) for number in range(10)]
    reading = iter(found)
    assert next(reading).row == 0
    found.extend(map(finding, range(10, 14)))
    assert [each.row for each in reading] == list(range(1, 14))


def test_they_travel() -> None:
    found = Findings(map(finding, range(10)))
    assert pickle.loads(pickle.dumps(found)) == found


def test_many_lie_on_the_disk_until_nobody_has_them(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    found = Findings(map(finding, range(200)))
    assert found._file._rolled  # type: ignore[attr-defined]
    assert found[150] == finding(150)
    del found
    gc.collect()  # a file left open would be a warning, and a warning an error
    assert list(tmp_path.iterdir()) == []


def test_what_is_written_is_what_was_found(tmp_path: Path) -> None:
    write_findings(tmp_path / "drop.parquet", Findings(map(finding, range(11))))
    table = pq.read_table(tmp_path / "drop.parquet")
    assert [Finding(**row) for row in table.to_pylist()] == [finding(number) for number in range(11)]
    write_findings(tmp_path / "none.parquet", [])
    assert pq.read_table(tmp_path / "none.parquet").schema == table.schema
