"""``make bench``: every benchmark, one after another."""

from __future__ import annotations

import importlib
import pkgutil
import sys

import bench

NOT_BENCHMARKS = {"__main__", "measuring", "service"}

for module in sorted(each.name for each in pkgutil.iter_modules(bench.__path__)):
    if module not in NOT_BENCHMARKS and (len(sys.argv) == 1 or module in sys.argv[1:]):
        importlib.import_module(f"bench.{module}").main()
