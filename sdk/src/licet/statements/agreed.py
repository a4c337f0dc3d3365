"""Prices of an agreement: as terms or an artist's answer state them, as a licence's line holds them, and back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import reduce
from typing import Final

import msgspec

from licet import money, times
from licet.errors import InputError
from licet.statements.kinds import Agreed, Agreement, LicenceLine, Weigh
from licet.terms import Price, Terms, durations
from licet.terms.prices import dearer

REPORTED: Final = frozenset({"pool", "revenue-share"})
"""Models of prices that follow from what a licensee reports of its revenue, or of an agreed sum."""
_WHOLE_MONTHS: Final = 1200


def stated_price(terms: Terms, uses: Iterable[str]) -> Price:
    """Return the one price that ``terms`` ask for all of ``uses``: the dearest (semantics 13)."""
    rules = [terms.rules[use] for use in uses]
    return reduce(dearer, [rule.offer for rule in rules if rule.permission == "license"])


def months_of(period: str) -> int:
    """Return how many calendar months ``period`` (ISO 8601) is; raises ``InputError`` for what is not whole months."""
    length = durations.parse(period, "price.period")
    if length.seconds or not 1 <= length.months <= _WHOLE_MONTHS:
        raise InputError.field("price.period", "whole months, because months are what is closed", period)
    return length.months


def agreeable(price: Price) -> bool:
    """Whether the terms alone state what is owed, though no single use fixes it: nobody has to be asked.

    Not where the artist has to name a price, nor where a period is no number of months that can be closed.
    """
    if price.model == "negotiate" or not price.needs_agreement:
        return False
    return price.model == "subscription" or price.period is None or _closes(price.period)


def agreed(
    price: Price, answer: str | None = None, revocation: Mapping[str, str | int] | None = None
) -> Agreed | msgspec.UnsetType:
    """Return what a line says of ``price`` beside model, currency and amount: nothing where one amount says it all.

    ``answer`` is the digest of the artist's answer that offers it, ``revocation`` its own condition.
    """
    if answer is None and not price.needs_agreement:
        return msgspec.UNSET
    notice, effect = (revocation or {}).get("notice_days"), (revocation or {}).get("effect")
    return Agreed(
        share_bps=price.share_bps,
        minimum=None if price.minimum is None else money.to_micro(price.minimum),
        cap=None if price.cap is None else money.to_micro(price.cap),
        period=price.period,
        answer=answer,
        notice_days=None if notice is None else int(notice),
        effect=None if effect is None else str(effect),
    )


def line_price(line: LicenceLine) -> Price:
    """Return the price that ``line`` holds, whole; raises ``InputError`` for figures that are no price."""
    fields: dict[str, object] = {"model": line.model, "currency": line.currency}
    if line.amount or line.model in ("per-work", "per-training-run", "per-output", "subscription"):
        fields["amount"] = money.to_decimal(line.amount)
    if line.agreed is not msgspec.UNSET:
        fields["share_bps"] = line.agreed.share_bps
        fields["minimum"] = None if line.agreed.minimum is None else money.to_decimal(line.agreed.minimum)
        fields["cap"] = None if line.agreed.cap is None else money.to_decimal(line.agreed.cap)
        fields["period"] = line.agreed.period
    return Price(**{name: value for name, value in fields.items() if value is not None})  # type: ignore[arg-type]


def agreement(
    lines: Iterable[LicenceLine], issued_at: datetime, weigh: Weigh, request: str | None
) -> Agreement | msgspec.UnsetType:
    """Return what makes a licence over ``lines`` an agreement; nothing where no line was agreed."""
    if all(line.agreed is msgspec.UNSET for line in lines):
        return msgspec.UNSET
    since = issued_at.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    return Agreement(since=times.to_text(since), weigh=weigh, request=request)


def wrong_price(price: Price) -> str | None:
    """Return what of an offered price cannot be carried out, in words that begin with the field; None if nothing."""
    if price.model == "negotiate":
        return "price.model: expected a price that can be accepted, got negotiate"
    if price.model != "subscription" and price.period and not _closes(price.period):
        return f"price.period: expected whole months, because months are what is closed, got {price.period}"
    return None


def _closes(period: str) -> bool:
    try:
        return months_of(period) > 0
    except InputError:
        return False
