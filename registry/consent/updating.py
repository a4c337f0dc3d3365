"""New keys for works, by a signed work-update: the digests before and after, and what the new keys meet.

What a work was recognised by stays among its keys, under the terms in force; so an update only ever adds. Whatever
waited to loosen on the work is cancelled, since it was signed over the digest before. Keys that match another account's
work make the two claims conflict, as a registration does; a work that would be challenged for it is left as it was.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final
from uuid import UUID

import msgspec

from licet import identifiers
from licet.errors import InputError
from licet.statements.kinds import WorkUpdate
from licet.statements.works import work_digest, works_root
from licet.wire.works import WorkKeys
from registry.consent.conflicts import Fresh
from registry.consent.queries import statements, states
from registry.consent.types import Added, Signer
from registry.database import Connection
from registry.errors import Conflict, Invalid
from registry.services import Services
from registry.works import features, thumbnails
from registry.works import queries as work_queries
from registry.works.intake import grown, sha256_of
from registry.works.service import covered_keys, own_files
from registry.works.similarity import neighbours, row_keys
from registry.works.types import Keys, Match, digest_form, raw
from registry.works.uploads import Seen, uploads_of

MAX_UPDATED: Final = 1000


def is_update(payload: object) -> bool:
    """Return whether ``payload`` is a work-update of keys."""
    return isinstance(payload, WorkUpdate) and payload.change == "keys"


async def added_by(
    conn: Connection, account: UUID, signer: Signer, ids: Sequence[UUID], adds: Sequence[WorkKeys]
) -> list[Added]:
    """Return what ``adds`` make of the works ``ids``, by rising id.

    Raises ``Invalid`` for works that are not named once each, are not under a consent of their own, or gain nothing.
    """
    if len(adds) > MAX_UPDATED:
        raise Invalid.field("adds", f"at most {MAX_UPDATED} works", f"{len(adds)} works")
    named = {identifiers.to_uuid(each.work, "wrk", field="adds.work"): each for each in adds}
    if len(named) != len(adds) or sorted(named) != list(ids):
        raise Invalid("adds: expected what is new of each of the works once, got that of others")
    standing = {row["work"]: row["frozen"] for row in await conn.fetch(states.STANDING_AMONG, account, ids)}
    for work in ids:
        if standing.get(work, True):
            what = "terms of its own in force; sign some for it first"
            raise Invalid.field("works", what, identifiers.from_uuid("wrk", work))
    digests = [sha256_of(each.sha256, "adds.sha256") for each in adds if each.sha256 is not None]
    seen = await uploads_of(conn, account, digests)
    keys = await covered_keys(conn, account, ids)
    return [_added(signer, work, before, named[work], seen) for work, before in keys]


def hold_roots(payload: WorkUpdate, added: Sequence[Added]) -> None:
    """Return only if ``payload`` is over the digests of these works before and after; raises ``Invalid``."""
    before, after = (works_root(each.old for each in added), works_root(each.new for each in added))
    if payload.before != before:
        raise Invalid.field("before", f"root {before} over what these works are now", payload.before)
    if (payload.scope.count, payload.scope.root) != (len(added), after):
        raise Invalid.field("scope", f"{len(added)} works under root {after}", payload.scope)


async def meeting(services: Services, account: UUID, added: Sequence[Added]) -> tuple[Fresh, list[Match]]:
    """Return the matches of the new keys with works of others, and what finds those that come after this moment."""
    asked = [each for each in added if each.asked is not None]
    rows = [each.asked for each in asked if each.asked is not None]
    version, found = await neighbours(services, account, rows) if rows else (0, [])
    fresh = Fresh(account, [each.work for each in asked], version, rows)
    matches = [
        Match(fresh.works[each.row], each.work, account, each.account, each.key, each.distance) for each in found
    ]
    return fresh, matches


async def keep_keys(conn: Connection, account: UUID, added: Sequence[Added], pending: int) -> None:
    """Put the new keys in the place of the old, which are kept as what earlier statements are over.

    Raises ``Invalid`` for a file that another work of the account has.
    """
    await _hold_own(conn, account, added)
    await conn.executemany(
        work_queries.KEEP_VERSION,
        [(each.work, pending, each.old, msgspec.json.encode(each.before).decode()) for each in added],
    )
    await conn.executemany(work_queries.UPDATE, [_columns(account, each, pending) for each in added])
    changed = [each for each in added if each.asked is not None and each.after.mode == "upload"]
    present = [bytes.fromhex(each.after.sha256 or "") for each in changed]
    await thumbnails.settle(conn, account, present)
    await features.settle(conn, account, present)
    gone = [bytes.fromhex(each.before.sha256 or "") for each in changed]
    await conn.execute(work_queries.DROP_THUMBNAILS, account, gone)
    await conn.execute(work_queries.DROP_FEATURES, account, gone)
    await conn.execute(statements.COUNT_UPDATE, account)


async def hold_unchallenged(conn: Connection, works: Sequence[UUID]) -> None:
    """Return only if none of ``works`` is challenged: what it denies must not fall for a key that was added."""
    challenged = await conn.fetchval(states.CHALLENGED_AMONG, list(works))
    if challenged is not None:
        raise Conflict(
            f"expected new keys that match no work of a verified claimant, got some for "
            f"{identifiers.from_uuid('wrk', challenged)} that do: register that picture as a work of its own"
        )


def _added(signer: Signer, work: UUID, before: Keys, add: WorkKeys, seen: Mapping[str, Seen]) -> Added:
    try:
        after = grown(before, add, {digest: each.fingerprint for digest, each in seen.items()})
    except InputError as error:
        raise Invalid(f"adds: {add.work}: {error.message}") from None
    asked = None
    if after.sha256 != before.sha256:
        turned = seen[after.sha256 or ""].orientations if after.mode == "upload" else None
        asked = row_keys(after, turned)
    old, new = (work_digest(digest_form(work, signer.id, keys)) for keys in (before, after))
    return Added(work, before, after, old, new, asked)


async def _hold_own(conn: Connection, account: UUID, added: Sequence[Added]) -> None:
    own = await own_files(conn, account, [each.after for each in added])
    for each in added:
        for key in (("file", each.after.sha256), ("pixels", each.after.pixels), ("addresses", each.after.addresses)):
            other = own.setdefault(key, each.work) if key[1] is not None else each.work
            if other != each.work:
                raise Invalid.field(
                    "adds",
                    f"for {identifiers.from_uuid('wrk', each.work)} what no other work of yours is",
                    f"what {identifiers.from_uuid('wrk', other)} is",
                )


def _columns(account: UUID, each: Added, pending: int) -> tuple[object, ...]:
    keys = each.after
    found_by = sorted({digest for file in keys.files for digest in (raw(file.sha256), raw(file.pixels)) if digest})
    return (
        account,
        each.work,
        raw(keys.sha256),
        raw(keys.pixels),
        raw(keys.pdq),
        keys.quality,
        keys.urls,
        keys.addresses,
        msgspec.json.encode(keys.files).decode() if keys.files else None,
        found_by or None,
        each.new,
        pending,
        keys.iscc,
    )
