"""Money: integer micro-units of an ISO 4217 currency inside, a decimal string outside, never a float."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final, NamedTuple

from licet.errors import InputError

MICRO: Final = 1_000_000
LARGEST: Final = 2**53 - 1  # micro-units: what a canonical JSON integer may hold

# ISO 4217 active codes (list one, 2026-01); metals, testing and "no currency" codes are left out on purpose.
CURRENCIES: Final = frozenset(
    """AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CLP
    CNY COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HTG HUF
    IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD
    MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB
    RWF SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD
    UYU UZS VED VES VND VUV WST XAF XCD XCG XOF XPF YER ZAR ZMW ZWG""".split()
)
#: Decimals of the amounts that banks move, where they are not two (ISO 4217).
_DECIMALS: Final = {
    **dict.fromkeys("BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF".split(), 0),
    **dict.fromkeys("BHD IQD JOD KWD LYD OMR TND".split(), 3),
}
_DECIMAL: Final = re.compile(r"(0|[1-9]\d{0,9})(?:\.(\d{1,6}))?", re.ASCII)
_EXACT: Final = re.compile(r"(-?)(\d{1,30})(?:\.(\d{1,6}))?", re.ASCII)  # also sums, which may be beyond LARGEST
_AMOUNT: Final = re.compile(r"\s*([0-9.]+)\s*([A-Za-z]{3})\s*", re.ASCII)


class Money(NamedTuple):
    """An amount of one currency; ``micro`` may be negative inside a ledger, never in terms."""

    currency: str
    micro: int

    def __str__(self) -> str:
        return written(self.micro, self.currency)


def currency(code: str, field: str = "currency") -> str:
    """Return ``code`` if it is an active ISO 4217 code in capitals; raises ``InputError`` otherwise."""
    if code not in CURRENCIES:
        raise InputError.field(field, "an ISO 4217 code such as USD, EUR or CNY", code)
    return code


def smallest(code: str) -> int:
    """Return the smallest amount of currency ``code`` that a bank moves, in micro-units: 10,000 for a cent."""
    return int(MICRO // 10 ** _DECIMALS.get(code, 2))


def to_micro(decimal: str, field: str = "amount") -> int:
    """Return the micro-units of a plain decimal string such as ``0.05`` (at most 6 decimals, not negative)."""
    match = _DECIMAL.fullmatch(decimal) if isinstance(decimal, str) else None
    if match is None:
        raise InputError.field(field, "a decimal such as 0.05 with at most 6 decimals", decimal)
    micro = int(match[1]) * MICRO + int((match[2] or "").ljust(6, "0"))
    if micro > LARGEST:
        raise InputError.field(field, f"at most {to_decimal(LARGEST)}", decimal)
    return micro


def to_decimal(micro: int) -> str:
    """Return the shortest decimal string of ``micro``: 50000 → ``0.05``, -1500000 → ``-1.5``."""
    sign = "-" if micro < 0 else ""
    whole, part = divmod(abs(micro), MICRO)
    return f"{sign}{whole}.{part:06d}".rstrip("0").rstrip(".") if part else f"{sign}{whole}"


def figure(amount: int | str, code: str) -> str:
    """Return an amount as people read it: exact, thousands apart, with at least the decimals of currency ``code``.

    An integer counts micro-units, a text is what ``to_decimal`` returns: ``1248.5`` → ``1,248.50`` of USD, ``1,500`` of
    JPY, ``0.000001`` of either. Raises ``InputError`` for another text.
    """
    match = _EXACT.fullmatch(to_decimal(amount) if isinstance(amount, int) else amount)
    if match is None:
        raise InputError.field("amount", "a decimal such as 0.05 with at most 6 decimals", amount)
    part = (match[3] or "").rstrip("0").ljust(_DECIMALS.get(code, 2), "0")
    return f"{'−' if match[1] else ''}{int(match[2]):,}" + (f".{part}" if part else "")


def written(amount: int | str, code: str) -> str:
    """Return an amount with its currency, as every line that people read has it: 900000 → ``0.90 USD``."""
    return f"{figure(amount, code)} {code}"


def parse(text: str, field: str = "amount") -> Money:
    """Return the money that a person wrote as ``100USD``, ``100 USD`` or ``0.05 eur``."""
    match = _AMOUNT.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        raise InputError.field(field, "an amount and a currency such as 100USD", text)
    return Money(currency(match[2].upper(), field), to_micro(match[1], field))


def share(total: int, weights: Sequence[int]) -> list[int]:
    """Return parts of ``total`` (≥ 0) in proportion to ``weights`` that sum to it exactly: largest remainder.

    Ties go to the earlier place. All weights zero: everything to the first. Raises ``InputError`` for no weights.
    """
    if not weights or min(weights) < 0 or total < 0:
        raise InputError.field("weights", "one or more non-negative integers and a non-negative total", weights)
    whole = sum(weights)
    if whole == 0:
        return [total, *[0] * (len(weights) - 1)]
    parts = [total * weight // whole for weight in weights]
    remainders = sorted(range(len(weights)), key=lambda place: (-(total * weights[place] % whole), place))
    for place in remainders[: total - sum(parts)]:
        parts[place] += 1
    return parts
