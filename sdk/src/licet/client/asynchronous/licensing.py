"""What may be done: verdicts, ranges of keys, offers and licences, and licences taken back."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import TYPE_CHECKING, Any, Literal

from licet.client.asynchronous.connection import AsyncConnection
from licet.client.endpoints import licensing as endpoints
from licet.statements.envelope import Envelope
from licet.wire import licensing
from licet.wire.duties import DutyAccepted, DutyInfo, DutyShown, Revocable

if TYPE_CHECKING:
    from licet.index.ranges import KeyRange


class AsyncLicensing(AsyncConnection):
    """What may be done: verdicts, ranges of keys, offers and licences, and licences taken back."""

    async def revocable(self, licence: str) -> Revocable:
        """Return what of a licence the account can revoke, and on which conditions."""
        return await self.transport.do(endpoints.revocable(licence))

    async def revoke_licence(self, licence: str, envelope: Envelope) -> DutyAccepted:
        """Return the duty once the revocation that causes it is in the log."""
        return await self.transport.do(endpoints.revoke_licence(licence, envelope))

    def duties(self, *, limit: int | None = None, **filters: str | int) -> AsyncIterator[DutyInfo]:
        """Yield the duties that the account owes, caused by revoking licences, or audits."""
        return self._pages(endpoints.duties_of(limit, filters))

    async def duty(self, duty: str) -> DutyShown:
        """Return one duty with the documents of both sides, each with all that proves it."""
        return await self.transport.do(endpoints.duty(duty))

    async def report_done(self, duty: str, envelope: Envelope) -> DutyAccepted:
        """Return the duty once the statement that it was done is in the log."""
        return await self.transport.do(endpoints.report_done(duty, envelope))

    async def query(
        self,
        request: dict[str, Any],
        rows: Sequence[licensing.RowKeys],
        match: Literal["exact", "near"] = "near",
        min_claim_level: int = 0,
    ) -> licensing.Answers:
        """Return the service's verdicts for at most 10,000 rows, as of its newest consent.

        A row with a key that is none, such as a hash of too few digits, is ``review``, ``malformed``.
        """
        return await self.transport.do(endpoints.query(request, rows, match, min_claim_level))

    async def lookup(self, digests: Sequence[bytes], request: dict[str, Any], min_claim_level: int = 0) -> list[str]:
        """Return one verdict for each SHA-256 (32 bytes) of a file or of decoded pixels, at most 65,536 of them."""
        return await self.transport.do(endpoints.lookup(digests, request, min_claim_level))

    async def lookup_parts(
        self, pictures: Sequence[bytes], request: dict[str, Any], min_claim_level: int = 0
    ) -> licensing.PartsAnswers:
        """Return what is decided of pictures by the works that they show parts of: at most 64, 8 without a token.

        Of each its features are sent (``licet.derivative.extracting.asked_bytes``), not the picture.
        """
        return await self.transport.do(endpoints.lookup_parts(pictures, request, min_claim_level))

    async def range_size(self) -> licensing.RangeSize:
        """Return how many hexadecimal digits of a key the service is told for a range, and how many keys it holds."""
        return await self.transport.do(endpoints.range_size())

    async def key_range(self, prefix: str) -> KeyRange:
        """Return all that the service says of the keys that begin with ``prefix``, of which it learns no more."""
        return await self.transport.do(endpoints.key_range(prefix))

    async def quote(self, wanted: licensing.QuoteRequest) -> licensing.Quote:
        """Return an offer for the wanted works; nothing is taken yet."""
        return await self.transport.do(endpoints.quote(wanted))

    def quotes(self, *, limit: int | None = None, **filters: str | int) -> AsyncIterator[licensing.QuoteInfo]:
        """Yield the organisation's offers; one that nobody took stays for a day."""
        return self._pages(endpoints.quotes(limit, filters))

    async def quoted(self, quote: str) -> licensing.Quote:
        """Return one offer, as it was made."""
        return await self.transport.do(endpoints.quoted(quote))

    async def accept(self, quote: str, envelope: Envelope) -> licensing.LicenceGranted:
        """Return the granted licence: both signatures, its lines, what was posted, its log receipt."""
        return await self.transport.do(endpoints.accept(quote, envelope))

    def licences(self, *, limit: int | None = None, **filters: str | int) -> AsyncIterator[licensing.LicenceInfo]:
        """Yield the licences that the caller holds or has granted."""
        return self._pages(endpoints.licences(limit, filters))

    async def licence(self, licence: str) -> licensing.LicenceGranted:
        """Return one licence whole."""
        return await self.transport.do(endpoints.licence(licence))
