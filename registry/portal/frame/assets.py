"""Files that pages are drawn with: at addresses that hold their digest, so that a browser keeps them for good.

One digest stands for all files: a page and the modules that it imports by relative addresses always fit together. A
page that was opened before a release asks for files of another digest; it gets none of ours under a wrong name.
"""

from __future__ import annotations

import functools
import gzip
from hashlib import sha256
from pathlib import Path
from typing import Any, Final, NamedTuple

from litestar import Request, Response, get
from litestar.params import FromPath

from registry.errors import NotFound
from registry.http.squeezing import accepts_gzip

_FOLDER: Final = Path(__file__).parent / "static"
_TYPES: Final = {
    ".css": "text/css",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
    ".go": "text/plain",
}
_SQUEEZED: Final = frozenset(_TYPES)
_DRAWN: Final = "default-src 'none'; style-src 'unsafe-inline'; sandbox"
# Binds workers alone: they read what must not leave the device, and reach nothing. In a sandbox they would have no
# origin, and without a secure one no WebCrypto.
_CONFINED: Final = "default-src 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
_FOREVER: Final = "public, max-age=31536000, immutable"


class File(NamedTuple):
    """A file as it is sent, plain and compressed."""

    media_type: str
    content: bytes
    squeezed: bytes


@functools.cache
def files() -> dict[str, File]:
    """Return every file by its name, such as ``img/seal.svg``."""
    found = {}
    for path in sorted(_FOLDER.rglob("*")):
        if path.is_file() and path.suffix in _TYPES:
            content = path.read_bytes()
            name = path.relative_to(_FOLDER).as_posix()
            found[name] = File(_TYPES[path.suffix], content, gzip.compress(content, 9, mtime=0))
    return found


@functools.cache
def digest() -> str:
    """Return the digest of all files, which stands in their addresses."""
    whole = sha256()
    for name, file in files().items():
        whole.update(f"{name}\n{len(file.content)}\n".encode() + file.content)
    return whole.hexdigest()[:16]


def address(name: str) -> str:
    """Return where the file ``name`` is; a name that is none fails here, and not in a browser."""
    if name not in files():
        raise KeyError(name)
    return f"/assets/{digest()}/{name}"


@get(
    "/assets/{version:str}/{file:path}",
    include_in_schema=False,
    media_type="*/*",
    tags=["assets"],
    sync_to_thread=False,
)
def asset(request: Request[Any, Any, Any], version: FromPath[str], file: FromPath[str]) -> Response[bytes]:
    """A file that pages are drawn with."""
    found = files().get(str(file).lstrip("/"))
    if found is None or version != digest():
        raise NotFound("there is no such file")
    headers = {
        "Cache-Control": _FOREVER,
        "Vary": "Accept-Encoding",
        "Content-Security-Policy": _CONFINED if found.media_type == _TYPES[".js"] else _DRAWN,
        "Cross-Origin-Resource-Policy": "same-origin",
    }
    if accepts_gzip(request):
        return Response(found.squeezed, media_type=found.media_type, headers={**headers, "Content-Encoding": "gzip"})
    return Response(found.content, media_type=found.media_type, headers=headers)
