"""What a licence costs: nine models, each with the figures it needs and no others.

============================  =========================  ==========================================
model                         needs                      may have
============================  =========================  ==========================================
``free``, ``negotiate``
``attribution``               (the rule's attribution)
``per-work``                  amount, currency           unit ``work``
``per-training-run``          amount, currency           unit ``run``
``per-output``                amount, currency           unit ``output``, minimum, cap, period
``subscription``              amount, currency, period   unit ``period``
``pool``                      currency                   share_bps, minimum, cap, period
``revenue-share``             share_bps                  currency, minimum, cap (with currency), period
============================  =========================  ==========================================

``amount`` is gross, per distinct work and unit, never per row or copy. The unit follows from the model: it may be
written, and is left out of the canonical form.
"""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal, Self, get_args

from pydantic import BeforeValidator, Field, WithJsonSchema, model_validator

from licet import money
from licet.terms import durations
from licet.terms.reading import Duration, Written, read_amount, read_currency, wrong

PriceModel = Literal[
    "free",
    "attribution",
    "per-work",
    "per-training-run",
    "per-output",
    "subscription",
    "pool",
    "revenue-share",
    "negotiate",
]
DECIMAL: Final = r"^(0|[1-9][0-9]{0,9})(\.[0-9]{0,5}[1-9])?$"  # the shortest spelling alone
PRICE_MODELS: Final[tuple[str, ...]] = get_args(PriceModel)
UNPAID: Final = frozenset({"free", "attribution"})
NEEDS_AGREEMENT: Final = frozenset({"negotiate", "subscription", "pool", "revenue-share"})
UNITS: Final = {
    "free": "work",
    "attribution": "work",
    "per-work": "work",
    "per-training-run": "run",
    "per-output": "output",
    "subscription": "period",
}

_FIGURES: Final = ("amount", "currency", "share_bps", "minimum", "cap", "period")
NEEDS: Final[dict[str, tuple[str, ...]]] = {
    "per-work": ("amount", "currency"),
    "per-training-run": ("amount", "currency"),
    "per-output": ("amount", "currency"),
    "subscription": ("amount", "currency", "period"),
    "pool": ("currency",),
    "revenue-share": ("share_bps",),
}
MAY: Final[dict[str, tuple[str, ...]]] = {
    "per-output": ("minimum", "cap", "period"),
    "pool": ("share_bps", "minimum", "cap", "period"),
    "revenue-share": ("currency", "minimum", "cap", "period"),
}

Amount = Annotated[str, BeforeValidator(read_amount), WithJsonSchema({"type": "string", "pattern": DECIMAL})]
Currency = Annotated[str, BeforeValidator(read_currency), WithJsonSchema({"enum": sorted(money.CURRENCIES)})]


class Price(Written):
    """What is owed for one work. Amounts are shortest decimals; `micro` is what the ledger counts."""

    model: PriceModel
    amount: Amount | None = None
    currency: Currency | None = None
    unit: Literal["work", "run", "output", "period"] | None = None
    share_bps: Annotated[int, Field(ge=1, le=10_000)] | None = None
    minimum: Amount | None = None
    cap: Amount | None = None
    period: Duration | None = None

    @model_validator(mode="after")
    def _fits_model(self) -> Self:
        needs, may = NEEDS.get(self.model, ()), MAY.get(self.model, ())
        for name in _FIGURES:
            value = getattr(self, name)
            if value is None and name in needs:
                raise wrong(f"a value, because the price model is {self.model}", name, "nothing")
            if value is not None and name not in needs and name not in may:
                raise wrong(f"nothing, because the price model is {self.model}", name, value)
        if self.unit is not None and self.unit != UNITS.get(self.model):
            raise wrong(
                f"{UNITS.get(self.model, 'nothing')}, because the price model is {self.model}", "unit", self.unit
            )
        if (self.minimum or self.cap) and self.currency is None:
            raise wrong("a value, because there is a minimum or a cap", "currency", "nothing")
        if self.minimum and self.cap and money.to_micro(self.minimum) > money.to_micro(self.cap):
            raise wrong("at least the minimum", "cap", self.cap)
        self.__dict__["unit"] = None  # what follows from the model has one spelling: none
        return self

    @property
    def micro(self) -> int:
        """Micro-units of ``currency`` for one unit; 0 where the model has no fixed amount."""
        return money.to_micro(self.amount) if self.amount else 0

    @property
    def per(self) -> str:
        """What one ``amount`` pays for: ``work``, ``run``, ``output``, ``period``, or ``agreement``."""
        return UNITS.get(self.model, "agreement")

    @property
    def needs_agreement(self) -> bool:
        """Whether accepting cannot fix what is owed (semantics 22): by its model, or by a minimum or cap over a period,
        which no single licence line can hold."""
        return self.model in NEEDS_AGREEMENT or any((self.minimum, self.cap, self.period))


FREE: Final = Price(model="free")
NEGOTIATE: Final = Price(model="negotiate")


def at_least(new: Price, old: Price) -> bool:
    """Whether ``new`` is the same kind of price and no lower than ``old`` in any figure (semantics 10).

    A price that needs the artist's answer is of another kind than one that anybody can accept: a cap that goes makes
    the latter of the former.
    """
    if (new.model, new.currency, new.period) != (old.model, old.currency, old.period):
        return False
    if old.needs_agreement and not new.needs_agreement:
        return False
    return (
        new.micro >= old.micro
        and (new.share_bps or 0) >= (old.share_bps or 0)
        and _micro(new.minimum, 0) >= _micro(old.minimum, 0)
        and _micro(new.cap, money.LARGEST) >= _micro(old.cap, money.LARGEST)
    )


def dearer(first: Price, second: Price) -> Price:
    """Return the least price that is no lower than either: ``negotiate`` where they are of different kinds.

    Free is below everything, credit alone is next, ``negotiate`` is above everything. Commutative, associative,
    idempotent.
    """
    if _rank(first) != _rank(second):
        return max(first, second, key=_rank)
    if (first.model, first.currency, first.period) != (second.model, second.currency, second.period):
        return NEGOTIATE
    if first.model not in NEEDS_AGREEMENT and bool(first.cap) != bool(second.cap):
        return NEGOTIATE  # one needs the artist's answer, and without a cap there is nothing of its that says so
    figures: dict[str, Any] = {
        "amount": _higher(first.amount, second.amount),
        "share_bps": max(filter(None, (first.share_bps, second.share_bps)), default=None),
        "minimum": _higher(first.minimum, second.minimum),
        "cap": _higher(first.cap, second.cap) if first.cap and second.cap else None,
    }
    return first.model_copy(update=figures)


def _rank(price: Price) -> int:
    return {"free": 0, "attribution": 1, "negotiate": 3}.get(price.model, 2)


def _higher(first: str | None, second: str | None) -> str | None:
    return max(filter(None, (first, second)), key=money.to_micro, default=None)


def _micro(decimal: str | None, default: int) -> int:
    return default if decimal is None else money.to_micro(decimal)


def shorter(first: str | None, second: str | None) -> str | None:
    """Return the shorter of two durations, on average where months and days do not compare; none is endless."""
    found = [text for text in (first, second) if text is not None]
    return min(found, key=lambda text: durations.parse(text).measure, default=None)
