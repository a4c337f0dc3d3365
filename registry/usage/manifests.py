"""What is kept of a dataset manifest beside the statement itself, for lists, which cannot read megabytes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from licet import identifiers
from licet.statements.kinds import DatasetManifest
from registry.database import Connection
from registry.usage import queries


def about(payload: DatasetManifest) -> dict[str, Any]:
    """Return what the register shows of ``payload`` beside its counts: how it was decided, roots, parts."""
    found: dict[str, Any] = {
        "stage": payload.stage,
        "use": payload.use,
        "unknown_policy": payload.unknown_policy,
        "match": payload.match,
        "min_claim_level": payload.min_claim_level,
        "snapshot": payload.snapshot,
        "log_size": payload.log_size,
        "decisions_root": payload.decisions_root,
        "row_root": payload.row_root,
        "parts": len(payload.parts),
        "licences": len(payload.licences),
    }
    if isinstance(payload.after, str):
        found["after"] = payload.after
    return found


def is_listed(payload: DatasetManifest) -> bool:
    """Return whether the dataset is in the public register whatever was trained on it."""
    return payload.listed is not False


async def terms(conn: Connection, organisation: UUID, licences: Sequence[str]) -> dict[str, int]:
    """Return how many works are under ``licences`` of the organisation, by price model; a work counts once in each."""
    if not licences:
        return {}
    numbers = [identifiers.to_uuid(each, "lic", field="payload.licences") for each in licences]
    return {row["model"]: row["works"] for row in await conn.fetch(queries.TERMS, organisation, numbers)}
