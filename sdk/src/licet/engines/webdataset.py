"""webdataset: samples decided on their way through a pipeline, before anything of them is decoded.

What a sample is, is what it is in an archive (`licet.datasets.forms.webdataset`): pictures are known by their names or
their first bytes, and its JSON says the rest.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice
from typing import Any, Final

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from licet.datasets.forms.samples import sample_of, spellings, tells
from licet.datasets.forms.webdataset import batch_of
from licet.datasets.pinned import Asked, Pinned, asking
from licet.decisions import Request
from licet.errors import InputError

Sample = dict[str, Any]
VERDICT: Final = "licet.json"
_SAMPLES: Final = 64
#: What webdataset notes of a sample itself (``__key__``, ``__url__``), and others may beside its members.
_NOTES: Final = "__"
#: What is no picture, whatever somebody has put it there for.
_PLAIN: Final = (str, bool, int, float, type(None), list, tuple, dict)
_EXAMINED: Final = ("url", "image", "sha256", "iscc", "pdq")


def annotate(
    pin: Pinned, request: Request, *, columns: Mapping[str, str] | None = None, **how: Any
) -> Callable[[Iterable[Sample]], Iterator[Sample]]:
    """Return a stage for ``WebDataset(…).compose(…)`` that gives each sample a member ``licet.json``.

    It holds the decisions of the sample's pictures in their order, and ``kept``, true if all of them may be kept (of a
    sample without a picture: what its JSON says). It goes before ``decode``: the stage raises ``InputError`` for
    samples in which pictures or JSON are no bytes any more. ``columns`` names members of the JSON, as
    ``{"url": "link"}``; ``how`` is what `Pinned.annotate` takes.
    """
    return _Stage(pin, asking(request, **how), columns, dropping=False)


def filter(  # noqa: A001 - the name that every engine has for it
    pin: Pinned, request: Request, *, columns: Mapping[str, str] | None = None, **how: Any
) -> Callable[[Iterable[Sample]], Iterator[Sample]]:
    """Return a stage that lets whole samples pass, those in which every picture may be kept; they stay as they are."""
    return _Stage(pin, asking(request, **how), columns, dropping=True)


class _Stage:
    """Decides samples some at a time; it pickles, so that a loader's processes each have one."""

    def __init__(self, pin: Pinned, asked: Asked, columns: Mapping[str, str] | None, *, dropping: bool) -> None:
        self._pin = pin
        self._asked = asked
        self._spelled = spellings(columns)
        self._dropping = dropping

    def __call__(self, samples: Iterable[Sample]) -> Iterator[Sample]:
        """Yield the samples with their decisions, or those that may be kept."""
        source = iter(samples)
        while held := list(islice(source, _SAMPLES)):
            for sample, rows in zip(held, self._decided(held), strict=True):
                kept = all(row["kept"] for row in rows)
                if not self._dropping:
                    yield {**sample, VERDICT: msgspec.json.encode({"kept": kept, "decisions": rows})}
                elif kept:
                    yield sample

    def _decided(self, samples: list[Sample]) -> list[list[dict[str, Any]]]:
        read = [
            sample_of(str(sample.get("__key__", number)), _members(sample), self._spelled)
            for number, sample in enumerate(map(_whole, samples))
        ]
        batch = batch_of(read, naming=False)
        # A row that names nothing is malformed, and so is one of a sample that cannot be kept.
        wrong = pa.array(batch["problem"].to_numpy() != 0)
        columns = [pc.if_else(wrong, pa.scalar(None, batch[name].type), batch[name]) for name in _EXAMINED]
        rows = pa.RecordBatch.from_arrays(columns, list(_EXAMINED))
        decided = iter(self._pin.answer(rows, self._asked, dropping=False).drop_columns(list(_EXAMINED)).to_pylist())
        numbers = batch["sample"].to_numpy()
        return [list(islice(decided, count)) for count in np.bincount(numbers, minlength=len(read)).tolist()]


def _whole(sample: Any) -> Sample:
    if not isinstance(sample, dict):
        raise InputError.field("samples", "dicts, before to_tuple", type(sample).__name__)
    return sample


def _members(sample: Sample) -> dict[str, bytes]:
    """Return the members of a sample; raises ``InputError`` where something may have been a picture, or is no JSON's
    text any more."""
    found: dict[str, bytes] = {}
    for name, value in sample.items():
        if name.startswith(_NOTES):
            continue
        if isinstance(value, (bytes, bytearray, memoryview)):
            found[name] = bytes(value)
        elif tells(f"x.{name}") or not isinstance(value, _PLAIN):
            raise InputError.field(
                f"sample {sample.get('__key__', '')}, member {name}",
                "bytes, as before decode and map",
                type(value).__name__,
            )
    return found
