"""Verdicts of this moment: every question reads the primary's consent version after it arrived (semantics 23)."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Final, TypeVar
from uuid import UUID

import msgspec
import numpy as np

from licet import identifiers, money, times
from licet.decisions import KEY_KINDS, MATCH_KINDS, VERDICTS, Request
from licet.index import Answers as Decided
from licet.index import Index, Keys, answer
from licet.wire.licensing import Answer, Answers, MatchInfo, Query
from registry.accounts.identity import Caller
from registry.errors import Invalid, Unavailable
from registry.licensing.standing import account_kinds
from registry.services import Services

MAX_ROWS: Final = 10_000
MAX_ANONYMOUS: Final = 1_000
MAX_KEYS: Final = 65_536
KEY_BYTES: Final = 32
LEVELS: Final = range(5)
# How a model and its version are written, as JSON Schema says it.
MODEL: Final = "[A-Za-z0-9][A-Za-z0-9_.-]{0,95}/[A-Za-z0-9][A-Za-z0-9_.-]{0,95}"
VERSION: Final = "[A-Za-z0-9][A-Za-z0-9_.+-]{0,63}"
_STATED: Final = KEY_BYTES // 2
_NOBODY: Final = bytes(16)
_ATTEMPTS: Final = 3

T = TypeVar("T")


class Verdicts(msgspec.Struct, frozen=True):
    """One byte a key: the index of the verdict in ``decisions.VERDICTS``, as of this consent version and log size."""

    codes: bytes
    consent_version: int
    log_size: int


async def query(services: Services, caller: Caller | None, asked: Query) -> Answers:
    """Return the verdict of every row with all that counted for it, in the order asked.

    At most 10,000 rows with a token that may query, 1,000 without one. Raises ``Invalid`` or ``InputError`` naming
    the field, ``Unavailable`` while the primary cannot be reached.
    """
    _hold_to_limit("rows", len(asked.rows), MAX_ROWS, caller)
    _hold_to_level("min_claim_level", asked.min_claim_level)
    request = _dated(Request.from_json(asked.request))

    def answered(index: Index) -> Decided:
        keys = Keys.from_rows(asked.rows)
        return answer(index, keys, request, match=asked.match, min_claim_level=asked.min_claim_level)

    found, version, size = await decided(services, answered)
    owners = {UUID(bytes=account.tobytes()) for account in np.unique(found.works.account, axis=0)}
    async with services.database.acquire() as conn:
        kinds = await account_kinds(conn, owners)
    results = await asyncio.to_thread(_results, found, kinds)
    for verdict, number in Counter(result.verdict for result in results).items():
        services.meters.count("licet_verdicts_total", verdict, by=number)
    return Answers(results, version, size)


async def lookup(
    services: Services, caller: Caller | None, digests: bytes, request: Request, min_claim_level: int = 0
) -> Verdicts:
    """Return one verdict byte for each 32-byte SHA-256 in ``digests``, whether of a file or of decoded pixels.

    At most 65,536 keys with a token that may query, 1,000 without one; raises as `query` does.
    """
    if len(digests) % KEY_BYTES:
        raise Invalid.field("body", "32 bytes a key", f"{len(digests)} bytes")
    _hold_to_limit("body", len(digests) // KEY_BYTES, MAX_KEYS, caller)
    _hold_to_level("?min_claim_level", min_claim_level)
    dated = _dated(request)
    codes, version, size = await decided(services, lambda index: _codes(index, digests, dated, min_claim_level))
    services.meters.count("licet_keys_looked_up_total", by=len(codes))
    for code, number in enumerate(np.bincount(np.frombuffer(codes, np.uint8))):
        if number:
            services.meters.count("licet_verdicts_total", VERDICTS[code], by=int(number))
    return Verdicts(codes, version, size)


def _codes(index: Index, digests: bytes, request: Request, min_claim_level: int) -> bytes:
    whole = np.frombuffer(digests, np.uint8).reshape(-1, KEY_BYTES)
    stated = np.ascontiguousarray(whole[:, :_STATED])
    keys = Keys(len(stated), file=stated, pixels=stated)
    return answer(index, keys, request, match="exact", min_claim_level=min_claim_level).verdict.tobytes()


async def decided(services: Services, decide: Callable[[Index], T]) -> tuple[T, int, int]:
    """Return what ``decide`` says of the index of this moment, the consent version and the log size that it holds for.

    What was read from files that changed meanwhile is no answer: then it is asked again, of what is there by then.
    """
    reader = services.reader
    if reader is None:
        raise Unavailable("this process serves no decisions")
    for _ in range(_ATTEMPTS):
        index, version, size = await reader.current()
        try:
            found = await asyncio.to_thread(decide, index)
        except Exception:
            if reader.intact():
                raise
            continue
        if reader.intact():
            return found, version, size
    raise Unavailable("the files that answers are made from keep changing; nothing was decided")


def _hold_to_limit(field: str, rows: int, most: int, caller: Caller | None) -> None:
    allowed = most if caller is not None and "query" in caller.scopes else MAX_ANONYMOUS
    if not 1 <= rows <= allowed:
        hint = "" if allowed == most else f" ({most} with a token of scope query)"
        raise Invalid.field(field, f"1 to {allowed} keys{hint}", rows)


def _hold_to_level(field: str, level: int) -> None:
    if level not in LEVELS:
        raise Invalid.field(field, f"0 to {LEVELS[-1]}", level)


def _dated(request: Request) -> Request:
    """Return ``request`` as of now, unless it says of when."""
    return request if request.at else msgspec.structs.replace(request, at=times.to_text(times.now()))


def _results(found: Decided, kinds: Mapping[UUID, str]) -> list[Answer]:
    infos = [_match(found, place, kinds) for place in range(len(found.matches))]
    results = []
    starts = np.searchsorted(found.matches.row, np.arange(len(found) + 1))
    for row in range(len(found)):
        deciding = int(found.deciding[row])
        places = [place for place in range(starts[row], starts[row + 1]) if found.counts[place]]
        places.sort(key=lambda place, first=deciding: place != first)  # type: ignore[misc]  # mypy: default in a lambda
        reason = found.reasons[found.reason[row]]
        results.append(Answer(VERDICTS[found.verdict[row]], reason, [infos[place] for place in places]))
    return results


def _match(found: Decided, place: int, kinds: Mapping[UUID, str]) -> MatchInfo:
    decision = found.decisions[found.decision[place]]
    works, matches = found.works, found.matches
    account = UUID(bytes=works.account[place].tobytes())
    statement = works.statement[place].tobytes()
    price = decision.price
    return MatchInfo(
        work=identifiers.from_uuid("wrk", UUID(bytes=works.work[place].tobytes())),
        account=identifiers.from_uuid(kinds.get(account, "art"), account),
        statement=None if statement == _NOBODY else identifiers.from_uuid("stm", UUID(bytes=statement)),
        kind=MATCH_KINDS[matches.kind[place]],
        key=KEY_KINDS[matches.key[place]],
        distance=int(matches.distance[place]),
        verdict=decision.verdict,
        reason=decision.reason,
        claim_level=int(works.level[place]),
        price=None if price is None or price.currency is None else money.to_decimal(price.micro),
        currency=None if price is None else price.currency,
        price_model=None if price is None else price.model,
    )
