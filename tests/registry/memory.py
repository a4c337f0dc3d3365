"""Where throw-away databases lie: in memory if there is room, because making and dropping one touches 1,500 files.

On a disk that takes most of the time of a test of the service, in memory a tenth of it.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from pathlib import Path

ROOM = 4 << 30
_SHARED = Path("/dev/shm")


def folder(prefix: str, *, programs: bool = False) -> Path:
    """Return a new folder of ours alone, in memory if there is room; ``programs``: files in it can be executed."""
    return Path(tempfile.mkdtemp(prefix=prefix, dir=_SHARED if _roomy(programs=programs) else None))


def _roomy(*, programs: bool) -> bool:
    if sys.platform != "linux" or not os.access(_SHARED, os.W_OK | os.X_OK):
        return False
    if programs and os.statvfs(_SHARED).f_flag & os.ST_NOEXEC:
        return False
    return shutil.disk_usage(_SHARED).free >= ROOM and _available() >= ROOM


def _available() -> int:
    """Return how many bytes of memory are to be had."""
    for line in Path("/proc/meminfo").read_text().splitlines():
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) << 10
    return 0
