"""Processes of our own do not load what nobody gives them anything of; those of others are left as they are."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from licet.datasets.workers.processes import Processes


@pytest.fixture(autouse=True)
def with_pandas() -> None:
    pytest.importorskip("pandas")


COLUMN = """
import sys
import pyarrow as pa
{before}
assert pa.array([1, None]).to_pylist() == [1, None]
print(sys.modules.get("pandas") is not None)
"""


def loads_pandas(_: bytes) -> bytes:
    """Make a column, and say whether pandas is loaded now."""
    import pyarrow as pa

    pa.array(["a"])
    return str(sys.modules.get("pandas") is not None).encode()


def printed(before: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", COLUMN.format(before=before)], capture_output=True, text=True, check=True, timeout=120
    )
    return done.stdout.strip()


def test_arrow_loads_pandas_unless_it_is_told_that_there_is_none() -> None:
    assert printed("") == "True"  # else there is nothing to spare any more
    assert printed("from licet.sparing import without_pandas; without_pandas()") == "False"
    assert printed("import pandas; from licet.sparing import without_pandas; without_pandas()") == "True"


def test_workers_do_without_it() -> None:
    with Processes(1) as crew:
        assert list(crew.each(loads_pandas, [b""])) == [b"False"]


def test_the_command_does_without_it(tmp_path: Path) -> None:
    command = (
        "import sys; from licet.cli import main; sys.argv = ['licet', '--version']\n"
        "try:\n main()\nexcept SystemExit as end:\n assert not end.code\n"
        "import pyarrow as pa\npa.array([1])\nprint(sys.modules.get('pandas') is not None)"
    )
    done = subprocess.run([sys.executable, "-c", command], capture_output=True, text=True, check=True, timeout=120)
    assert done.stdout.splitlines()[-1] == "False"


@pytest.mark.skipif("CS_GNU_LIBC_VERSION" not in getattr(os, "confstr_names", ()), reason="a C library of another kind")
def test_arrow_takes_memory_from_the_c_library_unless_it_is_told_otherwise() -> None:
    def pool(**told: str) -> str:
        text = (
            "from licet.sparing import spare; spare();"
            " import pyarrow; print(pyarrow.default_memory_pool().backend_name)"
        )
        others = {name: value for name, value in os.environ.items() if name != "ARROW_DEFAULT_MEMORY_POOL"}
        command = [sys.executable, "-c", text]
        done = subprocess.run(command, env=others | told, capture_output=True, text=True, check=True, timeout=120)
        return done.stdout.strip()

    assert pool() == "system"
    assert pool(ARROW_DEFAULT_MEMORY_POOL="mimalloc") == "mimalloc"
