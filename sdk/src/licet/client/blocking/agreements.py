"""What several sign: splits between owners, requests for licences, revenue shared under an agreement."""

from __future__ import annotations

from collections.abc import Iterator

from licet.client.blocking.connection import Connection
from licet.client.endpoints import agreements as endpoints
from licet.statements.envelope import Envelope
from licet.wire import agreements, revenue
from licet.wire import splits as sharing


class Agreements(Connection):
    """What several sign: splits between owners, requests for licences, revenue shared under an agreement."""

    def propose_split(self, envelope: Envelope) -> sharing.SplitAccepted:
        """Return the proposal once it is in the log; nothing is shared until everybody that it needs has signed it."""
        return self.transport.do(endpoints.propose_split(envelope))

    def answer_split(self, split: str, envelope: Envelope) -> sharing.SplitAccepted:
        """Return the split once the answer to it is in the log; with the last one that it needs it is in force."""
        return self.transport.do(endpoints.answer_split(split, envelope))

    def splits(self, *, limit: int | None = None, **filters: str | int) -> Iterator[sharing.SplitInfo]:
        """Yield the splits that the account proposed, has a share in, or is asked to sign."""
        return self._pages(endpoints.splits(limit, filters))

    def split(self, split: str) -> sharing.SplitShown:
        """Return one split with the very document that its co-owners sign."""
        return self.transport.do(endpoints.split(split))

    def request_licence(self, envelope: Envelope) -> agreements.RequestAccepted:
        """Return the request once it is in the log, and the artist can read it."""
        return self.transport.do(endpoints.request_licence(envelope))

    def answer_request(self, ask: str, envelope: Envelope) -> agreements.RequestAccepted:
        """Return the request once the answer to it is in the log."""
        return self.transport.do(endpoints.answer_request(ask, envelope))

    def reply_to_request(self, ask: str, envelope: Envelope) -> agreements.RequestAccepted:
        """Return the request once it is taken back, or the offer declined, in the log."""
        return self.transport.do(endpoints.reply_to_request(ask, envelope))

    def licence_requests(self, *, limit: int | None = None, **filters: str | int) -> Iterator[agreements.RequestInfo]:
        """Yield the requests for licences that the account made, or is asked."""
        return self._pages(endpoints.licence_requests(limit, filters))

    def licence_request(self, ask: str) -> agreements.RequestShown:
        """Return one request with the documents of both sides, each with all that proves it."""
        return self.transport.do(endpoints.licence_request(ask))

    def report_revenue(self, envelope: Envelope) -> revenue.RevenueAccepted:
        """Return the report once it is in the log, and counts at the next close."""
        return self.transport.do(endpoints.report_revenue(envelope))

    def revenue_reports(self, *, limit: int | None = None, **filters: str | int) -> Iterator[revenue.RevenueInfo]:
        """Yield the reports of revenue that the account made, or has a share in."""
        return self._pages(endpoints.revenue_reports(limit, filters))

    def awaited_reports(self, *, limit: int | None = None, **filters: str | int) -> Iterator[revenue.RevenueAwaited]:
        """Yield the months that are over, and of which nothing was reported."""
        return self._pages(endpoints.awaited_reports(limit, filters))

    def revenue_report(self, report: str) -> revenue.RevenueShown:
        """Return one report of revenue with its document, and all that proves it."""
        return self.transport.do(endpoints.revenue_report(report))

    def shares(self, licence: str, period: str, *, limit: int | None = None) -> Iterator[revenue.Share]:
        """Yield what an agreement owes at the close of a month, with the steps that lead there."""
        return self._pages(endpoints.shares(licence, period, limit))
