"""One running service for all tests of this room, and a clock that tests may set: months close in their order."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime, timedelta

import pytest

from licet import times
from tests.registry.catalogue import registry
from tests.registry.harness import Running
from tests.registry.servers import Server

_real = times.now


class Clock:
    """What the service takes for this moment: at first the 20th of the month before the last, so that it is over."""

    def __init__(self) -> None:
        self.behind = timedelta(0)
        this = _real().replace(day=1, hour=12, minute=0, second=0, microsecond=0)
        last = (this - timedelta(days=1)).replace(day=1)
        self.set((last - timedelta(days=1)).replace(day=20))

    @property
    def month(self) -> str:
        """The month of this moment."""
        return f"{self.now():%Y-%m}"

    def next_month(self) -> None:
        """It is the tenth of the month that follows."""
        self.set((self.now().replace(day=1) + timedelta(days=32)).replace(day=10))

    def now(self) -> datetime:
        return _real() - self.behind

    def set(self, moment: datetime) -> None:
        """It is ``moment`` now, and time goes on from there."""
        self.behind = _real() - moment


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The clock of everything in this process but the database."""
    made = Clock()
    monkeypatch.setattr(times, "now", made.now)
    return made


@pytest.fixture
async def site(
    server: Server, migrated_template: str, anyio_backend: str, tmp_path_factory: pytest.TempPathFactory, clock: Clock
) -> AsyncIterator[Running]:
    """The service on a database of its own, under that clock."""
    async with (
        server.fresh(migrated_template, "closing") as dsn,
        registry(dsn, tmp_path_factory.mktemp("closing")) as running,
    ):
        yield running
