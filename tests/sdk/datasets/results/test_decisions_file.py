"""A decisions file that somebody else made: reading it takes no more memory than one that licet wrote."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from licet.datasets.forms import groups
from licet.datasets.results import decisions_file
from licet.datasets.results.decisions_file import RECHECKED, DecisionsFile
from licet.errors import MalformedError
from tests.sdk.datasets.commands import Run
from tests.sdk.datasets.results.test_difference import decisions

LONG = "https://a.example/" + "x" * 20_000
ROWS = 2000


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Limits that a test can reach."""
    monkeypatch.setattr(groups, "MOST_BYTES", 8 << 20)
    monkeypatch.setattr(groups, "STEP_BYTES", 1 << 20)
    monkeypatch.setattr(decisions_file, "MOST_BYTES", 1 << 20)


def repeated(path: Path) -> Path:
    """Write rows of 40 MB into a few kB."""
    decisions(path, [{"url": LONG, "verdict": "deny"}] * ROWS)
    assert path.stat().st_size < 100_000
    return path


def test_an_address_that_a_dictionary_repeats_is_refused_before_it_fills_the_memory(
    tmp_path: Path, small: None
) -> None:
    file, pool = DecisionsFile(repeated(tmp_path / "o.decisions.parquet"), None), pa.default_memory_pool()
    counted = pa.proxy_memory_pool(pool)
    pa.set_memory_pool(counted)
    try:
        with pytest.raises(MalformedError, match=r"row group 0: expected 65,536 rows of at most 8,388,608 bytes, got"):
            list(file.batches())
    finally:
        pa.set_memory_pool(pool)
    assert 0 < counted.max_memory() < len(LONG) * ROWS // 2


@pytest.mark.parametrize("words", ["recheck", "dataset diff", "explain"])
def test_every_command_that_reads_one_says_so(tmp_path: Path, small: None, run: Run, words: str) -> None:
    path = repeated(tmp_path / "o.decisions.parquet")
    given = {"recheck": f"{path}", "dataset diff": f"{path} {path}", "explain": f"{path}:0"}[words]
    done = run(*words.split(), *given.split())
    assert done.code == 2, done
    assert "row group 0: expected 65,536 rows of at most" in done.err


def test_rows_of_one_key_end_somewhere(tmp_path: Path, small: None) -> None:
    path = decisions(tmp_path / "o.decisions.parquet", [{"key": "k", "verdict": "deny"}] * 40_000)
    about: dict[bytes, Any] = dict(pq.read_schema(path).metadata)
    about[b"licet"] = about[b"licet"].replace(b'"rows":"all"', b'"rows":"all","bound":true')
    pq.write_table(pq.read_table(path).replace_schema_metadata(about), path, row_group_size=3000)
    with pytest.raises(MalformedError, match=r"expected rows of one key of at most 1,048,576 bytes, got more"):
        file = DecisionsFile(path, None)
        list(file.bound(file.batches(RECHECKED)))


def test_rows_come_in_their_order_whatever_the_row_groups(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decisions_file, "BATCH", 7)
    path = decisions(tmp_path / "o.decisions.parquet", [{"path": f"{row}", "verdict": "deny"} for row in range(100)])
    pq.write_table(pq.read_table(path), path, row_group_size=30)
    found = list(DecisionsFile(path, None).batches())
    assert [name for batch in found for name in batch["path"].to_pylist()] == [f"{row}" for row in range(100)]
    assert max(map(len, found)) == 7
