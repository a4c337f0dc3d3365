"""One rule per use: a permission and, for ``license``, the conditions of the standing offer.

An absent condition restricts nothing. ``open_weights``, ``sublicensable`` and ``exclusive`` each say one thing:

- ``open_weights = false``: the weights of the model must stay closed; ``true`` says that they may be published.
- ``sublicensable = false``: the licence must not be passed on; ``true`` says that it may.
- ``exclusive = false``: nobody gets it alone; ``exclusive = true``: it is offered to one licensee alone.
"""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal, Self

from pydantic import BeforeValidator, Field, WithJsonSchema, model_validator

from licet.terms import countries
from licet.terms.atoms import AUDIENCES, TRADES, ModelScope, RevocationEffect
from licet.terms.prices import FREE, Price
from licet.terms.reading import (
    MAX_LINE,
    Duration,
    Written,
    read_address,
    read_audience,
    read_codes,
    read_line,
    read_moment,
    set_schema,
    wrong,
)

Permission = Literal["deny", "license", "allow"]

_Line = Annotated[
    str, BeforeValidator(read_line), WithJsonSchema({"type": "string", "minLength": 1, "maxLength": MAX_LINE})
]
_Codes = Annotated[tuple[str, ...], BeforeValidator(read_codes), WithJsonSchema(set_schema(countries.CODES))]
_Audience = Annotated[tuple[str, ...], BeforeValidator(read_audience), WithJsonSchema(set_schema(AUDIENCES))]
_Moment = Annotated[str, BeforeValidator(read_moment), WithJsonSchema({"type": "string", "format": "date-time"})]
_Address = Annotated[str, BeforeValidator(read_address), WithJsonSchema({"type": "string", "format": "uri"})]


class Territory(Written):
    """Countries in which the use is offered; ``deny`` is taken out of ``allow`` (of the whole world, without one)."""

    allow: _Codes | None = None
    deny: _Codes | None = None

    @model_validator(mode="after")
    def _leaves_a_country(self) -> Self:
        if self.allow is None and self.deny is None:
            raise wrong("countries under allow or deny")
        if not self.countries:
            raise wrong("at least one country that is not denied too", "allow", self.allow)
        return self

    @property
    def countries(self) -> frozenset[str]:
        """The countries in which the use is offered, ``EU`` expanded."""
        allowed = countries.COUNTRIES if self.allow is None else countries.expand(self.allow)
        return allowed - countries.expand(self.deny or ())

    def covers(self, requested: tuple[str, ...]) -> bool:
        """Whether all of ``requested`` is offered; ``EU`` asks for every member state."""
        return countries.expand(requested) <= self.countries


class Attribution(Written):
    """The credit that a licensee must give: these words, with this address, in this place."""

    text: _Line
    url: _Address | None = None
    place: _Line | None = None


class Reporting(Written):
    """How often a licensee must report, as a duration such as ``P3M``."""

    every: Duration


class Revocation(Written):
    """What a later revocation obliges a licensee to, and after how many days."""

    notice_days: Annotated[int, Field(ge=0, le=3650)]
    effect: RevocationEffect = "stop-new-runs"


class Rule(Written):
    """What is permitted for one use, and on which conditions. ``allow`` and ``deny`` carry none."""

    permission: Permission
    price: Price | None = None
    audience: _Audience | None = None
    territory: Territory | None = None
    valid_from: _Moment | None = None
    valid_until: _Moment | None = None
    grant_term: Duration | None = None
    model_scope: ModelScope | None = None
    open_weights: bool | None = None
    exclusive: bool | None = None
    sublicensable: bool | None = None
    attribution: Attribution | None = None
    reporting: Reporting | None = None
    revocation: Revocation | None = None

    @model_validator(mode="before")
    @classmethod
    def _short_form(cls, value: Any) -> Any:
        return {"permission": value} if isinstance(value, str) else value

    @model_validator(mode="after")
    def _holds_together(self) -> Self:
        if self.permission != "license":
            for name in CONDITIONS:
                if getattr(self, name) is not None:
                    raise wrong(f"no conditions with {self.permission} (use license)", name, getattr(self, name))
            return self
        if self.price is None:
            self.__dict__["price"] = FREE
        if self.price is not None and self.price.model == "attribution" and self.attribution is None:
            raise wrong("the credit to give, because the price model is attribution", "attribution", "nothing")
        if self.audience and not TRADES & set(self.audience):
            raise wrong(
                "commercial or non-commercial among them, because every request is one of the two",
                "audience",
                self.audience,
            )
        if self.valid_from and self.valid_until and self.valid_from >= self.valid_until:
            raise wrong("a time after valid_from", "valid_until", self.valid_until)
        return self

    @property
    def offer(self) -> Price:
        """The price; free for a rule without one."""
        return self.price or FREE


CONDITIONS: Final = tuple(name for name in Rule.model_fields if name != "permission")
DENY: Final = Rule(permission="deny")
ALLOW: Final = Rule(permission="allow")
