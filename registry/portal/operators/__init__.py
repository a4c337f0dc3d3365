"""Pages of operators: how the registry is doing, its keys, who looks after it. Decisions of disputes aside, nothing
here changes statements or entries."""

from __future__ import annotations

from typing import Any, Final

from registry.portal.operators import disputes, home, keys, people

ROUTES: Final[list[Any]] = [*home.ROUTES, *keys.ROUTES, *people.ROUTES, *disputes.ROUTES]
