"""What a bundle comes to, grouped as people ask: by day, by licensee, by terms, by artist, and posting by posting.

Nothing is computed here that a check has not held before: read it of bundles that verify.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Final

import msgspec

from licet import canonical
from licet.audit import layout, tables
from licet.audit.checks.opening import MAX_JSON, MAX_LINE
from licet.audit.closed import PlacedLine
from licet.audit.container import Container
from licet.audit.layout import BundleLine, Period, PeriodReport, period_of
from licet.audit.tables import BalanceRow, EventRow, lines_of
from licet.audit.verifying import verify_bundle
from licet.log import proof as proofs
from licet.statements import envelope as envelopes
from licet.statements.kinds import Licence, UsageBatch
from licet.statements.periods import ACCRUALS, REVERSAL
from licet.statements.trust import Trust
from licet.wire.common import StatementFile

FREE: Final = "free"
OUTSIDE: Final = "outside"
"""What uses are under that no line of a licence prices: a consent that allows them, and nothing."""
MOST: Final = 200_000  # postings of a statement


class Group(msgspec.Struct):
    """Uses that have something in common: how many, of how many works, and gross micro-units per currency."""

    name: str
    uses: int = 0
    amounts: dict[str, int] = {}
    works: set[str] = msgspec.field(default_factory=set)


class Day(msgspec.Struct):
    """A day of the period: its uses, and gross micro-units per currency."""

    day: str
    uses: int
    amounts: dict[str, int]


class Posting(msgspec.Struct, frozen=True):
    """One transfer as an account sees it, in one currency: what is owed to it or by it grew by ``amount``.

    ``proof`` is the statement file in the bundle that it follows from, ``index`` its place in the log.
    """

    at: str
    kind: str
    side: str
    party: str | None
    source: str
    works: int
    uses: int
    amount: int
    currency: str
    proof: str | None
    index: int | None


class Figures(msgspec.Struct, frozen=True):
    """A verified bundle in figures. Groups are in the order of their uses, largest first."""

    origin: str
    report: PeriodReport
    anchored: bool
    size: int
    root: str
    days: list[Day]
    licensees: list[Group]
    terms: list[Group]
    artists: list[Group]
    balances: list[BalanceRow]
    postings: list[Posting]
    checks: int
    closed_by: int | None = None
    placed: list[PlacedLine] = []

    @property
    def state(self) -> str:
        """Whether the month is closed, and whether the figures are those of lines that were proven in its totals."""
        return "closed-line" if self.placed else self.report.state


class _Source(msgspec.Struct, frozen=True):
    organisation: str
    member: str
    index: int


def figures(path: Path, trust: Trust | None, advance: Callable[[int], None] = lambda _: None) -> Figures:
    """Return what the bundle ``path`` comes to, once every check of it holds; raises as `verify_bundle` does.

    ``advance`` is told of uses as they are read.
    """
    verified = verify_bundle(path, trust)
    with Container(path) as container:
        report = canonical.decode_as(PeriodReport, container.read(layout.PERIOD, MAX_JSON), MAX_JSON)
        period = period_of(report.period)
        sources = dict(_sources(container))
        uses = _Uses(period, sources, _models(container))
        for row in tables.EVENTS.from_csv(container.chunks(layout.EVENTS_CSV)):
            uses.add(row)
            advance(1)
        balances = list(tables.BALANCES.from_csv(container.chunks(layout.BALANCES)))
        postings = [] if report.account is None else list(_postings(container, period, report.account, sources, uses))
    return Figures(
        origin=verified.origin,
        report=report,
        anchored=verified.anchored,
        size=verified.size,
        root=verified.root,
        days=uses.by_day(),
        licensees=_largest(uses.licensees),
        terms=_largest(uses.terms),
        artists=_largest(uses.artists),
        balances=balances,
        postings=postings,
        checks=len(verified.checks),
        closed_by=verified.closed_by,
        placed=verified.placed,
    )


class _Uses:
    """Counts of the uses that were posted in the period."""

    def __init__(self, period: Period, sources: dict[str, _Source], models: dict[str, dict[str, str]]) -> None:
        self._period, self._sources, self._models = period, sources, models
        self.licensees: dict[str, Group] = {}
        self.terms: dict[str, Group] = {}
        self.artists: dict[str, Group] = {}
        self.of_source: dict[tuple[str, str | None], tuple[set[str], int]] = {}
        self._days: Counter[str] = Counter()
        self._sums: dict[str, Counter[str]] = {}

    def add(self, row: EventRow) -> None:
        """Count one use, unless it is here for another's sake."""
        if row.effect not in ("new", "memorandum") or not self._period.holds(row.posted_at):
            return
        source = self._sources.get(row.source)
        terms = OUTSIDE if row.effect == "memorandum" else FREE
        if row.effect == "new" and row.licence is not None:
            terms = self._models.get(row.licence, {}).get(row.work, FREE)
        for name, groups in (
            (source.organisation if source else "", self.licensees),
            (terms, self.terms),
            (row.payee or "", self.artists),
        ):
            group = groups.setdefault(name, Group(name))
            group.uses += 1
            group.works.add(row.work)
            if row.currency is not None and row.amount:
                group.amounts = {**group.amounts, row.currency: group.amounts.get(row.currency, 0) + row.amount}
        day = row.posted_at[:10]
        self._days[day] += 1
        if row.currency is not None:
            self._sums.setdefault(day, Counter())[row.currency] += row.amount
        works, count = self.of_source.get((row.source, row.currency), (set(), 0))
        works.add(row.work)
        self.of_source[row.source, row.currency] = (works, count + 1)

    def by_day(self) -> list[Day]:
        """Return every day of the period."""
        day, end = date.fromisoformat(self._period.start[:10]), date.fromisoformat(self._period.end[:10])
        found = []
        while day < end:
            name = str(day)
            found.append(Day(name, self._days[name], dict(sorted(self._sums.get(name, Counter()).items()))))
            day += timedelta(days=1)
        return found


def _largest(groups: dict[str, Group]) -> list[Group]:
    return sorted((group for group in groups.values() if group.name), key=lambda group: (-group.uses, group.name))


def _sources(container: Container) -> Iterator[tuple[str, _Source]]:
    """Yield the licences and batches by id: who signed, and where the log has it."""
    for member in container.members:
        named = layout.statement_of(member)
        if named is None or named[0] not in ("licence", "usage-batch"):
            continue
        file = canonical.decode_as(StatementFile, container.read(member, MAX_JSON), MAX_JSON)
        schema: type[Licence] | type[UsageBatch] = Licence if named[0] == "licence" else UsageBatch
        payload = envelopes.read_as(schema, file.envelope)
        yield named[1], _Source(payload.organisation, member, proofs.parse(file.proof).index)


def _models(container: Container) -> dict[str, dict[str, str]]:
    """Return the price model of each work of each licence."""
    found: dict[str, dict[str, str]] = {}
    names: dict[str, str] = {}
    for member in container.members:
        licence = layout.licence_of(member)
        if licence is None:
            continue
        own = found[licence] = {}
        for line in lines_of(container.chunks(member), MAX_LINE):
            one = canonical.decode_as(BundleLine, line, MAX_LINE).line
            own[one.work] = names.setdefault(one.model, one.model)
    return found


def _postings(
    container: Container, period: Period, account: str, sources: dict[str, _Source], uses: _Uses
) -> Iterator[Posting]:
    """Yield what moved the accounts of ``account`` in the period, in posting order."""
    transfers = {
        row.transfer: row
        for row in tables.TRANSFERS.from_csv(container.chunks(layout.TRANSFERS))
        if period.holds(row.at)
    }
    for entry in tables.ENTRIES.from_csv(container.chunks(layout.LEDGER_ENTRIES)):
        side, _, owner = entry.account.partition(":")
        transfer = transfers.get(entry.transfer)
        if transfer is None or owner != account or side not in ("payable", "escrow", "receivable"):
            continue
        source = sources.get(transfer.source)
        works, count = uses.of_source.get((transfer.source, entry.currency), (set(), 0))
        told = transfer.kind in ACCRUALS or transfer.kind == REVERSAL
        yield Posting(
            at=transfer.at,
            kind=transfer.kind,
            side=side,
            party=source.organisation if source else None,
            source=transfer.source,
            works=len(works) if told else 0,
            uses=count if told else 0,
            amount=entry.amount if side == "receivable" else -entry.amount,
            currency=entry.currency,
            proof=source.member if source else None,
            index=source.index if source else None,
        )
