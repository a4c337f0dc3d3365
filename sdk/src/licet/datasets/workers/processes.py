"""Workers on this machine: a process each, so that all processors are at work and not one after the other.

They are processes of their own making, not `multiprocessing`'s: whoever calls from a script without a ``__main__``
guard, or from a notebook, starts nothing twice. A worker that is killed is replaced, and what it was at is done again.
"""

from __future__ import annotations

import os
import pickle
import socket
import sys
import threading
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import suppress
from functools import partial
from typing import Final

from licet.datasets.workers.nursery import Nursery, put, taken
from licet.errors import InputError, ServiceError

#: Rows from which on it is worth that processes load the compiled loops for themselves, which takes a second.
WORTH: Final = 4_000_000
#: More processes than this are a mistake.
MOST_WORKERS: Final = 512
_TRIES: Final = 3  # of one piece


class Processes:
    """So many processes of this machine, as a `licet.datasets.workers.crew.Crew`; to be closed in the end."""

    def __init__(self, workers: int, loads: Sequence[str] = (), *, loops: bool = False) -> None:
        """``loads`` names modules that they will need, and ``loops`` says that they will need those that are compiled:
        loading them begins now."""
        self._workers = workers
        self._nursery = partial(Nursery, loads, loops=loops)
        self._hands: _Hands | None = _Hands(self._nursery)

    def each(self, do: Callable[[bytes], bytes], pieces: Sequence[bytes]) -> Generator[bytes]:
        """Yield what ``do`` returns of each of ``pieces`` as they are done.

        Raises ``ServiceError`` where a piece ends its worker three times. Whoever stops listening ends all workers.
        """
        hands = self._hands = self._hands or _Hands(self._nursery)
        most = min(self._workers, len(pieces))
        hands.told(pickle.dumps(do), most)
        pool = ThreadPoolExecutor(max(1, most), "licet-workers")
        whole = False
        try:
            for done in as_completed([pool.submit(hands.work, piece) for piece in pieces]):
                yield done.result()
            whole = True
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
            if not whole:
                self.close()
            pool.shutdown()

    def close(self) -> None:
        """End all processes; return once they are gone."""
        if self._hands is not None:
            self._hands.end()
            self._hands = None

    def __enter__(self) -> Processes:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def workers_for(rows: int | None, wanted: int | None) -> int:
    """Return how many processes are to work on so many rows: ``wanted``, or by their number and the processors there
    are. Raises ``InputError`` for a number that cannot be meant."""
    if wanted is None:
        return processors() if rows is not None and rows >= WORTH else 1
    if not 1 <= wanted <= MOST_WORKERS:
        raise InputError.field("workers", f"1 to {MOST_WORKERS}", wanted)
    return wanted


def processors() -> int:
    """Return how many processors this process may use."""
    if sys.platform == "linux":
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class _Hand:
    """A process that does one piece after the other."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection

    def ask(self, piece: bytes) -> bytes:
        """Return what a piece came to; raises ``OSError`` or ``EOFError`` once the process is gone."""
        put(self._connection, piece)
        return taken(self._connection)

    def close(self) -> None:
        """Have it end, and forget it."""
        self._connection.close()


class _Hands:
    """Processes, started when there is a piece for them."""

    def __init__(self, another: Callable[[], Nursery]) -> None:
        self._another = another
        self._lock = threading.Lock()
        self._ended = False
        self._do = (b"", 0)
        self._idle: list[_Hand] = []
        self._nursery = another()

    def told(self, do: bytes, most: int) -> None:
        """Do this from now on, in at most so many processes."""
        told = (do, max(1, processors() // max(1, most)))
        if told == self._do:
            return
        self._do = told
        while self._idle:
            self._idle.pop().close()
        with suppress(OSError):  # it has ended, as will be seen when it is asked for a worker
            self._nursery.tell(*told)

    def work(self, piece: bytes) -> bytes:
        """Return what a piece came to, from whichever process is free."""
        for _ in range(_TRIES):
            hand = None
            try:
                hand = self._free()
                answer = hand.ask(piece)
            except (OSError, EOFError):
                if hand is not None:
                    hand.close()
                if self._ended:
                    break
                continue
            self._idle.append(hand)
            return answer
        raise ServiceError(
            f"expected workers that stay, got {_TRIES} in turn that ended; most often there is too little memory"
            " for so many: --workers 1 has one process do it all"
        )

    def end(self) -> None:
        """End all processes, whatever they are at."""
        with self._lock:
            self._ended = True
            self._nursery.close()
        while self._idle:
            self._idle.pop().close()

    def _free(self) -> _Hand:
        with self._lock:
            if self._ended:
                raise ServiceError("expected workers, got none: they were ended")
            if self._idle:
                return self._idle.pop()
            try:
                return _Hand(self._nursery.worker())
            except OSError:  # somebody killed it, or there was too little memory
                self._nursery.close()
                self._nursery = self._another()
                self._nursery.tell(*self._do)
                return _Hand(self._nursery.worker())
