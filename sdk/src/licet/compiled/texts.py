"""Columns of text as compiled loops read them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa


def flat(texts: pa.Array) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.uint8]]:
    """Return where the text of each row of a large_string column begins (n + 1), and the bytes that this counts in."""
    _, offsets, data = texts.buffers()
    starts = np.frombuffer(offsets, np.int64)[texts.offset : texts.offset + len(texts) + 1]
    return starts, np.frombuffer(data, np.uint8) if data is not None and data.size else np.zeros(1, np.uint8)
