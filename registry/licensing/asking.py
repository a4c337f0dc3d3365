"""Verdicts of this moment: every question reads the primary's consent version after it arrived (semantics 23)."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence, Set
from typing import Final, TypeVar
from uuid import UUID

import msgspec
import numpy as np
import numpy.typing as npt

from licet import times
from licet.decisions import VERDICTS, Request
from licet.index import Answers as Decided
from licet.index import Index, Keys, answer, malformed, verdict_codes
from licet.wire.licensing import Query, RowKeys
from registry.accounts.identity import Caller
from registry.errors import Invalid, Unavailable
from registry.licensing.pace import Pace
from registry.licensing.results import owners, told
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
_FEW_ROWS: Final = 100  # take 0.5 to 0.8 ms
_MOST_KINDS: Final = 100_000  # some 15 MB
_known_kinds: Final[dict[bytes, str]] = {}
_pace: Final = Pace()

T = TypeVar("T")


class Verdicts(msgspec.Struct, frozen=True):
    """One byte a key: the index of the verdict in ``decisions.VERDICTS``, as of this consent version and log size."""

    codes: bytes
    consent_version: int
    log_size: int


async def query(services: Services, caller: Caller | None, asked: Query) -> bytes:
    """Return the verdict of every row with all that counted for it, in the order asked: ``Answers`` as JSON.

    A row with a digest, hash, code or address that is none is ``review``, ``malformed``: the others are answered. At
    most 10,000 rows with a token that may query, 1,000 without one. Raises ``Invalid`` or ``InputError`` naming
    the field, ``Unavailable`` while the primary cannot be reached.
    """
    _hold_to_limit("rows", len(asked.rows), MAX_ROWS, caller)
    hold_to_level("min_claim_level", asked.min_claim_level)
    request = dated(Request.from_json(asked.request))

    def answered(index: Index) -> Decided:
        spoilt: set[int] = set()
        keys = Keys.from_rows(asked.rows, lambda place, _: spoilt.add(place))
        found = answer(index, keys, request, match=asked.match, min_claim_level=asked.min_claim_level)
        return malformed(found, spoilt) if spoilt else found

    few = _are_few(asked.rows)
    found, version, size = await decided(services, answered, at_once=few)
    kinds = await kinds_of(services, owners(found))
    count_verdicts(services, found.verdict)
    if few:
        return told(found, kinds, version, size)
    return await asyncio.to_thread(told, found, kinds, version, size)


async def lookup(
    services: Services, caller: Caller | None, digests: bytes, request: Request, min_claim_level: int = 0
) -> Verdicts:
    """Return one verdict byte for each 32-byte SHA-256 in ``digests``, whether of a file or of decoded pixels.

    ``request`` says of when. At most 65,536 keys with a token that may query, 1,000 without one. Raises as `query`
    does.
    """
    if len(digests) % KEY_BYTES:
        raise Invalid.field("body", "32 bytes a key", f"{len(digests)} bytes")
    _hold_to_limit("body", len(digests) // KEY_BYTES, MAX_KEYS, caller)
    hold_to_level("?min_claim_level", min_claim_level)

    def answered(index: Index) -> bytes:
        started = time.thread_time()
        codes = _codes(index, digests, request, min_claim_level)
        _pace.took(len(codes), time.thread_time() - started)
        return codes

    at_once = _pace.fits(len(digests) // KEY_BYTES)
    codes, version, size = await decided(services, answered, at_once=at_once)
    services.meters.count("licet_keys_looked_up_total", by=len(codes))
    count_verdicts(services, np.frombuffer(codes, np.uint8))
    return Verdicts(codes, version, size)


def count_verdicts(services: Services, verdicts: npt.NDArray[np.uint8]) -> None:
    """``verdicts`` (codes) are in the figures."""
    for code, number in enumerate(np.bincount(verdicts).tolist()):
        if number:
            services.meters.count("licet_verdicts_total", VERDICTS[code], by=number)


async def kinds_of(services: Services, accounts: Set[bytes]) -> Mapping[bytes, str]:
    """Return how the identifiers of ``accounts`` begin. That never changes, so a process asks for each once."""
    kinds = {account: _known_kinds[account] for account in accounts & _known_kinds.keys()}
    if missing := accounts - kinds.keys():
        async with services.database.acquire() as conn:
            found = await account_kinds(conn, [UUID(bytes=account) for account in missing])
        if len(_known_kinds) > _MOST_KINDS:
            _known_kinds.clear()
        fresh = {account.bytes: kind for account, kind in found.items()}
        _known_kinds.update(fresh)
        kinds |= fresh
    return kinds


def _codes(index: Index, digests: bytes, request: Request, min_claim_level: int) -> bytes:
    # As values of 16 bytes: copied whole, an eighth of the time of copying their bytes one by one.
    halves = np.frombuffer(digests, f"V{_STATED}")[::2].copy()
    stated = halves.view(np.uint8).reshape(-1, _STATED)
    keys = Keys(len(stated), file=stated, pixels=stated)
    return verdict_codes(index, keys, request, min_claim_level).tobytes()


async def decided(services: Services, decide: Callable[[Index], T], *, at_once: bool = False) -> tuple[T, int, int]:
    """Return what ``decide`` says of the index of this moment, the consent version and the log size that it holds for.

    It runs in a thread, or ``at_once`` where that is short. What was read from files that changed meanwhile is no
    answer: then it is asked again, of what is there by then.
    """
    reader = services.reader
    if reader is None:
        raise Unavailable("this process serves no decisions")
    for _ in range(_ATTEMPTS):
        index, version, size = await reader.current()
        try:
            found = decide(index) if at_once else await asyncio.to_thread(decide, index)
        except Exception:
            if reader.intact():
                raise
            continue
        if reader.intact():
            return found, version, size
    raise Unavailable("the files that answers are made from keep changing; nothing was decided")


def _are_few(rows: Sequence[RowKeys]) -> bool:
    """Return whether these rows are answered within `pace.AT_ONCE`: looked up, and compared with nothing."""
    return len(rows) <= _FEW_ROWS and all(row.pdq is None and row.iscc is None for row in rows)


def _hold_to_limit(field: str, rows: int, most: int, caller: Caller | None) -> None:
    allowed = most if caller is not None and "query" in caller.scopes else MAX_ANONYMOUS
    if not 1 <= rows <= allowed:
        hint = "" if allowed == most else f" ({most} with a token of scope query)"
        raise Invalid.field(field, f"1 to {allowed} keys{hint}", rows)


def hold_to_level(field: str, level: int) -> None:
    """Return if ``level`` is a claim level, else raise ``Invalid`` naming ``field``."""
    if level not in LEVELS:
        raise Invalid.field(field, f"0 to {LEVELS[-1]}", level)


def this_moment() -> str:
    """Return when something is asked that does not say of when."""
    return times.to_text(times.now())


def dated(request: Request) -> Request:
    """Return ``request`` as of now, unless it says of when."""
    return request if request.at else msgspec.structs.replace(request, at=this_moment())
