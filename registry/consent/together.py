"""Works of one's own that are chosen together: all, those that nobody signed for, those that a statement waits on.

However many they are, a draft needs few things of them, and the database sums those up: their names are read by a
signature alone.
"""

from __future__ import annotations

from datetime import datetime
from hashlib import sha256
from typing import Final, Literal, NamedTuple
from uuid import UUID

from licet.log.merkle import HASH_SIZE
from licet.statements.works import works_root
from registry.consent.queries import owned
from registry.database import Connection

_KEPT: Final = 1024  # roots, of what was drafted last
_roots: Final[dict[bytes, str]] = {}


class Together(NamedTuple):
    """Which works; of ``waiting`` those that ``statement`` waits on and where ``own`` are the terms in force."""

    which: Literal["all", "unsigned", "waiting"]
    statement: UUID | None = None
    own: bytes | None = None


class Signed(NamedTuple):
    """A statement of these works and no others that is still the last one of each."""

    statement: UUID
    accepted_at: datetime


class Summed(NamedTuple):
    """What a draft says of the works that are chosen; those that were ``lost`` in a dispute are counted apart."""

    works: int
    lost: int
    met: int  # that are held by what others claim, or will be once they are signed for
    said: list[bytes]  # hashes of the terms that were stated before, each once
    digests: bytes  # of the works in the order of their ids, end to end
    signed: Signed | None


async def summed(conn: Connection, account: UUID, together: Together, most: int) -> Summed:
    """Return what a draft needs of works of ``account``, of ``most`` of them where they are more."""
    row = await conn.fetchrow(owned.SUMMED[together.which], *_asked(account, together, most))
    assert row is not None
    signed = None if row["statement"] is None else Signed(row["statement"], row["accepted_at"])
    return Summed(row["works"], row["lost"], row["met"], list(row["said"]), row["digests"] or b"", signed)


async def named(conn: Connection, account: UUID, together: Together, most: int) -> tuple[list[UUID], int]:
    """Return the same works themselves in the order of their ids, and how many beside them were lost."""
    rows = await conn.fetch(owned.NAMED[together.which], *_asked(account, together, most))
    works = [row["id"] for row in rows if not row["lost"]]
    return works, len(rows) - len(works)


async def waiting_on(conn: Connection, account: UUID, statement: UUID) -> Together | None:
    """Return the works that ``statement`` waits on, one group of those with the same terms at a time; None for none."""
    own: bytes | None = await conn.fetchval(owned.WAITING_ON, statement, account)
    return None if own is None else Together("waiting", statement, own)


def root_of(digests: bytes) -> str:
    """Return the root over digests end to end; whoever tries other terms on the same works has it made once."""
    name = sha256(digests).digest()
    root = _roots.get(name)
    if root is None:
        root = works_root(digests[at : at + HASH_SIZE] for at in range(0, len(digests), HASH_SIZE))
        while len(_roots) >= _KEPT:
            _roots.pop(next(iter(_roots)), None)
        _roots[name] = root
    return root


def _asked(account: UUID, together: Together, most: int) -> list[object]:
    asked: list[object] = [account, most]
    return asked if together.which != "waiting" else [*asked, together.statement, together.own]
