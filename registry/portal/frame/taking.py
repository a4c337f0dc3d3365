"""The head of every handler to which a page sends something: one address in each language, whose it is, how much."""

from __future__ import annotations

from typing import Any, Final

from litestar import post

from registry.accounts.identity import Guard
from registry.portal.frame.languages import everywhere
from registry.portal.frame.pages import HTML

#: What is sent twice has one effect by what is in it.
_TWICE: Final = {"idempotency": "reads"}


def takes_form(path: str, *guards: Guard, most: int, **opt: Any) -> post:
    """Return the decorator of a handler to which a page posts a form of at most ``most`` bytes, once ``guards`` let it.

    ``opt``: what the handler says of itself besides: ``quota``, ``seconds``, another ``body``, and ``kept`` of a form
    that shows something, or carries what a key signed: it may be sent again by whoever was signed out meanwhile. One
    that acts by its session alone may not, as somebody else might sign in where it was left.
    """
    return post(
        everywhere(path),
        include_in_schema=False,
        media_type=HTML,
        guards=[*guards],
        opt={"body": "application/x-www-form-urlencoded", **_TWICE, **opt},
        request_max_body_size=most,
    )


def takes_json(path: str, *guards: Guard, most: int, status_code: int = 200, **opt: Any) -> post:
    """Return the decorator of a handler that a page's script asks, in JSON of at most ``most`` bytes.

    ``opt``: as of ``takes_form``.
    """
    return post(
        everywhere(path),
        include_in_schema=False,
        media_type="application/json",
        status_code=status_code,
        guards=[*guards],
        opt={**_TWICE, **opt},
        request_max_body_size=most,
    )
