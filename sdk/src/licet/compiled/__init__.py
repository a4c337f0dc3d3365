"""Loops over many rows, compiled with numba where the extra ``licet[fast]`` is installed.

Each does what plain Python beside it does, and is used for many rows only: what is called for one row imports nothing.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache
from types import ModuleType
from typing import Final

#: Rows from which on compiled loops are worth it: once they are loaded, and with loading them (about a second, and
#: some ten the first time on a machine, when they are compiled and kept on disk).
_WORTH: Final = 2_000
_WORTH_LOADING: Final = 60_000
_kept: Final[list[int]] = []  # cores that this process is to keep to

_LONG: Final = 1.0  # seconds; what is taken from the cache is there by then
_listeners: Final[list[Callable[[str], None]]] = []


@contextmanager
def told(listener: Callable[[str], None]) -> Iterator[None]:
    """Within the block ``listener`` is told what takes long, and ``""`` once it is over; it may be another thread's."""
    _listeners.append(listener)
    try:
        yield
    finally:
        _listeners.remove(listener)


@contextmanager
def told_of_compiling() -> Iterator[None]:
    """Tell who listens if the block, which imports loops, takes as long as compiling them does."""

    def tell(words: str) -> None:
        for listener in _listeners:
            listener(words)

    long = threading.Timer(_LONG, tell, ["compiling loops, once on this machine"])
    long.daemon = True
    long.start()
    try:
        yield
    finally:
        long.cancel()
        long.join()
        tell("")


def hashing_of(rows: int) -> ModuleType | None:
    """Return `licet.compiled.hashing` where it is there and worth it for so many ``rows``, None otherwise."""
    loaded = "licet.compiled.hashing" in sys.modules
    return _loaded() if rows >= (_WORTH if loaded else _WORTH_LOADING) else None


def load() -> bool:
    """Load the loops and return whether they are there: for whoever will hash many rows again and again."""
    return _loaded() is not None


def spread(loop: Callable[[int, int], None], rows: int) -> None:
    """Return once ``loop`` was called for all ``rows``, each time from a first up to a last one, on all cores."""
    pieces = min(_cores(), max(1, rows // _WORTH))
    if pieces == 1:
        loop(0, rows)
        return
    bounds = [rows * piece // pieces for piece in range(pieces + 1)]
    list(_threads().map(loop, bounds[:-1], bounds[1:]))


@cache
def _threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(_cores(), "licet-compiled")


def keep_to(cores: int) -> None:
    """Have loops use so many cores at most, where other processes use the others; to be said before the first."""
    _kept.append(cores)


def _cores() -> int:
    return _kept[-1] if _kept else os.cpu_count() or 1


if hasattr(os, "register_at_fork"):  # a child has none of these threads
    os.register_at_fork(after_in_child=_threads.cache_clear)


@cache
def _loaded() -> ModuleType | None:
    try:
        with told_of_compiling():
            from licet.compiled import hashing as module
    except ImportError:  # not installed, or not for this numpy
        return None
    return module if module.agrees() else None
