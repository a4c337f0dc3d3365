"""Agreements: what an organisation asks of an artist, and what came of it."""

from __future__ import annotations

from typing import Literal

import msgspec

from licet.statements.envelope import Envelope
from licet.wire.common import Receipt, StatementFile

#: Waits for the artist · she offers, until a time · she refused · a licence came of it · nobody answered in time ·
#: nobody accepted the offer in time · the organisation took the request back · it declined the offer · the artist took
#: the offer back. In the last two she can still offer anew, until the request expires.
RequestState = Literal[
    "open", "offered", "refused", "accepted", "expired", "lapsed", "withdrawn", "declined", "retracted"
]


class AgreementSubmit(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A signed ``licence-request``, ``licence-answer`` or ``licence-reply``."""

    envelope: Envelope


class RequestInfo(msgspec.Struct, frozen=True):
    """One request of ``organisation`` for works of ``account``; ``document`` is the SHA-256 that answers name.

    ``offered_until`` while an offer stands, ``licence`` once it was accepted.
    """

    request: str
    organisation: str
    name: str  # of the organisation
    account: str
    state: RequestState
    document: str
    works: int
    model: str
    version: str
    asked_at: str
    expires_at: str
    offered_until: str | None
    licence: str | None
    log_index: int | None


class RequestedWork(msgspec.Struct, frozen=True):
    """A work that is asked for, and the statement that its terms come from now (null: none). Its owner sees a title."""

    work: str
    title: str | None
    statement: str | None


class RequestShown(msgspec.Struct, frozen=True):
    """A request with the very documents, each with all that proves it; null once it was erased, or before the first
    answer. ``answer`` is the artist's last one, ``reply`` what the organisation said to that, or its withdrawal."""

    request: RequestInfo
    works: list[RequestedWork]
    asked: StatementFile | None
    answer: StatementFile | None
    reply: StatementFile | None = None


class RequestAccepted(msgspec.Struct, frozen=True):
    """The request after what was sent; ``statement`` (``ask_…`` or ``stm_…``) is what the receipt is of."""

    request: RequestInfo
    statement: str
    receipt: Receipt
