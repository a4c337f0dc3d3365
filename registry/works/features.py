"""Features: what the parts of a picture are found by, made beside its thumbnail (``beside``), kept and gone with it.

They can be turned back into a recognisable picture, so they are no part of a snapshot, are told to nobody (but, with
everything else, to the account itself), and none are kept of a picture that they do not find. Of a work whose picture
the service never saw there are none.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import cast
from uuid import UUID

from licet.wire.works import Parts
from registry.database import Connection
from registry.works import queries


async def put(conn: Connection, account: UUID, digest: bytes, content: bytes | None, ttl: timedelta) -> None:
    """Keep the features of the file with ``digest`` for ``ttl``, or as long as the work that it is registered as."""
    await conn.execute(queries.KEEP_FEATURES, account, digest, queries.FEATURES_FORM, content, ttl)


async def settle(conn: Connection, account: UUID, digests: Sequence[bytes]) -> None:
    """Let the features of files with these digests stay: they are works now."""
    await conn.execute(queries.SETTLE_FEATURES, account, digests)


async def parts_of(conn: Connection, account: UUID, works: Sequence[UUID]) -> Mapping[UUID, Parts]:
    """Return of those of ``works`` that ``account`` has, and has not withdrawn, whether parts of them are found."""
    return {row["id"]: cast("Parts", row["parts"]) for row in await conn.fetch(queries.PARTS, account, list(works))}
