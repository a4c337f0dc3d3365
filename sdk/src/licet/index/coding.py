"""Verdicts of exact copies as one byte a row, with nothing else read of the works: for many keys and few words.

Where ``licet[fast]`` is, many rows go through the compiled loops of `licet.index.finding`: each key is looked up and
the case of its work found in one pass, and each different case decided once. What is odd about a batch (other kinds of
keys, more finds than there is room for, a segment that no writer made) is left to numpy, which says the same.
"""

from __future__ import annotations

import sys
import threading
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType
from typing import Final

import numpy as np

from licet.decisions import CODES, Request
from licet.index.answers import CHALLENGED, decide_case, packed_cases, roughly
from licet.index.keys import Keys, Mask
from licet.index.lookup import FILE, PIXELS, Index
from licet.index.works import Bytes

_LOOPS: Final = "licet.index.finding"
_WORTH_LOADING: Final = 1_000
_ROOM: Final = 1_024  # finds beyond one a key
_KINDS: Final = {"file": FILE, "pixels": PIXELS}
_UNKNOWN: Final = CODES["unknown"]


def verdict_codes(index: Index, keys: Keys, request: Request, min_claim_level: int = 0) -> Bytes:
    """Return the codes that `answer` gives as ``verdict`` for exact copies."""
    if keys.addresses is None and keys.exact.keys() <= _KINDS.keys() and (loops := _loops(keys.n)) is not None:
        codes = _in_loops(loops, index, keys, request, min_claim_level)
        if codes is not None:
            return codes
    return in_columns(index, keys, request, min_claim_level)


def load() -> bool:
    """Return whether the compiled loops are there, once they are loaded, compiled where they never were."""
    try:
        import_module(_LOOPS)
    except ImportError:  # not installed, or not for this numpy
        return False
    return True


def in_columns(index: Index, keys: Keys, request: Request, min_claim_level: int = 0) -> Bytes:
    """Return what `verdict_codes` does, with numpy alone."""
    matches = index.lookup(keys, "exact")
    codes = np.full(keys.n, _UNKNOWN, np.uint8)
    terms, level, flags = index.works.conditions(matches.work)
    plain = np.zeros(1, np.bool_)
    rough = roughly(keys, matches)
    cases, case_of = np.unique(packed_cases(terms, level, flags, matches, rough, plain), return_inverse=True)
    decided = [decide_case(index.works, case, frozenset(), request, min_claim_level).code for case in cases.tolist()]
    counts = np.flatnonzero(flags & CHALLENGED == 0)
    if len(counts):
        row, own = matches.row[counts], np.array(decided, np.uint8)[case_of[counts]]
        start = np.flatnonzero(np.append(True, row[1:] != row[:-1]))
        codes[row[start]] = np.maximum.reduceat(own, start)
    return codes


def _in_loops(loops: ModuleType, index: Index, keys: Keys, request: Request, min_claim_level: int) -> Bytes | None:
    """Return the codes, or None where the loops did not see it through."""
    room = len(keys.exact) * keys.n + _ROOM
    row_of, case_of = np.empty(room, np.int32), np.empty(room, np.int32)
    table, cases = np.full(loops.CASES, -1, np.int64), np.empty(loops.CASES // 4, np.int64)
    counts = np.zeros(2, np.int64)
    order, wanted = np.empty(keys.n, np.int32), np.empty(keys.n, np.uint64)
    ordered: tuple[Bytes, Mask] | None = None
    for kind, (column, mask) in keys.exact.items():
        if ordered is None or column is not ordered[0] or mask is not ordered[1]:  # one column may be of two kinds
            asked = np.ascontiguousarray(column).view(np.uint64)
            count = loops.ordered(asked, mask, order, wanted)
            ordered = column, mask
        for layer in index.layers:
            columns = layer.exact.columns
            if not len(columns[f"{kind}.hi"]):
                continue
            ended = loops.find(
                asked, order, wanted, count,
                *(columns[f"{kind}.{name}"] for name in ("hi", "lo", "work", "bucket")), layer.dead,
                *(columns[f"work.{name}"] for name in ("terms", "level", "flags")), len(columns["terms.hash"]),
                layer.first_terms, _KINDS[kind] << 2, row_of, case_of, table, cases, counts,
            )  # fmt: skip
            if ended:
                return None
    found, different = counts.tolist()
    decided = np.array(
        [
            decide_case(index.works, case, frozenset(), request, min_claim_level).code
            for case in cases[:different].tolist()
        ],
        np.uint8,
    )
    codes = np.full(keys.n, _UNKNOWN, np.uint8)
    loops.settle(row_of, case_of, found, decided, codes)
    return codes


def _loops(rows: int) -> ModuleType | None:
    """Return the loops where they are loaded; for many rows they are loaded beside, for the next call."""
    loops = sys.modules.get(_LOOPS)
    if loops is None:
        if rows >= _WORTH_LOADING:
            _loading()
        return None
    return loops if hasattr(loops, "settle") else None  # while it is imported it is half there


@cache
def _loading() -> threading.Thread | None:
    if find_spec("numba") is None:
        return None
    thread = threading.Thread(target=load, name="licet-loops", daemon=True)
    thread.start()
    return thread
