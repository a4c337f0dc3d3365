"""Forms: what they send is read within limits, and counts only if a page of this session sent it.

Two things are asked of every form that somebody signed in sends, beside the cookie: that the browser says a page of
ours sent it (``registry.accounts.identity`` refuses all else), and the token of the session that the page was made
with. The token is a digest over the cookie, under another pad on every page: compressing a page tells nothing of it.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Sequence
from hashlib import sha256
from typing import Any, Final
from urllib.parse import parse_qsl

from litestar import Request

from registry.accounts.identity import COOKIE
from registry.errors import Invalid, NotAllowed

FIELD: Final = "form"
MOST_FIELDS: Final = 12_000
_SIZE: Final = 32


class StaleForm(NotAllowed):
    """The form was made for another session, or for none."""

    slug = "stale-form"
    title = "Stale form"


class Form:
    """The fields of a form, in the order sent."""

    def __init__(self, fields: Sequence[tuple[str, str]]) -> None:
        self._fields = fields

    def get(self, name: str, default: str = "") -> str:
        """Return the first value of ``name``."""
        return next((value for key, value in self._fields if key == name), default)

    def words(self, name: str) -> str:
        """Return what somebody wrote: browsers end lines with CR LF, statements with LF, and know no tabs."""
        return self.get(name).replace("\r\n", "\n").replace("\r", "\n").replace("\t", " ").strip()

    def all(self, name: str) -> list[str]:
        """Return every value of ``name``."""
        return [value for key, value in self._fields if key == name]


def token_of(request: Request[Any, Any, Any]) -> str:
    """Return the token for the forms of a page that is made for ``request``; empty without a session."""
    secret = _secret(request)
    if secret is None:
        return ""
    pad = secrets.token_bytes(_SIZE)
    return (pad + _xor(pad, secret)).hex()


def read(request: Request[Any, Any, Any], body: bytes) -> Form:
    """Return the form in ``body``; raises ``Invalid`` for what is none and ``StaleForm`` for another session's."""
    form = Form(pairs_of(body))
    hold(request, form.get(FIELD))
    return form


def pairs_of(body: bytes) -> list[tuple[str, str]]:
    """Return the fields in ``body``, in the order sent; raises ``Invalid`` for what is no form."""
    try:
        pairs = parse_qsl(
            body.decode("ascii"), keep_blank_values=True, strict_parsing=bool(body), errors="strict",
            max_num_fields=MOST_FIELDS,
        )  # fmt: skip
    except (UnicodeDecodeError, ValueError):
        raise Invalid(f"expected a form of at most {MOST_FIELDS} fields in UTF-8, got something else") from None
    if any("\0" in value for _, value in pairs):
        raise Invalid("expected a form without the character U+0000, got one with it")
    return pairs


def hold(request: Request[Any, Any, Any], token: str) -> None:
    """Return if ``token`` was made for the session of ``request``, else raise ``StaleForm``."""
    secret = _secret(request)
    if secret is None:
        return  # nobody is signed in: there is nothing that another page could do in their name
    try:
        given = bytes.fromhex(token)
    except ValueError:
        given = b""
    if len(given) != 2 * _SIZE or not hmac.compare_digest(_xor(given[:_SIZE], given[_SIZE:]), secret):
        raise StaleForm("expected the form of a page of this session, got another")


def _secret(request: Request[Any, Any, Any]) -> bytes | None:
    cookie = request.cookies.get(COOKIE)
    return sha256(b"licet/form/v1\n" + cookie.encode()).digest() if cookie else None


def _xor(one: bytes, other: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(one, other, strict=True))
