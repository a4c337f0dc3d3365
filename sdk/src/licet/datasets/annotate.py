"""The one core that every engine calls: rows in, the same rows with their decisions out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from licet.datasets.examining.asking import Asker
from licet.datasets.examining.deciding import NOTHING_HELD, Question, Standing, decide_rows
from licet.datasets.examining.fingerprinting import examine
from licet.datasets.forms.columns import find_columns
from licet.datasets.frames import tables
from licet.datasets.results.rows import DECISION_COLUMNS, SCHEMA, decision_columns, plain
from licet.errors import InputError
from licet.index.lookup import Index

if TYPE_CHECKING:
    from licet.datasets.examining.signalling import SignalReader

T = TypeVar("T")
KEPT: Final = "kept"
#: The type of each column that a batch gets.
ADDED: Final = {**{name: SCHEMA.field(name).type for name in DECISION_COLUMNS}, KEPT: pa.bool_()}


def annotate(
    batch: pa.RecordBatch,
    index: Index,
    question: Question,
    pool: Executor,
    *,
    standing: Standing = NOTHING_HELD,
    base: Path | None = None,
    columns: Mapping[str, str] | None = None,
    prefix: str = "",
) -> pa.RecordBatch:
    """Return ``batch`` with the columns ``verdict reason work …`` (`DECISION_COLUMNS`) and ``kept`` after its own.

    Rows are known by their columns ``url sha256 path image pdq`` in any case, or as ``columns`` maps them; ``path`` is
    relative to ``base`` (the working folder). Pictures are read in ``pool``. ``prefix`` goes before the names of the
    new columns. Raises ``InputError`` for a batch without a usable column, or with one that is called like a new one.
    """
    added, kept = decided_columns(batch, index, question, pool, standing=standing, base=base, columns=columns)
    named = {f"{prefix}{name}": column for name, column in {**added, KEPT: pa.array(kept)}.items()}
    refuse_taken(batch.schema.names, named)
    fields = [*batch.schema, *(pa.field(name, column.type) for name, column in named.items())]
    schema = pa.schema(fields, batch.schema.metadata)
    return pa.RecordBatch.from_arrays([*batch.columns, *named.values()], schema=schema)


def decided_columns(
    batch: pa.RecordBatch,
    index: Index,
    question: Question,
    pool: Executor,
    *,
    standing: Standing = NOTHING_HELD,
    base: Path | None = None,
    columns: Mapping[str, str] | None = None,
    asker: Asker | None = None,
    signals: SignalReader | None = None,
) -> tuple[dict[str, pa.Array], npt.NDArray[np.bool_]]:
    """Return the decision columns of ``batch``, and which rows are kept; parts are asked about with ``asker``, and what
    others say is read with ``signals``."""
    rows = find_columns(batch.schema, "the batch", columns).select(batch)
    evidence = examine(rows, base or Path.cwd(), pool, iscc=question.tiers == "near", asker=asker, signals=signals)
    verdicts = decide_rows(index, evidence, question, standing)
    found = decision_columns(index, evidence, question, verdicts)
    return {name: plain(found[name]) for name in DECISION_COLUMNS}, verdicts.kept


Decide = Callable[[pa.RecordBatch], tuple[dict[str, pa.Array], npt.NDArray[np.bool_]]]


def annotated(batch: T, decide: Decide, columns: Mapping[str, str], prefix: str, *, dropping: bool) -> T:
    """Return ``batch``, a table of any kind, with the columns that ``decide`` makes of its rows, slice by slice.

    ``dropping``: without the rows that are not kept. Raises what `annotate` raises.
    """
    if isinstance(batch, (list, tuple)) and not batch:  # without a row there is no column to look for
        return batch
    there = tables.names(batch)
    found = [decide(rows) for rows in tables.slices(batch, columns)]
    kept = np.concatenate([mask for _, mask in found])
    wanted = {**{name: [part[name] for part, _ in found] for name in found[0][0]}, KEPT: [pa.array(kept)]}
    added = {f"{prefix}{name}": pa.concat_arrays(pieces) for name, pieces in wanted.items()}
    refuse_taken(there, added)
    table = tables.extended(batch, added)
    found_table: T = tables.chosen(table, kept) if dropping else table
    return found_table


def refuse_taken(names: list[str], added: Mapping[str, object]) -> None:
    """Raise ``InputError`` where a new column would have the name of an old one."""
    taken = sorted(set(names) & set(added))
    if taken:
        raise InputError(
            f'expected a batch without columns {", ".join(taken)}; prefix="licet_" names the new ones apart',
            columns=taken,
        )
