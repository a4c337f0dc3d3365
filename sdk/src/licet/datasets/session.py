"""``licet.Client``: the client of the registry with everything that a trainer does with datasets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Self, TypeVar

import msgspec
import pyarrow as pa

from licet import times
from licet.client import Client as BaseClient
from licet.datasets.annotate import ADDED, annotated, decided_columns, refuse_taken
from licet.datasets.examining.asking import Asker, refuse_offline
from licet.datasets.examining.basis import Basis, open_basis
from licet.datasets.examining.deciding import Matching, Question, Standing, UnknownPolicy
from licet.datasets.filtering.build import Filtered, Wish, filter_dataset
from licet.datasets.filtering.heard import reader_of, reading
from licet.datasets.filtering.settling import effective_match, held_licences
from licet.datasets.frames import hugging, tables
from licet.datasets.licensing.budgets import Budget
from licet.datasets.licensing.held import licences_for
from licet.datasets.licensing.revoked import bring_up_to_date
from licet.datasets.stream import Dataset
from licet.decisions import Request

if TYPE_CHECKING:
    from licet.datasets.checking import Checkup
    from licet.datasets.pinned import SessionSnapshot
    from licet.datasets.usage.recheck import Rechecked
    from licet.datasets.usage.runs import RunReported

T = TypeVar("T")


class Client(BaseClient):
    """A connection to one registry as one profile, and what can be asked of datasets with it.

    Decisions are made here, from a snapshot that is pulled at the first question and again once it has expired;
    `refresh` pulls at once. Close the client, or use it in a ``with``.
    """

    _basis: Basis | None = None
    _pool: ThreadPoolExecutor | None = None

    def check(
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
        from licet.datasets.checking import check

        return check(self, [str(each) for each in inputs], request, match=match, offline=offline)

    def annotate(
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
        asking = _Asking(request, unknown, match, min_claim_level, dict(columns or {}), base, prefix, signals, offline)
        return self._annotated(batch, asking, dropping=False)

    def filter(
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
        asking = _Asking(request, unknown, match, min_claim_level, dict(columns or {}), base, prefix, signals, offline)
        return self._annotated(batch, asking, dropping=True)

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

    def recheck(self, given: str | Path, *, offline: bool = False, workers: int | None = None) -> Rechecked:
        """Return what of an earlier result must go now: what ``licet recheck`` does."""
        from licet.datasets.usage.recheck import recheck

        return recheck(self, given, offline=offline, workers=workers)

    def report_run(self, dataset: str | Path, model: str, run: str, *, outputs: int = 0) -> RunReported:
        """Return once a training run is stated and its use acknowledged: what ``licet run report`` does."""
        from licet.datasets.usage.runs import report_run

        return report_run(self, dataset, model, run, outputs=outputs)

    @property
    def snapshot(self) -> SessionSnapshot:
        """The snapshots of this client's registry: pull, open, pin."""
        from licet.datasets.pinned import SessionSnapshot

        return SessionSnapshot(self)

    def refresh(self, *, offline: bool = False) -> None:
        """Decide from the newest snapshot from now on (``offline``: from the one that is here)."""
        if not offline:
            bring_up_to_date(self)
        self._basis = open_basis(self)

    def __enter__(self) -> Self:
        return self

    def close(self) -> None:
        """Give back connections and threads."""
        if self._pool is not None:
            self._pool.shutdown()
            self._pool = None
        super().close()

    def _annotated(self, batch: T, asking: _Asking, *, dropping: bool) -> T:
        if hugging.is_stream(batch):
            stream: T = self._streamed(batch, asking, dropping=dropping)
            return stream
        return annotated(
            batch, lambda rows: self._decided(rows, asking), asking.columns, asking.prefix, dropping=dropping
        )

    def _streamed(self, stream: Any, asking: _Asking, *, dropping: bool) -> Any:
        """Return a stream whose rows are decided as they are read, each slice under what is in force then."""
        schema = pa.schema([(f"{asking.prefix}{name}", kind) for name, kind in ADDED.items()])
        if stream.features is not None:
            refuse_taken(list(stream.features), dict.fromkeys(schema.names))

        def decide(table: pa.Table) -> pa.Table:
            return self._annotated(table, asking, dropping=dropping)

        return hugging.streamed(stream, decide, schema, tables.SLICE_PICTURES)

    def _decided(self, rows: pa.RecordBatch, asking: _Asking) -> tuple[dict[str, pa.Array], Any]:
        refuse_offline(asking.match, offline=asking.offline)
        now = times.to_text(times.now())
        if self._basis is None or self._basis.manifest.expires_at <= now:
            self.refresh(offline=asking.offline)
        basis = self._basis
        assert basis is not None
        request = asking.request
        dated = request if request.at else msgspec.structs.replace(request, at=now)
        how = reading(asking.signals, offline=asking.offline)
        question = Question(
            dated, effective_match(asking.match, basis), asking.min_claim_level, asking.unknown, signals=how
        )
        self._pool = self._pool or ThreadPoolExecutor()
        with reader_of(self, how) as signals:
            return decided_columns(
                rows,
                basis.index,
                question,
                self._pool,
                standing=Standing(licences_for(held_licences(self), dated)),
                base=Path(asking.base).expanduser() if asking.base is not None else None,
                columns=asking.columns,
                asker=Asker(self, dated, asking.min_claim_level) if asking.match == "derivative" else None,
                signals=signals,
            )


class _Asking(NamedTuple):
    """What `annotate` and `filter` were asked, for every slice of a table."""

    request: Request
    unknown: UnknownPolicy
    match: Matching | None
    min_claim_level: int
    columns: dict[str, str]
    base: str | Path | None
    prefix: str
    signals: bool
    offline: bool
