"""What the domain above knows of works and has to do with them; filled in once a process by ``registry.consent``.

Works cannot import consent, yet a registration falls under a standing catalogue statement at once, and an interrupted
client asks which of its works a consent covers already.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass
from uuid import UUID

from registry.database import Connection


async def nothing_to_do(conn: Connection, account: UUID, works: Sequence[UUID]) -> None:
    """Do nothing: nobody speaks for works to come."""


async def none_signed(conn: Connection, account: UUID, works: Sequence[UUID]) -> Collection[UUID]:
    """Return no work: nobody has signed anything."""
    return ()


@dataclass
class Above:
    """``registered`` is called in the transaction of a registration; ``signed`` tells which of the works of an account
    are under a consent that names them."""

    registered: Callable[[Connection, UUID, Sequence[UUID]], Awaitable[None]] = nothing_to_do
    signed: Callable[[Connection, UUID, Sequence[UUID]], Awaitable[Collection[UUID]]] = none_signed


ABOVE = Above()
