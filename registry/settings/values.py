"""Values as variables write them: rates, durations, amounts, names, networks."""

from __future__ import annotations

import re
from datetime import timedelta
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Annotated, Final, NamedTuple

from pydantic import BeforeValidator
from pydantic_settings import NoDecode

from licet import money
from licet.errors import InputError

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_RATE: Final = re.compile(r"([0-9]{1,15})/([0-9]{1,4})([smhd])", re.ASCII)
_RATE_SECONDS: Final = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}


class Rate(NamedTuple):
    """At most ``most`` in ``seconds``, written ``6000/1m``; ``most`` 0 means no limit, written ``off``."""

    most: int
    seconds: int

    def __str__(self) -> str:
        if not self.most:
            return "off"
        unit, size = next((unit, size) for unit, size in reversed(_RATE_SECONDS.items()) if self.seconds % size == 0)
        return f"{self.most}/{self.seconds // size}{unit}"


OFF: Final = Rate(0, 60)


def rate_of(value: object) -> Rate:
    """Return the rate that ``value`` writes; raises ``ValueError`` that says what was expected."""
    if isinstance(value, Rate):
        return value
    if value == "off":
        return OFF
    match = _RATE.fullmatch(value) if isinstance(value, str) else None
    if match is None or not int(match[1]) or not int(match[2]):
        raise ValueError("expected a rate such as 6000/1m, or off")
    return Rate(int(match[1]), int(match[2]) * _RATE_SECONDS[match[3]])


def _duration(value: object) -> object:
    if isinstance(value, timedelta):
        return value
    match = re.fullmatch(r"([0-9]{1,6})([smhd])", value) if isinstance(value, str) else None
    if match is None:
        raise ValueError("expected a duration such as 30s, 15m, 24h or 90d")
    return timedelta(**{_UNITS[match[2]]: int(match[1])})


Duration = Annotated[timedelta, BeforeValidator(_duration)]


Rated = Annotated[Rate, BeforeValidator(rate_of), NoDecode]


def _networks(value: object) -> object:
    if not isinstance(value, str):
        return value
    return tuple(ip_network(part.strip()) for part in value.split(",") if part.strip())


#: About ten US dollars of late 2026, in round numbers: what a bank takes for moving it is a small part of it.
PAYOUT_MINIMUM: Final = (
    "10USD,10EUR,70CNY,10GBP,10CHF,80HKD,300TWD,1500JPY,15000KRW,15SGD,15AUD,15CAD,15NZD,100SEK,100NOK,70DKK,40PLN,"
    "250CZK,3500HUF,45RON,40ILS,40AED,40SAR,400TRY,900INR,3000PKR,1200BDT,350THB,45MYR,150000IDR,600PHP,250000VND,"
    "200MXN,60BRL,10000ARS,10000CLP,40000COP,40PEN,200ZAR,15000NGN,1300KES,500EGP,400UAH,900RUB,5000KZT"
)


def _amounts(value: object) -> object:
    if not isinstance(value, str):
        return value
    try:
        found = {each.currency: each for each in (money.parse(part) for part in value.split(",") if part.strip())}
    except InputError:
        raise ValueError("expected amounts such as 10USD,10EUR") from None
    return tuple(found.values())


Amounts = Annotated[tuple[money.Money, ...], BeforeValidator(_amounts), NoDecode]


def _names(value: object) -> object:
    if not isinstance(value, str):
        return value
    return tuple("".join(part.split()).upper() for part in value.split(",") if part.strip())


Names = Annotated[tuple[str, ...], BeforeValidator(_names), NoDecode]


Networks = Annotated[tuple[IPv4Network | IPv6Network, ...], BeforeValidator(_networks), NoDecode]
