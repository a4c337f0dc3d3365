"""Models and their versions, made by the first statement that names them: a training run, or a card."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from licet.identifiers import new_uuid
from registry.database import Connection
from registry.usage import queries


async def named(conn: Connection, organisation: UUID, model: str, version: str, at: datetime) -> UUID:
    """Return the version of the organisation's model, made where this is the first that is said of it.

    The caller holds the organisation's lock: nobody else makes it meanwhile.
    """
    of = await conn.fetchval(queries.MODEL, organisation, model)
    if of is None:
        of = new_uuid()
        await conn.execute(queries.ADD_MODEL, of, organisation, model, at)
    found: UUID | None = await conn.fetchval(queries.MODEL_VERSION, of, version)
    if found is None:
        found = new_uuid()
        await conn.execute(queries.ADD_MODEL_VERSION, found, of, version, at)
    return found
