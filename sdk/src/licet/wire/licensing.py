"""Queries, quotes, licences."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from licet.statements.envelope import Envelope
from licet.statements.kinds import Agreement, Budget, LicenceLine, Total, Use, Weigh
from licet.wire.common import Receipt


class RowKeys(msgspec.Struct, frozen=True, forbid_unknown_fields=True, gc=False):
    """What is known of one row: any of these. ``pdq`` is one hash in stored orientation or eight, joined by commas.

    ``iscc``: an ISCC of ISO 24138, or several with spaces between: instance codes find the file, content codes of
    pictures and texts what is near. A text that is none of its kind (``sha256`` and ``pixels`` are 64 hexadecimal
    digits, so is each hash of ``pdq``; ``url`` an address of http or https) makes the verdict ``review``, the reason
    ``malformed``, unless another key of the row finds a work that denies.
    """

    sha256: str | None = None
    pixels: str | None = None
    url: str | None = None
    pdq: str | None = None
    quality: int | None = None
    iscc: str | None = None


class Query(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """At most 10,000 rows, decided for one request (``Request.to_json()``)."""

    request: dict[str, Any]
    rows: list[RowKeys]
    match: Literal["exact", "near"] = "near"
    min_claim_level: int = 0


class OptOut(msgspec.Struct, frozen=True):
    """One address, as it was asked for, and what is said of it in the words of Spawning's API."""

    url: str
    opt_out: bool = msgspec.field(name="optOut")
    opt_in: bool = msgspec.field(name="optIn")


class OptOuts(msgspec.Struct, frozen=True):
    """One item for each line asked, in their order."""

    urls: list[OptOut]


class MatchInfo(msgspec.Struct, frozen=True):
    work: str
    account: str
    statement: str | None
    kind: Literal["exact", "near", "derivative"]
    key: str  # file | pixels | url | pdq | site | iscc-instance | iscc-content | parts
    distance: int  # bits; of parts, how many places of the work are found again
    verdict: str
    reason: str
    claim_level: int
    price: str | None = None  # decimal, per work and unit
    currency: str | None = None
    price_model: str | None = None


class Answer(msgspec.Struct, frozen=True):
    """The verdict of one row, and every match that counted; the deciding match comes first."""

    verdict: str
    reason: str
    matches: list[MatchInfo]


class Answers(msgspec.Struct, frozen=True):
    """Answers in the order asked, as of ``consent_version`` and ``log_size``."""

    results: list[Answer]
    consent_version: int
    log_size: int


class PartsAnswers(msgspec.Struct, frozen=True):
    """Answers in the order asked, by parts alone, as of ``consent_version`` and ``log_size``.

    Looked among ``covered`` works; ``waiting`` were registered moments ago and have no place in the index yet. Works
    of which the service saw no picture, or one that is too plain, are found whole or not at all.
    """

    results: list[Answer]
    consent_version: int
    log_size: int
    covered: int
    waiting: int


class RangeSize(msgspec.Struct, frozen=True):
    """How much of a key is told for a range: ``digits`` hexadecimal ones, which leave ``expected`` of ``keys``."""

    digits: int
    keys: int
    expected: int
    consent_version: int
    log_size: int


class WorkWanted(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    work: str
    statement: str
    match: Literal["exact", "near"]


class QuoteRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Works that the caller would license, as its own decisions saw them (statement and match per work).

    ``agreement``: of those whose terms state a price that no single use fixes (subscription, pool, revenue share), what
    is owed is allocated when a month closes; ``weigh`` says what gives a work its part of what is
    divided. ``request`` (``ask_…``): at the price that the artist offered in answer to it.
    """

    use: Use
    works: list[WorkWanted]  # at most 100,000
    dataset: str | None  # dst_…
    run: str
    budget: list[Budget]
    fit_budget: bool = False
    agreement: bool = False
    weigh: Weigh = "work"
    request: str | None = None


class LeftOut(msgspec.Struct, frozen=True):
    """A wanted work that the quote does not hold: ``changed`` (its terms moved), ``over-budget``, ``needs-agreement``,
    ``deny``, ``review``, or ``licensed:<id>`` (held already)."""

    work: str
    reason: str


class Quote(msgspec.Struct, frozen=True):
    """An offer for 15 minutes; ``digest`` = digest of this object without ``digest``. Prices are gross.

    ``valid_until`` is when the licence will end: the earliest end that the works' grant terms give it.
    """

    quote: str
    organisation: str
    use: Use
    dataset: str | None
    run: str
    lines: list[LicenceLine]  # sorted by work
    left_out: list[LeftOut]
    totals: list[Total]
    budget: list[Budget]
    over_budget: bool
    fee_bps: int
    issued_at: str
    expires_at: str
    digest: str
    valid_until: str | None = None
    agreement: Agreement | msgspec.UnsetType = msgspec.UNSET


class QuoteInfo(msgspec.Struct, frozen=True):
    """An offer in a list; the offer itself is at its own address."""

    quote: str
    issued_at: str
    expires_at: str


class LicenceAccept(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The organisation's signature over the ``licence`` payload built from the quote."""

    quote: str
    envelope: Envelope


class Posted(msgspec.Struct, frozen=True):
    """What was posted to the ledger for one payee and currency; ``escrow`` as of the posting.

    With a ``split`` what is left after the fee went to its co-owners; ``account`` registered the works.
    """

    account: str
    currency: str
    amount: str
    fee: str
    works: int
    escrow: bool
    split: str | None = None


class LicenceGranted(msgspec.Struct, frozen=True):
    licence: str
    envelope: Envelope
    lines: list[LicenceLine]
    posted: list[Posted]
    receipt: Receipt


class LicenceEnding(msgspec.Struct, frozen=True):
    """``works`` of a licence that were revoked: it ends for them at ``at``, when the notice is over (null until the log
    has the revocation)."""

    works: int
    at: str | None


class LicenceInfo(msgspec.Struct, frozen=True):
    """A licence in a list; ``revoked``: works that it ends for earlier, of those that the caller sees."""

    licence: str
    organisation: str
    model: str
    version: str
    dataset: str | None
    works: int
    totals: list[Total]
    log_index: int | None
    issued_at: str
    valid_until: str | None
    agreement: bool = False
    revoked: list[LicenceEnding] = []
