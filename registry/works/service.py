"""Registering works, listing one's own: a registration is a claim that takes effect when it is signed for."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from uuid import UUID

import asyncpg
from msgspec import structs

from licet import identifiers, times
from licet.errors import InputError
from licet.wire.works import Parts, WorkIn, WorkOutcome, WorksRegistered
from registry.accounts.identity import Caller
from registry.database import Connection, Row
from registry.errors import Conflict, Invalid, NotAuthenticated
from registry.services import Services
from registry.works import features, queries
from registry.works.above import ABOVE
from registry.works.intake import MAX_WORKS, hold_to_domains, keys_of, new_work, sha256_of, work_id
from registry.works.searching import FORM, grams, words_of
from registry.works.similarity import neighbours, row_keys
from registry.works.thumbnails import settle
from registry.works.types import Keys, Match, Neighbour, NewWork, files_in, hexed, raw
from registry.works.uploads import Seen, uploads_of


async def register(services: Services, caller: Caller, items: Sequence[WorkIn]) -> WorksRegistered:
    """Return what became of each of at most 1,000 works, in the order sent; those registered are kept.

    Sending a work again has no second effect. A picture that the account has registered already is a ``duplicate``.
    Raises ``Invalid`` for too many, ``Unavailable`` where works of others cannot be looked at.
    """
    if not 1 <= len(items) <= MAX_WORKS:
        raise Invalid.field("works", f"1 to {MAX_WORKS}", f"{len(items)} works")
    batch = _Batch(caller, items)
    async with services.database.acquire() as conn:
        await batch.sort_out(conn)
    fresh = list(batch.fresh.values())
    rows = [row_keys(work.keys, batch.orientations(work)) for work in fresh]
    version, found = await neighbours(services, caller.account, rows) if rows else (0, [])
    try:
        async with services.database.transaction() as conn:
            if await conn.fetchval(queries.LOCK_OWNER, caller.account) is None:
                raise NotAuthenticated("the account was erased")
            await batch.sort_out(conn)  # another registration of this account may have come before
            kept = [work for work in fresh if work.id in batch.fresh]
            if kept:
                await _keep(conn, caller.account, kept, version)
                sent = [bytes.fromhex(work.keys.sha256 or "") for work in kept if work.keys.mode == "upload"]
                await settle(conn, caller.account, sent)
                await features.settle(conn, caller.account, sent)
                await keep_matches(conn, _matches(caller.account, fresh, found, batch.fresh))
                await ABOVE.registered(conn, caller.account, [work.id for work in kept])
            similar = await similar_to(conn, caller.account, batch.registered)
            signed = await ABOVE.signed(conn, caller.account, batch.known)
            parts = await features.parts_of(conn, caller.account, batch.known)
    except asyncpg.UniqueViolationError:
        raise Conflict("one of the identifiers was taken at this very moment; send the request again") from None
    return WorksRegistered(batch.outcomes(similar, signed, parts))


class _Batch:
    """The works of one request: `sort_out` says what becomes of each, as of the connection that it is given."""

    def __init__(self, caller: Caller, items: Sequence[WorkIn]) -> None:
        self._caller = caller
        self._items = items
        self._uploads: dict[str, Seen] = {}
        self._domains: list[str] = []
        self._outcomes: dict[int, WorkOutcome] = {}
        self.fresh: dict[UUID, NewWork] = {}

    async def sort_out(self, conn: Connection) -> None:
        ids, digests = self._readable()
        self._uploads = self._uploads or await uploads_of(conn, self._caller.account, digests)
        if any(item.site is not None for item in self._items):
            proven = await conn.fetch(queries.PROVEN_DOMAINS, self._caller.account)
            self._domains = [row["domain"] for row in proven]
        taken = {row["id"]: row for row in await conn.fetch(queries.TAKEN, self._caller.account, ids)}
        self._outcomes, self.fresh = {}, {}
        works: dict[int, NewWork] = {}
        for place, item in enumerate(self._items):
            outcome = self._work(item, taken)
            if isinstance(outcome, NewWork):
                works[place] = outcome
            else:
                self._outcomes[place] = outcome
        await self._drop_duplicates(conn, works)

    def orientations(self, work: NewWork) -> bytes | None:
        """The PDQ of ``work`` in eight orientations, where the service saw the picture."""
        seen = self._uploads.get(work.keys.sha256 or "") if work.keys.mode == "upload" else None
        return seen.orientations if seen else None

    @property
    def registered(self) -> list[UUID]:
        """The works that are registered, by now or before."""
        return [work_id(each.work) for each in self._outcomes.values() if each.status == "registered"]

    @property
    def known(self) -> list[UUID]:
        """The works that are registered, and those that others are duplicates of."""
        return [work_id(each.existing or each.work) for each in self._outcomes.values() if each.status != "refused"]

    def outcomes(
        self, similar: Mapping[UUID, list[str]], signed: Collection[UUID], parts: Mapping[UUID, Parts]
    ) -> list[WorkOutcome]:
        """What became of each work, in the order sent."""
        ordered = [self._outcomes[place] for place in range(len(self._items))]
        return [
            each
            if each.status == "refused"
            else structs.replace(
                each,
                signed=work_id(each.existing or each.work) in signed,
                similar=similar.get(work_id(each.work), []) if each.status == "registered" else [],
                parts=parts.get(work_id(each.existing or each.work)),
            )
            for each in ordered
        ]

    def _readable(self) -> tuple[list[UUID], list[bytes]]:
        ids, digests = [], []
        for item in self._items:
            try:
                ids.append(work_id(item.work))
                if item.sha256 is not None:
                    digests.append(sha256_of(item.sha256))
            except InputError:
                continue  # refused by name later
        return ids, digests

    def _work(self, item: WorkIn, taken: Mapping[UUID, Row]) -> NewWork | WorkOutcome:
        try:
            work = work_id(item.work)
            present = taken.get(work)
            if present is not None:
                return _present(item, present)
            keys = keys_of(item, {digest: seen.fingerprint for digest, seen in self._uploads.items()})
            if keys is not None and keys.site is not None:
                hold_to_domains(keys.site, self._domains)
            if keys is None:
                return WorkOutcome(item.work, "refused", reason="no-upload: send the picture first, within a day")
            return new_work(item, work, self._caller.id, keys)
        except InputError as error:
            return WorkOutcome(item.work, "refused", reason=error.message)

    async def _drop_duplicates(self, conn: Connection, works: dict[int, NewWork]) -> None:
        """Leave in ``fresh`` what the account has not registered: neither before nor earlier in this request."""
        own = await _own_files(conn, self._caller.account, [work.keys for work in works.values()])
        for place, work in works.items():
            text = identifiers.from_uuid("wrk", work.id)
            pixel_key = ("pixels", work.keys.pixels)
            file_key = _file_key(work.keys.sha256, work.keys.addresses)
            existing = own.get(file_key) or (own.get(pixel_key) if work.keys.pixels else None)
            if work.id in self.fresh:
                self._outcomes[place] = WorkOutcome(text, "refused", reason="id-taken: by another work of this request")
            elif existing is not None:
                present, digest = existing
                self._outcomes[place] = WorkOutcome(
                    text, "duplicate", digest.hex(), existing=identifiers.from_uuid("wrk", present)
                )
            else:
                self._outcomes[place] = WorkOutcome(text, "registered", work.digest.hex())
                self.fresh[work.id] = work
                own[file_key] = work.id, work.digest
                own.setdefault(pixel_key, (work.id, work.digest))


async def own_files(conn: Connection, account: UUID, keys: Sequence[Keys]) -> dict[tuple[str, object], UUID]:
    """Return which works of ``account`` have one of the files of ``keys``: by ("file", hex), ("pixels", hex) or
    ("addresses", digest)."""
    found = await _own_files(conn, account, keys)
    return {("addresses", raw(key[1])) if key[0] == "addresses" else key: work for key, (work, _) in found.items()}


async def _own_files(
    conn: Connection, account: UUID, keys: Sequence[Keys]
) -> dict[tuple[str, str | None], tuple[UUID, bytes]]:
    digests = [bytes.fromhex(each.sha256) for each in keys if each.sha256]
    pixels = [bytes.fromhex(each.pixels) for each in keys if each.pixels]
    alone = [addresses for each in keys if (addresses := each.addresses) is not None]
    own: dict[tuple[str, str | None], tuple[UUID, bytes]] = {}
    for row in await conn.fetch(queries.OWN_KEYS, account, digests, pixels, alone):
        same = row["id"], row["digest"]
        own[_file_key(hexed(row["sha256"]), row["addresses"])] = same
        own.setdefault(("pixels", hexed(row["pixels"])), same)
        for file in files_in(row["files"]):
            own.setdefault(("file", file.sha256), same)
            own.setdefault(("pixels", file.pixels), same)
    return own


def _file_key(sha256: str | None, addresses: bytes | None) -> tuple[str, str | None]:
    return ("file", sha256) if sha256 is not None else ("addresses", hexed(addresses))


def _present(item: WorkIn, row: Row) -> WorkOutcome:
    same = row["own"] and (row["mode"], hexed(row["sha256"])) == (item.mode, item.sha256)
    if not same:
        return WorkOutcome(item.work, "refused", reason="id-taken: choose a fresh identifier")
    if row["withdrawn"]:
        return WorkOutcome(item.work, "refused", reason="withdrawn: register it again under a fresh identifier")
    return WorkOutcome(item.work, "registered", row["digest"].hex())


async def _keep(conn: Connection, account: UUID, works: Iterable[NewWork], version: int) -> None:
    now = times.now()
    records = []
    for work in works:
        keys = work.keys
        words = words_of(work.title, work.creator, work.external_id, work.tags)
        records.append(
            (
                work.id,
                account,
                keys.mode,
                raw(keys.sha256),
                raw(keys.pixels),
                raw(keys.pdq),
                keys.quality,
                work.title,
                work.creator,
                work.created,
                work.tags,
                work.external_id,
                keys.urls,
                keys.site,
                keys.iscc,
                keys.addresses,
                work.digest,
                words,
                grams(words),
                FORM,
                version,
                now,
            )
        )
    await conn.copy_records_to_table("works", records=records, columns=queries.WORK_COLUMNS)


def _matches(
    account: UUID, asked: Sequence[NewWork], found: Iterable[Neighbour], kept: Mapping[UUID, NewWork]
) -> list[Match]:
    return [
        Match(asked[each.row].id, each.work, account, each.account, each.key, each.distance)
        for each in found
        if asked[each.row].id in kept
    ]


async def keep_matches(conn: Connection, matches: Sequence[Match]) -> None:
    """Keep pairs of works of different accounts that match; a pair that is known stays as it was."""
    if matches:
        await conn.execute(queries.KEEP_MATCHES, *([*column] for column in zip(*matches, strict=True)))


async def similar_to(conn: Connection, account: UUID, works: Sequence[UUID]) -> dict[UUID, list[str]]:
    """Return, for those of ``works`` of ``account`` that match works of others, the identifiers of these."""
    similar: dict[UUID, list[str]] = {}
    for row in await conn.fetch(queries.SIMILAR, account, list(works)):
        similar.setdefault(row["work"], []).append(identifiers.from_uuid("wrk", row["other"]))
    return {work: sorted(others) for work, others in similar.items()}


async def left_denies(conn: Connection, account: UUID, works: Sequence[UUID]) -> dict[UUID, list[str]]:
    """Return, for those of ``works`` of ``account`` that match works which an erased account left a deny for, these."""
    found: dict[UUID, list[str]] = {}
    for row in await conn.fetch(queries.LEFT_DENIES, account, list(works)):
        found.setdefault(row["work"], []).append(identifiers.from_uuid("wrk", row["other"]))
    return {work: sorted(others) for work, others in found.items()}


async def covered(conn: Connection, account: UUID, works: Sequence[UUID]) -> list[tuple[UUID, bytes]]:
    """Return (id, digest) of those of ``works`` that belong to ``account`` and are not withdrawn, by rising id."""
    return [(row["id"], row["digest"]) for row in await conn.fetch(queries.COVERED, account, works)]


async def covered_keys(conn: Connection, account: UUID, works: Sequence[UUID]) -> list[tuple[UUID, Keys]]:
    """Return (id, keys) of those of ``works`` that belong to ``account`` and are not withdrawn, by rising id."""
    return [(row["id"], keys_in(row)) for row in await conn.fetch(queries.COVERED_KEYS, account, works)]


def keys_in(row: Row) -> Keys:
    """Return the match keys in a row of works."""
    return Keys(
        mode=row["mode"],
        sha256=hexed(row["sha256"]),
        pixels=hexed(row["pixels"]),
        pdq=hexed(row["pdq"]),
        quality=row["quality"],
        urls=list(row["urls"]),
        site=row["site"],
        iscc=row["iscc"],
        files=files_in(row["files"]),
    )
