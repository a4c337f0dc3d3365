"""Disputes, and what auditors find."""

from __future__ import annotations

from urllib.parse import quote as escape

from licet.client.endpoints.listing import Listing, listed
from licet.exchange.calls import Call, Filters, get, post
from licet.statements.envelope import Envelope
from licet.wire import auditing, usage
from licet.wire import disputes as disputing
from licet.wire.common import StatementFile


def open_dispute(envelope: Envelope) -> Call[disputing.DisputeAccepted]:
    """A signed step that opens a dispute."""
    body = disputing.DisputeSubmit(envelope)
    return post("openDispute", "/v1/disputes", body, disputing.DisputeAccepted, scope="register")


def step_dispute(dispute: str, envelope: Envelope) -> Call[disputing.DisputeAccepted]:
    """A signed answer to a dispute, its withdrawal, an appeal or an acceptance of what was decided."""
    path = f"/v1/disputes/{escape(dispute, safe='')}/steps"
    body = disputing.DisputeSubmit(envelope)
    return post("stepDispute", path, body, disputing.DisputeAccepted, scope="register")


def disputes(limit: int | None, filters: Filters) -> Listing[disputing.DisputeInfo]:
    """The disputes that the account is a party to."""
    return listed("listDisputes", "/v1/disputes", disputing.DisputeInfo, filters, limit, scope="register")


def dispute(dispute: str) -> Call[disputing.DisputeShown]:
    """One dispute with its documents."""
    path = f"/v1/disputes/{escape(dispute, safe='')}"
    return get("getDispute", path, disputing.DisputeShown, scope="register")


def state_finding(envelope: Envelope) -> Call[auditing.FindingLogged]:
    """A finding for the log."""
    body = usage.StatementOnly(envelope)
    return post("stateFinding", "/v1/audit/findings", body, auditing.FindingLogged, scope="audit")


def findings(limit: int | None, filters: Filters) -> Listing[auditing.FindingInfo]:
    """The findings that the caller stated, or that are about its books."""
    return listed("listFindings", "/v1/audit/findings", auditing.FindingInfo, filters, limit, scope="audit")


def finding(finding: str) -> Call[StatementFile]:
    """One finding with all that proves it."""
    return get("getFinding", f"/v1/audit/findings/{escape(finding, safe='')}", StatementFile, scope="audit")
