"""What cannot be had by a click: asked of an artist and answered, reported to be divided, revoked, carried out."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final, Literal

import msgspec

from licet import money
from licet.errors import InputError
from licet.statements.kinds.common import VERSION, Budget, RegistryRef
from licet.statements.kinds.licences import Use

if TYPE_CHECKING:
    from licet.terms import Price

MOST_WORKS: Final = 1000  # of one request
MOST_TEXT: Final = 2000  # characters of a message
MOST_CURRENCIES: Final = 20
MOST_WEIGHT: Final = 10**9  # of one work in a month: a thousand whole ones in millionths
MOST_WEIGHTS: Final = 100_000
_MONTH: Final = re.compile(r"[0-9]{4}-(0[1-9]|1[0-2])", re.ASCII)
_DIGEST: Final = re.compile(r"[0-9a-f]{64}", re.ASCII)

Figures = dict[str, str | int]


class LicenceRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="type", tag="licence-request"):
    """An organisation asks the account that registered ``works`` for a licence; nothing follows without its answer.

    ``works`` are sorted. ``price`` is what the organisation proposes, as terms write a price (null: the artist names
    one). Nobody can answer after ``expires_at``.
    """

    registry: RegistryRef
    request: str
    organisation: str
    genesis: str
    account: str
    works: list[str]
    use: Use
    price: Figures | None
    message: str
    expires_at: str
    issued_at: str
    nonce: str
    v: int = VERSION

    def __post_init__(self) -> None:
        wrong = wrong_names(self.works) or wrong_text(self.message, "message") or wrong_price(self.price)
        if wrong is not None:
            raise ValueError(wrong)


class LicenceAnswer(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="type", tag="licence-answer"):
    """The artist's answer to the very request whose payload has the SHA-256 ``document``; her last one counts.

    An ``offer`` is made to that organisation for that use alone: at ``price``, until ``offered_until``. The licence
    that accepts it ends at ``grant_until`` (null: where the terms end it), and can be revoked as ``revocation`` says
    (null: as the terms say). ``withdraw`` takes an offer back that nobody has accepted, and leaves the request as one
    that can be answered; ``refuse`` says no to the request, and takes back what was offered as well.
    """

    registry: RegistryRef
    request: str
    document: str
    account: str
    genesis: str
    answer: Literal["offer", "refuse", "withdraw"]
    price: Figures | None
    offered_until: str | None
    grant_until: str | None
    revocation: Figures | None
    message: str
    issued_at: str
    nonce: str
    v: int = VERSION

    def __post_init__(self) -> None:
        wrong = wrong_text(self.message, "message") or self._wrong_offer()
        if wrong is not None:
            raise ValueError(wrong)

    def _wrong_offer(self) -> str | None:
        if self.answer != "offer":
            given = [self.price, self.offered_until, self.grant_until, self.revocation]
            wrong = f"answer: expected {self.answer} without price, dates and revocation"
            return None if given == [None] * 4 else wrong
        if self.price is None or self.offered_until is None:
            return "price: expected an offer with a price and a time until which it stands"
        if self.price.get("model") == "negotiate":
            return "price.model: expected a price that can be accepted, got negotiate"
        return wrong_price(self.price) or wrong_revocation(self.revocation)


class LicenceReply(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="type", tag="licence-reply"):
    """What the organisation that asked says of its request, whose payload has the SHA-256 ``document``.

    ``withdraw`` takes the request back: nobody can answer it any more. ``decline`` refuses the very offer whose payload
    has the SHA-256 ``offer`` (else null); the artist can make another one as long as the request can be answered.
    """

    registry: RegistryRef
    request: str
    document: str
    organisation: str
    genesis: str
    reply: Literal["withdraw", "decline"]
    offer: str | None
    message: str
    issued_at: str
    nonce: str
    v: int = VERSION

    def __post_init__(self) -> None:
        wrong = wrong_text(self.message, "message")
        if self.reply == "decline" and _DIGEST.fullmatch(self.offer or "") is None:
            wrong = f"offer: expected the SHA-256 of the offer that is declined, got {self.offer!r:.80}"
        if self.reply == "withdraw" and self.offer is not None:
            wrong = "offer: expected null where a request is taken back"
        if wrong is not None:
            raise ValueError(wrong)


class Weight(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a work weighs in what is divided: files, or likeness in millionths, or whatever the organisation counts."""

    work: str
    weight: int


class RevenueReport(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="type", tag="revenue-report"):
    """What an organisation made of ``licence`` in the calendar month ``period``: what is divided at its close.

    ``revenue`` is net, and ``pool`` what was agreed to be divided; both by currency, each once, sorted. ``weights``
    say what works weigh, sorted by work, where the agreement weighs what is reported; whoever is left out weighs
    nothing. ``supersedes`` is the SHA-256 of the payload that it corrects (null: the first of its month).
    """

    registry: RegistryRef
    report: str
    organisation: str
    genesis: str
    licence: str
    period: str
    revenue: list[Budget]
    pool: list[Budget]
    weights: list[Weight]
    supersedes: str | None
    issued_at: str
    nonce: str
    v: int = VERSION

    def __post_init__(self) -> None:
        wrong = (
            wrong_amounts(self.revenue, "revenue") or wrong_amounts(self.pool, "pool") or wrong_weights(self.weights)
        )
        if _MONTH.fullmatch(self.period) is None:
            wrong = f"period: expected a month such as 2026-11, got {self.period!r:.40}"
        if self.supersedes is not None and _DIGEST.fullmatch(self.supersedes) is None:
            wrong = f"supersedes: expected a SHA-256 in hex, got {self.supersedes!r:.80}"
        if wrong is not None:
            raise ValueError(wrong)


class LicenceRevoke(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="type", tag="licence-revoke"):
    """An artist revokes ``licence`` for ``works`` of hers, sorted: the notice of their terms begins with its log entry.

    When the notice is over, what the terms say is the effect becomes the ``duty`` of whoever holds the licence.
    """

    registry: RegistryRef
    duty: str
    licence: str
    account: str
    genesis: str
    works: list[str]
    reason: str
    issued_at: str
    nonce: str
    v: int = VERSION

    def __post_init__(self) -> None:
        wrong = wrong_names(self.works, 100_000) or wrong_text(self.reason, "reason")
        if wrong is not None:
            raise ValueError(wrong)


class DutyDone(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="type", tag="duty-done"):
    """An organisation states that it has done its ``duty``, which the revocation of SHA-256 ``document`` began."""

    registry: RegistryRef
    duty: str
    document: str
    organisation: str
    genesis: str
    done_at: str
    statement: str
    issued_at: str
    nonce: str
    v: int = VERSION

    def __post_init__(self) -> None:
        wrong = wrong_done(self.statement)
        if wrong is not None:
            raise ValueError(wrong)


def wrong_done(statement: str) -> str | None:
    """Return what is wrong with words for what was done, beginning with the field; None if nothing is."""
    if not statement.strip():
        return "statement: expected what was done, got nothing"
    return wrong_text(statement, "statement")


def wrong_names(works: Sequence[str], most: int = MOST_WORKS) -> str | None:
    """Return what is wrong with a list of works, in words that begin with the field; None if nothing is."""
    if not 1 <= len(works) <= most:
        return f"works: expected 1 to {most} works, got {len(works)}"
    if list(works) != sorted(set(works)):
        return "works: expected each work once, in rising order, got others"
    return None


def wrong_text(text: str, field: str) -> str | None:
    """Return what is wrong with what one person writes to another; None if nothing is."""
    if len(text) > MOST_TEXT:
        return f"{field}: expected at most {MOST_TEXT} characters, got {len(text)}"
    if any(not each.isprintable() and each != "\n" for each in text):
        return f"{field}: expected printable characters and line ends, got others"
    return None


def wrong_price(price: Mapping[str, str | int] | None) -> str | None:
    """Return what is wrong with a price as terms write one; None if nothing is."""
    from licet.terms import read_price  # heavy, and not needed by whoever only asks the service

    try:
        if price is None or read_price(price).to_json() == price:
            return None
        return "price: expected its one spelling: no nulls, shortest decimals, no unit"
    except InputError as error:
        return error.message


def wrong_revocation(revocation: Mapping[str, str | int] | None) -> str | None:
    """Return what is wrong with a condition of revocation as terms write one; None if nothing is."""
    from licet.terms import Revocation

    try:
        if revocation is None or Revocation(**revocation).to_json() == revocation:  # type: ignore[arg-type]
            return None
        return "revocation: expected notice_days and effect"
    except InputError as error:
        return f"revocation.{error.message}"


def wrong_amounts(amounts: Sequence[Budget], field: str) -> str | None:
    """Return what is wrong with amounts by currency; None if nothing is."""
    names = [each.currency for each in amounts]
    if len(names) > MOST_CURRENCIES or names != sorted(set(names)):
        return f"{field}: expected each currency once, in rising order, got {names}"
    for place, each in enumerate(amounts):
        if each.currency not in money.CURRENCIES:
            return f"{field}[{place}].currency: expected an ISO 4217 code, got {each.currency!r:.20}"
        if not 0 <= each.amount <= money.LARGEST:
            return f"{field}[{place}].amount: expected 0 to {money.LARGEST} micro-units, got {each.amount}"
    return None


def wrong_weights(weights: Sequence[Weight]) -> str | None:
    """Return what is wrong with what works weigh; None if nothing is."""
    if len(weights) > MOST_WEIGHTS:
        return f"weights: expected at most {MOST_WEIGHTS} works, got {len(weights)}"
    names = [each.work for each in weights]
    if names != sorted(set(names)):
        return "weights: expected each work once, in rising order, got others"
    for place, each in enumerate(weights):
        if not 0 <= each.weight <= MOST_WEIGHT:
            return f"weights[{place}].weight: expected 0 to {MOST_WEIGHT}, got {each.weight}"
    if weights and not any(each.weight for each in weights):
        return "weights: expected one work at least that weighs more than 0, got 0 for each"
    return None


def price_of(figures: Mapping[str, str | int]) -> Price:
    """Return the price that ``figures`` write; raises ``InputError`` naming the field."""
    from licet.terms import read_price

    return read_price(dict(figures))
