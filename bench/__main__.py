"""``make bench``: every benchmark, one after another."""

from __future__ import annotations

import importlib
import pkgutil
import sys

import bench

NOT_BENCHMARKS = {"__main__", "chromium", "drawing", "measuring", "portal_filled", "service"}
BY_NAME_ONLY = {
    "content_lookup",
    "curve",
    "exact_core",
    "near_false_matches",
    "near_lookup",
    "portal",
    "query_http",
    "registration_at_scale",
    "user_path",
}  # minutes long

for module in sorted(each.name for each in pkgutil.iter_modules(bench.__path__)):
    if module not in NOT_BENCHMARKS and (module in sys.argv[1:] or (len(sys.argv) == 1 and module not in BY_NAME_ONLY)):
        importlib.import_module(f"bench.{module}").main()
