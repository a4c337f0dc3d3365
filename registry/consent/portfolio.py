"""What one owns and said: works with the state they are in, and one's own statements, a page at a time."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from licet import identifiers, times
from licet.wire.common import Page
from licet.wire.splits import Restriction, WorkSplit
from licet.wire.works import StatementInfo, Waiting, Work, WorkChallenge, WorksFind, WorksFound
from registry.consent import owners
from registry.consent.queries import owned, statements
from registry.consent.types import Wanted
from registry.database import Connection, Row
from registry.errors import Invalid, NotFound
from registry.http.paging import Asked, page_of
from registry.services import Services
from registry.works import service as works
from registry.works.intake import MAX_WORKS, sha256_of
from registry.works.searching import grams, searchable
from registry.works.types import files_in, hexed


async def own_works(services: Services, account: UUID, asked: Asked, wanted: Wanted) -> Page[Work]:
    """Return one page of the works of ``account``; raises ``Invalid`` naming the parameter."""
    q = searchable(wanted.q or "")
    filters = (wanted.external_id, wanted.tag, wanted.withdrawn, wanted.mode, wanted.state)
    words = (grams(q), q) if q else ()
    listing = owned.OWN_WORKS_WITH if q else owned.OWN_WORKS
    async with services.database.transaction(isolation="repeatable_read", readonly=True) as conn:
        await conn.execute(statements.PLANNED_ANEW)
        rows, more = await page_of(conn, listing, asked, account, *filters, *words)
        return Page(await _with_likes(conn, account, rows), more)


async def own_work(services: Services, account: UUID, work: UUID) -> Work:
    """Return one work of ``account``; raises ``NotFound`` also where it is somebody else's."""
    async with services.database.transaction(isolation="repeatable_read", readonly=True) as conn:
        row = await conn.fetchrow(owned.OWN_WORK, account, work)
        if row is None:
            raise NotFound("there is no such work among yours")
        return (await _with_likes(conn, account, [row]))[0]


async def own_works_by_keys(services: Services, account: UUID, wanted: WorksFind) -> WorksFound:
    """Return the works of ``account`` that have one of these keys; raises ``InputError`` and ``Invalid``."""
    for field in ("sha256", "external_ids", "works", "addresses"):
        values = getattr(wanted, field)
        if len(values) > MAX_WORKS:
            raise Invalid.field(field, f"at most {MAX_WORKS}", f"{len(values)}")
    ids = [identifiers.to_uuid(work, "wrk", field="works") for work in wanted.works]
    digests = [sha256_of(digest) for digest in wanted.sha256]
    alone = [sha256_of(digest, "addresses") for digest in wanted.addresses]
    external = [each for each in wanted.external_ids if "\0" not in each]
    async with services.database.transaction(isolation="repeatable_read", readonly=True) as conn:
        rows = await conn.fetch(owned.OWN_WORKS_BY_KEYS, account, ids, digests, external, alone)
        return WorksFound(await _with_likes(conn, account, rows))


async def own_statements(
    services: Services, account: UUID, asked: Asked, *, effect: str | None = None, scope: str | None = None
) -> Page[StatementInfo]:
    """Return one page of the statements of ``account``; raises ``Invalid`` naming the parameter."""
    async with services.database.acquire() as conn:
        rows, more = await page_of(conn, statements.STATEMENTS, asked, account, effect, scope)
    return Page([_statement(row) for row in rows], more)


async def _with_likes(conn: Connection, account: UUID, rows: Sequence[Row]) -> list[Work]:
    ids = [row["id"] for row in rows]
    similar = await works.similar_to(conn, account, ids)
    denies = await works.left_denies(conn, account, ids) if similar else {}
    restricted = await owners.restrictions(conn, ids)
    return [
        _work(row, similar.get(row["id"], []), denies.get(row["id"], []), restricted.get(row["id"], [])) for row in rows
    ]


def _work(row: Row, similar: list[str], denies: list[str], restricted: list[Restriction]) -> Work:
    return Work(
        work=identifiers.from_uuid("wrk", row["id"]),
        title=row["title"],
        creator=row["creator"],
        mode=row["mode"],
        sha256=hexed(row["sha256"]),
        pixels=hexed(row["pixels"]),
        pdq=hexed(row["pdq"]),
        quality=row["quality"],
        urls=list(row["urls"]),
        site=row["site"],
        site_proven=row["site_proven"],
        iscc=row["iscc"],
        tags=list(row["tags"]),
        external_id=row["external_id"],
        digest=row["digest"].hex(),
        created=row["created"],
        registered_at=times.to_text(row["registered_at"]),
        statement=_statement_id(row["statement"]),
        terms_hash=hexed(row["terms"]),
        log_index=row["index"],
        contested=row["contested"],
        challenged=row["challenged"],
        withdrawn=row["withdrawn_at"] is not None,
        revision=row["revision"],
        state=row["state"],
        level=row["level"],
        stated=hexed(row["own"]),
        waiting=_waiting(row),
        similar=similar,
        in_snapshot=row["in_snapshot"],
        files=files_in(row["files"]),
        challenge=_challenge(row),
        split=None
        if row["split"] is None
        else WorkSplit(identifiers.from_uuid("spl", row["split"]), row["split_index"]),
        restricted=restricted,
        denied_by=denies,
        changed_by=_statement_id(row["changed_by"]),
        changed_index=row["changed_index"],
        parts=row["parts"],
    )


def _challenge(row: Row) -> WorkChallenge | None:
    if row["wanted"] is None:
        return None
    until = None if row["lapsed"] or row["until"] is None else times.to_text(row["until"])
    return WorkChallenge(row["wanted"], until, row["lapsed"])


def _waiting(row: Row) -> Waiting | None:
    if row["waiting"] is None:
        return None
    until = row["waiting_until"]
    return Waiting(
        identifiers.from_uuid("stm", row["waiting"]),
        row["waiting_terms"].hex(),
        None if until is None else times.to_text(until),
    )


def _statement_id(statement: UUID | None) -> str | None:
    return None if statement is None else identifiers.from_uuid("stm", statement)


def _statement(row: Row) -> StatementInfo:
    return StatementInfo(
        statement=identifiers.from_uuid("stm", row["id"]),
        effect=row["effect"],
        scope=row["scope"],
        works=row["works"],
        terms_hash=hexed(row["terms"]) or "",
        log_index=row["index"],
        accepted_at=times.to_text(row["accepted_at"]),
        pending_until=None if row["pending_until"] is None else times.to_text(row["pending_until"]),
    )
