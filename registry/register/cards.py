"""Model cards: what an organisation says of a version of its model, signed and in the log before it is shown."""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import Final
from urllib.parse import urlsplit
from uuid import UUID

from licet import identifiers, times
from licet.statements import envelope as envelopes
from licet.statements.envelope import Envelope
from licet.statements.kinds import BaseVersion, ModelCard
from licet.wire.usage import Logged
from registry import translog
from registry.accounts.identity import Caller
from registry.database import Connection
from registry.errors import Conflict, Invalid
from registry.http import moments
from registry.licensing.asking import MODEL, VERSION
from registry.licensing.offers import name
from registry.licensing.queries import LOCK_ORGANISATION
from registry.licensing.signatures import opened
from registry.register import queries
from registry.services import Services
from registry.usage import models

LONGEST_SUMMARY: Final = 2000
LONGEST_URL: Final = 2000
_MODEL: Final = re.compile(MODEL)
_VERSION: Final = re.compile(VERSION)
_DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


async def log_card(services: Services, caller: Caller, envelope: Envelope) -> Logged:
    """Return once the card is in the published log and is what the register shows of that version.

    Sending it again has no second effect, also after another card. Raises ``Invalid`` naming the field, and
    ``Conflict`` for a version that was released and would be in training again, or would come from itself.
    """
    async with services.database.transaction() as conn:
        await conn.fetchval(LOCK_ORGANISATION, caller.account)
        payload = await opened(conn, ModelCard, envelope, caller, services.keys.ref)
        digest = bytes.fromhex(envelope.payload_digest)
        present = await conn.fetchrow(queries.CARD, digest)
        if present is not None:
            number, pending = present["id"], present["pending"]
        else:
            number, pending = await _add(conn, caller, payload, envelope, digest)
    return Logged(identifiers.from_uuid("crd", number), await translog.wait(services.database, pending))


async def _add(
    conn: Connection, caller: Caller, payload: ModelCard, envelope: Envelope, digest: bytes
) -> tuple[UUID, int]:
    _fits(payload)
    issued_at = moments.past(payload.issued_at, "payload.issued_at")
    version = await models.named(conn, caller.account, payload.model, payload.version, issued_at)
    standing = await conn.fetchrow(queries.STANDING, version)
    if standing is not None and standing["status"] in ("released", "retired") and payload.status == "in-training":
        raise Conflict(f"{payload.model}@{payload.version} was released: it cannot be in training again")
    base = None if payload.base is None else await _base(conn, caller, payload.base, version)
    number = identifiers.new_uuid()
    subject = identifiers.from_uuid("crd", number)
    pending = await translog.submit(conn, "model-card", subject, envelopes.encode(envelope), caller.account)
    await conn.execute(
        queries.ADD_CARD, number, version, pending, digest, payload.status, payload.listed, base, issued_at
    )
    await conn.execute(queries.SET_CARD, version, number, payload.status, payload.listed)
    return number, pending


def _fits(payload: ModelCard) -> None:
    if not _MODEL.fullmatch(payload.model):
        raise Invalid.field("payload.model", "ORG/NAME such as acme/lantern", payload.model)
    if not _VERSION.fullmatch(payload.version):
        raise Invalid.field("payload.version", "letters, digits and . _ + - such as 2.1", payload.version)
    if not payload.listed and payload.status != "in-training":
        raise Invalid.field("payload.listed", f"true: what is {payload.status} is in the public register", False)
    if payload.dated is not None:
        _day(payload.dated)
    if payload.family is not None:
        name(payload.family, "payload.family")
    if payload.summary is not None:
        _words(payload.summary)
    if payload.card_url is not None:
        _address(payload.card_url, "payload.card_url")


def _day(text: str) -> None:
    try:
        day = date.fromisoformat(text) if _DAY.fullmatch(text) else None
    except ValueError:
        day = None
    if day is None or day > times.now().date() + timedelta(days=1):
        raise Invalid.field("payload.dated", "a day that is not to come, such as 2026-11-28", text)


def _words(text: str) -> None:
    lines = text.split("\n")
    if not 0 < len(text) <= LONGEST_SUMMARY or not all(line.isprintable() for line in lines) or text != text.strip():
        raise Invalid.field("payload.summary", f"1 to {LONGEST_SUMMARY} printable characters in lines", text)


def _address(text: str, field: str) -> None:
    try:
        parts = urlsplit(text)
        fits = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.username is None
    except ValueError:
        fits = False
    if not fits or len(text) > LONGEST_URL or not text.isascii() or not text.isprintable() or set(text) & set(' "<>\\'):
        raise Invalid.field(field, f"an http or https address of at most {LONGEST_URL} ASCII characters", text)


async def _base(conn: Connection, caller: Caller, base: BaseVersion, version: UUID) -> UUID | None:
    """Return the version of this register that ``base`` names, None for one that is not here."""
    if base.organisation is None:
        name(base.model, "payload.base.model")
        if base.version is not None:
            name(base.version, "payload.base.version")
        if base.url is not None:
            _address(base.url, "payload.base.url")
        return None
    maker = identifiers.to_uuid(base.organisation, "org", field="payload.base.organisation")
    if base.version is None:
        raise Invalid.field("payload.base.version", "the version of a model of this register", None)
    if base.url is not None:
        raise Invalid.field("payload.base.url", "null: the register has the model's card", base.url)
    found: UUID | None = await conn.fetchval(queries.BASE, maker, base.model, base.version, caller.account)
    if found is None:
        got = f"{base.model}@{base.version} of {base.organisation}"
        raise Invalid.field("payload.base", "a version that is in the register, or your own", got)
    if await conn.fetchval(queries.COMES_FROM, version, found):
        raise Conflict(f"{base.model}@{base.version} is made from this version itself")
    return found
