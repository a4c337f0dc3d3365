"""HTTP: the latest manifest, and segments by digest, whole or in part."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Annotated, Any, Final

import anyio
from litestar import Request, Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath, QueryParameter
from litestar.response import Stream

from licet.index import Published, SnapshotStates
from registry.accounts.identity import Caller
from registry.errors import NotAuthenticated, NotFound, RegistryError, Unavailable
from registry.services import Services
from registry.snapshots import publication, queries
from registry.snapshots.publication import LATEST_FOR, segments_folder
from registry.snapshots.states import MAX_STATES, proven

_DIGEST: Final = re.compile(r"[0-9a-f]{64}", re.ASCII)
_RANGE: Final = re.compile(r"bytes=([0-9]{0,18})-([0-9]{0,18})", re.ASCII)
_BLOCK: Final = 1 << 18
_FOR_EVER: Final = "max-age=31536000, immutable"


class RangeNotSatisfiable(RegistryError):
    """The range begins after the end of the file."""

    status = 416
    slug = "range-not-satisfiable"
    title = "Range not satisfiable"


@get("/snapshots/latest", operation_id="getSnapshot", tags=["snapshots"], opt={"partly": (304,)})
async def latest(request: Request[Any, Any, Any], services: NamedDependency[Services]) -> Response[Published | None]:
    """The newest manifest and the proof that it is in the log; ``ETag`` is its digest."""
    published, digest = await _newest(services)
    headers = {"Cache-Control": LATEST_FOR, "ETag": f'"{digest}"'}
    if request.headers.get("if-none-match") == headers["ETag"]:
        return Response(None, status_code=304, headers=headers)
    return Response(published, headers=headers)


async def _newest(services: Services) -> tuple[Published, str]:
    async with services.database.transaction(isolation="repeatable_read", readonly=True) as conn:
        found = await publication.latest(conn)
    if found is None:
        raise Unavailable("no snapshot has been published yet", retry_after=5)
    return found


@get(
    "/snapshots/segments/{digest:str}",
    operation_id="getSegment",
    tags=["snapshots"],
    opt={"problems": (416,), "partly": (206,)},
)
async def segment(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    optional_caller: NamedDependency[Caller | None],
    digest: FromPath[str],
) -> Stream:
    """One segment, or the part that ``Range`` asks for. The near tier needs a token: it is a trace of the pictures."""
    path, headers = await _segment(services, optional_caller, digest)
    size = (await anyio.Path(path).stat()).st_size
    start, end = _range(request.headers.get("range"), size)
    headers["Content-Length"] = str(end - start)
    if (start, end) == (0, size):
        return Stream(_blocks(path, start, end), media_type="application/octet-stream", headers=headers)
    headers["Content-Range"] = f"bytes {start}-{end - 1}/{size}"
    content = _blocks(path, start, end)
    return Stream(content, media_type="application/octet-stream", headers=headers, status_code=206)


async def _segment(services: Services, caller: Caller | None, digest: str) -> tuple[Path, dict[str, str]]:
    row = None
    if _DIGEST.fullmatch(digest):
        async with services.database.acquire() as conn:
            row = await conn.fetchrow(queries.SEGMENT, bytes.fromhex(digest))
    path = segments_folder(services) / digest
    if row is None:
        raise NotFound("there is no such segment, or no longer")
    if row["tier"] == "near" and caller is None:
        raise NotAuthenticated("the near tier goes to accounts: expected a token in the Authorization header")
    if not await anyio.Path(path).is_file():
        raise NotFound("there is no such segment, or no longer")
    who = "private" if row["tier"] == "near" else "public"
    headers = {"Cache-Control": f"{who}, {_FOR_EVER}", "ETag": f'"{digest}"', "Accept-Ranges": "bytes"}
    if row["tier"] == "near":
        headers["Vary"] = "Authorization"
    return path, headers


def _range(header: str | None, size: int) -> tuple[int, int]:
    """Return the bytes [start, end) that ``header`` asks for: all, where it asks for several ranges or makes no sense
    (RFC 9110, section 14.2). Raises ``RangeNotSatisfiable``."""
    match = _RANGE.fullmatch(header.strip()) if header else None
    if match is None or not (match[1] or match[2]):
        return 0, size
    if not match[1]:
        start, end = size - min(int(match[2]), size), size
    else:
        start, end = int(match[1]), min(int(match[2]) + 1, size) if match[2] else size
        if match[2] and int(match[2]) < int(match[1]):
            return 0, size
    if start >= end:
        raise RangeNotSatisfiable(
            f"expected a range within {size} bytes, got {header}", headers={"Content-Range": f"bytes */{size}"}
        )
    return start, end


async def _blocks(path: Path, start: int, end: int) -> AsyncIterator[bytes]:
    async with await anyio.open_file(path, "rb") as file:
        await file.seek(start)
        while start < end and (block := await file.read(min(_BLOCK, end - start))):
            start += len(block)
            yield block


@get(
    "/snapshots/latest/states",
    operation_id="getStates",
    tags=["snapshots"],
    opt={"problems": (503,)},
)
async def states(
    services: NamedDependency[Services],
    work: Annotated[
        list[str],
        QueryParameter(
            min_items=1,
            max_items=MAX_STATES,
            description="The works, each `wrk_…`.",
            schema_extra={"items": {"type": "string", "pattern": "^wrk_[0-7][0-9a-hjkmnp-tv-z]{25}$"}},
        ),
    ],
) -> Response[SnapshotStates]:
    """What the newest snapshot says of each work, proven under its `state_root`: the work's state, or that it is absent
    (its two neighbours). All answers are about the one manifest that comes along."""
    published, _ = await _newest(services)
    proofs = await asyncio.to_thread(proven, segments_folder(services), published.envelope, work)
    return Response(SnapshotStates(published, proofs), headers={"Cache-Control": LATEST_FOR})


ROUTES: Final = [latest, states, segment]
