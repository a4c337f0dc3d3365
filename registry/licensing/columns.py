"""Uses in columns, and what they come to: what `types` speaks of one by one, for a whole batch at once.

A column of few values is a list of them and, for every use, the place of its own; -1 stands for none.
"""

from __future__ import annotations

from typing import Any, NamedTuple
from uuid import UUID

import numpy as np

from licet.statements.event_columns import EventColumns

Ints = np.ndarray[Any, np.dtype[np.int64]]
Truths = np.ndarray[Any, np.dtype[np.bool_]]


class Uses(NamedTuple):
    """Events that have been checked, with what their texts stand for, read once a distinct text.

    ``sources`` are the licences of ``columns``, and behind them its statements; ``source`` and ``work`` are the places
    of each event's own. ``at`` is in microseconds since 1970.
    """

    columns: EventColumns
    ids: list[bytes]
    sources: list[UUID]
    source: Ints
    works: list[UUID]
    work: Ints
    at: Ints

    @property
    def licences(self) -> int:
        """How many of the sources are licences."""
        return len(self.columns.licence.values)


class Charges(NamedTuple):
    """What each use comes to; see `Accrual` for what its parts mean. ``payees`` stand beside ``artists``."""

    artists: list[UUID]
    payees: list[str]
    artist: Ints
    currencies: list[str]
    currency: Ints
    amount: Ints
    fee_bps: Ints
    escrow: Truths
    memoranda: tuple[str, ...]
    memorandum: Ints


class Names:
    """Gives each distinct value a place, in the order in which they come."""

    __slots__ = ("_places",)

    def __init__(self) -> None:
        self._places: dict[Any, int] = {}

    def place(self, value: Any) -> int:
        """Return the place of ``value``; -1 for None."""
        return -1 if value is None else self._places.setdefault(value, len(self._places))

    @property
    def values(self) -> list[Any]:
        """All values, each at its place."""
        return list(self._places)
