"""Changing what a work is called: title, creator, date, tags, external id. Its keys never change.

A change names the revision that it was made from, so nobody overwrites what somebody else wrote meanwhile. One that
has been made already is no change, whatever revision it names: sending it again after a lost answer is harmless.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final
from uuid import UUID

import msgspec
from msgspec import UNSET

from licet.errors import InputError
from licet.wire import metadata
from licet.wire.works import ChangeOutcome, MetadataChange, WorkChange, WorksChanged
from registry.database import Connection, Row
from registry.errors import Invalid, NotFound, PreconditionFailed
from registry.services import Services
from registry.works import queries
from registry.works.intake import MAX_WORKS, work_id
from registry.works.searching import FORM, grams, words_of

_RENEWED_AT_ONCE: Final = 500
_FIELDS: Final = ("title", "creator", "created", "tags", "external_id")


class Values(msgspec.Struct, frozen=True):
    """A work's metadata, as it is kept."""

    title: str | None
    creator: str | None
    created: str | None
    tags: list[str]
    external_id: str | None


async def change(services: Services, account: UUID, changes: Sequence[WorkChange]) -> WorksChanged:
    """Return what became of each of at most 1,000 changes, in the order sent; each is made whole or not at all.

    Raises ``Invalid`` for too many and for one work named twice.
    """
    if not 1 <= len(changes) <= MAX_WORKS:
        raise Invalid.field("changes", f"1 to {MAX_WORKS}", f"{len(changes)} changes")
    if len({each.work for each in changes}) != len(changes):
        raise Invalid("changes: expected each work once, got one twice")
    async with services.database.transaction() as conn:
        rows = await _locked(conn, account, [each.work for each in changes])
        outcomes, writes = [], []
        for each in changes:
            outcome, values = _judged(each, rows)
            outcomes.append(outcome)
            if values is not None:
                writes.append((work_id(each.work), values))
        await _write(conn, account, writes)
    return WorksChanged(outcomes)


async def change_one(
    services: Services, account: UUID, work: UUID, wanted: MetadataChange, revision: int | None
) -> None:
    """Return once the metadata of ``work`` is as ``wanted``.

    Raises ``InputError`` naming the field, ``NotFound``, and ``PreconditionFailed`` where ``revision`` is not the
    work's any more and the change was not made already.
    """
    async with services.database.transaction() as conn:
        rows = await conn.fetch(queries.CHANGING, account, [work])
        if not rows:
            raise NotFound("there is no such work among yours")
        present = _values(rows[0])
        values = _changed(present, wanted)
        if values == present:
            return
        if revision not in (None, rows[0]["revision"]):
            raise PreconditionFailed(f"the work is at revision {rows[0]['revision']}: look at it again")
        await _write(conn, account, [(work, values)])


async def renew_words(services: Services) -> int:
    """Return how many works were put into the present form of searching, once there is none of an older form."""
    renewed, after = 0, UUID(int=0)
    while True:
        async with services.database.transaction() as conn:
            rows = await conn.fetch(queries.OLD_WORDS, after, FORM, _RENEWED_AT_ONCE)
            if not rows:
                return renewed
            words = [words_of(row["title"], row["creator"], row["external_id"], row["tags"]) for row in rows]
            await conn.executemany(
                queries.RENEW_WORDS,
                [(row["account"], row["id"], text, grams(text), FORM) for row, text in zip(rows, words, strict=True)],
            )
            renewed, after = renewed + len(rows), rows[-1]["id"]


async def _locked(conn: Connection, account: UUID, named: Sequence[str]) -> dict[str, Row]:
    ids = {}
    for name in named:
        try:
            ids[work_id(name)] = name
        except InputError:
            continue  # refused by name later
    return {ids[row["id"]]: row for row in await conn.fetch(queries.CHANGING, account, list(ids))}


def _judged(wanted: WorkChange, rows: Mapping[str, Row]) -> tuple[ChangeOutcome, Values | None]:
    row = rows.get(wanted.work)
    if row is None:
        return ChangeOutcome(wanted.work, "refused", reason="work: expected one of your works, got another"), None
    present, revision = _values(row), row["revision"]
    try:
        values = _changed(present, wanted)
    except InputError as error:
        return ChangeOutcome(wanted.work, "refused", revision, error.message), None
    if values == present:
        return ChangeOutcome(wanted.work, "unchanged", revision), None
    if wanted.revision not in (None, revision):
        reason = f"revision: expected {revision}, got {wanted.revision}: it was changed meanwhile"
        return ChangeOutcome(wanted.work, "refused", revision, reason), None
    return ChangeOutcome(wanted.work, "updated", revision + 1), values


def _values(row: Row) -> Values:
    return Values(row["title"], row["creator"], row["created"], list(row["tags"]), row["external_id"])


def _changed(present: Values, wanted: MetadataChange) -> Values:
    changes: dict[str, Any] = {name: getattr(wanted, name) for name in _FIELDS if getattr(wanted, name) is not UNSET}
    asked = msgspec.structs.replace(present, **changes)
    return Values(
        metadata.title_of(asked.title),
        metadata.creator_of(asked.creator),
        metadata.created_of(asked.created),
        metadata.tags_of(asked.tags),
        metadata.external_id_of(asked.external_id),
    )


async def _write(conn: Connection, account: UUID, writes: Sequence[tuple[UUID, Values]]) -> None:
    records = [
        (account, work, each.title, each.creator, each.created, each.tags, each.external_id, words, grams(words), FORM)
        for work, each in writes
        for words in [words_of(each.title, each.creator, each.external_id, each.tags)]
    ]
    if records:
        await conn.executemany(queries.CHANGE, records)
