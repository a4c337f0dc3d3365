"""What of an account can go, and what others rely on (semantics 28): looked at, not touched."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple
from uuid import UUID

from licet.log import merkle
from registry.database import Connection
from registry.erasure import queries

# What an organisation did: the artists whose works it used, and auditors, go by it.
OF_USE: Final = {
    "licence": "licence",
    "licence-request": "licence",
    "licence-answer": "licence",
    "licence-reply": "licence",
    "licence-revoke": "licence",
    "duty-done": "use",
    "dispute-step": "dispute",
    "split": "licence",
    "split-answer": "licence",
    "dataset-manifest": "use",
    "model-card": "use",
    "run": "use",
    "usage-batch": "use",
    "revenue-report": "use",
}
# What makes other statements verifiable, or says when they took effect: kept as long as one of those is.
_BEHIND: Final = frozenset(
    {"key-register", "key-rotate", "key-revoke", "delegation", "claim", "consent-mature", "erase"}
)


class Weighed(NamedTuple):
    """One logged statement of the account; ``why`` says for what it is kept, None where it can go."""

    pending: int
    kind: str
    subject: str
    digest: bytes  # SHA-256 of the envelope
    statement: UUID | None
    why: str | None


class Weight(NamedTuple):
    """What would be erased and what would be restricted."""

    held: dict[UUID, str]  # works that others rely on, and why
    statements: list[Weighed]  # in log order
    works: int
    stated: int  # of them, those with terms in force

    @property
    def erasable(self) -> list[Weighed]:
        return [each for each in self.statements if each.why is None]

    @property
    def restricted(self) -> list[Weighed]:
        return [each for each in self.statements if each.why is not None]

    @property
    def root(self) -> str | None:
        """The root over the digests of what goes, None for nothing."""
        leaves = [merkle.leaf_hash(each.digest) for each in self.erasable]
        return merkle.root(leaves).hex() if leaves else None


async def weigh(conn: Connection, account: UUID) -> Weight:
    """Return what of ``account`` goes and what stays, as ``conn`` sees it."""
    held = {row["work"]: row["why"] for row in await conn.fetch(queries.HELD, account)}
    counts = await conn.fetchrow(queries.COUNTS, account)
    assert counts is not None
    rows = await conn.fetch(queries.STATEMENTS, account, list(held), list(held.values()))
    found = [
        Weighed(row["id"], row["kind"], row["subject"], row["digest"], row["statement"], _why(row, bool(held)))
        for row in rows
    ]
    return Weight(held, _with_what_proves(found), counts["works"], counts["stated"])


def _why(row: object, relied_on: bool) -> str | None:
    kind, scope, why = row["kind"], row["scope"], row["why"]  # type: ignore[index]
    if why is None and scope == "catalogue" and relied_on:
        return "evidence"  # it may have restricted what was licensed
    return why or OF_USE.get(kind)


def _with_what_proves(found: Sequence[Weighed]) -> list[Weighed]:
    if all(each.why is None for each in found):
        return list(found)
    return [each._replace(why="evidence") if each.why is None and each.kind in _BEHIND else each for each in found]
