"""What `up` does to a database before anything answers, and what it says of that."""

from __future__ import annotations

from pathlib import Path

import pytest
from structlog.testing import capture_logs

from registry.database.steps import migrations
from registry.running.up import _prepare
from registry.settings import Settings

pytestmark = pytest.mark.anyio


async def test_an_empty_database_is_brought_up_to_date_in_one_line(empty_dsn: str, tmp_path: Path) -> None:
    (tmp_path / "keys").mkdir()
    settings = Settings(data=tmp_path)
    for first in (True, False):
        with capture_logs() as told:
            await _prepare(settings, empty_dsn)
        said = [each for each in told if each["event"] == "migrated" and each["log_level"] != "debug"]
        assert [(each["files"], each["last"]) for each in said] == (
            [(len(migrations()), migrations()[-1].file)] if first else []
        )
        assert len([each for each in told if each["event"] == "migrated"]) == (len(migrations()) + 1 if first else 0)
