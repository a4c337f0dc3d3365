"""What root is refused nowhere, an owner is: work done with root's rights over files given up."""

from __future__ import annotations

import ctypes
import os
import struct
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")

_VERSION_3 = 0x20080522  # of linux/capability.h
_OVER_FILES = 0b110  # CAP_DAC_OVERRIDE and CAP_DAC_READ_SEARCH


def unprivileged(work: Callable[[], T]) -> T:
    """Return what ``work`` does, done where the permissions of a file hold for root too.

    It is done in a thread of its own: rights are a thread's, and those that it starts have no more. Every user but root
    has none to give up.
    """
    if os.geteuid() != 0:
        return work()
    with ThreadPoolExecutor(1, initializer=_give_up) as thread:
        return thread.submit(work).result()


def _give_up() -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    header, rights = struct.pack("Ii", _VERSION_3, 0), ctypes.create_string_buffer(24)
    if libc.capget(header, rights):
        raise OSError(ctypes.get_errno(), "capget")
    effective, *others = struct.unpack("6I", rights.raw)
    if libc.capset(header, struct.pack("6I", effective & ~_OVER_FILES, *others)):
        raise OSError(ctypes.get_errno(), "capset")
