"""Hugging Face ``datasets``: rows decided by ``map``, in as many processes as wanted, without decoding a picture."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from licet.datasets.annotate import ADDED, refuse_taken
from licet.datasets.frames import hugging, tables
from licet.datasets.pinned import Asked, Pinned, asking
from licet.decisions import Request
from licet.engines.deciding import Deciding
from licet.engines.needed import needed
from licet.errors import InputError


def annotate(
    dataset: Any,
    pin: Pinned,
    request: Request,
    *,
    num_proc: int | None = None,
    columns: Mapping[str, str] | None = None,
    **how: Any,
) -> Any:
    """Return ``dataset`` (a ``Dataset`` or an ``IterableDataset``) with a decision for each row.

    ``num_proc`` processes each open the mapped index once; a streamed dataset is decided as it is read. ``how`` is what
    `Pinned.annotate` takes: ``unknown``, ``match``, ``min_claim_level``, ``base``, ``prefix``. Raises ``InputError``
    for a dict of splits, and for a dataset with a column that is called like a new one.
    """
    return _mapped(dataset, pin, asking(request, columns=columns, **how), num_proc, dropping=False)


def filter(  # noqa: A001 - the name that every engine has for it
    dataset: Any,
    pin: Pinned,
    request: Request,
    *,
    num_proc: int | None = None,
    columns: Mapping[str, str] | None = None,
    **how: Any,
) -> Any:
    """Return what `annotate` returns, without the rows that may not be kept."""
    return _mapped(dataset, pin, asking(request, columns=columns, **how), num_proc, dropping=True)


def _mapped(dataset: Any, pin: Pinned, asked: Asked, num_proc: int | None, *, dropping: bool) -> Any:
    library = needed("datasets", "hf")
    if hugging.is_dict(dataset):
        raise InputError.field("dataset", "one split, such as dataset['train']", type(dataset).__name__)
    added = pa.schema([(f"{asked.prefix}{name}", kind) for name, kind in ADDED.items()])
    if dataset.features is not None:
        refuse_taken(list(dataset.features), dict.fromkeys(added.names))
    decide = Deciding(pin, asked, dropping)
    if not hugging.is_stream(dataset) and not len(dataset):  # its map leaves out what it has no rows for
        return decide(dataset)
    if hugging.is_stream(dataset):
        return hugging.streamed(dataset, decide, added, tables.SLICE_PICTURES)
    features = library.Features({**dataset.features, **library.Features.from_arrow_schema(added)})
    mapped = dataset.with_format("arrow").map(
        decide, batched=True, batch_size=_rows(dataset), num_proc=num_proc, features=features, desc="licet"
    )
    return hugging.shown_as(mapped, dataset, added.names)


def _rows(dataset: Any) -> int:
    pictures = any(name.lower() in ("image", "path") for name in dataset.column_names)
    return tables.SLICE_PICTURES if pictures else tables.SLICE_ROWS
