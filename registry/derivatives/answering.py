"""Which works pictures derive from, and what that comes to: never looser than ``review`` (semantics 14, 18).

Segments propose; whether what they propose is still a work's picture, the primary says for every question, so what was
withdrawn, erased or changed is found no more from that moment on. What is decided of the works that are left comes from
the same index as every other answer.
"""

from __future__ import annotations

import asyncio
import weakref
from collections.abc import Sequence
from dataclasses import fields
from typing import Final
from uuid import UUID

import msgspec
import numpy as np

from licet.decisions import Request
from licet.derivative import asking as form
from licet.derivative.features import Features
from licet.derivative.searching import search
from licet.index import Answers as Decided
from licet.index import Index, Keys, answer
from licet.index.lookup import NOTHING, Matches
from licet.index.parts import with_parts
from licet.index.records import FLAGS
from licet.wire.licensing import Answer, Answers, PartsAnswers
from registry.accounts.identity import Caller
from registry.derivatives import queries
from registry.derivatives.building import folder_of, segments_of
from registry.derivatives.holding import SHELF, Held, SegmentGone
from registry.errors import Invalid, Unavailable
from registry.licensing.asking import count_verdicts, dated, decided, hold_to_level, kinds_of
from registry.licensing.results import owners, told
from registry.services import Services
from registry.works.queries import FEATURES_FORM
from registry.works.turns import Turns

MOST: Final = form.MOST
MOST_ANONYMOUS: Final = 8
_AT_ONCE: Final = 2
_ATTEMPTS: Final = 3
_MOST_WAITING: Final = 100_000
_NOBODY: Final = UUID(int=0)
_WITHDRAWN: Final = 1 << FLAGS.index("withdrawn")
_NO_MATCH: Final = Answer("unknown", "no-match", [])

_turns: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, Turns] = weakref.WeakKeyDictionary()


class _Found(msgspec.Struct, frozen=True):
    """That picture ``row`` shows places of ``work``: ``inliers`` of them."""

    row: int
    work: UUID
    inliers: int


async def look_up(
    services: Services, caller: Caller | None, body: bytes, request: Request, min_claim_level: int = 0
) -> PartsAnswers:
    """Return what is decided of each picture in ``body`` (`licet.derivative.asking`) by the works it derives from.

    At most 64 pictures with a token that may query, 8 without one. Raises ``Invalid`` or ``InputError`` naming the
    field, ``Unavailable`` while the primary or a segment cannot be read.
    """
    most = MOST if caller is not None and "query" in caller.scopes else MOST_ANONYMOUS
    if form.count(body) > most:
        hint = "" if most == MOST else f" ({MOST} with a token of scope query)"
        raise Invalid.field("body", f"features of 1 to {most} pictures{hint}", form.count(body))
    hold_to_level("?min_claim_level", min_claim_level)
    asked = await asyncio.to_thread(form.unpacked, body)
    when = dated(request)
    found = await _found(services, caller.account if caller is not None else _NOBODY, asked)
    row = np.array([each.row for each in found], np.int64)
    work = np.frombuffer(b"".join(each.work.bytes for each in found), np.uint8).reshape(-1, 16)
    inliers = np.array([each.inliers for each in found], np.int64)

    def judged(index: Index) -> Decided:
        matches = _stands(index, with_parts(index, NOTHING, row, work, inliers)[0])
        return answer(index, Keys(len(asked)), when, min_claim_level=min_claim_level, matches=matches)

    answers, version, size = await decided(services, judged)
    kinds = await kinds_of(services, owners(answers))
    async with services.database.acquire() as conn:
        covered = await conn.fetchrow(queries.COVERED, FEATURES_FORM, _MOST_WAITING)
    assert covered is not None
    whole = msgspec.json.decode(told(answers, kinds, version, size), type=Answers)
    results = [each if each.matches else _NO_MATCH for each in whole.results]
    services.meters.count("licet_keys_looked_up_total", by=len(results))
    count_verdicts(services, answers.verdict)
    return PartsAnswers(results, version, size, max(0, covered["covered"]), covered["waiting"])


def _stands(index: Index, found: Matches) -> Matches:
    """Return ``found`` without works that were withdrawn since the primary was asked: ``index`` is newer than that."""
    _, _, flags = index.works.conditions(found.work)
    stands = flags & _WITHDRAWN == 0
    return Matches(*(getattr(found, each.name)[stands] for each in fields(found)))


async def _found(services: Services, who: UUID, asked: Sequence[Features]) -> list[_Found]:
    for _ in range(_ATTEMPTS):
        async with services.database.acquire() as conn:
            digests = await segments_of(conn)
        try:
            held = await asyncio.to_thread(SHELF.opened, folder_of(services), digests)
            proposed = [await _search(who, held, each) for each in asked]
        except SegmentGone:
            continue  # written anew at this moment, under another name
        if all(each.intact for each in held):
            return await _standing(services, proposed)
    raise Unavailable("the index of parts is being made anew; nothing was decided", retry_after=5)


async def _search(who: UUID, held: Sequence[Held], asked: Features) -> list[tuple[bytes, int]]:
    turns = _turns.setdefault(asyncio.get_running_loop(), Turns(_AT_ONCE))
    await turns.take(who)
    # Shielded: whoever hangs up does not make room for another while the thread still searches.
    return await asyncio.shield(_searching(turns, held, asked))


async def _searching(turns: Turns, held: Sequence[Held], asked: Features) -> list[tuple[bytes, int]]:
    try:
        found = await asyncio.to_thread(search, [each.segment for each in held], asked)
        return [(each.work, each.inliers) for each in found]
    finally:
        turns.give()


async def _standing(services: Services, proposed: Sequence[Sequence[tuple[bytes, int]]]) -> list[_Found]:
    names = {UUID(bytes=name) for each in proposed for name, _ in each}
    if not names:
        return []
    async with services.database.acquire() as conn:
        works = {row["id"].bytes: row["work"] for row in await conn.fetch(queries.STANDING, list(names))}
    return [
        _Found(number, works[name], inliers)
        for number, each in enumerate(proposed)
        for name, inliers in each
        if name in works
    ]
