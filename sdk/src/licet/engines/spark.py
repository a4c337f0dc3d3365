"""Spark: rows decided by ``mapInArrow``, and `licet filter` done by the executors of a cluster.

Executors run the Python that ``PYSPARK_PYTHON`` names; ``licet`` has to be installed in it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import Any

import pyarrow as pa

from licet.client import Client
from licet.datasets.annotate import ADDED
from licet.datasets.filtering.build import Advance, Filtered, Wish
from licet.datasets.filtering.build import filter_dataset as run_filter
from licet.datasets.pinned import Asked, Pinned, asking
from licet.decisions import Request
from licet.engines.deciding import Deciding
from licet.engines.needed import lost, needed
from licet.errors import InputError
from licet.identifiers import new_uuid


def annotate(frame: Any, pin: Pinned, request: Request, *, columns: Mapping[str, str] | None = None, **how: Any) -> Any:
    """Return a Spark ``DataFrame`` with a decision for each row: columns ``verdict reason work …`` and ``kept``.

    ``how`` is what `Pinned.annotate` takes: ``unknown``, ``match``, ``min_claim_level``, ``base``, ``prefix``. Larger
    batches are faster: ``spark.sql.execution.arrow.maxRecordsPerBatch=65536``.
    """
    return _mapped(frame, pin, asking(request, columns=columns, **how), dropping=False)


def filter(  # noqa: A001 - the name that every engine has for it
    frame: Any, pin: Pinned, request: Request, *, columns: Mapping[str, str] | None = None, **how: Any
) -> Any:
    """Return what `annotate` returns, without the rows that may not be kept."""
    return _mapped(frame, pin, asking(request, columns=columns, **how), dropping=True)


def filter_dataset(
    client: Client,
    inputs: Sequence[str | Path],
    out: str | Path,
    request: Request,
    wish: Wish | None = None,
    *,
    spark: Any,
    advance: Advance = lambda _: None,
) -> Filtered:
    """Return once ``out`` holds what may be kept of ``inputs``: `licet filter`, examined and written by executors.

    They must see ``inputs`` and the folder of ``out`` under the same names. ``spark`` is a ``SparkSession``. Tasks that
    fail with their executor are done again, as often as ``spark.task.maxFailures`` says. Raises what `licet filter`
    raises.
    """
    return run_filter(client, inputs, out, request, wish, advance, SparkCrew(spark))


class SparkCrew:
    """Executors of a Spark cluster: each piece is a job of one task, as many at a time as there are cores."""

    def __init__(self, spark: Any) -> None:
        needed("pyspark", "spark")
        try:
            self._context = spark.sparkContext
        except Exception as error:
            raise InputError.field("spark", "a SparkSession with a SparkContext of its own", spark) from error

    def each(self, do: Callable[[bytes], bytes], pieces: Sequence[bytes]) -> Iterator[bytes]:
        """Yield what ``do`` returns of each of ``pieces`` as they are done; Spark does again what is lost."""
        from py4j.protocol import Py4JError
        from pyspark.errors import PySparkException

        context, tag = self._context, f"licet-{new_uuid().hex}"

        def done(piece: bytes) -> bytes:
            context.addJobTag(tag)
            answer: bytes = context.parallelize([piece], 1).map(do).collect()[0]
            return answer

        with ThreadPoolExecutor(max(1, context.defaultParallelism)) as pool:
            asked = [pool.submit(done, piece) for piece in pieces]
            try:
                for each in as_completed(asked):
                    yield each.result()
            except (Py4JError, PySparkException) as error:
                raise lost("Spark", error) from None
            finally:
                for each in asked:
                    each.cancel()
                with contextlib.suppress(Py4JError):
                    context.cancelJobsWithTag(tag)


def _mapped(frame: Any, pin: Pinned, asked: Asked, *, dropping: bool) -> Any:
    needed("pyspark", "spark")
    from pyspark.sql.pandas.types import from_arrow_schema
    from pyspark.sql.types import StructType

    added = pa.schema([(f"{asked.prefix}{name}", kind) for name, kind in ADDED.items()])
    # To Spark names that differ in case alone are one.
    new = {name.lower() for name in added.names}
    taken = sorted(name for name in frame.columns if name.lower() in new)
    if taken:
        raise InputError.field("columns", 'none called like a decision (prefix="licet_" names those apart)', taken)
    schema = StructType([*frame.schema.fields, *from_arrow_schema(added).fields])
    return frame.mapInArrow(_Batches(Deciding(pin, asked, dropping)), schema)


class _Batches:
    """Decides the batches of one partition."""

    def __init__(self, decide: Deciding) -> None:
        self._decide = decide

    def __call__(self, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            yield self._decide(batch)
