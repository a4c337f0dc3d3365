"""What an organisation may do with works, as both sides sign it."""

from __future__ import annotations

from typing import Literal

import msgspec

from licet.statements.kinds.common import VERSION, Budget, RegistryRef, Total

Weigh = Literal["work", "use", "report"]


class Use(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The use that an organisation declares; lists are sorted."""

    atoms: list[str]
    purpose: list[str]
    territory: list[str] | None
    model: str  # ORG/NAME
    version: str
    model_scope: Literal["one-version", "family"]
    open_weights: bool | None
    sublicense: bool | None = None
    exclusive: bool | None = None


class Agreed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a line says beside one amount, because it was agreed: figures of the price, and where they come from.

    ``minimum`` and ``cap`` in micro-units. ``answer`` is the SHA-256 of the artist's answer that offers this price
    (null: the work's terms state it); only then the notice in days and the effect of a revocation may be its own.
    """

    share_bps: int | None
    minimum: int | None
    cap: int | None
    period: str | None
    answer: str | None
    notice_days: int | None = None
    effect: str | None = None


class Agreement(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What makes a licence an agreement: what of it is divided when a calendar month closes, is counted from ``since``,
    the first of the month of the grant. ``weigh`` says what gives a work its part of what is divided: being in it
    (``work``), its uses (``use``), or what the organisation reports that it weighs (``report``). ``request`` is the
    SHA-256 of the request that an artist answered (null: the terms state all prices)."""

    since: str
    weigh: Weigh
    request: str | None


class LicenceLine(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One work in a licence: under which statement and terms, at which price. Leaf of the licence's works tree."""

    work: str
    account: str  # the artist
    statement: str
    terms_hash: str
    atom: str  # the atom whose price applies
    model: str  # price model
    currency: str | None
    amount: int  # micro-units for one unit; 0 when free
    match: Literal["exact", "near"]
    escrow: bool  # when granted: below claim level 2, contested, or a first split not signed by all
    agreed: Agreed | msgspec.UnsetType = msgspec.UNSET  # only in an agreement


class Licence(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="type", tag="licence"):
    """One payload, two signatures: the organisation's acceptance, then the registry's grant."""

    registry: RegistryRef
    licence: str
    organisation: str
    genesis: str
    quote: str  # digest of the quote
    use: Use
    dataset: str | None
    run: str
    count: int
    root: str  # RFC 6962 over canonical LicenceLine, sorted by work id
    terms: list[str]  # distinct terms hashes, sorted
    totals: list[Total]
    budget: list[Budget]
    fee_bps: int
    issued_at: str
    valid_until: str | None
    nonce: str
    agreement: Agreement | msgspec.UnsetType = msgspec.UNSET
    v: int = VERSION
