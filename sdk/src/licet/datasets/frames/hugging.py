"""Hugging Face datasets: what is asked of them goes through Arrow, so that no picture is decoded on the way.

The library is never imported here; whoever hands in such a dataset has it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from typing import Any

import pyarrow as pa

Decide = Callable[[pa.Table], pa.Table]


def is_stream(given: Any) -> bool:
    """Return whether ``given`` is an ``IterableDataset``."""
    kind = getattr(sys.modules.get("datasets"), "IterableDataset", None)
    return isinstance(kind, type) and isinstance(given, kind)


def is_dict(given: Any) -> bool:
    """Return whether ``given`` is a dict of splits."""
    library = sys.modules.get("datasets")
    found = (getattr(library, name, None) for name in ("DatasetDict", "IterableDatasetDict"))
    kinds = tuple(kind for kind in found if isinstance(kind, type))
    return bool(kinds) and isinstance(given, kinds)


def columns(table: Any, wanted: list[str]) -> Any:
    """Return the dataset of these columns alone, to be read with `arrow`."""
    return table.select_columns(wanted).with_format("arrow")


def arrow(table: Any, start: int, end: int) -> dict[str, Any]:
    """Return the columns of rows ``start`` to ``end`` of what `columns` returned."""
    found = table[start:end]
    return {name: found.column(name) for name in found.schema.names}


def extended(table: Any, columns: Mapping[str, pa.Array]) -> Any:
    """Return ``table`` with ``columns`` after its own; features and format stay as they are."""
    library = sys.modules["datasets"]
    added = library.Dataset(pa.table(dict(columns)))
    if len(table):
        found = library.concatenate_datasets([table.with_format(None), added], axis=1)
    else:  # it would drop one of two that are empty
        features = library.Features({**table.features, **added.features})
        found = library.Dataset.from_dict({name: [] for name in features}, features=features)
    return shown_as(found, table, list(columns))


def shown_as(found: Any, table: Any, added: list[str]) -> Any:
    """Return ``found``, which is ``table`` with columns ``added``, in the format that ``table`` is in."""
    shown = table.format
    if shown["type"] is None and set(shown["columns"]) == set(table.column_names):
        return found.with_format(None)
    return found.with_format(
        shown["type"],
        columns=[*shown["columns"], *added],
        output_all_columns=shown["output_all_columns"],
        **shown["format_kwargs"],
    )


def streamed(stream: Any, decide: Decide, schema: pa.Schema, rows: int) -> Any:
    """Return ``stream`` with ``decide`` applied to its rows, ``rows`` at a time, as they are read.

    ``schema`` is that of the columns that ``decide`` adds. Features that are known stay known.
    """
    library = sys.modules["datasets"]
    features = None
    if stream.features is not None:
        added = library.Features.from_arrow_schema(schema)
        features = library.Features({**stream.features, **added})
    mapped = stream.with_format("arrow").map(decide, batched=True, batch_size=rows, features=features)
    return mapped.with_format(None)


def batches(stream: Any, rows: int) -> Any:
    """Return an iterator over ``stream`` as Arrow tables of up to ``rows`` rows; pictures are not decoded."""
    return stream.with_format("arrow").iter(batch_size=rows)
