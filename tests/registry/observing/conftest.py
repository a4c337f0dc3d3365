"""Log lines as they are written, each with what its request bound."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import structlog
from structlog.testing import capture_logs


@pytest.fixture
def lines() -> Iterator[list[Any]]:
    """The log lines of a test."""
    with capture_logs(processors=[structlog.contextvars.merge_contextvars]) as captured:
        yield captured
