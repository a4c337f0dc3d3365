"""Whom to pay: what somebody says of an account at a bank, held to the rules of the country where the bank is."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable

from licet.errors import InputError
from licet.terms.countries import COUNTRIES
from licet.wire.settlement import LocalAccount, PayoutSet
from registry.settlement import clearing
from registry.settlement.references import has_ibans, iban, is_iban
from registry.settlement.sealing import Payee

_LONGEST_NAME = 140


def payee_of(data: PayoutSet) -> Payee:
    """Return whom ``data`` says to pay: by an IBAN, or by the account that the country of its bank has instead.

    Raises ``InputError`` that names the field, the first where several do not hold.
    """
    payee, faults = examined(data)
    if faults:
        raise faults[0]
    return payee


def examined(data: PayoutSet) -> tuple[Payee, list[InputError]]:
    """Return whom ``data`` says to pay, and what does not hold, each naming its field: with any, it is nobody."""
    faults: list[InputError] = []

    def held(take: Callable[[], str]) -> str:
        try:
            return take()
        except InputError as fault:
            faults.append(fault)
            return ""

    name, country = held(lambda: _name(data.name)), held(lambda: _country(data.country, "country"))
    if data.account is not None and data.iban is None:
        return _local(name, country, data.account, held), faults
    number = held(lambda: _alone(data))
    bic = held(lambda: clearing.bic(data.bic or "", number[:2], "bic")) if data.bic and number else ""
    return Payee(name, country, number[:2], iban=number, bic=bic), faults


def _local(name: str, country: str, account: LocalAccount, held: Callable[[Callable[[], str]], str]) -> Payee:
    bank = held(lambda: _without_ibans(account.country))
    if not bank:  # no other rule is known
        return Payee(name, country, bank)
    number = held(lambda: _number(account.number, bank))
    bic = held(lambda: _bic(account.bic, bank))
    member = held(lambda: _member(account.clearing, bank))
    return Payee(name, country, bank, account=number, bic=bic, clearing=member)


def _name(text: str) -> str:
    name = unicodedata.normalize("NFC", " ".join(text.split()))
    if not 0 < len(name) <= _LONGEST_NAME or not name.isprintable():
        raise InputError.field("name", "1 to 140 characters without control characters", text)
    return name


def _country(code: str, field: str) -> str:
    if code not in COUNTRIES:
        raise InputError.field(field, "an ISO 3166 code such as CN", code)
    return code


def _alone(data: PayoutSet) -> str:
    if data.iban is None or data.account is not None:
        raise InputError.field("iban", "an IBAN, or `account` for a bank in a country without IBANs", data.iban)
    return iban(data.iban)


def _without_ibans(code: str) -> str:
    bank = _country(code, "account.country")
    if has_ibans(bank):
        raise InputError.field("iban", f"an IBAN, which all accounts in {bank} have", None)
    return bank


def _number(text: str, bank: str) -> str:
    number = clearing.number(text, bank, "account.number")
    if is_iban(number):
        raise InputError.field("account.number", f"an account number of a bank in {bank}; an IBAN is `iban`", None)
    return number


def _bic(text: str | None, bank: str) -> str:
    """Return the BIC; where no clearing code finds the bank alone, there has to be one."""
    system = clearing.SYSTEMS.get(bank)
    if not text and not (system is not None and system.alone):
        raise InputError.field("account.bic", f"the BIC of the bank in {bank}", text)
    return clearing.bic(text, bank, "account.bic") if text else ""


def _member(text: str | None, bank: str) -> str:
    """Return the clearing code; where it finds the bank alone, there has to be one."""
    system = clearing.SYSTEMS.get(bank)
    if not text and system is not None and system.alone:
        raise InputError.field("account.clearing", system.expected, text)
    return clearing.member(text, bank, "account.clearing") if text else ""
