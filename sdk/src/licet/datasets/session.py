"""``licet.Client``: the client of the registry with everything that a trainer does with datasets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, TypeVar

import msgspec
import numpy as np
import pyarrow as pa

from licet import times
from licet.client import Client as BaseClient
from licet.datasets import tables
from licet.datasets.annotate import KEPT, decided_columns, refuse_taken
from licet.datasets.basis import Basis, open_basis, pull_newest
from licet.datasets.budgets import Budget
from licet.datasets.build import Filtered, Wish, filter_dataset
from licet.datasets.deciding import Question, Standing, UnknownPolicy
from licet.datasets.held import licences_for
from licet.datasets.settling import effective_match, held_licences
from licet.datasets.stream import Dataset
from licet.decisions import Request
from licet.index.lookup import MatchMode

if TYPE_CHECKING:
    from licet.datasets.checking import Checkup
    from licet.datasets.recheck import Rechecked
    from licet.datasets.runs import RunReported

T = TypeVar("T")


class Client(BaseClient):
    """A connection to one registry as one profile, and what can be asked of datasets with it.

    Decisions are made here, from a snapshot that is pulled at the first question and again once it has expired;
    `refresh` pulls at once. Close the client, or use it in a ``with``.
    """

    _basis: Basis | None = None
    _pool: ThreadPoolExecutor | None = None

    def check(self, inputs: Sequence[str], request: Request, *, offline: bool = False) -> Checkup:
        """Return a verdict for each of ``inputs``: paths of pictures, addresses, or SHA-256 digests of files."""
        from licet.datasets.checking import check

        return check(self, inputs, request, offline=offline)

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
        offline: bool = False,
    ) -> T:
        """Return ``batch`` with a decision for each row: columns ``verdict reason work …`` and ``kept``.

        ``batch`` may be an Arrow batch or table, a pandas or polars frame, a Hugging Face dataset, a list of dicts or a
        dict of lists, with columns ``url sha256 path image pdq`` in any case or as ``columns`` maps them (our name →
        the table's). ``path`` is relative to ``base``. Rows under a licence that is held are kept; none is taken.
        """
        table, _ = self._annotated(
            batch, request, unknown, match, min_claim_level, columns, base, prefix, offline=offline
        )
        return table

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
        offline: bool = False,
    ) -> T:
        """Return what `annotate` returns, without the rows that may not be kept."""
        table, kept = self._annotated(
            batch, request, unknown, match, min_claim_level, columns, base, prefix, offline=offline
        )
        return tables.chosen(table, kept)

    def dataset(
        self,
        name: str,
        request: Request,
        *,
        model: str | None = None,
        accept: Budget | None = None,
        run: str = "1",
        out: str | Path | None = None,
        base: str | Path | None = None,
        wish: Wish | None = None,
    ) -> Dataset:
        """Return a dataset to filter batches with inside a ``with``; decisions and manifest are written on leaving it.

        They are called ``<out>.decisions.parquet`` and ``<out>.manifest.json``; ``out`` is ``name`` in the working
        folder unless given. With ``accept``, licences for ``model`` are taken within that budget.
        """
        asked = request if model is None else msgspec.structs.replace(request, model=model)
        return Dataset(
            self,
            name,
            asked,
            accept=accept,
            run=run,
            out=Path(out or name).expanduser().absolute(),
            base=Path(base).expanduser() if base is not None else Path.cwd(),
            wish=wish or Wish(),
        )

    def filter_dataset(
        self, inputs: Sequence[str | Path], out: str | Path, request: Request, wish: Wish | None = None
    ) -> Filtered:
        """Return once ``out`` holds what may be kept of ``inputs``: what ``licet filter`` does."""
        return filter_dataset(self, inputs, out, request, wish)

    def recheck(self, given: str | Path, *, offline: bool = False) -> Rechecked:
        """Return what of an earlier result must go now: what ``licet recheck`` does."""
        from licet.datasets.recheck import recheck

        return recheck(self, given, offline=offline)

    def report_run(self, dataset: str | Path, model: str, run: str, *, outputs: int = 0) -> RunReported:
        """Return once a training run is stated and its use acknowledged: what ``licet run report`` does."""
        from licet.datasets.runs import report_run

        return report_run(self, dataset, model, run, outputs=outputs)

    def refresh(self, *, offline: bool = False) -> None:
        """Decide from the newest snapshot from now on (``offline``: from the one that is here)."""
        if not offline:
            pull_newest(self)
        self._basis = open_basis(self)

    def __enter__(self) -> Self:
        return self

    def close(self) -> None:
        """Give back connections and threads."""
        if self._pool is not None:
            self._pool.shutdown()
            self._pool = None
        super().close()

    def _annotated(
        self,
        batch: T,
        request: Request,
        unknown: UnknownPolicy,
        match: MatchMode | None,
        min_claim_level: int,
        columns: Mapping[str, str] | None,
        base: str | Path | None,
        prefix: str,
        *,
        offline: bool,
    ) -> tuple[T, Any]:
        if not tables.names(batch):  # an empty list has no columns to look for
            return batch, np.zeros(tables.length(batch), np.bool_)
        now = times.to_text(times.now())
        if self._basis is None or self._basis.manifest.expires_at <= now:
            self.refresh(offline=offline)
        basis = self._basis
        assert basis is not None
        dated = request if request.at else msgspec.structs.replace(request, at=now)
        question = Question(dated, effective_match(match, basis), min_claim_level, unknown)
        self._pool = self._pool or ThreadPoolExecutor()
        added, kept = decided_columns(
            tables.rows(batch, columns),
            basis.index,
            question,
            self._pool,
            standing=Standing(licences_for(held_licences(self), dated)),
            base=Path(base).expanduser() if base is not None else None,
            columns=columns,
        )
        named = {f"{prefix}{name}": column for name, column in {**added, KEPT: pa.array(kept)}.items()}
        refuse_taken(tables.names(batch), named)
        return tables.extended(batch, named), kept
