"""Pages of artists: home, their works, adding more, terms and signing, receipts, and their account."""

from __future__ import annotations

from typing import Any, Final

from registry.portal.artists import (
    account,
    adding,
    alerts,
    asking,
    disputes,
    earnings,
    home,
    keys,
    leaving,
    level,
    licensed,
    months,
    payments,
    receipts,
    signed,
    signing,
    site,
    terms,
    tracing,
    works,
)

ROUTES: Final[list[Any]] = [
    *home.ROUTES,
    *alerts.ROUTES,
    *earnings.ROUTES,
    *months.ROUTES,
    *payments.ROUTES,
    *level.ROUTES,
    *licensed.ROUTES,
    *asking.ROUTES,
    *works.ROUTES,
    *tracing.ROUTES,
    *adding.ROUTES,
    *terms.ROUTES,
    *signing.ROUTES,
    *receipts.ROUTES,
    *signed.ROUTES,
    *site.ROUTES,
    *account.ROUTES,
    *keys.ROUTES,
    *leaving.ROUTES,
    *disputes.ROUTES,
]
