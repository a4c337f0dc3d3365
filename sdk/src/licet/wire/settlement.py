"""Invoices: what an organisation is asked to pay, line by line, and what was paid."""

from __future__ import annotations

from typing import Literal

import msgspec

InvoiceKind = Literal["invoice", "credit-note"]
InvoiceState = Literal["open", "partly-paid", "overdue", "paid", "credit", "used"]


class InvoiceInfo(msgspec.Struct, frozen=True):
    """One invoice or credit note. ``total`` is what its lines add up to, exactly; ``due`` whole cents of it and of what
    was ``carried_in`` from the one before; the rest is ``carried_out`` to the next. ``paid`` counts towards ``due``: of
    a credit note, what of it was used."""

    invoice: str
    number: int
    kind: InvoiceKind
    organisation: str
    currency: str
    period: str  # the last month that it covers
    reference: str  # RF…: what a payment has to name
    total: str
    carried_in: str
    due: str
    carried_out: str
    paid: str
    state: InvoiceState
    lines: int
    issued_at: str
    due_at: str


class InvoiceLine(msgspec.Struct, frozen=True):
    """One transfer of the ledger that is owed by: ``source`` is the licence or batch that it opens down to."""

    transfer: str
    at: str
    kind: str
    source: str
    memo: str
    amount: str


class InvoicePayment(msgspec.Struct, frozen=True):
    """What was paid, by a payment or by a credit note; less than nothing where a payment was taken back."""

    invoice: str
    payment: str | None
    credit_note: str | None
    amount: str
    at: str


class InvoiceShown(msgspec.Struct, frozen=True):
    """One invoice with everything that counts towards it."""

    invoice: InvoiceInfo
    payments: list[InvoicePayment]


RemittanceState = Literal["prepared", "paid", "returned", "cancelled"]


class LocalAccount(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An account at a bank in ``country``, which has no IBANs.

    ``bic`` (ISO 9362) finds the bank everywhere, ``clearing`` within the country: CNAPS code, ABA routing number, BSB.
    """

    country: str
    number: str
    bic: str | None = None
    clearing: str | None = None


class PayoutSet(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where to be paid: the name that the bank knows, in any script, the payee's country (ISO 3166), and the account.

    That is an ``iban``, with a ``bic`` where the bank asks for one, or an ``account`` where there are no IBANs.
    """

    name: str
    country: str
    iban: str | None = None
    bic: str | None = None
    account: LocalAccount | None = None


class Payout(msgspec.Struct, frozen=True):
    """Where the account is paid; of its number only how it ``ends``. Before ``usable_at`` nothing is paid there.

    ``country`` is where the payee lives, ``bank`` the country of the bank.
    """

    name: str
    country: str
    bank: str
    ends: str
    bic: str | None
    given_at: str
    usable_at: str


class PayoutNow(msgspec.Struct, frozen=True):
    """Where the account is paid, null where nothing was said of it."""

    payout: Payout | None


class RemittanceInfo(msgspec.Struct, frozen=True):
    """One payment to the account. ``total`` is what its lines add up to, exactly; ``amount`` whole cents of it and of
    what was ``carried_in``; the rest is ``carried_out`` to the next."""

    remittance: str
    account: str
    currency: str
    period: str
    total: str
    carried_in: str
    amount: str
    carried_out: str
    state: RemittanceState
    lines: int
    prepared_at: str
    booked_on: str | None  # by the bank, when it was paid


class RemittanceLine(msgspec.Struct, frozen=True):
    """One transfer of the ledger that was paid: ``source`` is the licence or batch that it opens down to."""

    transfer: str
    at: str
    kind: str
    source: str
    amount: str


ChargeSide = Literal["charged", "credited"]
#: As it was charged · held until the claim allows it · held because somebody contests it · taken back.
ChargeState = Literal["stands", "escrow", "contested", "refunded"]


class ChargeInfo(msgspec.Struct, frozen=True):
    """One charge as the caller's side of it has it: what it was ``charged``, or ``credited`` after the fee.

    ``source`` is the licence or batch that it opens down to; ``dispute`` the one that there is, or was, about it.
    """

    charge: str  # tra_…
    at: str
    period: str
    kind: str
    source: str
    side: ChargeSide
    amount: str
    currency: str
    state: ChargeState
    dispute: str | None
