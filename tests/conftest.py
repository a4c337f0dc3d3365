"""What every test shares: one event loop kind, repeatable property tests, and where the vectors are."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.registry.external import ExternalPostgres

ROOT = Path(__file__).resolve().parents[1]

#: How many times the usual number of examples; `make fuzz` sets it.
TIMES = int(os.environ.get("LICET_FUZZ", "1"))
#: How many times the usual number of kills; `make test-faults` sets it.
FAULTS = int(os.environ.get("LICET_FAULTS", "1"))
settings.register_profile("local", deadline=None, max_examples=40 * TIMES, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("ci", settings.get_profile("local"), derandomize=TIMES == 1)  # no change fails by chance
settings.load_profile("ci" if os.environ.get("CI") else "local")

#: What takes longest comes first, so that processes which share the files end together.
FIRST = (
    "tests/registry/app/test_fuzz.py", "tests/whole/", "tests/registry/running/", "tests/registry/health/",
    "tests/test_", "tests/registry/archive/", "tests/registry/database/", "tests/registry/", "tests/documentation/",
    "tests/sdk/log/test_against_go.py", "tests/sdk/index/test_near.py", "tests/sdk/datasets/",
)  # fmt: skip


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the slow files first; within a file nothing changes its place."""

    def place(item: pytest.Item) -> int:
        return next((number for number, start in enumerate(FIRST) if item.nodeid.startswith(start)), len(FIRST))

    items.sort(key=place)


def pytest_collection_finish() -> None:
    """Pass over all modules and tests whenever garbage is looked for later: they stay to the end, and are many."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """Every ``@pytest.mark.anyio`` test and async fixture runs on asyncio, which asyncpg needs."""
    return "asyncio"


@pytest.fixture(scope="session")
def vectors() -> Path:
    """The folder of foreign test vectors beside the project; the test is skipped where it is absent."""
    folder = ROOT.parent / "shared" / "vectors"
    if not folder.is_dir():
        pytest.skip("the foreign test vectors (../shared/vectors) are not on this machine")
    return folder


@pytest.fixture(scope="session")
def postgres16() -> Iterator[ExternalPostgres]:
    """A PostgreSQL 16 that is none of ours, over TCP; the oldest that the service works with."""
    external = ExternalPostgres()
    try:
        external.make()
        yield external.start()
    finally:
        external.remove()
