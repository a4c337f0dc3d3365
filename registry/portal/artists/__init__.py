"""Pages of artists: home, their works, terms and signing, receipts, and their account."""

from __future__ import annotations

from typing import Any, Final

from registry.portal.artists import account, home, receipts, signing, terms, works

ROUTES: Final[list[Any]] = [
    *home.ROUTES,
    *works.ROUTES,
    *terms.ROUTES,
    *signing.ROUTES,
    *receipts.ROUTES,
    *account.ROUTES,
]
