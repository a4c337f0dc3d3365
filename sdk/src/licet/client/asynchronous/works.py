"""Works, their keys, and the statements over them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from licet.client.asynchronous.connection import AsyncConnection
from licet.client.endpoints import works as endpoints
from licet.statements.envelope import Envelope
from licet.wire import works as catalogue
from licet.wire.publishing import PublishedTerms

if TYPE_CHECKING:
    from licet.fingerprints.picture import Fingerprint


class AsyncWorks(AsyncConnection):
    """Works, their keys, and the statements over them."""

    async def upload(
        self, sha256: str, data: bytes | Path, *, media_type: str = "application/octet-stream"
    ) -> Fingerprint:
        """Return the service's own fingerprint of a picture (bytes or a file); it does not keep the picture.

        With ``media_type`` text/plain or text/markdown it is a text.
        """
        return await self.transport.do(endpoints.upload(sha256, data, media_type))

    async def register_works(self, batch: Sequence[catalogue.WorkIn]) -> catalogue.WorksRegistered:
        """Return what became of each work, in order (at most 1,000)."""
        return await self.transport.do(endpoints.register_works(batch))

    def works(self, *, limit: int | None = None, **filters: str | int) -> AsyncIterator[catalogue.Work]:
        """Yield the caller's works, page by page."""
        return self._pages(endpoints.works(limit, filters))

    async def work(self, work: str) -> catalogue.Work:
        """Return one of the caller's works."""
        return await self.transport.do(endpoints.work(work))

    async def find_works(
        self,
        files: Sequence[str] = (),
        external_ids: Sequence[str] = (),
        works: Sequence[str] = (),
        addresses: Sequence[str] = (),
    ) -> list[catalogue.Work]:
        """Return the caller's works with these digests, external ids, names or ``addresses_digest`` (at most 1,000 of
        each)."""
        return (await self.transport.do(endpoints.find_works(files, external_ids, works, addresses))).works

    async def change_works(self, changes: Sequence[catalogue.WorkChange]) -> list[catalogue.ChangeOutcome]:
        """Return what became of each change, in order (at most 1,000)."""
        return (await self.transport.do(endpoints.change_works(changes))).items

    async def change_work(
        self, work: str, change: catalogue.MetadataChange, *, revision: int | None = None
    ) -> catalogue.Work:
        """Return the work as changed; ``revision``: only while it is at that one, else ``ConflictError``."""
        return await self.transport.do(endpoints.change_work(work, change, revision))

    async def published_terms(self, work: str) -> PublishedTerms:
        """Return what counts of a public work's terms at this moment, as crawlers read it; nobody needs an account.

        Raises ``InputError`` for a work that is not public, or not yet.
        """
        return await self.transport.do(endpoints.published_terms(work))

    async def thumbnail(self, work: str) -> bytes:
        """Return a small WEBP of one of the caller's works whose picture was sent; raises ``InputError`` else."""
        return await self.transport.do(endpoints.thumbnail(work))

    async def draft_statement(
        self, covered: Sequence[str] | None, terms: dict[str, Any], lang: Literal["en", "zh-Hans"] = "en"
    ) -> catalogue.StatementDrafted:
        """Return the bytes to sign for terms of these works (None: of the catalogue) and their plain language."""
        return await self.transport.do(endpoints.draft_statement(covered, terms, lang))

    async def submit_statement(
        self,
        envelope: Envelope,
        covered: Sequence[str],
        *,
        digests: Sequence[bytes] = (),
        adds: Sequence[catalogue.WorkKeys] = (),
    ) -> catalogue.StatementAccepted:
        """Return once the statement is in the log, as its receipt proves.

        The home keeps it with the ``digests`` of the covered works, so that what is signed for them next can be held
        to it. ``adds`` is what an update of keys adds.
        """
        return await self._run(self.contact.submit_statement(envelope, covered, digests, adds))

    async def attest_statement(self, envelope: Envelope, covered: Sequence[str]) -> catalogue.StatementAccepted:
        """Return once the registry has signed and logged a statement in the account's place: it may only tighten."""
        return await self.transport.do(endpoints.attest_statement(envelope, covered))

    def statements(self, *, limit: int | None = None, **filters: str | int) -> AsyncIterator[catalogue.StatementInfo]:
        """Yield the caller's own statements."""
        return self._pages(endpoints.statements(limit, filters))

    async def statement_file(self, statement: str) -> bytes:
        """Return the statement file as sent: the bytes that `statement verify` takes."""
        return await self.transport.do(endpoints.statement_file(statement))

    async def statement_receipt(self, statement: str) -> bytes:
        """Return the COSE receipt (RFC 9942) of a statement as sent, verified by nobody."""
        return await self.transport.do(endpoints.statement_receipt(statement))
