"""What the domain above knows of works and has to do with them; filled in once a process by ``registry.consent`` and
``registry.publishing``.

Works cannot import consent, yet a registration falls under a standing catalogue statement at once, and an interrupted
client asks which of its works a consent covers already.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass
from uuid import UUID

from registry.database import Connection
from registry.services import Services


async def nothing_to_do(conn: Connection, account: UUID, works: Sequence[UUID]) -> None:
    """Do nothing: nobody speaks for works to come."""


async def none_signed(conn: Connection, account: UUID, works: Sequence[UUID]) -> Collection[UUID]:
    """Return no work: nobody has signed anything."""
    return ()


async def no_headers(services: Services, work: UUID) -> list[tuple[str, str]]:
    """Return no header: nobody knows of terms."""
    return []


@dataclass
class Above:
    """``registered`` is called in the transaction of a registration; ``signed`` tells which of the works of an account
    are under a consent that names them; ``preview`` returns the headers that say what may be done with its picture."""

    registered: Callable[[Connection, UUID, Sequence[UUID]], Awaitable[None]] = nothing_to_do
    signed: Callable[[Connection, UUID, Sequence[UUID]], Awaitable[Collection[UUID]]] = none_signed
    preview: Callable[[Services, UUID], Awaitable[list[tuple[str, str]]]] = no_headers


ABOVE = Above()
