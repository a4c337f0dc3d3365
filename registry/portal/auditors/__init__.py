"""Pages of auditors: what their scope lets them look into, down to statements and proofs."""

from __future__ import annotations

from typing import Any, Final

from registry.portal.auditors import books, home

ROUTES: Final[list[Any]] = [*home.ROUTES, *books.ROUTES]
