"""What every engine sends to its workers: a pin and a question, and with them a decision for each row."""

from __future__ import annotations

from typing import Any

from licet.datasets.pinned import Asked, Pinned


class Deciding:
    """Decides batch after batch, in whichever process it is unpickled."""

    def __init__(self, pin: Pinned, asked: Asked, dropping: bool = False) -> None:
        """``dropping``: rows that may not be kept are left out."""
        self._pin = pin
        self._asked = asked
        self._dropping = dropping

    def __call__(self, batch: Any) -> Any:
        """Return ``batch``, a table of any kind, with its decisions."""
        return self._pin.answer(batch, self._asked, dropping=self._dropping)
