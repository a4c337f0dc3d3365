"""What belongs into the bundle of a month: which statements, and what they rely on."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import chain
from typing import Final
from uuid import UUID

from licet import identifiers, times
from licet.audit.checks.used import CLOCKS_DIFFER, LOGGED_WITHIN
from licet.audit.layout import KINDS, Period
from licet.decisions import TRUSTED_LEVEL
from licet.statements.periods import month_before
from registry import closing, translog
from registry.accounts.identity import Caller
from registry.auditing import queries
from registry.auditing.agreed import Allotted, allotted_in
from registry.auditing.types import Licensed, Part, Reported, Span, Statement, Subject
from registry.closing import Closed
from registry.database import Connection, Row
from registry.errors import Gone, Invalid, NotAllowed, NotFound, Unavailable

STAFF: Final = frozenset({"aud", "opr"})


@dataclass
class Contents:
    """Everything that goes into a bundle but the rows themselves.

    ``relied`` are the works that each consent must be shown to cover; ``unpublished`` are sources whose postings are
    left out, because the published log does not have them yet. ``shared`` are works of others that the account earns
    from too, by the splits ``shares``.
    """

    licences: list[Licensed] = field(default_factory=list)
    batches: list[Reported] = field(default_factory=list)
    others: list[Statement] = field(default_factory=list)  # runs, datasets, splits, requests, and answers to these
    consents: list[Statement] = field(default_factory=list)
    relied: dict[UUID, set[UUID]] = field(default_factory=lambda: defaultdict(set))
    unpublished: list[str] = field(default_factory=list)
    shared: set[str] = field(default_factory=set)
    shares: set[UUID] = field(default_factory=set)
    closed: Closed | None = None  # once the month is
    before: list[Closed] = field(default_factory=list)  # the month before it, and those that late charges follow from
    duties: list[Row] = field(default_factory=list)  # of the month (`queries.DUTIES`)
    allotted: Allotted = field(default_factory=Allotted)
    restricted: set[UUID] = field(default_factory=set)  # works whose licensed terms co-owners may have made stricter

    @property
    def statements(self) -> list[Statement]:
        """All statements, in the order in which a bundle has them."""
        return [
            *(each.statement for each in self.licences),
            *(each.statement for each in self.batches),
            *self.others,
            *self.consents,
        ]

    @property
    def sources(self) -> list[str]:
        """The licences and batches whose postings are shown, also where they are of the month beside."""
        licences = [each.statement.id for each in self.licences if each.begins]
        batches = [each.statement.id for each in self.batches if each.earlier is None]
        return [*_texts("lic", licences), *_texts("bat", batches)]


async def part_of(conn: Connection, caller: Caller, period: Period, subject: Subject | None) -> Part:
    """Return whose part of ``period`` ``caller`` is shown: of staff as far as its scope goes, else its own.

    Raises ``NotFound`` for an account that does not exist or is beyond what the caller may see, ``NotAllowed`` for a
    month that an auditor has nothing to look for in.
    """
    if caller.kind == "aud":
        return await _audited(conn, caller, period, subject)
    staff = caller.kind in STAFF
    if staff and subject is None:
        return Part(None, None, uses=True)
    account = caller.account if subject is None else subject.account
    row = await conn.fetchrow(queries.ACCOUNT, account) if staff or account == caller.account else None
    if row is None or (subject is not None and row["kind"] != subject.kind):
        raise _nobody(subject)
    uses = staff or row["level"] >= TRUSTED_LEVEL
    return Part(account, identifiers.from_uuid(row["kind"], account), uses)


async def _audited(conn: Connection, auditor: Caller, period: Period, subject: Subject | None) -> Part:
    """Return the part of ``subject``; without one everything, or that of the only account in the auditor's scope."""
    row = await conn.fetchrow(queries.AUDITED, auditor.account, period.name, subject and subject.account)
    if subject is not None and (row is None or row["kind"] != subject.kind):
        raise _nobody(subject)
    if row is None:
        alone = await conn.fetch(queries.AUDITED_ALONE, auditor.account, period.name)
        if not alone:
            raise NotAllowed(f"nothing of {period.name} is in what you may audit")
        if len(alone) > 1:
            named = ", ".join(identifiers.from_uuid(each["kind"], each["id"]) for each in alone)
            raise Invalid.field("?organisation", f"one of those that you may audit: {named}", "nothing")
        row = alone[0]
    if row["id"] is None:
        return Part(None, None, uses=True)
    return Part(row["id"], identifiers.from_uuid(row["kind"], row["id"]), uses=True)


def _nobody(subject: Subject | None) -> NotFound:
    who = "artist" if subject is not None and subject.kind == "art" else "organisation"
    return NotFound(f"there is no such {who}, or none that you may audit")


async def span_of(conn: Connection, period: Period) -> Span:
    """Return where ``period`` is in the log; raises ``Unavailable`` while nothing is published."""
    size = (await translog.head(conn)).published_size
    if not size:
        raise Unavailable("the log has no entries yet")
    start, until = times.from_text(period.start), times.from_text(period.end)

    async def first(moment: datetime) -> int:
        return await translog.first_entry_at(conn, moment, size)

    return Span(
        period=period,
        start=start,
        until=until,
        opening=await first(start),
        end=await first(until),
        low=await first(start - _later(CLOCKS_DIFFER)),
        high=await first(until + _later(LOGGED_WITHIN)),
        published=size,
    )


async def contents_of(conn: Connection, span: Span, part: Part) -> Contents:
    """Return what belongs into the bundle of ``span`` for ``part``."""
    seen = (part.account, part.uses)
    found = Contents()
    found.unpublished = [row["subject"] for row in await conn.fetch(queries.UNPUBLISHED, span.published)]
    window = (span.low, span.high, span.opening, span.end, span.start, span.until)
    found.licences = [
        Licensed(_statement("licence", row), begins=True) for row in await conn.fetch(queries.LICENCES, *seen, *window)
    ]
    found.batches = [_batch(row) for row in await conn.fetch(queries.BATCHES, *seen, *window)]
    within = (part.account, span.opening, span.end)
    found.others += [_statement("run", row) for row in await conn.fetch(queries.RUNS, *within)]
    datasets = await conn.fetch(queries.DATASETS, *within, span.published)
    found.others += [_statement("dataset-manifest", row) for row in datasets]
    alone = [_stated(row) for row in await conn.fetch(queries.STATED, *within)]
    found.allotted = await allotted_in(conn, span, part)
    behind = [_statement("revenue-report", row) for row in found.allotted.reports]
    found.duties = await conn.fetch(queries.DUTIES, *within)
    revoked = {row["id"]: row for row in [*found.allotted.revocations, *found.duties]}
    behind += [_statement("licence-revoke", row, "account") for row in revoked.values()]
    taken_back = [row["id"] for row in found.allotted.revocations]
    decided = await conn.fetch(queries.DECIDED, taken_back, span.published, part.account)
    behind += [_statement("dispute-step", row, "account") for row in decided]
    known = {each.id for each in behind}
    found.others += [each for each in alone if each.id not in known] + behind
    stated = await _references(conn, span, part, found)
    await _consents(conn, span, part, found, stated)
    await _splits(conn, span, part, found)
    licences = [each.statement.id for each in found.licences]
    rows = await conn.fetch(queries.REQUESTS, part.account, licences, span.opening, span.end, span.published)
    found.others += [_statement(row["kind"], row, "account") for row in rows]
    found.closed = await closing.closed(conn, span.period.name)
    month = span.period.name
    first = min((row["period"] for row in found.allotted.left_out), default=month)
    while month >= first:
        month = month_before(month)
        closed = await closing.closed(conn, month)
        if closed is None:
            break
        found.before.append(closed)
    return found


async def _splits(conn: Connection, span: Span, part: Part, found: Contents) -> None:
    """Add the splits that the shown uses are shared by, and for everybody's bundle all of the month."""
    if part.account is not None and part.uses:
        found.shared = {
            identifiers.from_uuid("wrk", row["work"]) for row in await conn.fetch(queries.SHARED, part.account)
        }
        found.shares = {row["split"] for row in await conn.fetch(queries.SHARES, part.account)}
    sources = ([each.statement.id for each in found.batches], [each.statement.id for each in found.licences])
    earning = {row["work"] for row in await conn.fetch(queries.EARNING, *sources)}
    works = [*earning | found.allotted.works | found.restricted]
    rows = await conn.fetch(queries.SPLITS, part.account, works, span.opening, span.end, span.published)
    found.others += [_statement(row["kind"], row, "account") for row in rows]


async def _references(conn: Connection, span: Span, part: Part, found: Contents) -> set[tuple[UUID, UUID]]:
    """Add what agreements and the events of the batches refer to; return the (consent, work) pairs that they name."""
    batches = [each.statement.id for each in found.batches]
    rows = await conn.fetch(queries.REFERENCES, part.account, part.uses, batches)
    known = {each.statement.id for each in found.licences}
    found.licences += [
        Licensed(_statement("licence", row), begins=False) for row in found.allotted.licences if row["id"] not in known
    ]
    missing = {row["licence"] for row in rows if row["licence"] is not None}
    missing |= {row["licence"] for row in found.duties}
    missing -= {each.statement.id for each in found.licences}
    named = await conn.fetch(queries.LICENCES_NAMED, part.account, part.uses, list(missing), span.published)
    found.licences += [Licensed(_statement("licence", row), begins=False) for row in named]
    found.licences.sort(key=lambda each: each.statement.id)
    earlier: dict[UUID, set[bytes]] = defaultdict(set)
    here = set(batches)
    named_before = ((row["batch"], row["event"]) for row in rows if row["batch"] is not None)
    for batch, event in chain(named_before, found.allotted.earlier):
        if batch not in here:
            earlier[batch].add(event)
    first = await conn.fetch(queries.BATCHES_NAMED, part.account, part.uses, list(earlier), span.published)
    found.batches += [_batch(row, frozenset(earlier[row["id"]])) for row in first]
    found.batches.sort(key=lambda each: each.statement.id)
    return {(row["statement"], row["work"]) for row in rows if row["statement"] is not None}


async def _consents(
    conn: Connection, span: Span, part: Part, found: Contents, stated: Iterable[tuple[UUID, UUID]]
) -> None:
    """Add the consents behind licences and free uses, and the catalogues and co-owners' that made terms stricter."""
    licences = [each.statement.id for each in found.licences]
    lines = await conn.fetch(queries.LINE_CONSENTS, part.account, part.uses, licences)
    for statement, work in [*((row["statement"], row["work"]) for row in lines), *stated]:
        found.relied[statement].add(work)
    if await conn.fetchval(queries.ENDED, list(found.relied), list({row["statement"] for row in lines})):
        raise Gone("a statement that this month relies on was erased; its log entry stays")
    rows = await conn.fetch(queries.CONSENTS, list(found.relied), span.published)
    terms = {row["id"]: row["terms"] for row in rows}
    merged = {row["account"] for row in lines if terms.get(row["statement"]) != row["terms_hash"]}
    newest = max((each.statement.index for each in found.licences), default=0)
    rows += await conn.fetch(queries.CATALOGUES, list(merged), newest)
    stricter = {row["work"] for row in lines if terms.get(row["statement"]) != row["terms_hash"]}
    beside = await conn.fetch(queries.OWNER_CONSENTS, list(stricter), newest)
    rows += beside
    for row in beside:
        found.restricted |= stricter
        if row["work"] is not None:
            found.relied[row["id"]].add(row["work"])
    by_id = {row["id"]: row for row in rows}
    found.consents = [_statement("consent", by_id[each], "account") for each in sorted(by_id)]
    found.relied = defaultdict(set, {each: works for each, works in found.relied.items() if each in by_id})


def _statement(kind: str, row: Row, signer: str = "organisation") -> Statement:
    return Statement(kind, row["id"], row["pending"], row["index"], row["at"], row[signer])


def _stated(row: Row) -> Statement:
    number = identifiers.to_uuid(row["subject"], KINDS[row["kind"]].prefix)
    return Statement(row["kind"], number, row["pending"], row["index"], row["at"], row["account"])


def _batch(row: Row, earlier: frozenset[bytes] | None = None) -> Reported:
    return Reported(_statement("usage-batch", row), row["secret"], row["accepted_at"], earlier)


def _texts(kind: str, ids: Sequence[UUID]) -> list[str]:
    return [identifiers.from_uuid(kind, each) for each in ids]


def _later(duration: timedelta) -> timedelta:
    """A second more than verifiers allow, so that nothing falls between."""
    return duration + timedelta(seconds=1)
