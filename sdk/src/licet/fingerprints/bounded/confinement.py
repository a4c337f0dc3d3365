"""What a decoder gives up for good before its first picture, so that whoever takes it over has little of it.

No file, socket or process can be opened or started (limits of zero), another user's rights are not to be had, and
where libseccomp is at hand no system call is left but those that compute. What the system lacks is not there, and not
named in what `confine` returns.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
import sys
from pathlib import Path
from typing import Final

from licet.fingerprints.bounded.syscalls import computing_only
from licet.fingerprints.decode import PictureLimits

NOBODY: Final = 65534
#: Bytes beside the pixels; bytes a pixel (a WEBP takes 18, docs/internals/pictures); bytes a byte of the file.
_FLOOR, _A_PIXEL, _A_BYTE = 256 << 20, 24, 4
_NOTHING: Final = ("CORE", "FSIZE", "NPROC", "NOFILE", "MEMLOCK", "MSGQUEUE")
_NO_NEW_PRIVILEGES: Final = 38  # PR_SET_NO_NEW_PRIVS

_base: int | None = None  # bytes of address space before the first picture
_hard = resource.RLIM_INFINITY


def confine(limits: PictureLimits) -> list[str]:
    """Return what holds from now on, in this process: ``memory user limits no-new-privileges system-calls``."""
    filtered = computing_only() if sys.platform == "linux" else None
    holds = ["memory"] if _bound_memory(limits) else []
    if os.geteuid() == 0 and _become_nobody():
        holds.append("user")
    for name in _NOTHING:
        if hasattr(resource, f"RLIMIT_{name}"):
            resource.setrlimit(getattr(resource, f"RLIMIT_{name}"), (0, 0))
    holds.append("limits")
    if sys.platform == "linux" and ctypes.CDLL(None).prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0) == 0:
        holds.append("no-new-privileges")
    if filtered is not None and filtered():
        holds.append("system-calls")
    return holds


def allow(pixels: int, size: int) -> None:
    """Let this process take as much memory as a picture of so many pixels and bytes needs, and no more."""
    if _base is not None:
        resource.setrlimit(resource.RLIMIT_AS, (_up_to(_base + memory(pixels, size)), _hard))


def memory(pixels: int, size: int) -> int:
    """Return how many bytes decoding a picture of so many pixels and bytes of file may take."""
    return _FLOOR + _A_PIXEL * pixels + _A_BYTE * size


def _up_to(wanted: int) -> int:
    return wanted if _hard == resource.RLIM_INFINITY else min(wanted, _hard)


def _bound_memory(limits: PictureLimits) -> bool:
    """Bound the address space, where the system keeps to it (macOS does not) and says how much is in use."""
    global _base, _hard  # noqa: PLW0603 - of this process, once
    if sys.platform != "linux":
        return False
    with contextlib.suppress(OSError):  # who needs memory is to end this process, not the one that asks it
        Path("/proc/self/oom_score_adj").write_text("1000")
    base = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    _hard = resource.getrlimit(resource.RLIMIT_AS)[1]
    _hard = _up_to(base + memory(limits.max_pixels, limits.max_bytes))
    _base = base
    allow(0, 0)
    return True


def _become_nobody() -> bool:
    try:
        os.setgroups([])
        os.setgid(NOBODY)
        os.setuid(NOBODY)
    except OSError:  # in a user namespace that has nobody
        return False
    return True
