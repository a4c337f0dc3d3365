"""Which postings of a segment look like the features of an asked picture, each work once under each feature.

What an asked picture costs has a bound, whatever is in it and whatever was registered: see `_affordable` and `scanned`.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from licet.derivative import loops
from licet.derivative.features import Features
from licet.derivative.segment import WORDS, DerivativeSegment
from licet.errors import MalformedError

RADIUS: Final = 14
#: Features of one work that look like the same asked one, above which it says little of a place (chequers, halftone).
ALIKE: Final = 8
#: Postings of a segment that one picture's features are held against, however few of all that is.
_ALWAYS_COMPARED: Final = 1 << 17
_AT_A_TIME: Final = 1 << 20
#: How a find is packed into 64 bits where no loop is compiled: its feature, work and bits, then its place by posting.
_WORK_BITS, _DISTANCE_BITS, _FIND_BITS = 24, 4, 23

Numbers = npt.NDArray[np.int64]
Bits = npt.NDArray[np.uint8]


class Hits(NamedTuple):
    """Asked features, rising, beside postings that look alike: each pair of feature and work once, by the fewest bits.

    Of equal bits the first posting counts. Works of one feature lie in any order.
    """

    asked: Numbers
    posting: Numbers
    work: Numbers
    repeated: npt.NDArray[np.bool_]  # more than ``ALIKE`` of the work look like that feature

    def of(self, rows: Numbers) -> Hits:
        """Return some of them."""
        return Hits(self.asked[rows], self.posting[rows], self.work[rows], self.repeated[rows])


def hits(segment: DerivativeSegment, asked: Features, most: int) -> Hits:
    """Return what looks like ``asked``; of a feature that finds more than ``most`` postings nothing.

    Raises ``MalformedError`` for a posting of no work.
    """
    words = asked.words.astype(np.int64)
    start, end = _affordable(segment.starts[words], segment.starts[words + 1], int(segment.starts[-1]))
    found = scanned(start, end, asked.signatures, segment.columns["posting.signature"], most)
    once = _once_plainly if loops.worth(int((end - start).sum())) is None else _once
    return once(*found, segment.columns["posting.work"], len(segment))


def _affordable(start: Numbers, end: Numbers, postings: int) -> tuple[Numbers, Numbers]:
    """Return the ranges without the longest of them, so that there are no more postings than of words alike in number.

    Words are far from that: most of what a picture leads to lies under few of them, which say little because so much
    does. Of features of one picture that look under 2,400 words, a twenty-seventh of all is read.
    """
    lengths = (end - start).reshape(-1)
    most = max(_ALWAYS_COMPARED, lengths.size * postings // WORDS)
    if lengths.sum() <= most:
        return start, end
    order = np.argsort(lengths, kind="stable")
    end = end.copy()
    end.reshape(-1)[order[np.cumsum(lengths[order]) > most]] = 0
    return np.minimum(start, end), end


def scanned(
    start: Numbers, end: Numbers, asked: npt.NDArray[np.uint64], stored: npt.NDArray[np.uint64], most: int
) -> tuple[Numbers, Numbers, Bits]:
    """Return (asked, stored, bits) of those from ``start`` to ``end``, n × words, that are at most ``RADIUS`` apart.

    Of an asked one that finds more than ``most`` there is none: it finds too many works, or works that repeat it.
    """
    postings = int((end - start).sum())
    module = loops.worth(postings)
    if module is None:
        return _scanned_plainly(start, end, asked, stored, most)
    room = max(1024, postings // 16)
    while True:
        feature, posting, bits = np.empty(room, np.int64), np.empty(room, np.int64), np.empty(room, np.uint8)
        count = module.scan(
            np.ascontiguousarray(start), np.ascontiguousarray(end), asked, stored, RADIUS, most, feature, posting, bits
        )
        if count <= room:
            return feature[:count], posting[:count], bits[:count]
        room = count


def _scanned_plainly(
    start: Numbers, end: Numbers, asked: npt.NDArray[np.uint64], stored: npt.NDArray[np.uint64], most: int
) -> tuple[Numbers, Numbers, Bits]:
    lengths, first = (end - start).reshape(-1), start.reshape(-1)
    looks = np.repeat(np.arange(len(asked)), start.shape[1])
    total = np.cumsum(lengths)
    cuts = np.searchsorted(total, np.arange(_AT_A_TIME, int(lengths.sum()), _AT_A_TIME)).tolist()
    count = np.zeros(len(asked), np.int64)
    features, postings, distances = [np.empty(0, np.int64)], [np.empty(0, np.int64)], [np.empty(0, np.uint8)]
    for low, high in zip([0, *cuts], [*cuts, len(lengths)], strict=True):
        some = lengths[low:high]
        feature = np.repeat(looks[low:high], some)
        posting = np.arange(len(feature)) - np.repeat(np.cumsum(some) - some - first[low:high], some)
        bits = np.bitwise_count(stored[posting] ^ asked[feature])
        near = np.flatnonzero(bits <= RADIUS)
        count += np.bincount(feature[near], minlength=len(asked))
        near = near[count[feature[near]] <= most]
        features.append(feature[near])
        postings.append(posting[near])
        distances.append(bits[near])
    found = np.concatenate(features)
    few = count[found] <= most
    return found[few], np.concatenate(postings)[few], np.concatenate(distances)[few]


def _once(feature: Numbers, posting: Numbers, bits: Bits, owners: npt.NDArray[np.uint32], works: int) -> Hits:
    module = loops.loaded()
    assert module is not None
    kept, times = np.empty(len(feature), np.int64), np.empty(len(feature), np.int64)
    work = np.empty(len(feature), np.int64)
    count = module.once(feature, posting, bits, owners, np.full(works, -1, np.int64), kept, work, times)
    if count < 0:
        raise _of_no_work(works, -1 - count)
    kept = kept[:count]
    return Hits(feature[kept], posting[kept], work[:count], times[:count] > ALIKE)


def _once_plainly(feature: Numbers, posting: Numbers, bits: Bits, owners: npt.NDArray[np.uint32], works: int) -> Hits:
    work = owners[posting].astype(np.int64)
    if len(work) and work.max() >= works:
        raise _of_no_work(works, int(work.max()))
    # Two sorts of numbers are several times faster than one of rows.
    find = np.argsort(posting)
    packed = ((feature << _WORK_BITS | work) << _DISTANCE_BITS | bits) << _FIND_BITS
    packed = packed[find] | np.arange(len(find))
    packed.sort()
    pairs = packed >> (_DISTANCE_BITS + _FIND_BITS)
    first = np.ones(len(pairs), np.bool_)
    first[1:] = pairs[1:] != pairs[:-1]
    at = np.flatnonzero(first)
    kept = find[packed[at] & ((1 << _FIND_BITS) - 1)]
    return Hits(feature[kept], posting[kept], work[kept], np.diff(at, append=len(pairs)) > ALIKE)


def _of_no_work(works: int, got: int) -> MalformedError:
    return MalformedError(f"posting.work: expected rows below {works}, got {got}")
