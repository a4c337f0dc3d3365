"""What several sign: splits between owners, requests for licences, revenue shared under an agreement."""

from __future__ import annotations

from urllib.parse import quote as escape

from licet.client.endpoints.listing import Listing, listed
from licet.exchange.calls import Call, Filters, get, post
from licet.statements.envelope import Envelope
from licet.wire import agreements, revenue
from licet.wire import splits as sharing


def propose_split(envelope: Envelope) -> Call[sharing.SplitAccepted]:
    """A signed proposal of how what works earn is shared."""
    return post("proposeSplit", "/v1/splits", sharing.SplitSubmit(envelope), sharing.SplitAccepted, scope="register")


def answer_split(split: str, envelope: Envelope) -> Call[sharing.SplitAccepted]:
    """A signed answer to a proposal."""
    path = f"/v1/splits/{escape(split, safe='')}/answers"
    return post("answerSplit", path, sharing.SplitSubmit(envelope), sharing.SplitAccepted, scope="register")


def splits(limit: int | None, filters: Filters) -> Listing[sharing.SplitInfo]:
    """The splits that the account has a say in."""
    return listed("listSplits", "/v1/splits", sharing.SplitInfo, filters, limit, scope="register")


def split(split: str) -> Call[sharing.SplitShown]:
    """One split with its document."""
    return get("getSplit", f"/v1/splits/{escape(split, safe='')}", sharing.SplitShown, scope="register")


def request_licence(envelope: Envelope) -> Call[agreements.RequestAccepted]:
    """A signed request to an artist."""
    body = agreements.AgreementSubmit(envelope)
    return post("requestLicence", "/v1/licence-requests", body, agreements.RequestAccepted, scope="license")


def answer_request(ask: str, envelope: Envelope) -> Call[agreements.RequestAccepted]:
    """A signed answer to a request."""
    path = f"/v1/licence-requests/{escape(ask, safe='')}/answers"
    body = agreements.AgreementSubmit(envelope)
    return post("answerLicenceRequest", path, body, agreements.RequestAccepted, scope="register")


def reply_to_request(ask: str, envelope: Envelope) -> Call[agreements.RequestAccepted]:
    """A signed reply of the organisation that asks."""
    path = f"/v1/licence-requests/{escape(ask, safe='')}/replies"
    body = agreements.AgreementSubmit(envelope)
    return post("replyToLicenceRequest", path, body, agreements.RequestAccepted, scope="license")


def licence_requests(limit: int | None, filters: Filters) -> Listing[agreements.RequestInfo]:
    """Requests that the account made, or is asked."""
    path = "/v1/licence-requests"
    return listed("listLicenceRequests", path, agreements.RequestInfo, filters, limit, scope="register")


def licence_request(ask: str) -> Call[agreements.RequestShown]:
    """One request with its documents."""
    path = f"/v1/licence-requests/{escape(ask, safe='')}"
    return get("getLicenceRequest", path, agreements.RequestShown, scope="register")


def report_revenue(envelope: Envelope) -> Call[revenue.RevenueAccepted]:
    """Put a signed ``revenue-report`` into the log: what is divided at the close of its month."""
    body = revenue.RevenueSubmit(envelope)
    return post("reportRevenue", "/v1/revenue-reports", body, revenue.RevenueAccepted, scope="usage")


def revenue_reports(limit: int | None, filters: Filters) -> Listing[revenue.RevenueInfo]:
    """List the reports of revenue that one made, or has a share in."""
    return listed("listRevenueReports", "/v1/revenue-reports", revenue.RevenueInfo, filters, limit, scope="usage")


def awaited_reports(limit: int | None, filters: Filters) -> Listing[revenue.RevenueAwaited]:
    """List the months that are over, and of which nothing was reported."""
    path = "/v1/revenue-reports/awaited"
    return listed("listAwaitedRevenueReports", path, revenue.RevenueAwaited, filters, limit, scope="usage")


def revenue_report(report: str) -> Call[revenue.RevenueShown]:
    """Show one report of revenue with its document."""
    path = f"/v1/revenue-reports/{escape(report, safe='')}"
    return get("getRevenueReport", path, revenue.RevenueShown, scope="usage")


def shares(licence: str, period: str, limit: int | None) -> Listing[revenue.Share]:
    """List what an agreement owes at the close of a month, and how that came about."""
    path = f"/v1/licences/{escape(licence, safe='')}/shares"
    return listed("listShares", path, revenue.Share, {"period": period}, limit, scope="usage")
