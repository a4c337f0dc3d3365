"""Finding out what each row is: its file's digests and hashes, or what the table states of it.

A row with a picture (``image``, else ``path``) is judged by the picture itself, and what else is stated of it counts
beside; a row without one by its ``text``, if it is one, and by what is stated. Nothing is fetched from the network, but
what a `SignalReader` asks.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from licet.datasets.examining.asking import Asker, Questions
from licet.datasets.examining.evidence import DIGESTS, URLS, Evidence, codes_of, samples_of
from licet.datasets.examining.fixed import Mask
from licet.datasets.examining.reading import examine_files, examine_texts, files_of
from licet.datasets.examining.stated import stated_of
from licet.datasets.forms.files import Base
from licet.datasets.forms.parts import MALFORMED
from licet.datasets.forms.seals import seal_of
from licet.fingerprints.decode import DEFAULT_LIMITS, PictureLimits
from licet.fingerprints.iscc import LONGEST_LIST

if TYPE_CHECKING:
    from licet.datasets.examining.signalling import SignalReader, Signals


def examine(
    rows: pa.RecordBatch,
    base: Base,
    pool: Executor,
    limits: PictureLimits = DEFAULT_LIMITS,
    *,
    iscc: bool = False,
    asker: Asker | None = None,
    signals: SignalReader | None = None,
    advance: Callable[[int], None] = lambda _: None,
) -> Evidence:
    """Return what ``rows`` (columns of `licet.datasets.forms.parts`) are; ``path`` is relative to ``base``.

    Pictures are read in ``pool`` and decoded in other processes (``licet.fingerprints.bounded``); the result does not
    depend on how many. With ``iscc`` their ISCCs are made too, which takes a third longer. A stated address, digest or
    hash that does not parse makes its row malformed, unless the row's picture was examined. Never raises for a bad row.
    With an ``asker`` each picture that was decoded is asked about; what that raises is raised. With ``signals`` it is
    read what others say about each row, and ``advance`` told of rows whose addresses were asked.
    """
    n = len(rows)
    stated = stated_of(rows)
    examined = np.zeros(n, np.uint8)
    examined[stated.url[1]] = URLS
    examined[stated.sha256[1] | stated.pdq[1] | stated.iscc] = DIGESTS
    problem = np.where(stated.malformed, MALFORMED, 0).astype(np.uint8)
    found = files_of(rows, base)
    if found or "text" in rows.schema.names:
        stated.take_apart()
    questions = None if asker is None else Questions(asker, n)
    own: dict[int, str] = {}
    said: dict[int, Signals] = {}
    if found:
        own = examine_files(found, pool, limits, stated, examined, problem, questions, signals, said, iscc=iscc)
    if "text" in rows.schema.names:
        examine_texts(rows["text"], pool, stated, examined, problem, own, iscc=iscc)
        if signals is not None:
            for place, text in enumerate(rows["text"].to_pylist()):
                if text and place not in said:
                    said[place] = signals.of_file(text.encode())
    problem[(examined == 0) & (problem == 0)] = MALFORMED  # a row that names nothing
    told = codes_of(rows, "problem", 0)
    problem[told != 0] = told[told != 0]
    keys = (stated.url, stated.sha256, stated.pixels, stated.pdq)
    names = rows.schema.names
    addresses = rows["url"] if "url" in names else None
    codes = rows["iscc"] if "iscc" in names else None
    if own:
        codes = _beside(own, [None] * n if codes is None else codes.to_pylist(), stated.iscc)
    return Evidence(
        examined,
        problem,
        *keys,
        stated.quality,
        samples_of(rows),
        seal_of(rows),
        addresses=addresses,
        iscc=codes,
        parts=None if questions is None else questions.answered(),
        signals=None if signals is None else signals.of_rows(rows, said, advance),
    )


def _beside(own: dict[int, str], codes: list[str | None], good: Mask) -> pa.Array:
    """Return the ISCCs of rows, a picture's own before those stated: of two units of a kind the first counts."""
    for place, made in own.items():
        told = codes[place]
        both = made if told is None or not good[place] else f"{made} {told}"
        codes[place] = both if len(both) <= LONGEST_LIST else made
    return pa.array(codes, pa.string())
