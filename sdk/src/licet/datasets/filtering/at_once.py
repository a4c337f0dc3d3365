"""Rows that are decided while they are copied, so that their files are read once and nothing lies in between.

That can be where whoever decides needs to know of no other row: no licence is to be taken for what is found, and
nobody is concentrated (semantics 15). The latter is known only at the end; until then it is supposed, because it is
seldom otherwise, and if it is, all parts are done again.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import msgspec
import pyarrow as pa

from licet.datasets.examining.concentration import Concentration, Counted
from licet.datasets.examining.deciding import Question, Standing, Verdicts, decide_rows
from licet.datasets.examining.fingerprinting import examine
from licet.datasets.filtering.scanning import Known
from licet.datasets.forms.files import Base
from licet.datasets.licensing.wanted import Gathered, Shopping
from licet.index.lookup import Index

#: Returns what the rows of a batch are and its verdicts; is told which batch of its part it is, and of its first row.
Deciding = Callable[[pa.RecordBatch, int, int], tuple[Known, Verdicts]]


class Found(msgspec.Struct, frozen=True):
    """What is known of the rows of a part that is done and concerns all parts: on whom they rest, and what has to be
    licensed."""

    counted: Counted
    gathered: Gathered


class AtOnce:
    """Decides the rows of one part, and gathers what concerns all parts."""

    def __init__(self, part: int, base: Base, index: Index, question: Question, standing: Standing) -> None:
        self._part, self._base = part, base
        self._index, self._question, self._standing = index, question, standing
        self._counting = Concentration(question)
        self._shopping = Shopping(index, standing.style, None)
        self._pool = ThreadPoolExecutor(os.cpu_count() or 1)  # starts no thread where rows have no files

    def __call__(self, batch: pa.RecordBatch, number: int, first: int) -> tuple[Known, Verdicts]:
        """Return what the rows of a batch are and its verdicts."""
        question = self._question
        evidence = examine(batch, self._base, self._pool, iscc=question.tiers == "near")
        matches = self._index.lookup(evidence.keys(), question.tiers)
        decided = decide_rows(self._index, evidence, question, self._standing, matches)
        self._counting.add(decided)
        self._shopping.add(decided)
        return Known(self._part, number, first, evidence, matches), decided

    @property
    def found(self) -> Found:
        """What was gathered."""
        return Found(self._counting.counted, self._shopping.gathered)
