"""Whether an organisation may use what lies at an address, at this moment: by terms, or by a licence that it holds."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import NamedTuple
from urllib.parse import urlsplit
from uuid import UUID

import msgspec
import numpy as np

from licet import identifiers, times
from licet.decisions import KEY_KINDS, VERDICTS, Request
from licet.errors import InputError
from licet.fingerprints.urls import canonical_url
from licet.index import Answers, Keys, answer
from licet.statements import envelope as envelopes
from licet.statements.covering import covers
from licet.statements.kinds import Licence
from licet.wire.licensing import RowKeys
from registry.licensing.asking import count_verdicts, decided
from registry.olp import queries
from registry.olp.asking import Wanted
from registry.olp.refusals import InvalidTarget
from registry.services import Services

_ALLOW, _LICENSE = VERDICTS.index("allow"), VERDICTS.index("license")
_SITE = KEY_KINDS.index("site")
#: Works at one address that are decided on one by one.
MOST = 100
_PAGES = frozenset({"work", "works"})  # before the work, in addresses of ours


class Cover(NamedTuple):
    """What is decided: the verdict and its reason, the works it is about, and the licences that cover it.

    ``granted``: everybody may, or every work that must be licensed is. ``until`` is when the first licence ends.
    """

    granted: bool
    verdict: str
    reason: str
    works: list[UUID]
    licences: list[UUID]
    until: datetime | None
    purpose: list[str]  # complete: an unsaid one is commercial


async def cover(services: Services, organisation: UUID, wanted: Wanted) -> Cover:
    """Return how ``wanted`` stands for ``organisation``; raises ``InvalidTarget``, ``InputError``, ``Unavailable``."""
    now = times.now()
    request = Request(
        uses=wanted.uses,
        purpose=wanted.purpose,
        model=wanted.model,
        territory=wanted.territory,
        at=times.to_text(now),
        licensee=identifiers.from_uuid("org", organisation),
    )
    rows = await _rows_of(services, wanted.resource)
    found = await _answered(services, rows, request, {})
    works = _matched(found)
    held, until = await _held(services, organisation, request, works, now)
    if held:
        found = await _answered(services, rows, request, {work.bytes: held[work] for work in held})
    count_verdicts(services, found.verdict)
    strictest = int(np.argmax(found.verdict))
    decisions = [found.decisions[each] for each in found.decision[np.flatnonzero(found.payable)]]
    taken = {each.licence for each in decisions if each.licence is not None}
    return Cover(
        granted=bool(((found.verdict == _ALLOW) | ((found.verdict == _LICENSE) & found.covered)).all()),
        verdict=VERDICTS[found.verdict[strictest]],
        reason=found.reasons[found.reason[strictest]],
        works=works,
        licences=sorted(identifiers.to_uuid(each, "lic", field="licence") for each in taken),
        until=min((until[each] for each in taken if until.get(each)), default=None),
        purpose=list(request.purpose),
    )


async def _rows_of(services: Services, resource: str) -> list[RowKeys]:
    """Return what is decided on: the files of the works that a page of ours shows, or that lie at an address.

    An address alone permits nothing, as anybody may say that a work lies there. Where its owner has proven the domain
    it does lie there; where one of several has not, or there are more than `MOST`, the address is decided on as well.
    """
    work = _shown_by(services, resource)
    alone = RowKeys(url=resource)
    if work is None:
        at = await _answered(services, [alone], Request(uses="search"), {})
        works, sure = _matched(at), not bool((at.counts & (at.matches.key == _SITE)).any())
        if not works or len(works) > MOST:
            return [alone]
    else:
        works, sure = [work], True
    async with services.database.acquire() as conn:
        found = await conn.fetch(queries.WORKS, works, [] if work is not None else _domains(resource))
    rows = [RowKeys(sha256=row["sha256"].hex()) for row in found if row["sha256"]]
    if work is None:
        sure = sure and len(rows) == len(found) and all(row["proven"] for row in found)  # what was withdrawn is gone
        return rows if sure and rows else [*rows, alone]
    rows = rows or [RowKeys(url=row["urls"][0]) for row in found if row["urls"]]
    if not rows:
        raise InvalidTarget.field("resource", "the page of a work that is registered", resource)
    return rows


def _domains(resource: str) -> list[str]:
    """Return the host of an address, and every domain above it."""
    labels = (urlsplit(canonical_url(resource)).hostname or "").split(".")
    return [".".join(labels[start:]) for start in range(len(labels) - 1)]


def _shown_by(services: Services, resource: str) -> UUID | None:
    """Return the work whose page of ours ``resource`` is, None for addresses of others; raises ``InvalidTarget``."""
    try:
        parts = urlsplit(resource)
    except ValueError:
        raise InvalidTarget.field("resource", "an http or https address", resource) from None
    steps = parts.path.strip("/").split("/")
    place = next((number for number, step in enumerate(steps[:2]) if step in _PAGES), None)
    if f"{parts.scheme}://{parts.netloc}" not in services.settings.site.origins or place is None:
        return None
    try:
        return identifiers.to_uuid("".join(steps[place + 1 :][:1]), "wrk", field="resource")
    except InputError:
        raise InvalidTarget.field("resource", "the page of a work, or an address where one lies", resource) from None


async def _answered(
    services: Services, rows: list[RowKeys], request: Request, licences: Mapping[bytes, Collection[str]]
) -> Answers:
    try:
        keys = Keys.from_rows(rows)
    except InputError as error:
        raise InvalidTarget.field("resource", "an http or https address", error.message) from None
    found, _, _ = await decided(
        services, lambda index: answer(index, keys, request, match="exact", licences=licences or None)
    )
    return found


def _matched(found: Answers) -> list[UUID]:
    return sorted({UUID(bytes=work.tobytes()) for work in found.works.work[np.flatnonzero(found.counts)]})


async def _held(
    services: Services, organisation: UUID, request: Request, works: list[UUID], now: datetime
) -> tuple[dict[UUID, list[str]], dict[str, datetime]]:
    """Return the licences that cover ``request``, by work, and when those end that do.

    Of weights, sublicences and exclusivity nothing is asked here: what the licence says of them holds.
    """
    held: defaultdict[UUID, list[str]] = defaultdict(list)
    until: dict[str, datetime] = {}
    if not works:
        return held, until
    async with services.database.acquire() as conn:
        rows = await conn.fetch(queries.LICENCES, organisation, works, list(request.uses), now)
    for row in rows:
        if row["envelope"] is None:  # erased
            continue
        granted = envelopes.read_as(Licence, envelopes.parse(row["envelope"]))
        use = granted.use
        asked = msgspec.structs.replace(
            request, open_weights=use.open_weights, sublicense=use.sublicense, exclusive=use.exclusive
        )
        if covers(granted, asked):
            licence = identifiers.from_uuid("lic", row["id"])
            held[row["work"]].append(licence)
            if row["valid_until"] is not None:
                until[licence] = row["valid_until"]
    return held, until
