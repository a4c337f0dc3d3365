"""One registry's month for all tests of bundles, and a valid bundle of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.sdk.audit.stage import Stage


@pytest.fixture(scope="session")
def stage() -> Stage:
    """A registry with a busy November."""
    return Stage()


@pytest.fixture(scope="session")
def bundle(stage: Stage, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bundle of everything in November."""
    return stage.write(stage.records(), tmp_path_factory.mktemp("audit") / "bundle.zip")
