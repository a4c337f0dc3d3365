"""webdataset: samples decided on their way through a pipeline, before anything of them is decoded."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any, Final

import msgspec
import pyarrow as pa

from licet.datasets.forms.folder import is_picture
from licet.datasets.pinned import Asked, Pinned, asking
from licet.decisions import Request

Sample = dict[str, Any]
VERDICT: Final = "licet.json"
_SAMPLES: Final = 64


def annotate(pin: Pinned, request: Request, **how: Any) -> Callable[[Iterable[Sample]], Iterator[Sample]]:
    """Return a stage for ``WebDataset(…).compose(…)`` that gives each sample a member ``licet.json``.

    It holds the decisions of the sample's pictures in their order, and ``kept``, true if all of them may be kept (of a
    sample without a picture: what its address says). It goes before ``decode``. ``how`` is what `Pinned.annotate`
    takes.
    """
    return _Stage(pin, asking(request, **how), dropping=False)


def filter(  # noqa: A001 - the name that every engine has for it
    pin: Pinned, request: Request, **how: Any
) -> Callable[[Iterable[Sample]], Iterator[Sample]]:
    """Return a stage that lets whole samples pass, those in which every picture may be kept; they stay as they are."""
    return _Stage(pin, asking(request, **how), dropping=True)


class _Stage:
    """Decides samples some at a time; it pickles, so that a loader's processes each have one."""

    def __init__(self, pin: Pinned, asked: Asked, *, dropping: bool) -> None:
        self._pin = pin
        self._asked = asked
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
        rows, counts = list[tuple[bytes | None, str | None]](), list[int]()
        for sample in samples:
            pictures: list[bytes | None] = [
                value for name, value in sample.items() if isinstance(value, bytes) and is_picture(f"x.{name}")
            ]
            url = _url(sample)
            rows.extend((picture, url) for picture in pictures or (None,))
            counts.append(max(1, len(pictures)))
        batch = pa.RecordBatch.from_arrays(
            [pa.array([row[0] for row in rows], pa.large_binary()), pa.array([row[1] for row in rows], pa.string())],
            ["image", "url"],
        )
        decided = iter(self._pin.answer(batch, self._asked, dropping=False).drop_columns(["image"]).to_pylist())
        return [list(islice(decided, count)) for count in counts]


def _url(sample: Sample) -> str | None:
    """Return the address that a sample's JSON states; what is no JSON states none."""
    try:
        found = msgspec.json.decode(sample.get("json", b"{}"))
    except (msgspec.MsgspecError, ValueError, TypeError):
        return None
    url = found.get("url") if isinstance(found, dict) else None
    return url if isinstance(url, str) else None
