"""What a person wrote on the command line, as terms, requests and budgets."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from licet.errors import InputError

if TYPE_CHECKING:
    from licet.terms import Terms


def terms_from(
    preset: str | None,
    price: str | None,
    currency: str | None,
    price_model: str | None,
    file: Path | None,
) -> Terms:
    """Return the terms that these options name: a file's, or a preset's (default ``no-ai``, the strictest).

    Raises ``InputError`` that names the option which is missing, superfluous or wrong.
    """
    from licet.terms import Terms, read_price
    from licet.terms import preset as named

    priced = {"--price": price, "--currency": currency, "--price-model": price_model}
    given = [option for option, value in priced.items() if value is not None]
    if file is not None:
        if preset is not None or given:
            raise InputError.field("--terms", "a file alone, without --preset or a price", ", ".join(given) or preset)
        return Terms.from_toml(file)
    if (preset or "no-ai") != "paid":
        if given:
            raise InputError.field(given[0], "--preset paid beside it", preset or "no-ai")
        return named(preset or "no-ai")
    for option in ("--price", "--currency"):
        if priced[option] is None:
            raise InputError.field(option, "a value, because --preset paid has a price", None)
    return named(
        "paid", read_price({"model": price_model or "per-training-run", "amount": price, "currency": currency})
    )
