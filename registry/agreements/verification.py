"""Agreements, compared with what was signed: requests, answers, and which licences rest on them."""

from __future__ import annotations

from typing import Final

import msgspec

from licet import identifiers, times
from licet.statements import envelope as envelopes
from licet.statements.kinds import Licence, LicenceAnswer, LicenceRequest
from licet.statements.owed import allocated
from registry.agreements import queries
from registry.database import Connection
from registry.licensing.licences import line_of
from registry.licensing.offers import model_key, use_key
from registry.licensing.queries import LINES

_PREFETCH: Final = 500


async def rebuild(conn: Connection) -> list[str]:
    """Return what does not hold, in words: a request, an answer or an agreement that is not as it was signed."""
    return [*await _requests(conn), *await _answers(conn), *await _agreements(conn)]


async def _requests(conn: Connection) -> list[str]:
    wrong = []
    async for row in conn.cursor(queries.ALL_REQUESTS, prefetch=_PREFETCH):
        if row["envelope"] is None:  # erased
            continue
        sealed = envelopes.parse(row["envelope"])
        payload = envelopes.read_as(LicenceRequest, sealed)
        signed = (
            payload.request,
            sealed.payload_digest,
            payload.organisation,
            payload.account,
            payload.works,
            (use_key(payload.use), model_key(payload.use), payload.use.model, payload.use.version),
            payload.expires_at,
        )
        kept = (
            identifiers.from_uuid("ask", row["id"]),
            row["digest"].hex(),
            identifiers.from_uuid("org", row["organisation"]),
            identifiers.from_uuid(row["kind"], row["account"]),
            [identifiers.from_uuid("wrk", work) for work in row["named"]],
            (row["use_key"], row["model_key"], row["model"], row["version"]),
            times.to_text(row["expires_at"]),
        )
        if (kept, row["works"]) != (signed, len(payload.works)):
            wrong.append(f"licence request {kept[0]}: expected what was signed, got {kept}")
    return wrong


async def _answers(conn: Connection) -> list[str]:
    wrong = []
    async for row in conn.cursor(queries.ALL_ANSWERS, prefetch=_PREFETCH):
        if row["envelope"] is None:
            continue
        sealed = envelopes.parse(row["envelope"])
        payload = envelopes.read_as(LicenceAnswer, sealed)
        signed = (sealed.payload_digest, payload.request, payload.document, payload.answer, payload.offered_until)
        kept = (
            row["digest"].hex(),
            identifiers.from_uuid("ask", row["request"]),
            row["document"].hex(),
            row["answer"],
            None if row["offered_until"] is None else times.to_text(row["offered_until"]),
        )
        if kept != signed:
            wrong.append(f"licence answer {row['id']}: expected what was signed, got {kept}")
    return wrong


async def _agreements(conn: Connection) -> list[str]:
    wrong = []
    async for row in conn.cursor(queries.ALL_AGREEMENTS, prefetch=_PREFETCH):
        if row["envelope"] is None:
            continue
        said = envelopes.read_as(Licence, envelopes.parse(row["envelope"])).agreement
        name = identifiers.from_uuid("lic", row["licence"])
        if msgspec.UNSET is said or row["since"] is None:
            if msgspec.UNSET is not said or row["since"] is not None:
                wrong.append(f"licence {name}: expected an agreement where one was signed, and nowhere else")
            continue
        lines = [line_of(each) for each in await conn.fetch(LINES, row["licence"], None)]
        document = None if row["document"] is None else row["document"].hex()
        kept = (times.to_text(row["since"]), row["weigh"], document, row["allocates"])
        signed = (said.since, said.weigh, said.request, any(allocated(line) for line in lines))
        if kept != signed:
            wrong.append(f"licence {name}: expected the agreement that was signed, {signed}, got {kept}")
    return wrong
