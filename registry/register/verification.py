"""The register made again from what was signed: versions from runs and cards, columns from manifests."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from licet import identifiers
from licet.errors import LicetError
from licet.statements import envelope as envelopes
from licet.statements.kinds import DatasetManifest, ModelCard
from registry.database import Connection, Row
from registry.register import queries
from registry.usage import manifests

_PREFETCH: Final = 100


async def rebuild(conn: Connection) -> list[str]:
    """Return what does not hold, in words."""
    wrong = [
        f"model version {row['name']}@{row['version']}: expected what its latest card says, got {row['status']}"
        async for row in conn.cursor(queries.VERSIONS_DERIVED, prefetch=_PREFETCH)
    ]
    wrong += [
        f"models: expected the model of {identifiers.from_uuid('run', row['id'])} among them, got none"
        async for row in conn.cursor(queries.RUNS_UNNAMED, prefetch=_PREFETCH)
    ]
    async for row in conn.cursor(queries.CARDS, prefetch=_PREFETCH):
        wrong += _card(row)
    async for row in conn.cursor(queries.DATASETS, prefetch=_PREFETCH):
        wrong += await _dataset(conn, row)
    return wrong


def _card(row: Row) -> list[str]:
    place = f"model_cards {identifiers.from_uuid('crd', row['id'])}"
    try:
        envelope = envelopes.parse(row["envelope"])
        card = envelopes.read_as(ModelCard, envelope)
    except LicetError as error:
        return [f"{place}: {error.message}"]
    base = card.base if card.base is not None and card.base.organisation is not None else None
    signed = (
        *(card.model, card.version, card.status, card.listed, envelope.payload_digest),
        *((base.model, base.version) if base else (None, None)),
    )
    kept = (
        *(row["name"], row["version"], row["status"], row["listed"], row["payload_digest"].hex()),
        *(row["base_model"], row["base_version"]),
    )
    return [] if signed == kept else [f"{place}: expected what was signed, got {kept}"]


async def _dataset(conn: Connection, row: Row) -> list[str]:
    place = f"datasets {identifiers.from_uuid('dst', row['id'])}"
    try:
        payload = envelopes.read_as(DatasetManifest, envelopes.parse(row["envelope"]))
    except LicetError as error:
        return [f"{place}: {error.message}"]
    wrong = []
    if (manifests.is_listed(payload), manifests.about(payload)) != (row["listed"], _json(row["about"])):
        wrong.append(f"{place}: expected what its manifest says, got {row['about']}")
    if row["terms"] is not None:
        terms = await manifests.terms(conn, row["organisation"], payload.licences)
        if terms != _json(row["terms"]):
            wrong.append(f"{place}: expected terms {terms}, got {row['terms']}")
    return wrong


def _json(text: str) -> Any:
    return msgspec.json.decode(text)
