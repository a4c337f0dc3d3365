"""One sentence on the next page, after something was done and the browser was led on.

The cookie holds the name of a note, never its words: whoever could set it could only choose among ours.
"""

from __future__ import annotations

from typing import Any, Final

from litestar import Request
from litestar.datastructures import Cookie
from litestar.response import Redirect

from registry.portal.frame.words import FRAME

COOKIE: Final = "__Host-note"
_SECONDS: Final = 60
NOTES: Final = frozenset(name.removeprefix("note_") for name in FRAME if name.startswith("note_"))


def led(to: str, note: str | None = None, *, cookies: list[Cookie] | None = None) -> Redirect:
    """Return the answer that leads a browser on by GET, with a ``note`` on the page that it comes to."""
    if note is not None and note not in NOTES:
        raise KeyError(note)
    found = list(cookies or [])
    if note is not None:
        found.append(_cookie(note, _SECONDS))
    return Redirect(to, status_code=303, cookies=found, headers={"Cache-Control": "no-store"})


def left(answer: Redirect) -> Redirect:
    """Return ``answer`` to somebody who leaves: what was chosen here (``kept.js``) goes from the browser, too."""
    answer.headers["Clear-Site-Data"] = '"storage"'
    return answer


def taken(request: Request[Any, Any, Any]) -> tuple[str | None, list[Cookie]]:
    """Return the name of the words that are due, and the cookie that lets them be said once."""
    name = request.cookies.get(COOKIE)
    if name is None:
        return None, []
    return (f"note_{name}" if name in NOTES else None), [_cookie("", 0)]


def _cookie(value: str, seconds: int) -> Cookie:
    return Cookie(key=COOKIE, value=value, path="/", max_age=seconds, secure=True, httponly=True, samesite="lax")
