"""Terms as people name them: a preset with a price, or a file of their own."""

from __future__ import annotations

from pathlib import Path

import msgspec

from licet.errors import InputError
from licet.misfits import misfit
from licet.terms import ATOMS, Terms, read_price
from licet.terms import preset as named
from licet.terms.prices import NEEDS, UNPAID

MAX_FILE = 1 << 20
_ASKED = {"price.amount": "price", "price.currency": "currency", "price.model": "price_model"}


def chosen_terms(
    preset: str | None,
    price: str | None,
    currency: str | None,
    price_model: str | None,
    file: Path | None,
    *,
    option: str = "{}",
) -> Terms:
    """Return the terms that are named: a file's, or a preset's (default ``no-ai``, the strictest).

    ``option`` is how a field is called where it was written. Raises ``InputError`` that names the field which is
    missing, superfluous or wrong.
    """
    fields = {"price": price, "currency": currency, "price_model": price_model}
    priced = {_option(option, name): value for name, value in fields.items()}
    given = [name for name, value in priced.items() if value is not None]
    if file is not None:
        if preset is not None or given:
            got = ", ".join(given) or preset
            raise InputError.field(option.format("terms"), "a file alone, without a preset or a price", got)
        return terms_in(file)
    if (preset or "no-ai") != "paid":
        if given:
            paid, got = option.format("preset"), preset or "no preset"
            raise InputError(f"{given[0]}: expected {paid} paid beside it, got {got}", field=given[0])
        try:
            return named(preset or "no-ai")
        except InputError as error:
            expected = str(error.details.get("expected", "no-ai, research or paid"))
            raise InputError.field(option.format("preset"), expected, preset) from None
    model = price_model or "per-training-run"
    if model in UNPAID:
        name = _option(option, "price_model")
        raise InputError.field(name, "a price model that pays, because the preset is paid", model)
    for name, figure in ((option.format("price"), "amount"), (option.format("currency"), "currency")):
        if priced[name] is None and figure in NEEDS.get(model, ()):
            paid = f"{option.format('preset')} paid"
            raise InputError(f"{name}: expected a value, because {paid} has a price, got none", field=name)
    try:
        stated = read_price({"model": model, "amount": price, "currency": currency})
    except InputError as error:
        field = str(error.details.get("field"))
        if field not in _ASKED:  # what belongs to no field alone
            raise
        name = _option(option, _ASKED[field])
        raise InputError(f"{name}{error.message.removeprefix(field)}", **{**error.details, "field": name}) from None
    return named("paid", stated)


def _option(option: str, field: str) -> str:
    """Return how ``field`` is called where it was written: with hyphens where ``option`` has them."""
    return option.format(field.replace("_", "-") if "-" in option else field)


def terms_in(file: Path) -> Terms:
    """Return the terms in a TOML file, or in a JSON file as an export writes it; ``InputError`` names the file."""
    try:
        if file.suffix.lower() == ".json":
            return Terms.parse(_json(file))
        return Terms.from_toml(file)
    except InputError as error:
        if error.details.get("field") in ATOMS and error.details.get("got") == repr("nothing"):
            what = "expected a rule for each of the ten uses, or a preset to start from; there is none for"
            raise InputError(f"{file}: {what} {error.details['field']}", **error.details) from None
        if error.message.startswith(str(file)):
            raise
        raise InputError(f"{file}: {error.message}", **error.details) from None


def _json(file: Path) -> dict[str, object]:
    try:
        data = file.read_bytes() if file.stat().st_size <= MAX_FILE else b""
        return msgspec.json.decode(data, type=dict[str, object])
    except OSError as error:
        raise InputError(f"{file}: cannot be read: {error.strerror or error}", field="terms") from None
    except msgspec.MsgspecError as error:
        raise InputError(f"{file}: {misfit(error)}", field="terms") from None
