"""Whom to pay: what somebody says of an account at a bank, held to the rules of the country where the bank is."""

from __future__ import annotations

import unicodedata

from licet.errors import InputError
from licet.terms.countries import COUNTRIES
from licet.wire.settlement import LocalAccount, PayoutSet
from registry.settlement import clearing
from registry.settlement.references import has_ibans, iban, is_iban
from registry.settlement.sealing import Payee

_LONGEST_NAME = 140


def payee_of(data: PayoutSet) -> Payee:
    """Return whom ``data`` says to pay: by an IBAN, or by the account that the country of its bank has instead.

    Raises ``InputError`` that names the field.
    """
    name = unicodedata.normalize("NFC", " ".join(data.name.split()))
    if not 0 < len(name) <= _LONGEST_NAME or not name.isprintable():
        raise InputError.field("name", "1 to 140 characters without control characters", data.name)
    _hold_country(data.country, "country")
    if (data.iban is None) == (data.account is None):
        raise InputError.field("iban", "an IBAN, or `account` for a bank in a country without IBANs", data.iban)
    if data.account is not None:
        return _local(name, data.country, data.account)
    assert data.iban is not None
    number = iban(data.iban)
    bic = clearing.bic(data.bic, number[:2], "bic") if data.bic else ""
    return Payee(name, data.country, number[:2], iban=number, bic=bic)


def _local(name: str, country: str, account: LocalAccount) -> Payee:
    bank = account.country
    _hold_country(bank, "account.country")
    if has_ibans(bank):
        raise InputError.field("iban", f"an IBAN, which all accounts in {bank} have", None)
    number = clearing.number(account.number, bank, "account.number")
    if is_iban(number):
        raise InputError.field("account.number", f"an account number of a bank in {bank}; an IBAN is `iban`", None)
    system = clearing.SYSTEMS.get(bank)
    bic = clearing.bic(account.bic, bank, "account.bic") if account.bic else ""
    member = clearing.member(account.clearing, bank, "account.clearing") if account.clearing else ""
    alone = system is not None and system.alone
    if alone and not member:
        assert system is not None
        raise InputError.field("account.clearing", system.expected, account.clearing)
    if not alone and not bic:
        raise InputError.field("account.bic", f"the BIC of the bank in {bank}", account.bic)
    return Payee(name, country, bank, account=number, bic=bic, clearing=member)


def _hold_country(code: str, field: str) -> None:
    if code not in COUNTRIES:
        raise InputError.field(field, "an ISO 3166 code such as CN", code)
