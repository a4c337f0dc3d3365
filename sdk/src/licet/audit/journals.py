"""The ledger of a period for plain-text accounting: one journal for hledger and ledger, one for beancount.

Every amount is explicit. Both journals follow from the tables alone, to the byte: a verifier writes them again and
compares, so nothing can be slipped in (an ``include``, a plugin) and every figure is one that was checked.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from datetime import date, timedelta
from typing import Final

from licet import money
from licet.audit.layout import Period
from licet.audit.tables import BalanceRow, LedgerRow, TransferRow
from licet.errors import InputError

EQUITY: Final = "Equity:Not-Shown"
"""Takes what stands on accounts that are not part of a bundle."""
_KINDS: Final = {
    "receivable": "Assets:Receivable",
    "payable": "Liabilities:Payable",
    "escrow": "Liabilities:Escrow",
    "fee": "Income:Fee",
    "bank": "Assets:Bank",
    "suspense": "Liabilities:Suspense",
    "charges": "Expenses:Charges",
    "transit": "Liabilities:Transit",
}

Write = Callable[[str], object]


def account_name(name: str) -> str:
    """Return ledger account ``payable:art_0…`` as both programs take it: ``Liabilities:Payable:Art-0…``.

    Different accounts have different names. Raises ``InputError`` for what is not a ledger account.
    """
    kind, colon, owner = name.partition(":")
    if not (colon and kind.isalpha() and owner[:1].isalnum() and owner.replace("_", "").isalnum() and name.isascii()):
        raise InputError.field("account", "a ledger account such as payable:art_…", name)
    return f"{_KINDS.get(kind, f'Equity:{kind.capitalize()}')}:{owner[0].upper()}{owner[1:].replace('_', '-')}"


class Journal(ABC):
    """A journal on its way out: opened with the balances of a period, fed with its transfers, closed."""

    def __init__(self, write: Write, title: str, period: Period, balances: Sequence[BalanceRow]) -> None:
        """Write everything up to the first transfer."""
        self._write: Final = write
        self._period: Final = period
        self._balances: Final = balances
        self._names: Final = {row.account: account_name(row.account) for row in balances}
        self._begin(_plain(title), sorted({*self._names.values(), EQUITY}) if balances else [])
        opening = self._postings((row.account, row.opening, row.currency) for row in balances if row.opening)
        if opening:
            write(self._headed(period.start[:10], "opening balances") + opening)

    def transfer(self, transfer: TransferRow, entries: Sequence[LedgerRow]) -> None:
        """Write one transfer of the period; entries on accounts that are not shown become one line."""
        shown = [(entry.account, entry.amount, entry.currency) for entry in entries if entry.account in self._names]
        self._write(self._headed(transfer.at[:10], transfer.kind, transfer) + self._postings(shown))

    @abstractmethod
    def close(self) -> None:
        """Assert the closing balances."""

    @abstractmethod
    def _begin(self, title: str, names: Sequence[str]) -> None: ...

    @abstractmethod
    def _headed(self, day: str, what: str, transfer: TransferRow | None = None) -> str: ...

    def _postings(self, lines: Iterable[tuple[str, int, str]]) -> str:
        """Return a line for each amount, and one on equity for what is missing from a sum of nothing."""
        written = []
        missing: dict[str, int] = {}
        for account, amount, currency in lines:
            written.append(f"    {self._names[account]}  {_amount(amount)} {currency}\n")
            missing[currency] = missing.get(currency, 0) - amount
        written += [f"    {EQUITY}  {_amount(rest)} {currency}\n" for currency, rest in sorted(missing.items()) if rest]
        return "".join(written)


class Hledger(Journal):
    """The journal for hledger and ledger: closing balances are assertions on postings of nothing.

    Both take ``commodity`` with its format below it, and nothing else of what each says of commodities.
    """

    _commodity = "commodity {currency}\n    format 1.000000 {currency}\n"

    def close(self) -> None:
        """Assert the closing balances."""
        asserted = "".join(
            f"    {self._names[row.account]}  0.000000 {row.currency} = {_amount(row.closing)} {row.currency}\n"
            for row in self._balances
        )
        if asserted:
            last = date.fromisoformat(self._period.end[:10]) - timedelta(days=1)
            self._write(self._headed(str(last), "closing balances") + asserted)

    def _begin(self, title: str, names: Sequence[str]) -> None:
        currencies = sorted({row.currency for row in self._balances})
        self._write(f"; {title}\ndecimal-mark .\n")
        self._write("".join(self._commodity.format(currency=currency) for currency in currencies))
        self._write("".join(f"account {name}\n" for name in names))

    def _headed(self, day: str, what: str, transfer: TransferRow | None = None) -> str:
        about = f" {_plain(transfer.source)}  ; transfer:{transfer.transfer}" if transfer else ""
        return f"\n{day} * {_plain(what)}{about}\n"


class FormerHledger(Hledger):
    """The same as bundles had it before ledger took it too: they hold as well."""

    _commodity = "commodity 1.000000 {currency}\n"


class Beancount(Journal):
    """The journal for beancount: closing balances are directives that tolerate nothing."""

    def close(self) -> None:
        """Assert the closing balances."""
        after = self._period.end[:10]
        for row in self._balances:
            asserted = f"{_amount(row.closing)} ~ 0.000000 {row.currency}"
            self._write(f"\n{after} balance {self._names[row.account]}  {asserted}\n")

    def _begin(self, title: str, names: Sequence[str]) -> None:
        self._write(f'option "title" "{title}"\n\n')
        self._write("".join(f"{self._period.start[:10]} open {name}\n" for name in names))

    def _headed(self, day: str, what: str, transfer: TransferRow | None = None) -> str:
        about = f' "{_plain(transfer.source)}"\n  transfer: "{transfer.transfer}"' if transfer else ""
        return f'\n{day} * "{_plain(what)}"{about}\n'


def _amount(micro: int) -> str:
    whole, part = divmod(abs(micro), money.MICRO)
    return f"{'-' if micro < 0 else ''}{whole}.{part:06d}"


def _plain(text: str) -> str:
    """Return ``text`` without anything that either program could take for its own syntax."""
    return "".join(character if character.isalnum() or character in " _-/.,:()" else "?" for character in text)
