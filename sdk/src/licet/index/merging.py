"""Neighbouring layers of a snapshot merged into one, so that there are few however often a snapshot is published.

What comes out is byte for byte what `write_segments` makes of the works that are alive in these layers, so a merge and
a fresh segment of the same states are one file. Columns are copied and sorted; no record is made of a work.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from licet.errors import InputError, MalformedError
from licet.index.container import Array
from licet.index.exact import joined, rising
from licet.index.segments import CONTENTS, KINDS, LATER_KINDS, MAX_WORKS, NO_TERMS, NearSegment, Segment, bounded
from licet.index.works import Layer, layered
from licet.index.writing import account_columns, keep_segments, key_table, terms_columns
from licet.statements.kinds import SegmentRef

Numbers = npt.NDArray[np.int64]
#: A layer is merged with the one below it unless that one is this many times as large: so their sizes grow
#: geometrically, and a work is written anew a number of times that grows with the logarithm of what came after it.
FACTOR: Final = 2


def merged_layers(sizes: Sequence[int], factor: int = FACTOR) -> int:
    """Return how many layers at the top of ``sizes`` (works and removals of each, oldest first) are to become one.

    The oldest is the base, which is never merged: it is only ever written anew, from the states themselves.
    """
    count, top = 0, sizes[-1] if len(sizes) > 1 else 0
    for below in reversed(sizes[1:-1]):
        if below > factor * top:
            break
        count, top = count + 1, top + below
    return count + 1 if count else 0


def merge_segments(segments: Sequence[Segment], folder: Path) -> list[SegmentRef]:
    """Keep the works of ``segments`` (oldest first, neighbours in a manifest) in ``folder`` as one layer.

    Return how a manifest names it in their place. What they remove stays removed from the layers below. Raises
    ``MalformedError`` for segments whose rows point nowhere, ``InputError`` for more works than a segment holds.
    """
    return keep_segments(*merged(segments), folder)


def merged(segments: Sequence[Segment]) -> tuple[dict[str, Array], dict[str, Array]]:
    """Return the columns of the exact and the near tier that `merge_segments` writes."""
    layers = layered(segments)
    if not layers:
        raise InputError("expected segments to merge, got none")
    alive = [_alive(layer) for layer in layers]
    hi, lo = (
        np.concatenate([layer.exact.columns[f"work.{half}"][rows] for layer, rows in zip(layers, alive, strict=True)])
        for half in ("hi", "lo")
    )
    if len(hi) > MAX_WORKS:
        raise InputError(f"expected at most {MAX_WORKS} works in a segment, got {len(hi)}")
    order = rising(hi, lo)
    place = np.empty(len(order), np.uint32)
    place[order] = np.arange(len(order), dtype=np.uint32)
    # For each layer, the new row of each of its works; those that are dead have none.
    new, first = list[Numbers](), 0
    for layer, rows in zip(layers, alive, strict=True):
        its = np.full(len(layer.exact.works), -1, np.int64)
        its[rows] = place[first : first + len(rows)]
        new.append(its)
        first += len(rows)

    def column(name: str) -> Array:
        return np.concatenate(
            [layer.exact.columns[name][rows] for layer, rows in zip(layers, alive, strict=True)]
        )[order]  # fmt: skip

    exact: dict[str, Array] = {
        "work.hi": hi[order],
        "work.lo": lo[order],
        **_stated(layers, alive, order),
        **{name: column(name) for name in ("work.statement", "work.log", "work.level", "work.flags")},
        **_removed(layers, hi, lo),
    }
    accounts = {name: exact.pop(name) for name in ("account.id", "terms.hash", "terms.end", "terms.blob")}
    exact = {**_ordered(exact), **accounts}
    for kind in (*KINDS, *LATER_KINDS):
        exact |= _keys(kind, layers, new)
    return exact, _near(layers, new)


def _alive(layer: Layer) -> Numbers:
    keep = np.ones(len(layer.exact.works), np.bool_)
    keep[layer.dead] = False
    return np.flatnonzero(keep).astype(np.int64)


def _stated(layers: Sequence[Layer], alive: Sequence[Numbers], order: Numbers) -> dict[str, Array]:
    """Return who speaks for each work and under which terms, with the tables that say so."""
    accounts, terms, encoded = list[Array](), list[Numbers](), dict[bytes, int]()
    for layer, its in zip(layers, alive, strict=True):
        state = layer.exact.state(its)
        accounts.append(layer.exact.columns["account.id"][state["account"]])
        stated = state["terms"].astype(np.int64)
        distinct, which = np.unique(stated, return_inverse=True)
        numbers = [
            NO_TERMS if number == NO_TERMS else encoded.setdefault(layer.exact.terms(number), len(encoded))
            for number in distinct.tolist()
        ]
        terms.append(np.array(numbers, np.int64)[which])
    ids, account = account_columns(np.concatenate(accounts)[order])
    rows, blobs = terms_columns(list(encoded), np.concatenate(terms)[order])
    return {"work.account": account, "work.terms": rows, "account.id": ids, **blobs}


def _removed(layers: Sequence[Layer], hi: Array, lo: Array) -> dict[str, Array]:
    """Return the works that any of the layers removes and none states after that."""
    gone = np.concatenate([joined(layer.exact.removed.hi, layer.exact.removed.lo) for layer in layers]).view("V16")
    gone = np.setdiff1d(gone.reshape(-1), joined(hi, lo).view("V16").reshape(-1))
    words = np.ascontiguousarray(gone).view(">u8").reshape(-1, 2).astype(np.uint64)
    return {"removed.hi": np.ascontiguousarray(words[:, 0]), "removed.lo": np.ascontiguousarray(words[:, 1])}


def _ordered(columns: Mapping[str, Array]) -> dict[str, Array]:
    names = ("hi", "lo", "account", "terms", "statement", "log", "level", "flags")
    return {name: columns[name] for name in (*(f"work.{each}" for each in names), "removed.hi", "removed.lo")}


def _keys(kind: str, layers: Sequence[Layer], new: Sequence[Numbers]) -> dict[str, Array]:
    hi, lo, work = list[Array](), list[Array](), list[Numbers]()
    for layer, rows in zip(layers, new, strict=True):
        if kind in layer.exact.keys:
            owner = layer.exact.columns[f"{kind}.work"]
            its = rows[bounded(owner, len(layer.exact.works), f"{kind}.work")]
            keep = its >= 0
            hi.append(layer.exact.columns[f"{kind}.hi"][keep])
            lo.append(layer.exact.columns[f"{kind}.lo"][keep])
            work.append(its[keep])
    if kind not in KINDS and not any(map(len, work)):
        return {}
    return key_table(kind, np.concatenate(hi), np.concatenate(lo), np.concatenate(work).astype(np.uint32))


def _near(layers: Sequence[Layer], new: Sequence[Numbers]) -> dict[str, Array]:
    near: dict[str, Array] = {}
    for kind, values in (("near", ("pdq", "quality")), *((kind, ("code",)) for kind in CONTENTS)):
        found: dict[str, list[Array]] = {name: [] for name in ("hi", "lo", *values)}
        rows = list[Numbers]()
        for layer, its in zip(layers, new, strict=True):
            for segment in layer.near:
                if f"{kind}.hi" in segment.columns:
                    row = its[_owners(layer, segment, kind)]
                    keep = row >= 0
                    rows.append(row[keep])
                    for name, pieces in found.items():
                        pieces.append(segment.columns[f"{kind}.{name}"][keep])
        if kind != "near" and not any(map(len, rows)):
            continue
        by_work = np.argsort(np.concatenate([np.empty(0, np.int64), *rows]), kind="stable")
        for name, pieces in found.items():
            near[f"{kind}.{name}"] = np.concatenate([_NOTHING[name], *pieces])[by_work]
    return near


_NOTHING: Final[dict[str, Array]] = {
    "hi": np.empty(0, np.uint64),
    "lo": np.empty(0, np.uint64),
    "pdq": np.empty((0, 32), np.uint8),
    "code": np.empty((0, 32), np.uint8),
    "quality": np.empty(0, np.uint8),
}


def _owners(layer: Layer, segment: NearSegment, kind: str) -> Numbers:
    """Return the row of the work that each vector or code of ``segment`` belongs to."""
    asked, rows = layer.exact.works.find(segment.columns[f"{kind}.hi"], segment.columns[f"{kind}.lo"])
    if not np.array_equal(asked, np.arange(len(segment.columns[f"{kind}.hi"]))):
        raise MalformedError(f"{kind}: expected rows of works in the exact segment before it, got others")
    return rows
