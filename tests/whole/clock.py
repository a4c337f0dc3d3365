"""A clock that a file sets: a service and everybody's commands take another moment for now.

Months close in their order and at their end, and the tests may run on any day, at any time of it.
"""

from __future__ import annotations

import os
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from licet import times
from tests.forking import POSSIBLE
from tests.whole.stage import Person, Service

SHIFTED = """
import os
from datetime import timedelta
from pathlib import Path

from licet import times

real, behind = times.now, Path(os.environ["TEST_CLOCK"])
times.now = lambda: real() - timedelta(seconds=float(behind.read_text()))
"""
#: The 10th of this month, the 20th of the month before, and the 10th of the next: what lasts minutes ends by the
#: database's own clock, which no file sets, so a service must not be behind it for that.
TENTH = times.now().replace(day=10, hour=12, minute=0, second=0, microsecond=0)
BEFORE = (TENTH.replace(day=1) - timedelta(days=1)).replace(day=20)
AFTER = (TENTH.replace(day=28) + timedelta(days=10)).replace(day=10)


class Clock:
    """What everybody takes for this moment."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "behind"
        first = folder / "sitecustomize.py"
        first.write_text(SHIFTED)
        self.served = {"PYTHONPATH": str(folder), "TEST_CLOCK": str(self.file)}
        self.typed = {"TEST_FIRST": str(first), "TEST_CLOCK": str(self.file)} if POSSIBLE else self.served

    def set(self, moment: datetime) -> str:
        """It is ``moment`` now, and time goes on from there; return its month."""
        waiting = self.file.with_suffix(".new")
        waiting.write_text(str((times.now() - moment).total_seconds()))
        waiting.replace(self.file)
        return f"{moment:%Y-%m}"

    def over(self, who: Person) -> Person:
        """Return ``who``, whose commands go by this clock."""
        who.environment.update(self.typed)
        return who

    def serves(self, folder: Path, **settings: Any) -> Service:
        """Start a registry that goes by this clock."""
        with pytest.MonkeyPatch.context() as begins:  # not for the process that forks, which others have commands of
            for name, value in self.served.items():
                begins.setenv(name, value)
            service = Service(folder, snapshot_delay="1s", **settings)
        for name in self.served:  # as the process that forks has it, which takes no other
            del service.environment[name]
            service.environment.update({name: os.environ[name]} if name in os.environ else {})
        service.environment.update(self.typed)
        return service
