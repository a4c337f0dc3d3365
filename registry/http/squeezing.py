"""Answers that travel compressed, where whoever asks takes that: pages, and what of the log is text."""

from __future__ import annotations

import gzip
from typing import Any, Final

from litestar import Request

_LEVEL: Final = 6


def accepts_gzip(request: Request[Any, Any, Any]) -> bool:
    """Whether an answer may be compressed."""
    named = [part.strip().split(";") for part in request.headers.get("accept-encoding", "").lower().split(",")]
    return any(each[0] == "gzip" and "q=0" not in [part.replace(" ", "") for part in each[1:]] for each in named)


def squeezed(request: Request[Any, Any, Any], content: bytes, headers: dict[str, str]) -> bytes:
    """Return ``content`` as it travels, after ``headers`` say how."""
    headers["Vary"] = f"{headers['Vary']}, Accept-Encoding" if "Vary" in headers else "Accept-Encoding"
    if not accepts_gzip(request):
        return content
    headers["Content-Encoding"] = "gzip"
    return gzip.compress(content, _LEVEL, mtime=0)
