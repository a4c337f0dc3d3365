"""Writing an evidence bundle, a member at a time and in bounded memory; the order of calls is the order of members.

::

    writer = BundleWriter(out, About(registry, period, "open", None, True, made_at))
    writer.log(opening=…, closing=…, consistency=…, frontier=…, keys=…)
    writer.entries(chunks)                        # every log entry that is shown
    writer.statement("licence", "lic_…", file)    # each
    writer.lines("lic_…", lines)
    with writer.works() as works: …               # then duties, events, ledger
    writer.finish(office_key)                     # before the ledger of a closed month: writer.closed()
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import IO, Final, Literal, NamedTuple

from licet import canonical
from licet.audit import layout, tables
from licet.audit.container import CHUNK, MemberOut, Packer
from licet.audit.journals import Beancount, Hledger, Journal, Write
from licet.audit.layout import (
    BundleDuty,
    BundleLeftOut,
    BundleLine,
    BundleWork,
    ClosedLine,
    Consistency,
    EventProof,
    Period,
    PeriodReport,
)
from licet.audit.readme import render, title
from licet.audit.tables import BalanceRow, EventRow, LedgerRow, ParquetOut, TransferRow
from licet.audit.tally import Tally
from licet.errors import InputError
from licet.log import tiles
from licet.statements import envelope as envelopes
from licet.statements.keys import SigningKey
from licet.statements.kinds import AuditBundle, BundleMember, RegistryRef
from licet.wire.common import KeyEvidence, StatementFile

_IN_MEMORY: Final = 8 << 20


class About(NamedTuple):
    """What a bundle is of: ``account`` None is everything; ``uses`` False shows the ledger alone."""

    registry: RegistryRef
    period: Period
    account: str | None
    uses: bool
    made_at: str


class EventsOut:
    """Uses on their way into both tables, by source and then by id."""

    def __init__(self, csv: MemberOut, parquet: ParquetOut[EventRow], tally: Tally, period: Period) -> None:
        self._csv, self._parquet, self._tally, self._period = csv, parquet, tally, period
        self._last = ("", "")

    def write(self, rows: Sequence[EventRow]) -> None:
        """Append ``rows``."""
        for row in rows:
            if (row.source, row.id) <= self._last:
                raise InputError.field("events", "rows by source and id, each once", row.id)
            self._last = (row.source, row.id)
            self._tally.event(row, in_period=self._period.holds(row.posted_at))
        self._csv.text(tables.EVENTS.to_csv(rows))
        self._parquet.write(rows)


class LedgerOut:
    """Transfers with their entries on their way into tables and journals, in posting order."""

    def __init__(
        self, transfers: MemberOut, entries: IO[bytes], journals: Sequence[Journal], tally: Tally, period: Period
    ) -> None:
        self._transfers, self._entries, self._journals = transfers, entries, journals
        self._tally, self._period = tally, period

    def write(self, transfer: TransferRow, entries: Sequence[LedgerRow]) -> None:
        """Append one transfer; one that is before the period is there because a reversal in it names it."""
        self._transfers.text(tables.TRANSFERS.to_csv([transfer]))
        self._entries.write(tables.ENTRIES.to_csv(entries).encode())
        if self._period.holds(transfer.at):
            self._tally.transfer(transfer, entries)
            for journal in self._journals:
                journal.transfer(transfer, entries)


class BundleWriter:
    """A bundle on its way into ``out``, a file that can be seeked."""

    def __init__(self, out: IO[bytes], about: About) -> None:
        self.about: Final = about
        self.tally: Final = Tally()
        self._packer: Final = Packer(out)
        self._sizes = (0, 0)
        self._covers = list(layout.COVERED_KINDS)
        self._state: Literal["open", "closed"] = "open"

    def log(
        self, *, opening: str, closing: str, consistency: Consistency, frontier: bytes, keys: Sequence[KeyEvidence]
    ) -> None:
        """Write the two checkpoints, what ties them together, and the registry's keys."""
        self._sizes = (consistency.old, consistency.new)
        self._packer.add(layout.REGISTRY_KEYS, canonical.encode(list(keys)))
        self._packer.add(layout.OPENING, opening.encode())
        self._packer.add(layout.CLOSING, closing.encode())
        self._packer.add(layout.CONSISTENCY, canonical.encode(consistency))
        self._packer.add(layout.FRONTIER, frontier)

    @contextmanager
    def entries(self) -> Iterator[MemberOut]:
        """Give the member that takes log entries; write each with `framed`."""
        with self._member(layout.ENTRIES) as member:
            yield member

    def statement(self, kind: str, identifier: str, file: StatementFile, logged_at: str) -> None:
        """Write one statement file; ``logged_at`` is the time of its log entry."""
        self.tally.statement(kind, in_period=self.about.period.holds(logged_at))
        self._packer.add(layout.statement_member(kind, identifier), canonical.encode(file))

    def lines(self, licence: str, lines: Iterable[BundleLine]) -> None:
        """Write the lines of one licence, by work."""
        with self._member(layout.lines_member(licence)) as member:
            for line in lines:
                self.tally.line()
                member.write(canonical.encode(line) + b"\n")

    @contextmanager
    def works(self) -> Iterator[WorksOut]:
        """Give what takes the works that consents are shown to cover."""
        with self._member(layout.WORKS) as member:
            yield WorksOut(member, self.tally)

    def duties(self, duties: Iterable[BundleDuty]) -> None:
        """Write the duties of the month, by name."""
        self._covers.append(layout.DUTIES)
        with self._member(layout.DUTIES) as member:
            for duty in duties:
                member.write(canonical.encode(duty) + b"\n")

    def left_out(self, rows: Sequence[BundleLeftOut]) -> None:
        """Write the charges that closes left out, by licence and month; where there are none, no member."""
        if rows:
            with self._member(layout.LEFT_OUT) as member:
                for row in rows:
                    member.write(canonical.encode(row) + b"\n")

    @contextmanager
    def events(self) -> Iterator[EventsOut]:
        """Give what takes the uses."""
        with tempfile.SpooledTemporaryFile(_IN_MEMORY) as spool:
            parquet = ParquetOut(tables.EVENTS, spool)
            try:
                with self._member(layout.EVENTS_CSV) as member:
                    member.text(tables.EVENTS.header)
                    yield EventsOut(member, parquet, self.tally, self.about.period)
            finally:
                parquet.close()
            self._copy(layout.EVENTS_PARQUET, spool)

    def proofs(self, proofs: Iterable[EventProof]) -> None:
        """Write the proofs of uses that are shown without the rest of their batch."""
        with self._member(layout.EVENT_PROOFS) as member:
            for proof in proofs:
                member.write(canonical.encode(proof) + b"\n")

    @contextmanager
    def closed(self) -> Iterator[LinesOut]:
        """The month is closed, by a statement that is here: give what takes its lines, in the order of its trees."""
        self._state = "closed"
        with self._member(layout.LINES) as member:
            yield LinesOut(member)

    @contextmanager
    def ledger(self, balances: Sequence[BalanceRow]) -> Iterator[LedgerOut]:
        """Write the balances, and give what takes the transfers."""
        self._packer.add(layout.BALANCES, (tables.BALANCES.header + tables.BALANCES.to_csv(balances)).encode())
        about = title(self.report(), self.about.registry.origin)
        with ExitStack() as stack:
            spools = [stack.enter_context(tempfile.SpooledTemporaryFile(_IN_MEMORY)) for _ in range(3)]
            entries, *books = spools
            kinds: tuple[type[Journal], ...] = (Hledger, Beancount)
            journals = [
                kind(_texts(book), about, self.about.period, balances) for kind, book in zip(kinds, books, strict=True)
            ]
            entries.write(tables.ENTRIES.header.encode())
            with self._member(layout.TRANSFERS) as member:
                member.text(tables.TRANSFERS.header)
                yield LedgerOut(member, entries, journals, self.tally, self.about.period)
            for journal in journals:
                journal.close()
            names = (layout.LEDGER_ENTRIES, layout.HLEDGER, layout.BEANCOUNT)
            for name, spool in zip(names, spools, strict=True):
                self._copy(name, spool)

    def report(self) -> PeriodReport:
        """Return the figures of what was written so far."""
        return PeriodReport(
            period=self.about.period.name,
            state=self._state,
            account=self.about.account,
            uses=self.about.uses,
            opening_size=self._sizes[0],
            closing_size=self._sizes[1],
            nothing_happened=self.tally.nothing_happened,
            counts=dict(self.tally.counts),
            totals=self.tally.totals,
        )

    def finish(self, office: SigningKey) -> AuditBundle:
        """Write what follows from the rest, and the manifest signed by ``office``; the bundle is complete."""
        report = self.report()
        self._packer.add(layout.PERIOD, canonical.encode(report))
        page = render(report, self.about.registry.origin, self.about.made_at)
        self._packer.add(layout.README, page.encode())
        manifest = AuditBundle(
            registry=self.about.registry,
            period=report.period,
            state=report.state,
            account=report.account,
            uses=report.uses,
            made_at=self.about.made_at,
            members=[BundleMember(*member) for member in self._packer.members],
            covers=sorted(self._covers),
        )
        self._packer.add(layout.MANIFEST, envelopes.encode(envelopes.seal(manifest, office)))
        self._packer.close()
        return manifest

    @contextmanager
    def _member(self, name: str) -> Iterator[MemberOut]:
        member = self._packer.begin(name)
        yield member
        self._packer.end(member)

    def _copy(self, name: str, spool: tempfile.SpooledTemporaryFile[bytes]) -> None:
        with self._member(name) as member:
            spool.seek(0)
            while chunk := spool.read(CHUNK):
                member.write(chunk)


class WorksOut:
    """Works on their way into a bundle, each under one consent."""

    def __init__(self, member: MemberOut, tally: Tally) -> None:
        self._member, self._tally = member, tally

    def write(self, works: Iterable[BundleWork]) -> None:
        """Append ``works``."""
        for work in works:
            self._tally.work()
            self._member.write(canonical.encode(work) + b"\n")


class LinesOut:
    """Lines of a closed month on their way into a bundle."""

    def __init__(self, member: MemberOut) -> None:
        self._member = member

    def write(self, lines: Iterable[ClosedLine]) -> None:
        """Append ``lines``."""
        for line in lines:
            self._member.write(canonical.encode(line) + b"\n")


def _texts(out: IO[bytes]) -> Write:
    return lambda text: out.write(text.encode())


def framed(entry: bytes) -> bytes:
    """Return a log entry as ``log/entries.bin`` holds it: behind its length as uint16 big-endian."""
    return tiles.encode_bundle([entry])
