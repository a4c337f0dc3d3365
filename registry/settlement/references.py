"""What a payer writes so that a payment finds its invoice: structured creditor references (ISO 11649), and IBANs.

Both carry check digits after ISO 7064 (MOD 97-10): a slip of the pen is no other invoice and no other account.
"""

from __future__ import annotations

import re
from typing import Final

from licet.errors import InputError

_REFERENCE: Final = re.compile(r"RF[0-9]{2}[A-Z0-9]{1,21}", re.ASCII)
# In a text: those that `reference` makes, however they are spaced.
_WRITTEN: Final = re.compile(r"(?<![A-Z0-9])R\s?F(?:\s?[0-9]){2}\s?L(?:\s?[0-9]){9}(?![0-9])", re.ASCII)
_IBAN: Final = re.compile(r"[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}", re.ASCII)
_SPACE: Final = re.compile(r"[\s-]+", re.ASCII)
#: Lengths of the IBANs of countries, from the registry of IBAN formats (SWIFT, release 99).
_LENGTHS: Final = {
    country: length
    for length, countries in {
        15: "NO",
        16: "BE",
        18: "DK FI FK FO GL NL SD",
        19: "MK SI",
        20: "AT BA EE KZ LT LU MN XK",
        21: "CH HR LI LV",
        22: "BG BH CR DE GB GE IE ME RS VA",
        23: "AE GI IL IQ OM SO TL",
        24: "AD CZ ES MD PK RO SA SE SK TN VG",
        25: "LY PT ST",
        26: "IS TR",
        27: "BI DJ FR GR IT MC MR SM",
        28: "AL AZ BY CY DO GT HN HU LB NI PL SV",
        29: "BR EG PS QA UA",
        30: "JO KW MU YE",
        31: "MT SC",
        32: "LC",
        33: "RU",
    }.items()
    for country in countries.split()
}


def reference(number: int) -> str:
    """Return the creditor reference of invoice ``number``."""
    body = f"L{number:09d}"
    return f"RF{98 - _mod97(body + 'RF00'):02d}{body}"


def is_reference(text: str) -> bool:
    """Return whether ``text`` is a creditor reference whose check digits hold."""
    return bool(_REFERENCE.fullmatch(text)) and _mod97(text[4:] + text[:4]) == 1


def references_in(text: str) -> list[str]:
    """Return the references of invoices in what a payer wrote, in order, each once; those that do not hold are none."""
    found = [_SPACE.sub("", match[0]) for match in _WRITTEN.finditer(text.upper())]
    return [each for each in dict.fromkeys(found) if is_reference(each)]


def has_ibans(country: str) -> bool:
    """Return whether banks in ``country`` number their accounts by IBANs."""
    return country in _LENGTHS


def is_iban(text: str) -> bool:
    """Return whether ``text`` is an IBAN that holds, in its electronic form."""
    try:
        return iban(text) == text
    except InputError:
        return False


def iban(text: str, field: str = "iban") -> str:
    """Return the IBAN that ``text`` writes, in its electronic form; raises ``InputError`` that names ``field``."""
    plain = _SPACE.sub("", text).upper() if isinstance(text, str) else ""
    if not _IBAN.fullmatch(plain):
        raise InputError.field(field, "an IBAN such as DE89 3704 0044 0532 0130 00", text)
    length = _LENGTHS.get(plain[:2])
    if length is None:
        raise InputError.field(field, "an IBAN of a country that has them", text)
    if len(plain) != length:
        raise InputError.field(field, f"an IBAN of {length} characters, as those of {plain[:2]} have", text)
    if _mod97(plain[4:] + plain[:4]) != 1:
        raise InputError.field(field, "an IBAN whose check digits hold", text)
    return plain


def _mod97(text: str) -> int:
    return int("".join(str(int(character, 36)) for character in text)) % 97
