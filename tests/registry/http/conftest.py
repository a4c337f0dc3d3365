"""The description of the interface, read once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from registry.app import create_app
from registry.openapi import document
from registry.settings import Settings


@pytest.fixture(scope="session")
def api() -> dict[str, Any]:
    """The description of the application as it is now."""
    return dict(msgspec.json.decode(document(create_app(Settings(data=Path("unused"))))))
