"""Disputes, and what auditors find."""

from __future__ import annotations

from collections.abc import Iterator

from licet.client.blocking.connection import Connection
from licet.client.endpoints import disputes as endpoints
from licet.statements.envelope import Envelope
from licet.wire import auditing
from licet.wire import disputes as disputing
from licet.wire.common import StatementFile


class Disputes(Connection):
    """Disputes, and what auditors find."""

    def open_dispute(self, envelope: Envelope) -> disputing.DisputeAccepted:
        """Return the dispute once it is in the log, and holds what it is about."""
        return self.transport.do(endpoints.open_dispute(envelope))

    def step_dispute(self, dispute: str, envelope: Envelope) -> disputing.DisputeAccepted:
        """Return the dispute once a step of it is in the log: an answer, withdrawal, appeal or acceptance."""
        return self.transport.do(endpoints.step_dispute(dispute, envelope))

    def disputes(self, *, limit: int | None = None, **filters: str | int) -> Iterator[disputing.DisputeInfo]:
        """Yield the disputes that the account is a party to, the newest first."""
        return self._pages(endpoints.disputes(limit, filters))

    def dispute(self, dispute: str) -> disputing.DisputeShown:
        """Return one dispute with the documents of both parties and the decision, each with all that proves it."""
        return self.transport.do(endpoints.dispute(dispute))

    def state_finding(self, envelope: Envelope) -> auditing.FindingLogged:
        """Return once an auditor's finding is in the log, and whom it concerns was told of it."""
        return self.transport.do(endpoints.state_finding(envelope))

    def findings(self, *, limit: int | None = None, **filters: str | int) -> Iterator[auditing.FindingInfo]:
        """Yield the findings that an auditor stated, or that are about the caller's own books, the newest first."""
        return self._pages(endpoints.findings(limit, filters))

    def finding(self, finding: str) -> StatementFile:
        """Return one finding as a statement file, which `licet statement verify` takes."""
        return self.transport.do(endpoints.finding(finding))
