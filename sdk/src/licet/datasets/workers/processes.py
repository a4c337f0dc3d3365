"""Workers on this machine: a process each, so that all processors are at work and not one after the other.

They are processes of their own making, not `multiprocessing`'s: whoever calls from a script without a ``__main__``
guard, or from a notebook, starts nothing twice. A worker that is killed is replaced, and what it was at is done again.
"""

from __future__ import annotations

import os
import pickle
import struct
import subprocess
import sys
import threading
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import suppress
from pathlib import Path
from typing import IO, Final

import licet
from licet.compiled import keep_to
from licet.errors import InputError, ServiceError
from licet.sparing import without_pandas

#: Rows from which on it is worth that every process loads the compiled loops for itself, which takes seconds.
WORTH: Final = 4_000_000
#: More processes than this are a mistake.
MOST_WORKERS: Final = 512
_TRIES: Final = 3  # of one piece
_LENGTH: Final = struct.Struct(">Q")
# The command, as `ps` shows it. Its own folders come first: what lies beside a user's script is no part of it.
_COMMAND: Final = """\
# licet: works at rows
import sys
sys.path += [each for each in sys.argv[2:] if each not in sys.path]
from licet.datasets.workers.processes import serve
serve(int(sys.argv[1]))
"""


class Processes:
    """So many processes of this machine, as a `licet.datasets.workers.crew.Crew`."""

    def __init__(self, workers: int) -> None:
        self._workers = workers

    def each(self, do: Callable[[bytes], bytes], pieces: Sequence[bytes]) -> Generator[bytes]:
        """Yield what ``do`` returns of each of ``pieces`` as they are done.

        Raises ``ServiceError`` where a piece ends its worker three times. Whoever stops listening ends all workers.
        """
        hands = _Hands(pickle.dumps(do), min(self._workers, len(pieces)))
        pool = ThreadPoolExecutor(max(1, hands.most), "licet-workers")
        try:
            for done in as_completed([pool.submit(hands.work, piece) for piece in pieces]):
                yield done.result()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
            hands.end()
            pool.shutdown()


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

    def __init__(self, do: bytes, cores: int) -> None:
        folders = [each for each in sys.path if each] + [str(Path(licet.__file__).parents[1])]
        self._process = subprocess.Popen(
            [sys.executable or "python", *["-B"] * sys.dont_write_bytecode, "-c", _COMMAND, str(cores), *folders],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            process_group=0,  # Ctrl-C is for the process that knows what is to become of the job
        )
        self._do = do
        self._told = False

    def ask(self, piece: bytes) -> bytes:
        """Return what a piece came to; raises ``OSError`` or ``EOFError`` once the process is gone."""
        asked, answers = self._process.stdin, self._process.stdout
        assert asked is not None
        assert answers is not None
        if not self._told:
            _put(asked, self._do)
            self._told = True
        _put(asked, piece)
        return _taken(answers)

    def kill(self) -> None:
        """End it, whatever it is at."""
        self._process.kill()

    def close(self) -> None:
        """Wait until it has ended, and forget it."""
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with suppress(OSError):  # what it was still to be told
                    pipe.close()


class _Hands:
    """Processes, started when there is a piece for them."""

    def __init__(self, do: bytes, most: int) -> None:
        self.most: Final = most
        self._do = do
        self._cores = max(1, processors() // max(1, most))
        self._lock = threading.Lock()
        self._ended = False
        self._idle: list[_Hand] = []
        self._all: list[_Hand] = []

    def work(self, piece: bytes) -> bytes:
        """Return what a piece came to, from whichever process is free."""
        for _ in range(_TRIES):
            hand = self._free()
            try:
                answer = hand.ask(piece)
            except (OSError, EOFError):
                hand.kill()
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
            for hand in self._all:
                hand.kill()
        for hand in self._all:
            hand.close()

    def _free(self) -> _Hand:
        with self._lock:
            if self._ended:
                raise ServiceError("expected workers, got none: they were ended")
            if self._idle:
                return self._idle.pop()
            self._all.append(_Hand(self._do, self._cores))
            return self._all[-1]


def serve(cores: int) -> None:
    """Be a worker: what to do from standard input, then one piece after the other; ends with its input."""
    # Answers have the standard output for themselves: what a library prints goes where errors go.
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    keep_to(cores)
    without_pandas()
    asked = sys.stdin.buffer
    with suppress(EOFError, BrokenPipeError):  # nobody asks any more
        do: Callable[[bytes], bytes] = pickle.loads(_taken(asked))  # noqa: S301 - from whoever started this process
        while True:
            _put(answers, do(_taken(asked)))


def _put(stream: IO[bytes], data: bytes) -> None:
    stream.write(_LENGTH.pack(len(data)) + data)
    stream.flush()


def _taken(stream: IO[bytes]) -> bytes:
    head = stream.read(_LENGTH.size)
    if len(head) < _LENGTH.size:
        raise EOFError
    (size,) = _LENGTH.unpack(head)
    data = stream.read(size)
    if len(data) < size:
        raise EOFError
    return data
