"""Bundles are put together by few at once in a process, and not many more wait for it."""

from __future__ import annotations

import asyncio
import tempfile
import weakref
from pathlib import Path
from typing import IO, Final

from licet import times
from licet.audit.layout import Period, period_of
from registry.accounts.identity import Caller
from registry.auditing.bundle import build
from registry.auditing.types import Subject
from registry.database import Database
from registry.errors import Invalid, QuotaExceeded
from registry.services import Services

AT_ONCE: Final = 2
_WAITING: Final = 8


class _Builders:
    def __init__(self) -> None:
        self.turn = asyncio.Semaphore(AT_ONCE)
        self.asked = 0


_builders: weakref.WeakKeyDictionary[Database, _Builders] = weakref.WeakKeyDictionary()


def begun(name: str, field: str) -> Period:
    """Return the month called ``name``, which must have begun; raises ``Invalid`` and ``InputError``."""
    month = period_of(name, field)
    if month.start > times.to_text(times.now()):
        raise Invalid.field(field, "a month that has begun", name)
    return month


async def bundled(services: Services, caller: Caller, month: Period, of: Subject | None) -> IO[bytes]:
    """Return an open file with the bundle, in its turn: it is gone when it is closed, and after a crash too.

    Raises as `build` does, and ``QuotaExceeded`` where too many wait.
    """
    builders = _builders.setdefault(services.database, _Builders())
    if builders.asked >= AT_ONCE + _WAITING:
        raise QuotaExceeded("too many bundles are being put together; ask again in a minute", retry_after=60)
    builders.asked += 1  # before anything is waited for, so that no two take the last place
    try:
        file: IO[bytes] = await asyncio.to_thread(_temporary, services.settings.data / "tmp")
        try:
            async with builders.turn:
                await build(services, caller, month, of, file)
        except BaseException:
            file.close()
            raise
    finally:
        builders.asked -= 1
    return file


def _temporary(folder: Path) -> IO[bytes]:
    folder.mkdir(parents=True, exist_ok=True)
    return tempfile.TemporaryFile(dir=folder)
