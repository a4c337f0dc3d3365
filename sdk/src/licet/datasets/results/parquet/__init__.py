"""Parquet as decisions are written: each level and text encoded once, many rows at a time, without a value of its own.

Arrow's writer takes half a microsecond a row for them: it makes the levels of a list anew for each of its columns, and
looks at each value of columns in which there are none.
"""

from __future__ import annotations

from licet.datasets.results.parquet.file import Writer
from licet.datasets.results.parquet.joining import Joined

__all__ = ["Joined", "Writer"]
