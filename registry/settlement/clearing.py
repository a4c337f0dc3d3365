"""Accounts of countries without IBANs: how they are numbered, and what national clearing calls a bank.

Codes and forms are ISO 20022's external clearing systems (2026-01). Where a code carries check digits that are
published, they are checked; a BIC (ISO 9362) carries none.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final, NamedTuple

from licet.errors import InputError
from licet.terms.countries import COUNTRIES

_BIC: Final = re.compile(r"[A-Z0-9]{4}([A-Z]{2})[A-Z0-9]{2}(?:[A-Z0-9]{3})?", re.ASCII)
_NUMBER: Final = re.compile(r"[A-Z0-9]{6,34}", re.ASCII)
_SPACE: Final = re.compile(r"[\s-]+", re.ASCII)


class Clearing(NamedTuple):
    """A national clearing system: ``code`` is what ISO 20022 calls it, ``alone`` whether its codes do without a BIC."""

    code: str
    form: str
    expected: str
    alone: bool = False
    holds: Callable[[str], bool] = lambda _: True


def _aba(number: str) -> bool:
    weights = (3, 7, 1) * 3
    return sum(weight * int(digit) for weight, digit in zip(weights, number, strict=True)) % 10 == 0


#: By the country of the bank.
SYSTEMS: Final = {
    "AU": Clearing("AUBSB", r"[0-9]{6}", "a BSB of 6 digits"),
    "CA": Clearing("CACPA", r"0[0-9]{8}", "a routing number of 9 digits that begins with 0"),
    "CN": Clearing("CNAPS", r"[0-9]{12}", "a CNAPS code of 12 digits"),
    "HK": Clearing("HKNCC", r"[0-9]{3}", "a bank code of 3 digits"),
    "IN": Clearing("INFSC", r"[A-Z]{4}0[A-Z0-9]{6}", "an IFSC such as HDFC0000001"),
    "JP": Clearing("JPZGN", r"[0-9]{7}", "a Zengin code of 7 digits: bank and branch"),
    "KR": Clearing("KRBOK", r"[0-9]{3}", "a bank code of 3 digits"),
    "NZ": Clearing("NZNCC", r"[0-9]{6}", "a bank and branch number of 6 digits"),
    "SG": Clearing("SGIBG", r"[0-9]{7}", "a bank and branch code of 7 digits"),
    "TH": Clearing("THCBC", r"[0-9]{3}", "a bank code of 3 digits"),
    "TW": Clearing("TWNCC", r"[0-9]{7}", "a bank and branch code of 7 digits"),
    "US": Clearing(
        "USABA", r"[0-9]{9}", "an ABA routing number of 9 digits whose check digit holds", alone=True, holds=_aba
    ),
    "ZA": Clearing("ZANCC", r"[0-9]{6}", "a branch code of 6 digits"),
}
#: Whose banks have the IBANs of another country, by that country (ISO 13616's registry).
_TERRITORIES: Final = {
    "FI": {"AX"},
    "FR": {"BL", "GF", "GP", "MF", "MQ", "NC", "PF", "PM", "RE", "TF", "WF", "YT"},
    "GB": {"GG", "IM", "JE"},
}
#: Accounts of countries where not every number of 6 to 34 letters and digits can be one.
_NUMBERS: Final = {
    "CN": (re.compile(r"[0-9]{8,32}", re.ASCII), "an account number of 8 to 32 digits"),
    "JP": (re.compile(r"[0-9]{7}", re.ASCII), "an account number of 7 digits"),
    "US": (re.compile(r"[0-9]{6,17}", re.ASCII), "an account number of 6 to 17 digits"),
}


def plain(text: str) -> str:
    """Return what a person wrote in groups as banks exchange it: capitals, without spaces and hyphens."""
    return _SPACE.sub("", text).upper()


def number(text: str, country: str, field: str) -> str:
    """Return the account number that ``text`` writes, of a bank in ``country``; raises ``InputError``."""
    form, expected = _NUMBERS.get(country, (_NUMBER, "an account number of 6 to 34 letters and digits"))
    if not form.fullmatch(plain(text)):
        raise InputError.field(field, expected, text)
    return plain(text)


def bic(text: str, country: str, field: str) -> str:
    """Return the BIC that ``text`` writes, of a bank in ``country``; raises ``InputError``."""
    match = _BIC.fullmatch(plain(text))
    if match is None or match[1] not in COUNTRIES | {"XK"}:
        raise InputError.field(field, "a BIC such as BKCHCNBJ", text)
    if match[1] not in {country, *_TERRITORIES.get(country, ())}:
        raise InputError.field(field, f"a BIC of a bank in {country}, with these letters in the fifth place", text)
    return plain(text)


def member(text: str, country: str, field: str) -> str:
    """Return the clearing code that ``text`` writes, of a bank in ``country``; raises ``InputError``."""
    system = SYSTEMS.get(country)
    if system is None:
        raise InputError.field(field, f"nothing, as no clearing codes of {country} are known", text)
    if not re.fullmatch(system.form, plain(text), re.ASCII) or not system.holds(plain(text)):
        raise InputError.field(field, system.expected, text)
    return plain(text)
