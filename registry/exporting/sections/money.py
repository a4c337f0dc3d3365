"""Of money: who shares it, what was posted, invoiced, paid and remitted."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from registry.exporting import queries
from registry.exporting.sections.forms import Section, by, column

MONEY: Final[tuple[Section, ...]] = (
    Section(
        "splits",
        "splits between co-owners that it has a say in",
        queries.SPLITS,
        by(column("s.id", UUID, "split")),
        ("splits",),
    ),
    Section(
        "split_parties",
        "who has which share in them, in basis points",
        queries.SPLIT_PARTIES,
        by(column("p.split", UUID), column("p.account", UUID)),
        ("split_parties",),
        5000,
    ),
    Section(
        "split_works",
        "the works under them",
        queries.SPLIT_WORKS,
        by(column("k.split", UUID), column("k.work", UUID)),
        ("split_works",),
        5000,
    ),
    Section(
        "split_answers",
        "how it answered them",
        queries.SPLIT_ANSWERS,
        by(column("n.id", UUID, "statement")),
        ("split_answers",),
    ),
    Section(
        "ledger",
        "what it is owed (payable, escrow) and owes (receivable), in micro-units; debit is positive",
        queries.LEDGER,
        by(column("e.transfer", UUID), column("e.account", int, "ledger_account"), column("e.currency", str)),
        ("ledger_accounts", "entries", "transfers"),
        of="ledger",
    ),
    Section(
        "invoices",
        "invoices and credit notes to it, in micro-units",
        queries.INVOICES,
        by(column("id", UUID, "invoice")),
        ("invoices",),
    ),
    Section(
        "invoiced",
        "the transfers on them",
        queries.INVOICED,
        by(column("l.transfer", UUID), column("l.currency", str)),
        ("invoice_lines",),
        5000,
    ),
    Section(
        "payments",
        "payments of it that the registry's bank booked",
        queries.PAYMENTS,
        by(column("id", UUID, "payment")),
        ("bank_entries",),
    ),
    Section(
        "paid",
        "what its invoices were paid with",
        queries.PAID,
        by(column("p.id", UUID, "allocation")),
        ("invoice_payments",),
        5000,
    ),
    Section(
        "months",
        "its lines of closed months, in micro-units; `licet balance --period` proves them",
        queries.MONTHS,
        by(column("period", str), column("payee", str), column("side", str), column("currency", str)),
        ("period_lines",),
        of="ledger",
    ),
    Section(
        "payouts",
        "where it is paid: of the account number only how it ends, the rest is sealed",
        queries.PAYOUTS,
        by(column("id", UUID)),
        ("payouts",),
    ),
    Section(
        "remittances",
        "what it was paid, in micro-units",
        queries.REMITTANCES,
        by(column("r.id", UUID, "remittance")),
        ("remittances",),
    ),
    Section(
        "remitted",
        "the transfers that were paid by them",
        queries.REMITTED,
        by(column("l.transfer", UUID), column("l.currency", str)),
        ("remittance_lines",),
        5000,
    ),
)
