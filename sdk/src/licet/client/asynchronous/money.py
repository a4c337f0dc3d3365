"""What is owed, invoiced and paid, and the months that close."""

from __future__ import annotations

from collections.abc import AsyncIterator

from licet.client.asynchronous.connection import AsyncConnection
from licet.client.endpoints import money as endpoints
from licet.wire import periods as months
from licet.wire import settlement, usage


class AsyncMoney(AsyncConnection):
    """What is owed, invoiced and paid, and the months that close."""

    async def balance(self) -> usage.Balance:
        """Return what the caller is owed or owes, per currency."""
        return await self.transport.do(endpoints.balance())

    def ledger(self, *, limit: int | None = None, **filters: str | int) -> AsyncIterator[usage.LedgerLine]:
        """Yield the ledger entries that the caller may see."""
        return self._pages(endpoints.ledger(limit, filters))

    def invoices(self, *, limit: int | None = None, **filters: str | int) -> AsyncIterator[settlement.InvoiceInfo]:
        """Yield the invoices and credit notes to the organisation, the newest first."""
        return self._pages(endpoints.invoices(limit, filters))

    def charges(self, *, limit: int | None = None, **filters: str | int) -> AsyncIterator[settlement.ChargeInfo]:
        """Yield what the account was charged or credited, charge by charge, the newest first."""
        return self._pages(endpoints.charges(limit, filters))

    async def invoice(self, invoice: str) -> settlement.InvoiceShown:
        """Return one invoice with the payments and credit notes that count towards it."""
        return await self.transport.do(endpoints.invoice(invoice))

    def invoice_lines(
        self, invoice: str, *, limit: int | None = None, **filters: str | int
    ) -> AsyncIterator[settlement.InvoiceLine]:
        """Yield the lines of an invoice: transfers of the ledger with what they come from."""
        return self._pages(endpoints.invoice_lines(invoice, limit, filters))

    async def set_payout(
        self,
        name: str,
        country: str,
        *,
        iban: str | None = None,
        bic: str | None = None,
        account: settlement.LocalAccount | None = None,
    ) -> settlement.Payout:
        """Return where the account is paid from now on, by an ``iban`` or an ``account`` where there are none.

        ``country`` is where the payee lives. Needs a token with scope ``payout``.
        """
        wanted = settlement.PayoutSet(name, country, iban, bic, account)
        return await self.transport.do(endpoints.set_payout(wanted))

    async def payout(self) -> settlement.PayoutNow:
        """Return where the account is paid, if it said so; of the account number only how it ends."""
        return await self.transport.do(endpoints.payout())

    def remittances(
        self, *, limit: int | None = None, **filters: str | int
    ) -> AsyncIterator[settlement.RemittanceInfo]:
        """Yield what the account was paid, or is on its way to it, the newest first."""
        return self._pages(endpoints.remittances(limit, filters))

    def remittance_lines(
        self, remittance: str, *, limit: int | None = None, **filters: str | int
    ) -> AsyncIterator[settlement.RemittanceLine]:
        """Yield the lines that a remittance paid: transfers of the ledger with what they come from."""
        return self._pages(endpoints.remittance_lines(remittance, limit, filters))

    def periods(self, *, limit: int | None = None, **filters: str | int) -> AsyncIterator[months.PeriodInfo]:
        """Yield the months of the ledger: how far each has come, and what its close says of all of it."""
        return self._pages(endpoints.periods(limit, filters))

    async def period_line(self, period: str) -> months.PeriodLines:
        """Return the caller's own lines of a closed month with their proofs (`licet.audit.closed.verify_own`)."""
        return await self.transport.do(endpoints.period_line(period))

    def period_batches(
        self, period: str, *, limit: int | None = None, **filters: str | int
    ) -> AsyncIterator[months.BatchProof]:
        """Yield the usage batches of a closed month with their proofs: all for an auditor, else the caller's own."""
        return self._pages(endpoints.period_batches(period, limit, filters))
