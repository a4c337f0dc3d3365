"""A payment order for the bank (ISO 20022 pain.001.001.09), valid against the schema or not written."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Final, NamedTuple

from lxml import etree

from licet import money
from licet.terms.countries import EU_MEMBERS
from registry.settlement import documents
from registry.settlement.clearing import SYSTEMS
from registry.settlement.references import is_iban
from registry.settlement.sealing import Payee

MESSAGE: Final = "pain.001.001.09"
_NAMESPACE: Final = f"urn:iso:std:iso:20022:tech:xsd:{MESSAGE}"
_LONGEST_NAME: Final = 140
_LONGEST_PLAIN: Final = 70  # what SEPA's rules leave of it
#: Countries whose banks take part in SEPA's credit transfers, by the letters of their IBANs (EPC409-09).
_SEPA: Final = EU_MEMBERS | frozenset("AD AL CH GB GI IS LI MC MD ME MK NO RS SM VA".split())
_PLAIN: Final = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/-?:().,'+ ")


class Order(NamedTuple):
    """One payment: ``name`` is what the bank calls it when it tells of it again."""

    name: str
    payee: Payee
    currency: str
    amount: int  # micro-units, whole cents
    about: str


def write(
    name: str, payer: str, account: str, orders: Sequence[Order], made_at: datetime, day: date, *, transliterate: bool
) -> bytes:
    """Return the order of ``orders``, to be executed on ``day``; always the same bytes.

    There is one group for each currency, and one more for euros that SEPA does not carry. ``account`` pays.

    Names stay in their script unless they are to be transliterated: then nothing is left but SEPA's Latin letters.
    """
    document = etree.Element(f"{{{_NAMESPACE}}}Document", nsmap={None: _NAMESPACE})
    body = _under(document, "CstmrCdtTrfInitn")
    header = _under(body, "GrpHdr")
    _under(header, "MsgId", name)
    _under(header, "CreDtTm", made_at.strftime("%Y-%m-%dT%H:%M:%SZ"))
    _under(header, "NbOfTxs", str(len(orders)))
    _under(header, "CtrlSum", money.to_decimal(sum(each.amount for each in orders)))
    _under(_under(header, "InitgPty"), "Nm", _name(payer, transliterate=transliterate))
    for currency, sepa in sorted({(each.currency, _by_sepa(each)) for each in orders}):
        own = [each for each in orders if (each.currency, _by_sepa(each)) == (currency, sepa)]
        group = _under(body, "PmtInf")
        _under(group, "PmtInfId", f"{name[:31]}-{currency}" if sepa or currency != "EUR" else f"{name[:29]}-EUR-W")
        _under(group, "PmtMtd", "TRF")
        _under(group, "BtchBookg", "false")
        _under(group, "NbOfTxs", str(len(own)))
        _under(group, "CtrlSum", money.to_decimal(sum(each.amount for each in own)))
        if sepa:
            _under(_under(_under(group, "PmtTpInf"), "SvcLvl"), "Cd", "SEPA")
        _under(_under(group, "ReqdExctnDt"), "Dt", day.isoformat())
        _under(_under(group, "Dbtr"), "Nm", _name(payer, transliterate=transliterate))
        _account(group, "DbtrAcct", account)
        agent = _under(_under(group, "DbtrAgt"), "FinInstnId")
        _under(_under(agent, "Othr"), "Id", "NOTPROVIDED")
        _under(group, "ChrgBr", "SLEV" if sepa else "SHAR")
        for each in own:
            _transfer(group, each, transliterate=transliterate)
    data: bytes = etree.tostring(document, xml_declaration=True, encoding="UTF-8", pretty_print=True)
    documents.read(data, MESSAGE, name)
    return data


def _transfer(group: documents.Element, order: Order, *, transliterate: bool) -> None:
    transfer = _under(group, "CdtTrfTxInf")
    _under(_under(transfer, "PmtId"), "EndToEndId", order.name)
    amount = _under(_under(transfer, "Amt"), "InstdAmt", money.to_decimal(order.amount))
    amount.set("Ccy", order.currency)
    _bank(transfer, order.payee)
    _under(_under(transfer, "Cdtr"), "Nm", _name(order.payee.name, transliterate=transliterate))
    _account(transfer, "CdtrAcct", order.payee.number)
    _under(_under(transfer, "RmtInf"), "Ustrd", order.about[:140])


def _by_sepa(order: Order) -> bool:
    return order.currency == "EUR" and order.payee.iban[:2] in _SEPA


def _bank(transfer: documents.Element, payee: Payee) -> None:
    if not payee.bic and not payee.clearing:
        return  # an IBAN says which bank it is
    bank = _under(_under(transfer, "CdtrAgt"), "FinInstnId")
    if payee.bic:
        _under(bank, "BICFI", payee.bic)
    if payee.clearing:
        member = _under(bank, "ClrSysMmbId")
        _under(_under(member, "ClrSysId"), "Cd", SYSTEMS[payee.place].code)
        _under(member, "MmbId", payee.clearing)


def _account(parent: documents.Element, tag: str, number: str) -> None:
    account = _under(_under(parent, tag), "Id")
    if is_iban(number):
        _under(account, "IBAN", number)
    else:
        _under(_under(account, "Othr"), "Id", number)


def _under(parent: documents.Element, tag: str, text: str | None = None) -> documents.Element:
    element = etree.SubElement(parent, f"{{{_NAMESPACE}}}{tag}")
    element.text = text
    return element


def _name(name: str, *, transliterate: bool) -> str:
    if not transliterate:
        return name[:_LONGEST_NAME]
    from text_unidecode import unidecode

    plain = "".join(each if each in _PLAIN else " " for each in unidecode(name))
    return " ".join(plain.split())[:_LONGEST_PLAIN].strip() or "NAME"
