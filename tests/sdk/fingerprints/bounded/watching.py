"""Looking at a decoder while it works, from outside."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from licet.errors import PictureError
from licet.fingerprints.bounded.processes import Decoders

needs_proc = pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="needs Linux's word on a process")
_BUSY = 80 << 20  # bytes; one that waits has about 55 MB


def pid(decoders: Decoders) -> int:
    """The one process that there is."""
    (only,) = decoders.pids
    return only


def until(holds: Callable[[], Any], seconds: float = 60) -> None:
    """Wait for it."""
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "it never came"
        time.sleep(0.002)


def busy(process: int) -> bool:
    """Whether a process is in the middle of a large picture."""
    try:
        touched = int(Path(f"/proc/{process}/statm").read_text().split()[1])
    except (OSError, IndexError):
        return False
    return touched * os.sysconf("SC_PAGE_SIZE") > _BUSY


def gone(process: int) -> bool:
    """Whether a process has ended, waited for or not."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


@contextmanager
def decoding(decoders: Decoders, data: bytes) -> Iterator[list[Any]]:
    """Give a list that holds the outcome after the block, which begins in the middle of the picture."""
    outcome: list[Any] = []

    def ask() -> None:
        try:
            outcome.append(decoders.examine(data))
        except Exception as error:  # the test looks at it
            outcome.append(error)

    thread = Thread(target=ask)
    thread.start()
    until(lambda: decoders._alive and busy(pid(decoders)))
    yield outcome
    thread.join(120)
    assert not thread.is_alive()


def why(decoders: Decoders, data: bytes) -> str:
    with pytest.raises(PictureError) as caught:
        decoders.examine(data)
    assert str(caught.value).startswith("expected ")
    return str(caught.value.details["why"])
