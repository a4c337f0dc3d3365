"""``licet.AsyncClient``: the asynchronous client with what a trainer does with datasets, done in threads."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from licet.client.asynchronous import AsyncClient as BaseClient
from licet.client.bridging import Bridge, Errand
from licet.datasets.examining.basis import Basis
from licet.datasets.examining.deciding import Matching, UnknownPolicy
from licet.datasets.filtering.build import Filtered, Wish
from licet.datasets.session import Client
from licet.decisions import Request

if TYPE_CHECKING:
    from licet.datasets.checking import Checkup
    from licet.datasets.pinned import AsyncSessionSnapshot
    from licet.datasets.usage.recheck import Rechecked
    from licet.datasets.usage.runs import RunReported

T = TypeVar("T")
R = TypeVar("R")


class AsyncClient(BaseClient):
    """A connection to one registry as one profile, for one event loop, and what can be asked of datasets with it.

    Decisions are made here, from a snapshot that is pulled at the first question and again once it has expired;
    `refresh` pulls at once. Files are read and pictures examined in threads. Close the client, or use it in an
    ``async with``.
    """

    _basis: Basis | None = None

    async def check(
        self,
        inputs: Sequence[str | Path],
        request: Request,
        *,
        match: Matching | None = None,
        offline: bool = False,
    ) -> Checkup:
        """Return a verdict for each of ``inputs``: paths of pictures, addresses, or SHA-256 digests of files.

        With ``match="derivative"`` the service is sent features of each picture, and asked which works it shows parts
        of.
        """
        return await self._session(lambda client: client.check(inputs, request, match=match, offline=offline))

    async def annotate(
        self,
        batch: T,
        request: Request,
        *,
        unknown: UnknownPolicy = "exclude",
        match: Matching | None = None,
        min_claim_level: int = 0,
        columns: Mapping[str, str] | None = None,
        base: str | Path | None = None,
        prefix: str = "",
        signals: bool = False,
        offline: bool = False,
    ) -> T:
        """Return ``batch`` with a decision for each row: columns ``verdict reason work …`` and ``kept``.

        ``batch`` may be an Arrow batch or table, a pandas or polars DataFrame, a Hugging Face dataset (also a streamed
        one, decided as it is read), a list of dicts or a dict of lists, and comes back as the same, with its index,
        types and features. It has columns ``url sha256 path image pdq`` in any case or as ``columns`` maps them (our
        name → the table's). ``path`` is relative to ``base``. Rows under a licence that is held are kept; none is
        taken. With ``match="derivative"`` the service is asked which works a picture shows parts of, and is sent
        features of it. With ``signals`` what others say counts too, and may only restrict: the metadata of files, a
        mapped column ``headers``, and (unless ``offline``) what the sites of the rows' addresses say, which are asked.
        ``prefix`` goes before the names of the new columns. Raises ``InputError`` for a table without a usable column,
        and for one that has a column which is called like a new one.
        """
        return await self._session(
            lambda client: client.annotate(
                batch,
                request,
                unknown=unknown,
                match=match,
                min_claim_level=min_claim_level,
                columns=columns,
                base=base,
                prefix=prefix,
                signals=signals,
                offline=offline,
            )
        )

    async def filter(
        self,
        batch: T,
        request: Request,
        *,
        unknown: UnknownPolicy = "exclude",
        match: Matching | None = None,
        min_claim_level: int = 0,
        columns: Mapping[str, str] | None = None,
        base: str | Path | None = None,
        prefix: str = "",
        signals: bool = False,
        offline: bool = False,
    ) -> T:
        """Return what `annotate` returns, without the rows that may not be kept."""
        return await self._session(
            lambda client: client.filter(
                batch,
                request,
                unknown=unknown,
                match=match,
                min_claim_level=min_claim_level,
                columns=columns,
                base=base,
                prefix=prefix,
                signals=signals,
                offline=offline,
            )
        )

    async def filter_dataset(
        self, inputs: Sequence[str | Path], out: str | Path, request: Request, wish: Wish | None = None
    ) -> Filtered:
        """Return once ``out`` holds what may be kept of ``inputs``: what ``licet filter`` does."""
        return await self._session(lambda client: client.filter_dataset(inputs, out, request, wish))

    async def recheck(self, given: str | Path, *, offline: bool = False, workers: int | None = None) -> Rechecked:
        """Return what of an earlier result must go now: what ``licet recheck`` does."""
        return await self._session(lambda client: client.recheck(given, offline=offline, workers=workers))

    async def report_run(self, dataset: str | Path, model: str, run: str, *, outputs: int = 0) -> RunReported:
        """Return once a training run is stated and its use acknowledged: what ``licet run report`` does."""
        return await self._session(lambda client: client.report_run(dataset, model, run, outputs=outputs))

    @property
    def snapshot(self) -> AsyncSessionSnapshot:
        """The snapshots of this client's registry: pull, open, pin."""
        from licet.datasets.pinned import AsyncSessionSnapshot

        return AsyncSessionSnapshot(self)

    async def refresh(self, *, offline: bool = False) -> None:
        """Decide from the newest snapshot from now on (``offline``: from the one that is here)."""
        await self._session(lambda client: client.refresh(offline=offline))

    async def _session(self, work: Callable[[Client], R]) -> R:
        errand = Errand()
        client = Client.over(self.contact, Bridge(self.transport, errand))
        client._basis = self._basis  # read once, and decided from by every call that follows
        try:
            return await errand.run(lambda: _closing(client, work))
        finally:
            self._basis = client._basis


def _closing(client: Client, work: Callable[[Client], R]) -> R:
    try:
        return work(client)
    finally:
        client.close()  # its threads: the connections are the caller's
