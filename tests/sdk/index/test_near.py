"""Whichever way is taken, near look-ups find the same pairs; few comparisons never load the compiled loops."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import licet
import licet.index.joining as joining
import licet.index.near as module
from licet.index import NearTable, container, near_pairs
from licet.index.scanning import NearScan
from licet.index.segments import NearSegment, open_segment

RANDOM = np.random.default_rng(17)
STORED = RANDOM.integers(0, 256, (9000, 32), dtype=np.uint8)
QUERIES = np.vstack((STORED[:3000] ^ np.eye(1, 32, 4, dtype=np.uint8), STORED[:5]))


def equal(left: tuple[np.ndarray, ...], right: tuple[np.ndarray, ...]) -> bool:
    return all(np.array_equal(a, b) for a, b in zip(left, right, strict=True))


def test_many_comparisons_are_joined_and_few_are_scanned(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("numba")
    monkeypatch.setattr(module, "_WORTH", len(STORED) * 100)
    monkeypatch.setattr(module, "_WORTH_LOADING", len(STORED) * 100)
    table = NearTable(STORED)
    assert equal(table.pairs(QUERIES[:99]), NearScan(STORED).pairs(QUERIES[:99]))
    assert table._join is None
    assert equal(table.pairs(QUERIES), NearScan(STORED).pairs(QUERIES))
    assert table._join is not None
    joined = table._join
    assert equal(table.pairs(QUERIES, 40), NearScan(STORED).pairs(QUERIES, 40))
    table.pairs(QUERIES)
    assert table._join is joined  # what was permuted once is kept


def test_a_mapped_segment_is_joined_as_it_lies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("numba")
    ids = np.arange(len(STORED), dtype=np.uint64)
    quality = np.full(len(STORED), 80, np.uint8)
    columns = {"near.hi": ids, "near.lo": ids, "near.pdq": STORED, "near.quality": quality}
    digest, _ = container.write(tmp_path, "near", columns)
    segment = open_segment(container.map_file(tmp_path / digest))
    assert isinstance(segment, NearSegment)
    monkeypatch.setattr(module, "_WORTH_LOADING", 0)
    monkeypatch.setattr(module, "_WORTH", 0)
    assert equal(segment.table.pairs(QUERIES), NearScan(STORED).pairs(QUERIES))
    assert segment.table._join is not None
    assert not segment.columns["near.pdq"].flags.writeable


def test_without_numba_everything_is_scanned(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_WORTH", 0)
    monkeypatch.setattr(module, "_WORTH_LOADING", 0)
    joining.kernels.cache_clear()
    monkeypatch.delitem(sys.modules, "licet.index.kernels", raising=False)
    monkeypatch.setitem(sys.modules, "numba", None)
    assert equal(near_pairs(STORED, QUERIES), NearScan(STORED).pairs(QUERIES))
    assert "licet.index.kernels" not in sys.modules


PROGRAM = """
import sys, numpy as np
import licet.index.near as near
table = near.NearTable(np.zeros((2, 32), np.uint8))
table.pairs(np.zeros((8, 32), np.uint8))
assert "numba" not in sys.modules
near._WORTH_LOADING = 0
assert near.__file__.startswith(sys.argv[1])
print(len(table.pairs(np.zeros((8, 32), np.uint8))[0]), table._join is not None)
"""


@pytest.mark.slow
def test_it_compiles_where_nothing_can_be_kept(tmp_path: Path) -> None:
    """Neither beside the package nor in the home can anything be written: the loops are compiled, and lost."""
    pytest.importorskip("numba")
    package = tmp_path / "site" / "licet"
    shutil.copytree(licet.__path__[0], package, ignore=shutil.ignore_patterns("__pycache__"))
    # Files where folders would be: root, who runs tests too, writes through permissions.
    (package / "index" / "__pycache__").touch()
    (tmp_path / "home").touch()
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith(("XDG_", "NUMBA_"))},
        "HOME": str(tmp_path / "home"),
        "PYTHONPATH": str(package.parent),
    }
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(tmp_path)], env=environment, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "16 True\n", "")
    assert (package / "index" / "__pycache__").is_file()
