"""How a figure comes about: several runs, the median, ours and the peer's in turn, with the load of the machine."""

from __future__ import annotations

import json
import os
import platform
import statistics
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, NamedTuple

BUILD: Final = Path("build/bench")
RUNS: Final = 5


def numbers_given(*otherwise: int) -> list[int]:
    """Return the numbers of the command line, in their order; what is not given is as ``otherwise``."""
    given = [int(each) for each in sys.argv[1:] if each.isdigit()]
    return [*given[: len(otherwise)], *otherwise[len(given) :]]


class Figure(NamedTuple):
    """Seconds of each run, and the units of work that one run does."""

    seconds: list[float]
    work: int

    @property
    def median(self) -> float:
        """Median seconds."""
        return statistics.median(self.seconds)

    @property
    def rate(self) -> float:
        """Units of work a second, at the median."""
        return self.work / self.median


def in_turn(
    calls: dict[str, Callable[[], Any]], work: int, runs: int = RUNS, clock: Callable[[], float] = time.perf_counter
) -> dict[str, Figure]:
    """Return a figure for each call: one warm-up, then ``runs`` rounds A B A B …, so that drift hits all alike.

    ``clock`` counts seconds, of another kind where that says more: of processors, say, on a machine that is shared.
    """
    seconds: dict[str, list[float]] = {name: [] for name in calls}
    for call in calls.values():
        call()
    for _ in range(runs):
        for name, call in calls.items():
            started = clock()
            call()
            seconds[name].append(clock() - started)
    return {name: Figure(each, work) for name, each in seconds.items()}


def record(name: str, unit: str, figures: dict[str, Figure], **facts: Any) -> None:
    """Write ``build/bench/<name>.json`` and print a table; the first figure is ours, ratios are to it."""
    BUILD.mkdir(parents=True, exist_ok=True)
    ours = next(iter(figures.values()))
    document = {
        "name": name,
        "unit": unit,
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": {"cpus": os.cpu_count(), "load": os.getloadavg(), "python": platform.python_version()},
        "facts": facts,
        "figures": {
            each: {"seconds": figure.seconds, "median": figure.median, "rate": figure.rate}
            for each, figure in figures.items()
        },
    }
    (BUILD / f"{name}.json").write_text(json.dumps(document, indent=2) + "\n", "utf-8")
    print(f"\n{name} ({', '.join(f'{key} {value}' for key, value in facts.items())})")
    for each, figure in figures.items():
        low, high = min(figure.seconds), max(figure.seconds)
        ratio = f"{figure.median / ours.median:8.2f}×" if figure is not ours else " " * 9
        print(f"  {each:34} {figure.median:9.3f} s  [{low:.3f} … {high:.3f}] {ratio}  {figure.rate:14,.0f} {unit}/s")
