"""The log as anybody reads it (C2SP tlog-tiles): checkpoint, tiles, entry bundles, the key to check them with.

Everything but the checkpoint and the verifier key never changes, and a CDN may serve all of it from the same files.
"""

from __future__ import annotations

import asyncio
from pathlib import Path, PurePath
from typing import Final

from litestar import MediaType, Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath

from registry.errors import Unavailable
from registry.translog import publication
from registry.translog.keys import RegistryKeys

_FOREVER: Final = {"Cache-Control": "public, max-age=31536000, immutable"}
_FRESH: Final = {"Cache-Control": "no-cache"}


@get(
    "/log/checkpoint",
    media_type=MediaType.TEXT,
    operation_id="getCheckpoint",
    tags=["log"],
    opt={"problems": (503,)},
)
async def checkpoint(public: NamedDependency[Path]) -> Response[bytes]:
    """The newest signed checkpoint, a C2SP signed note."""
    path = public / "log" / "checkpoint"
    try:
        content = await asyncio.to_thread(path.read_bytes)
    except FileNotFoundError:
        raise Unavailable("the log has no checkpoint yet") from None
    return Response(content, media_type=MediaType.TEXT, headers=_FRESH)


@get("/log/vkey", media_type=MediaType.TEXT, operation_id="getLogKey", tags=["log"], sync_to_thread=False)
def vkey(keys: NamedDependency[RegistryKeys]) -> Response[str]:
    """The key that checkpoints are signed with, as a C2SP verifier key."""
    text = keys.log_signer.verifier.vkey
    return Response(f"{text}\n", media_type=MediaType.TEXT, headers={"Cache-Control": "public, max-age=3600"})


@get("/log/tile/{path:path}", media_type="application/octet-stream", operation_id="getTile", tags=["log"])
async def tile(public: NamedDependency[Path], path: FromPath[PurePath]) -> Response[bytes]:
    """A tile of 256 hashes (`<level>/<index>`) or a bundle of entries (`entries/<index>`), `.p/<width>` if partial."""
    name = f"tile{path.as_posix()}"
    content = await asyncio.to_thread(publication.read_tile, public / "log", name)
    return Response(content, media_type="application/octet-stream", headers=_FOREVER)


ROUTES = [checkpoint, vkey, tile]
