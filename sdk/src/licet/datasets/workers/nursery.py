"""The process that workers of this machine are forked from, once it has loaded what each of them needs.

Modules, compiled loops and a snapshot's digests take a processor more than a second; here one process does it for all.
It has no thread of its own when it forks (those of numpy's and Arrow's allocators are made for that). Where that cannot
be relied on, which is everywhere but on Linux, it starts each worker anew.

Whoever started it ends it, and all workers with it: by SIGTERM to their group, which it outlives itself until it has
seen all of them end, so that what they took is counted as this process's.
"""

from __future__ import annotations

import gc
import os
import pickle
import signal
import socket
import struct
import subprocess
import sys
import traceback
import warnings
from collections.abc import Callable, Sequence
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any, Final

import licet
from licet import compiled
from licet.sparing import spare

#: Whether workers are forked from a process that is ready, or each starts by itself.
FORKS: Final = sys.platform == "linux"
_LENGTH: Final = struct.Struct(">Q")
_DO, _WORKER = b"d", b"w"  # what is asked: to be told what to do, and for another worker
_AT_ONCE: Final = 1 << 20
_PATIENCE: Final = 0.2  # seconds until whoever did not end is told once more
# The command, as `ps` shows it. Its own folders come first: what lies beside a user's script is no part of it.
_COMMAND: Final = """\
# licet: works at rows
import sys
sys.path += [each for each in sys.argv[3:] if each not in sys.path]
from licet.datasets.workers.nursery import {main}
{main}(*map(int, sys.argv[1].split(",")), *filter(None, sys.argv[2].split(",")))
"""


class Nursery:
    """Starts workers: processes that do one thing with each piece that they are asked about."""

    def __init__(self, loads: Sequence[str], *, loops: bool) -> None:
        """``loads`` are modules that workers will need, those that are there; ``loops``: and those that are compiled.

        Does not wait until all is loaded.
        """
        self._control, theirs = socket.socketpair()
        with theirs:
            self._process = _process("tend", [theirs.fileno(), int(FORKS), int(loops)], loads, theirs)

    def tell(self, do: bytes, cores: int) -> None:
        """Say what the next workers do (a pickled callable from bytes to bytes), with so many processors each."""
        self._control.sendall(_DO + _LENGTH.pack(cores))
        put(self._control, do)

    def worker(self) -> socket.socket:
        """Return a connection to a new worker; it ends when that is closed. Raises ``OSError`` if this has ended."""
        ours, theirs = socket.socketpair()
        with theirs:
            try:
                socket.send_fds(self._control, [_WORKER], [theirs.fileno()])
            except OSError:
                ours.close()
                raise
        return ours

    def close(self) -> None:
        """End it and all workers, whatever they are at; return once they are gone."""
        self._control.close()
        while True:
            # The group is there until this process was waited for; one that a fork is just making may miss the signal.
            with suppress(OSError):  # of those who have ended and were not waited for, macOS says so
                os.killpg(self._process.pid, signal.SIGTERM)
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(_PATIENCE)
                return


def put(connection: socket.socket, data: bytes) -> None:
    """Send one message."""
    connection.sendall(_LENGTH.pack(len(data)) + data)


def taken(connection: socket.socket) -> bytes:
    """Return the next message; raises ``EOFError`` when there is none any more."""
    return _exactly(connection, _number(connection))


def tend(control: int, forks: int, loops: int, *loads: str) -> None:
    """Be the nursery, until nobody is at the other end of ``control``; see `Nursery` for what it is asked."""
    os.dup2(2, 1)  # what a library prints goes where errors go
    if forks:
        spare()
        if loops:
            compiled.load()
        for name in loads:
            with suppress(ImportError):  # loops where there is no numba
                import_module(name)
    do, cores, known = b"", 1, None
    with socket.socket(fileno=control) as asked:
        while True:
            kind, given, _, _ = socket.recv_fds(asked, 1, 1)
            if kind == _DO:
                cores, do = _number(asked), taken(asked)
                known = _made_ready(do) if forks else None
                signal.signal(signal.SIGTERM, lambda *_: None)  # from now on it waits for those that it started
            elif kind == _WORKER:
                with socket.socket(fileno=given[0]) as theirs:
                    if known is None:
                        _started(theirs, do, cores)
                    else:
                        _forked(theirs, asked, known, cores)
            else:
                break
    with suppress(ChildProcessError):
        while True:
            os.wait()


def serve(connection: int, cores: int) -> None:
    """Be a worker that starts by itself: what to do from standard input, then pieces."""
    os.dup2(2, 1)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    spare()
    do = pickle.loads(sys.stdin.buffer.read())  # noqa: S301 - from whoever started this process
    with socket.socket(fileno=connection) as theirs:
        _work(theirs, do, cores)


def _made_ready(do: bytes) -> Callable[[bytes], bytes]:
    """Return what workers do, with all that is the same for every piece in place."""
    known: Any = pickle.loads(do)  # noqa: S301 - from whoever started this process
    ready = getattr(known, "ready", None)
    if ready is not None:
        ready()
    done: Callable[[bytes], bytes] = known
    gc.collect()
    gc.freeze()  # what is here stays where it is, so that workers share its memory
    return done


def _forked(theirs: socket.socket, asked: socket.socket, do: Callable[[bytes], bytes], cores: int) -> None:
    with warnings.catch_warnings():
        # Python counts threads of allocators, too.
        warnings.simplefilter("ignore", DeprecationWarning)
        if os.fork():
            return
    code = 1
    try:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        asked.close()
        _work(theirs, do, cores)
        code = 0
    except BaseException:  # noqa: BLE001 - nothing of what the other process would still do may happen here
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(code)


def _started(theirs: socket.socket, do: bytes, cores: int) -> None:
    process = _process("serve", [theirs.fileno(), cores], (), theirs, subprocess.PIPE)
    assert process.stdin is not None
    with suppress(BrokenPipeError), process.stdin as told:  # it has ended already
        told.write(do)


def _process(
    main: str, told: Sequence[int], loads: Sequence[str], theirs: socket.socket, given: int = subprocess.DEVNULL
) -> subprocess.Popen[bytes]:
    """Start a process that calls ``main`` of this module with ``told`` and ``loads``, at an end of a connection."""
    folders = [each for each in sys.path if each] + [str(Path(licet.__file__).parents[1])]
    python = [sys.executable or "python", *["-B"] * sys.dont_write_bytecode]
    return subprocess.Popen(
        [*python, "-c", _COMMAND.format(main=main), ",".join(map(str, told)), ",".join(loads), *folders],
        stdin=given,
        pass_fds=[theirs.fileno()],
        # Ctrl-C is for the process that knows what is to become of the job: a nursery and its workers are a group.
        process_group=0 if main == "tend" else None,
    )


def _work(theirs: socket.socket, do: Callable[[bytes], bytes], cores: int) -> None:
    """Do one piece after the other, until nobody asks any more."""
    compiled.keep_to(cores)
    with suppress(EOFError, BrokenPipeError, ConnectionResetError):
        while True:
            put(theirs, do(taken(theirs)))


def _number(connection: socket.socket) -> int:
    (number,) = _LENGTH.unpack(_exactly(connection, _LENGTH.size))
    return int(number)


def _exactly(connection: socket.socket, size: int) -> bytes:
    found = bytearray()
    while len(found) < size:
        more = connection.recv(min(size - len(found), _AT_ONCE))
        if not more:
            raise EOFError
        found += more
    return bytes(found)
