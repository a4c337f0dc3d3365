"""The head of every handler that takes a form: one address in each language, whose it is, and how much may be sent."""

from __future__ import annotations

from typing import Any

from litestar import post

from registry.accounts.identity import Guard
from registry.portal.frame import forms
from registry.portal.frame.languages import everywhere
from registry.portal.frame.pages import HTML


def takes_form(path: str, *guards: Guard, most: int, **opt: Any) -> post:
    """Return the decorator of a handler to which a page posts a form of at most ``most`` bytes, once ``guards`` let it.

    ``opt``: what the handler says of itself beside ``forms.FORM``: ``kept`` as in ``forms.KEPT``, ``quota``,
    ``seconds``.
    """
    return post(
        everywhere(path),
        include_in_schema=False,
        media_type=HTML,
        guards=[*guards],
        opt={**forms.FORM, **opt},
        request_max_body_size=most,
    )
