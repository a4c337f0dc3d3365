"""Uses: ids, leaves under the signed roots, what each is owed, and what that comes to for whom."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import timedelta
from functools import lru_cache
from itertools import groupby, islice
from typing import Final, NamedTuple

import msgspec

from licet import canonical, times
from licet.audit import layout
from licet.audit.checks.granted import Granted, Granting, verify_member
from licet.audit.checks.opening import Audit
from licet.audit.checks.signed import Signed, Statements
from licet.audit.checks.tabled import tabled
from licet.audit.layout import EventProof
from licet.audit.report import checking, refused
from licet.audit.tables import EventRow
from licet.counted import many
from licet.errors import LicetError, VerificationError
from licet.log import merkle
from licet.statements.covering import REPORTED
from licet.statements.kinds import Event, LicenceLine, UsageBatch
from licet.statements.licences import SECRET_BYTES, id_of
from licet.statements.owed import allocated, begins, due_at_accept, fee_of, owed, run_events, totals
from licet.statements.splits import Agreed

LOGGED_WITHIN: Final = timedelta(days=1)
CLOCKS_DIFFER: Final = timedelta(minutes=5)
MAX_EVENTS: Final = 65_536
MAX_ACCEPTED: Final = 100_000
_NOT_COVERED: Final = frozenset({"not-covered", "unknown-work"})


class Group(NamedTuple):
    """What one transfer is for: a source, a payee or the split of co-owners, a currency, whether it waits in escrow."""

    source: str
    payee: str
    currency: str
    escrow: bool


class Due(msgspec.Struct):
    """What a group comes to, micro-units, and when it was posted; ``agreed``: who shares it, None for one payee."""

    organisation: str
    posted_at: str
    agreed: Agreed | None = None
    gross: int = 0
    fee: int = 0

    def parts(self, payee: str) -> dict[str, int]:
        """Return what each account gets after the fee; ``payee`` all of it where nobody shares."""
        net = self.gross - self.fee
        return {payee: net} if self.agreed is None else self.agreed.divide(net)


class _Owed(NamedTuple):
    """What an event is owed as far as its licence says. ``memoranda``: what may stand beside it, None for nothing.

    ``claimed`` is what its line alone says: what the organisation signs for, also where the licence has ended.
    """

    line: LicenceLine | None
    amount: int
    memoranda: frozenset[str | None]
    fee_bps: int = 0
    claimed: int | None = None

    @property
    def counts(self) -> bool:
        """Whether it is a use in the atom and unit of its line, and under it."""
        return self.claimed is not None and None in self.memoranda

    @property
    def currency(self) -> str | None:
        """The currency, where it is a use under a line."""
        return self.line.currency if self.line is not None and None in self.memoranda else None


class Counted(NamedTuple):
    """What all uses in a bundle come to, and how many are under agreements: by licence, work and month of posting."""

    due: dict[Group, Due]
    counted: dict[str, dict[str, Counter[str]]]


def check_uses(audit: Audit, statements: Statements, granting: Granting) -> Counted:
    """Return what all uses in the bundle come to, once each is proven and owed exactly what it says."""
    uses = _Uses(audit, statements, granting)
    with checking("event-tables", layout.EVENTS_CSV):
        for source, rows in groupby(tabled(audit), key=lambda row: row.source):
            uses.add(source, list(islice(rows, MAX_ACCEPTED + 1)))
    with checking("event-effects", layout.EVENTS_CSV):
        uses.finish()
    counts = audit.tally.counts
    audit.passed("event-ids", f"{many(uses.count, 'id')}, each the digest of what it names, and none counts twice")
    audit.passed(
        "event-roots",
        f"the salted events give the roots of {many(len(statements.batches), 'signed batch', 'signed batches')}",
    )
    audit.passed("event-tables", f"CSV and Parquet hold the same {many(uses.count, 'row')}")
    audit.passed("event-amounts", f"{many(counts['new'], 'use')} owed for: the licence's price times the quantity")
    audit.passed("event-splits", "each use is shared as was agreed when the log took it")
    told = f"; {uses.outside:,} of these by a revocation or run that is not shown" if uses.outside else ""
    audit.passed("event-effects", f"{counts['known']:,} known before, {counts['memorandum']:,} under no licence{told}")
    return Counted(uses.due, uses.counted)


class _Uses:
    """The uses of a bundle as they come, source by source, in the order of ids."""

    def __init__(self, audit: Audit, statements: Statements, granting: Granting) -> None:
        self.count = 0
        self.outside = 0
        self.due: Final[dict[Group, Due]] = {}
        self.counted: Final[dict[str, dict[str, Counter[str]]]] = defaultdict(lambda: defaultdict(Counter))
        self._audit: Final = audit
        self._statements: Final = statements
        self._granting: Final = granting
        self._reported: Final[dict[bytes, str]] = {}
        self._known: Final[list[tuple[str, bytes]]] = []
        self._sources: Final[set[str]] = set()
        self._said: Final[dict[tuple[bytes, int], int]] = {}  # event and number of its correction → quantity
        self._proofs: Final = audit.lines_as(EventProof, layout.EVENT_PROOFS)
        self._spread: Final[dict[tuple[Group, int], int]] = defaultdict(int)

    def add(self, source: str, rows: Sequence[EventRow]) -> None:
        """Take all rows of one source."""
        if source in self._sources or [row.id for row in rows] != sorted({row.id for row in rows}):
            raise VerificationError(f"{source}: expected rows by source and id, each once")
        self._sources.add(source)
        self.count += len(rows)
        licence = self._statements.licences.get(source)
        batch = self._statements.batches.get(source)
        signed = licence or batch
        if signed is None:
            raise refused("event-roots", layout.EVENTS_CSV, f"{source}: expected its statement in the bundle, got none")
        self._posted(source, signed, rows)
        if batch is not None:
            self._batch(source, batch.payload, rows)
        else:
            self._accepted(source, rows)
        for row in rows:
            self._audit.tally.event(row, in_period=self._audit.period.holds(row.posted_at))

    def finish(self) -> None:
        """Hold what needs all rows: nothing left out, nothing counted as known that was not reported."""
        if next(self._proofs, None) is not None:
            raise refused("event-roots", layout.EVENT_PROOFS, "expected a proof for each event shown alone, got more")
        period = self._audit.period
        for licence, signed in self._statements.licences.items():
            granted = self._granting.of(licence)
            if period.holds(signed.time) and licence not in self._sources and _first_run(granted, signed.time):
                raise refused("event-roots", layout.EVENTS_CSV, f"{licence}: expected the uses that it began with")
        for batch in self._statements.batches:
            if batch not in self._sources:
                raise refused("event-roots", layout.EVENTS_CSV, f"{batch}: expected its events, got none")
        for first, event in self._known:
            if self._reported.get(event) == first:
                continue
            licence_of = self._granting.get(first)
            if licence_of is None or event.hex() not in {each.id for each in _first_run(licence_of, period.start)}:
                raise refused(
                    "event-effects", layout.EVENTS_CSV, f"expected that {first} reported {event.hex()}, got no such use"
                )

    def _posted(self, source: str, signed: Signed, rows: Sequence[EventRow]) -> None:
        moments = {row.posted_at for row in rows}
        if len(moments) != 1:
            raise refused("event-amounts", layout.EVENTS_CSV, f"{source}: expected one time of posting, got several")
        posted, logged = times.from_text(moments.pop(), "posted_at"), times.from_text(signed.time)
        if not posted - CLOCKS_DIFFER <= logged <= posted + LOGGED_WITHIN:
            raise refused(
                "event-amounts", layout.EVENTS_CSV, f"{source}: expected it posted when it was logged, got {posted}"
            )

    def _accepted(self, licence: str, rows: Sequence[EventRow]) -> None:
        """What accepting a licence reports follows from its lines."""
        granted = self._granting.of(licence)
        if [row.event for row in rows] != _first_run(granted, rows[0].posted_at):
            raise refused("event-ids", layout.EVENTS_CSV, f"{licence}: expected the uses that its lines begin with")
        for row in rows:
            line = granted.lines[row.work]
            if allocated(line):
                self.counted[licence][row.work][row.posted_at[:7]] += row.quantity
            stated = (row.effect, row.first, row.salt, row.escrow)
            if stated != ("new", None, None, line.escrow):
                raise self._wrong(row, f"escrow {line.escrow}, as the licence says, and a first report")
            one = frozenset({None})
            self._owed(
                granted.payload.organisation, row, _Owed(line, due_at_accept(line), one, granted.payload.fee_bps)
            )

    def _batch(self, batch: str, payload: UsageBatch, rows: Sequence[EventRow]) -> None:
        whole = len(rows) == payload.count <= MAX_EVENTS and all(row.effect != "earlier" for row in rows)
        if not whole and self._must_be_whole(payload, self._statements.batches[batch]):
            raise refused(
                "event-roots",
                layout.EVENTS_CSV,
                f"{batch}: expected {payload.count} events of this month, got {len(rows)} or earlier ones",
            )
        frontier = merkle.Frontier()
        worth: list[tuple[str | None, str, int]] = []
        for row in rows:
            event = row.event
            if (event.licence is None) == (event.statement is None) or row.id != id_of(payload.organisation, event):
                raise refused("event-ids", layout.EVENTS_CSV, f"{row.id}: expected the digest of what it names")
            leaf = self._leaf(row, event)
            if whole:
                frontier.append(merkle.leaf_hash(leaf))
            else:
                self._shown(batch, payload, row, leaf)
            expected = self._reported_outside(row, self._expected(payload.organisation, event))
            if expected.line is not None and expected.claimed is not None:
                worth.append((expected.line.currency, event.work, expected.claimed))
            self._effect(payload.organisation, row, expected)
        if whole:
            self._signed_for(batch, payload, rows, frontier.root.hex(), worth)

    def _must_be_whole(self, payload: UsageBatch, signed: Signed) -> bool:
        account = self._audit.manifest.account
        return self._audit.period.holds(signed.time) and account in (None, payload.organisation)

    def _signed_for(
        self,
        batch: str,
        payload: UsageBatch,
        rows: Sequence[EventRow],
        root: str,
        worth: Sequence[tuple[str | None, str, int]],
    ) -> None:
        if root != payload.event_root:
            raise refused(
                "event-roots", layout.EVENTS_CSV, f"{batch}: expected the root {payload.event_root}, got {root}"
            )
        span = (min(row.at for row in rows), max(row.at for row in rows))
        if span != (payload.first_at, payload.last_at):
            raise refused("event-roots", layout.EVENTS_CSV, f"{batch}: expected events from {payload.first_at} on")
        if totals(worth) != payload.totals:
            raise refused(
                "event-amounts", layout.EVENTS_CSV, f"{batch}: expected the totals {payload.totals} that were signed"
            )

    def _leaf(self, row: EventRow, event: Event) -> bytes:
        try:
            salt = bytes.fromhex(row.salt or "")
        except ValueError:
            salt = b""
        if len(salt) != SECRET_BYTES or salt.hex() != row.salt:
            raise refused("event-roots", layout.EVENTS_CSV, f"{row.id}: expected a salt of {SECRET_BYTES} bytes")
        return salt + canonical.encode(event)

    def _shown(self, batch: str, payload: UsageBatch, row: EventRow, leaf: bytes) -> None:
        """An event without the rest of its batch has a proof of its own, in the same order."""
        with checking("event-roots", layout.EVENT_PROOFS):
            proof = next(self._proofs, None)
            if proof is None or (proof.source, proof.event) != (batch, row.id):
                raise VerificationError(f"expected a proof for {row.id} of {batch}, got none")
            verify_member(leaf, proof.index, payload.count, proof.path, payload.event_root)

    def _effect(self, organisation: str, row: EventRow, expected: _Owed) -> None:
        if row.effect != "known":
            self._count(row, expected)
        if row.effect in ("known", "earlier"):
            if (row.effect == "known") == (row.first is None) or row.first == row.source or not _plain(row):
                raise self._wrong(row, "no second effect, and who reported it first")
            if row.first is not None:
                self._known.append((row.first, bytes.fromhex(row.id)))
                return
            self._once(row)
            return
        self._corrected(row)
        if row.first is not None or (row.effect == "memorandum") != (row.memorandum is not None):
            raise self._wrong(row, "a memorandum that says why, or none")
        self._owed(organisation, row, expected)

    def _count(self, row: EventRow, expected: _Owed) -> None:
        """Count a use under a line that is owed for at closes, in the month in which it was posted."""
        line = expected.line
        if row.licence is not None and line is not None and expected.counts and allocated(line):
            self.counted[row.licence][row.work][row.posted_at[:7]] += row.quantity - (row.was or 0)

    def _corrected(self, row: EventRow) -> None:
        """A correction goes on from what was said last, as far as the bundle tells of it; it has a first of all."""
        if row.corrects is None:
            if row.was is not None:
                raise self._wrong(row, "an earlier quantity of a correction alone")
            self._said[bytes.fromhex(row.id), 0] = row.quantity
            return
        corrected = bytes.fromhex(row.corrects)
        before = self._said.get((corrected, row.seq - 1))
        if row.was is None or row.seq < 1 or before not in {None, row.was}:
            raise self._wrong(row, f"a correction of {before}")
        self._said[corrected, row.seq] = row.quantity

    def _expected(self, organisation: str, event: Event) -> _Owed:
        """What the licence says of ``event``; without one, what the consent says."""
        if event.licence is None:
            return _Owed(None, 0, frozenset(self._permitted(event)))
        granted = self._granting.get(event.licence)
        line = granted.lines.get(event.work) if granted else None
        if granted is None or line is None or granted.payload.organisation != organisation:
            return _Owed(None, 0, _NOT_COVERED)
        payload = granted.payload
        amount = owed(line, event, payload.run)
        memorandum = None
        if event.atom not in payload.use.atoms:
            memorandum = "use"
        elif payload.valid_until is not None and event.at >= payload.valid_until:
            memorandum = "ended"
        elif event.at < _begins(payload.issued_at):
            memorandum = "early"
        elif amount is None:
            memorandum = "unit"
        charged = 0 if memorandum is not None or amount is None else amount
        return _Owed(line, charged, frozenset({memorandum}), payload.fee_bps, amount)

    def _reported_outside(self, row: EventRow, expected: _Owed) -> _Owed:
        """A use that a revocation or its run puts outside of the licence is owed nothing: said, and not proven here."""
        if row.memorandum not in REPORTED or expected.line is None or None not in expected.memoranda:
            return expected
        self.outside += 1
        return expected._replace(amount=0, memoranda=frozenset({row.memorandum}))

    def _permitted(self, event: Event) -> set[str | None]:
        """What may stand beside a use without a licence: nothing only where a consent is shown to allow it.

        Terms that still wait allow nothing, which their text does not say: so such a use may be called not covered.
        """
        consent = self._statements.consents.get(event.statement or "")
        owner = self._granting.works.get((event.work, event.statement or ""))
        if consent is None or owner != consent.payload.account:  # nor do a co-owner's terms alone allow anything
            return set(_NOT_COVERED)
        rule = consent.terms.rules.get(event.atom)
        if rule is None:
            return set(_NOT_COVERED)
        return {None if rule.permission == "allow" else "use", *_NOT_COVERED}

    def _owed(self, organisation: str, row: EventRow, expected: _Owed) -> None:
        """Hold the row to what it is owed, and add it up with the others of its transfer."""
        self._once(row)
        line = expected.line
        if (row.amount, row.currency) != (expected.amount, expected.currency) or (
            row.memorandum not in expected.memoranda
        ):
            raise self._wrong(row, f"{expected.amount} micro-units of {expected.currency}")
        if line is not None and row.payee != line.account:
            raise self._wrong(row, f"{line.account} as its payee")
        agreed = self._agreed(row)
        if row.split != (None if agreed is None else agreed.split):
            raise refused(
                "event-splits",
                layout.EVENTS_CSV,
                f"{row.source}, {row.id}: expected the split that was in force, {agreed and agreed.split}, "
                f"got {row.split}",
            )
        if agreed is not None and agreed.account != row.payee:
            raise refused(
                "event-splits",
                layout.EVENTS_CSV,
                f"{row.source}, {row.id}: expected a split that {row.payee} proposed, who registered the work, got "
                f"{agreed.split} of {agreed.account}",
            )
        fee = 0
        if row.amount and row.payee is not None and row.currency is not None:
            group = Group(row.source, row.split or row.payee, row.currency, row.escrow)
            before = self._spread[group, expected.fee_bps]
            after = self._spread[group, expected.fee_bps] = before + row.amount
            fee = fee_of(after, expected.fee_bps) - fee_of(before, expected.fee_bps)
            due = self.due.setdefault(group, Due(organisation, row.posted_at, agreed))
            due.gross += row.amount
            due.fee += fee
        if row.fee != fee:
            raise self._wrong(row, f"a fee of {fee} micro-units")

    def _agreed(self, row: EventRow) -> Agreed | None:
        """Return the split that was in force on a work that earns, when the log took what says so."""
        if not row.amount:
            return None
        signed = self._statements.licences.get(row.source) or self._statements.batches[row.source]
        return self._statements.splits.in_force(row.work, signed.index)

    def _once(self, row: EventRow) -> None:
        if self._reported.setdefault(bytes.fromhex(row.id), row.source) != row.source:
            raise refused("event-ids", layout.EVENTS_CSV, f"{row.id}: expected one report that counts, got two")

    def _wrong(self, row: EventRow, expected: str) -> LicetError:
        return refused("event-amounts", layout.EVENTS_CSV, f"{row.source}, {row.id}: expected {expected}, got others")


def _first_run(granted: Granted, at: str) -> list[Event]:
    """Return the uses that accepting the licence reported, as far as its lines are here."""
    payload = granted.payload
    return run_events(
        organisation=payload.organisation,
        licence=payload.licence,
        first_run=payload.run,
        run=payload.run,
        lines=list(granted.lines.values()),
        at=at,
    )


@lru_cache(1024)
def _begins(issued_at: str) -> str:
    return times.to_text(begins(times.from_text(issued_at, "issued_at")))


def _plain(row: EventRow) -> bool:
    stated = (row.payee, row.split, row.currency, row.amount, row.fee, row.escrow, row.memorandum)
    return stated == (None, None, None, 0, 0, False, None)
