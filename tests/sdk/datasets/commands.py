"""Commands of this room as they are typed, in a folder with four pictures: what they say, and how they end."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, NamedTuple


class Told(NamedTuple):
    code: int
    out: str
    err: str

    @property
    def document(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.out)
        assert found["schema_version"] == 1
        return found


Run = Callable[..., Told]
