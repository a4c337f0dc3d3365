"""The log as anybody reads it (C2SP tlog-tiles): checkpoint, tiles, entry bundles, the keys to check them with.

Everything but the checkpoint and the keys never changes, and a CDN may serve all of it from the same files.
"""

from __future__ import annotations

from pathlib import PurePath
from typing import Any, Final

from litestar import MediaType, Request, Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath

from licet.statements.key_list import KEYS, KeyList
from registry.errors import Unavailable
from registry.http.squeezing import squeezed
from registry.storage import FOREVER, FRESH, OCTETS, Store
from registry.translog import publication
from registry.translog.keys import RegistryKeys

_ENTRIES: Final = "tile/entries/"
_FOREVER: Final = {"Cache-Control": FOREVER}
_FRESH: Final = {"Cache-Control": FRESH}


@get(
    "/log/checkpoint",
    media_type=MediaType.TEXT,
    operation_id="getCheckpoint",
    tags=["log"],
    opt={"problems": (503,)},
)
async def checkpoint(log_files: NamedDependency[Store]) -> Response[bytes]:
    """The newest signed checkpoint, a C2SP signed note."""
    content = await log_files.read(publication.CHECKPOINT)
    if content is None:
        raise Unavailable("the log has no checkpoint yet")
    return Response(content, media_type=MediaType.TEXT, headers=_FRESH)


@get("/log/vkey", media_type=MediaType.TEXT, operation_id="getLogKey", tags=["log"], opt={"problems": (503,)})
async def vkey(keys: NamedDependency[RegistryKeys], log_files: NamedDependency[Store]) -> Response[str]:
    """The newest key that checkpoints are signed with, as a C2SP verifier key; as fresh as the checkpoint."""
    content = await log_files.read(KEYS)  # this process may not have heard yet of keys that changed
    known = keys.log_keys if content is None else KeyList.parse(content, None).log
    return Response(f"{known.vkey}\n", media_type=MediaType.TEXT, headers=_FRESH)


@get(
    "/log/keys",
    media_type=MediaType.JSON,
    operation_id="getLogKeys",
    tags=["log"],
    opt={"problems": (503,)},
)
async def key_statements(request: Request[Any, Any, Any], log_files: NamedDependency[Store]) -> Response[bytes]:
    """Every statement about the registry's own keys, each with its log index: whole, as the entries of the log prove.

    Canonical JSON, a list of `index` and `envelope`, as fresh as the checkpoint.
    """
    content = await log_files.read(KEYS)
    if content is None:
        raise Unavailable("the log has no keys yet")
    headers = {**_FRESH}
    return Response(squeezed(request, content, headers), media_type=MediaType.JSON, headers=headers)


@get("/log/tile/{path:path}", media_type=OCTETS, operation_id="getTile", tags=["log"])
async def tile(
    request: Request[Any, Any, Any], log_files: NamedDependency[Store], path: FromPath[PurePath]
) -> Response[bytes]:
    """A tile of 256 hashes (`<level>/<index>`) or a bundle of entries (`entries/<index>`), `.p/<width>` if partial."""
    name = f"tile{path.as_posix()}"
    content = await publication.read_tile(log_files, name)
    headers = {**_FOREVER}
    if name.startswith(_ENTRIES):  # hashes are as small as they can be
        content = squeezed(request, content, headers)
    return Response(content, media_type=OCTETS, headers=headers)


ROUTES = [checkpoint, key_statements, vkey, tile]
