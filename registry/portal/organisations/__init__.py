"""Pages of organisations: what they owe and why, what they made, what they hold, and what their programs go in with."""

from __future__ import annotations

from typing import Any, Final

from registry.portal.organisations import (
    accepting,
    asking,
    home,
    keys,
    licences,
    made,
    members,
    money,
    replying,
    requesting,
    tokens,
)

ROUTES: Final[list[Any]] = [
    *home.ROUTES,
    *made.ROUTES,
    *licences.ROUTES,
    *asking.ROUTES,
    *requesting.ROUTES,
    *accepting.ROUTES,
    *replying.ROUTES,
    *money.ROUTES,
    *tokens.ROUTES,
    *keys.ROUTES,
    *members.ROUTES,
]
