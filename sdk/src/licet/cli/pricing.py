"""Prices at the command line: options into a price, and a price into words."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from licet import money
from licet.errors import InputError

if TYPE_CHECKING:
    from licet.terms import Price

AMOUNT = Annotated[str | None, Parameter(name="--price", help="The amount, such as 0.05.")]
MODEL = Annotated[str | None, Parameter(help="per-work (default), per-training-run, subscription, pool, …")]
CURRENCY = Annotated[str | None, Parameter(help="Its currency, such as USD.")]
SHARE = Annotated[str | None, Parameter(help="Of net revenue, such as 30%.")]
LEAST = Annotated[str | None, Parameter(help="The least that is owed.")]
MOST = Annotated[str | None, Parameter(help="The most that is owed.")]
PERIOD = Annotated[str | None, Parameter(help="Of a subscription, a least or a most: P1M, P3M, P1Y.")]

_EACH = {
    "per-work": "a work",
    "per-training-run": "a work and run",
    "per-output": "a work and output",
    "subscription": "a work and period",
}


def price_from(
    model: str | None,
    amount: str | None,
    currency: str | None,
    share: str | None,
    minimum: str | None,
    cap: str | None,
    period: str | None,
) -> Price | None:
    """Return the price that these options write, None where all are left out; raises ``InputError`` naming one.

    A price without a model is for each work, once.
    """
    from licet.terms import read_price

    figures = {
        "amount": amount,
        "currency": None if currency is None else currency.upper(),
        "share_bps": None if share is None else share_bps(share),
        "minimum": minimum,
        "cap": cap,
        "period": period,
    }
    given = {name: value for name, value in figures.items() if value is not None}
    if not given and model is None:
        return None
    try:
        return read_price({"model": model or ("revenue-share" if share else "per-work"), **given})
    except InputError as error:
        field = str(error.details.get("field", "")).removeprefix("price.")
        option = {"amount": "--price", "share_bps": "--share", "model": "--price-model"}.get(field, f"--{field}")
        got = given.get(field, model if field == "model" else "nothing")
        raise InputError.field(option, str(error.details.get("expected")), got) from None


def share_bps(text: str, option: str = "--share") -> int:
    """Return the basis points of ``30%`` or ``12.5%``; raises ``InputError`` naming ``option``."""
    try:
        bps = Decimal(text.removesuffix("%")) * 100 if text.endswith("%") else None
    except InvalidOperation:
        bps = None
    if bps is None or not bps.is_finite() or bps != int(bps) or not 1 <= bps <= 10_000:
        raise InputError.field(option, "a share such as 30%, in steps of 0.01%", text)
    return int(bps)


def price_words(price: Mapping[str, str | int]) -> str:
    """Return ``price``, as terms write it, in words: ``2.00 USD a work``, ``30% of net revenue, at least 5.00 EUR``."""
    model, currency = str(price.get("model")), str(price.get("currency", ""))
    bounds = ", ".join(
        f"{word} {money.written(str(price[name]), currency)}"
        for name, word in (("minimum", "at least"), ("cap", "at most"))
        if name in price
    )
    share = f"{int(price['share_bps']) / 100:g}% of net revenue" if "share_bps" in price else ""
    if model in _EACH:
        said = f"{money.written(str(price.get('amount', '0')), currency)} {_EACH[model]}"
    elif model == "pool":
        said = f"part of a pool in {currency}" + (f", {share}" if share else "")
    elif model == "revenue-share":
        said = share + (f" in {currency}" if currency else "")
    else:
        said = model
    every = f", every {price['period']}" if "period" in price else ""
    return said + (f", {bounds}" if bounds else "") + every


def least_owed(price: Mapping[str, str | int], works: int) -> tuple[int, str, str] | None:
    """Return the micro-units that ``works`` at ``price`` are charged at the least, the currency, and for each what.

    None for a price that promises no least. What is divided has one least; of anything else each work has its own.
    """
    from licet import money

    promised = ("minimum", "amount") if price["model"] == "subscription" else ("minimum",)
    least = max(money.to_micro(str(price.get(name, "0"))) for name in promised)
    if not least:
        return None
    divided = price["model"] in ("pool", "revenue-share")
    every = f"period of {price['period']}" if "period" in price else "month"
    return least if divided else least * works, str(price["currency"]), every
