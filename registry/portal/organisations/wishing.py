"""A licence that a team wishes for: the form as it was filled in, all that is wrong with it, and what it says."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Final, Literal, NamedTuple, cast

from msgspec.structs import replace

from licet import identifiers, times
from licet.errors import InputError
from licet.statements.kinds import LicenceRequest, Use
from licet.statements.kinds.agreements import wrong_names, wrong_text
from licet.terms import Price, read_price
from registry.licensing.offers import declared, request_of
from registry.portal.frame.forms import Form
from registry.portal.frame.places import places
from registry.portal.organisations.room import CURRENCIES

PRICES: Final = ("per-work", "per-training-run", "per-output")
SCOPES: Final = ("one-version", "family")
_WEIGHTS: Final = {"": None, "yes": True, "no": False}
#: A use with nothing wrong in it: what is wrong with one part of another is found by putting that part in.
_SOUND: Final = Use(
    atoms=["search"], purpose=["commercial"], territory=None, model="acme/lantern", version="1",
    model_scope="one-version", open_weights=None,
)  # fmt: skip


class Wish(NamedTuple):
    """The form as it was filled in."""

    works: str = ""
    model: str = ""
    use: tuple[str, ...] = ("train-gen",)
    purpose: tuple[str, ...] = ("commercial",)
    territory: str = ""
    scope: str = SCOPES[0]
    weights: str = ""
    price: str = ""  # what is paid for; empty: the artist names a price
    amount: str = ""
    currency: str = CURRENCIES[0]
    message: str = ""

    @property
    def names(self) -> list[str]:
        """The works, each once."""
        return list(dict.fromkeys(self.works.replace(",", " ").split()))


def read(form: Form) -> Wish:
    """Return what was filled in; whether it makes sense is for `faults` to say."""
    texts = {each: form.get(each).strip() for each in Wish._fields if each not in ("use", "purpose", "message")}
    return Wish(**texts, use=tuple(form.all("use")), purpose=tuple(form.all("purpose")), message=form.words("message"))


def again(asked: LicenceRequest) -> Wish:
    """Return the form that asks for the same once more, with the price that was proposed where it can say it."""
    price, use = asked.price or {}, asked.use
    same = price.get("model") in PRICES and price.get("currency") in CURRENCIES
    return Wish(
        works=" ".join(asked.works), model=f"{use.model}@{use.version}", use=tuple(use.atoms),
        purpose=tuple(use.purpose), territory=", ".join(use.territory or ()), scope=use.model_scope,
        weights=next(name for name, each in _WEIGHTS.items() if each is use.open_weights),
        price=str(price["model"]) if same else "", amount=str(price.get("amount", "")) if same else "",
        currency=str(price["currency"]) if same else CURRENCIES[0], message=asked.message,
    )  # fmt: skip


def faults(said: Wish, licensee: str) -> dict[str, str]:
    """Return every field with which something is wrong by itself, with what exactly, in English."""
    found = {}
    checks: dict[str, Callable[[], object]] = {
        "works": lambda: _works(said),
        "model": lambda: _sound(licensee, **_model(said)),
        "use": lambda: _sound(licensee, atoms=list(said.use)),
        "purpose": lambda: _sound(licensee, purpose=list(said.purpose)),
        "territory": lambda: _sound(licensee, territory=places(said.territory, "territory") or None),
        "scope": lambda: _one_of("scope", SCOPES, said.scope),
        "weights": lambda: _one_of("weights", _WEIGHTS, said.weights),
        "message": lambda: _raised("message", wrong_text(said.message, "message")),
    }
    if said.price and said.price not in PRICES:
        checks["price"] = lambda: _one_of("price", PRICES, said.price)
    elif said.price:
        checks["currency"] = lambda: _one_of("currency", CURRENCIES, said.currency)
        checks["amount"] = lambda: price_of(said._replace(currency=CURRENCIES[0]))
    for field, check in checks.items():
        try:
            check()
        except InputError as error:
            found[field] = error.message
    return found


def use_of(said: Wish, licensee: str) -> Use:
    """Return the use that ``said`` declares, in its one spelling; there are no `faults` in it."""
    model, version = _model(said).values()
    use = Use(
        model=model, version=version, atoms=list(said.use), purpose=list(said.purpose),
        territory=places(said.territory, "territory") or None,
        model_scope=cast("Literal['one-version', 'family']", said.scope), open_weights=_WEIGHTS[said.weights],
    )  # fmt: skip
    return declared(use, request_of(use, licensee, times.now()))


def price_of(said: Wish) -> Price | None:
    """Return the price that is proposed, None for none."""
    if not said.price:
        return None
    try:
        return read_price({"model": said.price, "amount": said.amount, "currency": said.currency})
    except InputError as error:
        raise InputError.field("amount", str(error.details.get("expected")), said.amount or "nothing") from None


def _works(said: Wish) -> None:
    for each in said.names:
        identifiers.to_uuid(each, "wrk", field="works")
    _raised("works", wrong_names(sorted(said.names)))


def _model(said: Wish) -> dict[str, str]:
    model, _, version = said.model.partition("@")
    return {"model": model, "version": version}


def _sound(licensee: str, **part: object) -> None:
    request_of(replace(_SOUND, **part), licensee, times.now())


def _one_of(field: str, known: Collection[str], value: str) -> None:
    if value not in known:
        raise InputError.field(field, " or ".join(each or "nothing" for each in known), value)


def _raised(field: str, wrong: str | None) -> None:
    if wrong is not None:
        raise InputError(wrong, field=field)
