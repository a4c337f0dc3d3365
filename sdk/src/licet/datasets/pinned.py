"""What `licet.Client.snapshot` pins: a snapshot that any process decides from, wherever it is sent."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import msgspec

from licet.client.asnapshots import AsyncClientSnapshot
from licet.client.snapshots import ClientSnapshot, Pin
from licet.datasets.annotate import annotated, decided_columns
from licet.datasets.examining.deciding import Question, Standing, UnknownPolicy
from licet.datasets.examining.pinned import basis_of
from licet.datasets.filtering.scanning import readers
from licet.datasets.filtering.settling import effective_match, held_licences
from licet.datasets.licensing.held import HeldLicence, licences_for
from licet.decisions import Request
from licet.errors import InputError
from licet.index.lookup import MatchMode

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pyarrow as pa

T = TypeVar("T")


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked of every row, as it travels to workers."""

    request: Request
    unknown: UnknownPolicy = "exclude"
    match: MatchMode | None = None
    min_claim_level: int = 0
    columns: dict[str, str] = {}
    base: str | None = None
    prefix: str = ""


class Pinned(Pin, frozen=True, kw_only=True):
    """A pin, and the licences that were held then. It pickles, and opens the mapped index once in each process.

    Decisions come from the pinned snapshot alone, as of the moment of the pin: wherever and whenever a row is decided,
    the answer is the same. Nobody is asked, unless segments are missing where it is used.
    """

    held: list[HeldLicence]

    def annotate(
        self,
        batch: T,
        request: Request,
        *,
        unknown: UnknownPolicy = "exclude",
        match: MatchMode | None = None,
        min_claim_level: int = 0,
        columns: Mapping[str, str] | None = None,
        base: str | Path | None = None,
        prefix: str = "",
    ) -> T:
        """Return ``batch`` with a decision for each row: what `licet.Client.annotate` does, under this pin.

        Raises also ``VerificationError`` where the files here are not those that were pinned, and ``InputError`` where
        they are missing and cannot be fetched.
        """
        asked = asking(request, unknown, match, min_claim_level, columns, base, prefix)
        return self.answer(batch, asked, dropping=False)

    def filter(
        self,
        batch: T,
        request: Request,
        *,
        unknown: UnknownPolicy = "exclude",
        match: MatchMode | None = None,
        min_claim_level: int = 0,
        columns: Mapping[str, str] | None = None,
        base: str | Path | None = None,
        prefix: str = "",
    ) -> T:
        """Return what `annotate` returns, without the rows that may not be kept."""
        asked = asking(request, unknown, match, min_claim_level, columns, base, prefix)
        return self.answer(batch, asked, dropping=True)

    def answer(self, batch: T, asked: Asked, *, dropping: bool) -> T:
        """Return what `annotate` does, or `filter` when ``dropping``."""
        if str(asked.match) == "derivative":
            raise InputError.field("match", "exact or near under a pin: its holders ask nobody", asked.match)
        basis = basis_of(self)
        request = asked.request if asked.request.at else msgspec.structs.replace(asked.request, at=self.at)
        question = Question(request, effective_match(asked.match, basis), asked.min_claim_level, asked.unknown)
        standing = Standing(licences_for(self.held, request))
        with readers(None) as pool:

            def decide(rows: pa.RecordBatch) -> tuple[dict[str, pa.Array], npt.NDArray[np.bool_]]:
                base = None if asked.base is None else Path(asked.base).expanduser()
                return decided_columns(
                    rows, basis.index, question, pool, standing=standing, base=base, columns=asked.columns
                )

            return annotated(batch, decide, asked.columns, asked.prefix, dropping=dropping)


class SessionSnapshot(ClientSnapshot):
    """The snapshots of one client's registry, for those who decide from them."""

    def pin(self) -> Pinned:
        """Return what lets workers elsewhere decide from the current snapshot and no other; needs no network.

        Raises ``InputError`` if none was pulled and ``ExpiredError`` past its time.
        """
        pin = super().pin()
        return Pinned(**{name: getattr(pin, name) for name in Pin.__struct_fields__}, held=held_licences(self._client))


class AsyncSessionSnapshot(AsyncClientSnapshot):
    """What `SessionSnapshot` is, for an asynchronous client."""

    async def pin(self) -> Pinned:
        """Return what lets workers elsewhere decide from the current snapshot and no other; needs no network.

        Raises ``InputError`` if none was pulled and ``ExpiredError`` past its time.
        """
        return await self._client.in_thread(lambda client: SessionSnapshot(client).pin())


def asking(
    request: Request,
    unknown: UnknownPolicy = "exclude",
    match: MatchMode | None = None,
    min_claim_level: int = 0,
    columns: Mapping[str, str] | None = None,
    base: str | Path | None = None,
    prefix: str = "",
    signals: bool = False,
) -> Asked:
    """Return what is asked of every row; raises ``InputError`` for what workers elsewhere cannot do."""
    if signals:
        raise InputError.field(
            "signals",
            "none under a pin, as on Ray, Spark, DuckDB and in streams: hosts are asked politely from one place alone;"
            " `licet filter --signals` or client.filter(…, signals=True) reads them",
            signals,
        )
    return Asked(
        request=request,
        unknown=unknown,
        match=match,
        min_claim_level=min_claim_level,
        columns=dict(columns or {}),
        base=None if base is None else str(base),
        prefix=prefix,
    )
