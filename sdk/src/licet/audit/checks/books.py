"""The ledger: transfers that are what the uses come to, in balance, and balances and journals that follow from them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256
from typing import Any, Final

from licet import times
from licet.audit import layout, tables
from licet.audit.checks.allotted import FEE, Place, Posted
from licet.audit.checks.opening import Audit
from licet.audit.checks.used import Due, Group
from licet.audit.journals import Beancount, FormerHledger, Hledger, Journal
from licet.audit.layout import PeriodReport
from licet.audit.readme import render, title
from licet.audit.report import checking, refused
from licet.audit.tables import BalanceRow, LedgerRow, TransferRow
from licet.audit.tally import BY_USE
from licet.counted import many
from licet.errors import MalformedError, VerificationError
from licet.identifiers import to_uuid
from licet.log.checkpoint import Checkpoint
from licet.statements.periods import ACCRUALS, ALLOCATION, REVERSAL

_JOURNALS: Final[tuple[tuple[str, type[Journal]], ...]] = (
    (layout.HLEDGER, Hledger),
    (layout.HLEDGER, FormerHledger),
    (layout.BEANCOUNT, Beancount),
)


def check_books(audit: Audit, due: Mapping[Group, Due], opening: Checkpoint, closing: Checkpoint) -> list[Posted]:
    """Hold the ledger of the period to the uses, to itself, and to everything that is written from it.

    Returns what was posted at the close of the period, which follows from agreements and not from single uses.
    """
    with checking("period-report", layout.PERIOD):
        report = audit.read_as(PeriodReport, layout.PERIOD)
    with checking("balances", layout.BALANCES):
        balances = list(tables.BALANCES.from_csv(audit.container.chunks(layout.BALANCES)))
    about = title(report, audit.keys.ref.origin)
    journals: list[tuple[str, Any, Journal]] = []
    with checking("journals", layout.BALANCES):
        for member, kind in _JOURNALS:
            digest = sha256()
            journals.append((member, digest, kind(_into(digest), about, audit.period, balances)))
    books = _Books(audit, due)
    for transfer, entries in _posted(audit):
        books.add(transfer, entries)
        if audit.period.holds(transfer.at):
            audit.tally.transfer(transfer, entries)
            for _, _, journal in journals:
                journal.transfer(transfer, entries)
    books.finish()
    with checking("balances", layout.BALANCES):
        _balanced(audit, balances, books.moved)
    audit.passed("balances", f"what was opened and posted closes {many(len(balances), 'balance')}")
    written: dict[str, set[str]] = {}
    for member, digest, journal in journals:
        journal.close()
        written.setdefault(member, set()).add(digest.hexdigest())
    for each in audit.manifest.members:
        if each.name in written and each.sha256 not in written[each.name]:
            raise refused("journals", each.name, "expected the journal that follows from the tables, got another")
    audit.passed(
        "journals", "journals for hledger, ledger and beancount are those that follow from the tables, to the byte"
    )
    _report(audit, report, opening, closing)
    return books.allotted


class _Books:
    """The transfers of a bundle as they come, in posting order."""

    def __init__(self, audit: Audit, due: Mapping[Group, Due]) -> None:
        self.moved: Final[dict[Place, Counter[str]]] = {}
        self.allotted: Final[list[Posted]] = []
        self._audit: Final = audit
        self._due: Final = due
        self._matched: Final[set[Group]] = set()
        self._seen: Final[dict[str, tuple[bool, dict[Place, int]]]] = {}
        self._reversed: Final[set[str]] = set()
        self._straddling: Final[set[str]] = set()  # logged in this period, posted in the one beside it

    def add(self, transfer: TransferRow, entries: Sequence[LedgerRow]) -> None:
        """Take one transfer."""
        with checking("double-entry", layout.TRANSFERS):
            to_uuid(transfer.transfer, "tra", field="transfer")
            times.from_text(transfer.at)
            amounts = _in_balance(transfer, entries)
            if transfer.transfer in self._seen:
                raise VerificationError(f"expected {transfer.transfer} once, got it twice")
        counted = self._audit.period.holds(transfer.at)
        self._seen[transfer.transfer] = (counted, amounts)
        with checking("reversals", layout.TRANSFERS):
            self._reversal(transfer, amounts, counted=counted)
        with checking("transfer-sums", layout.TRANSFERS):
            if transfer.kind in BY_USE:
                self._accrual(transfer, amounts, counted=counted)
        if not counted:
            return
        if transfer.kind == ALLOCATION:
            self.allotted.append((transfer, amounts))
        column = "accrued" if transfer.kind in ACCRUALS else "reversed" if transfer.kind == REVERSAL else "settled"
        for place, amount in amounts.items():
            self.moved.setdefault(place, Counter())[column] += amount

    def finish(self) -> None:
        """Hold what needs all transfers: every use was posted, and nothing is here from elsewhere."""
        for group in self._due:
            if group not in self._matched and self._shown(group):
                raise refused(
                    "transfer-sums",
                    layout.TRANSFERS,
                    f"expected a transfer of {group.source} to {group.payee}, got none",
                )
        for transfer, (counted, _) in self._seen.items():
            if not counted and transfer not in self._reversed | self._straddling:
                raise refused(
                    "reversals", layout.TRANSFERS, f"expected {transfer} in the period, got one outside of it"
                )
        transfers = self._audit.tally.counts["transfers"]
        self._audit.passed(
            "double-entry", f"postings of {many(transfers, 'transfer')} add up to nothing in each currency"
        )
        shown = "" if self._audit.manifest.uses else "; uses of the account's own works are not shown"
        self._audit.passed(
            "transfer-sums", f"{many(len(self._matched), 'transfer')} as uses come to: gross, fee, escrow{shown}"
        )
        self._audit.passed("reversals", f"{many(len(self._reversed), 'transfer')} negated, each once and exactly")

    def _shown(self, group: Group) -> bool:
        """Whether the transfer of ``group`` belongs into the bundle: whose part it is pays for it or gets of it."""
        account, due = self._audit.manifest.account, self._due[group]
        return account in (None, due.organisation) or bool(due.parts(group.payee).get(account))

    def _reversal(self, transfer: TransferRow, amounts: Mapping[Place, int], *, counted: bool) -> None:
        if (transfer.kind == REVERSAL) != (transfer.reverses is not None):
            raise VerificationError(f"{transfer.transfer}: expected a reversal that names what it negates")
        if transfer.reverses is None:
            return
        if not counted or transfer.reverses in self._reversed:
            raise VerificationError(f"{transfer.transfer}: expected one reversal of {transfer.reverses}, got two")
        _, negated = self._seen.get(transfer.reverses, (False, {}))
        if {place: -amount for place, amount in negated.items()} != dict(amounts):
            raise VerificationError(f"{transfer.transfer}: expected exactly the negation of {transfer.reverses}")
        self._reversed.add(transfer.reverses)

    def _accrual(self, transfer: TransferRow, amounts: Mapping[Place, int], *, counted: bool) -> None:
        """A transfer for uses says exactly what its group of uses comes to."""
        group = _group(transfer)
        found = self._due.get(group) if group else None
        if found is None and not counted:
            return  # here for a reversal that names it
        licensee = next((account for account, _ in amounts if account.startswith("receivable:")), "")
        if not self._audit.manifest.uses and licensee != f"receivable:{self._audit.manifest.account}":
            return
        if group is None or found is None or group in self._matched:
            raise VerificationError(f"{transfer.transfer}: expected uses of {transfer.source} behind it, got none")
        self._matched.add(group)
        if not counted:
            self._straddling.add(transfer.transfer)
        expected = {
            (f"receivable:{found.organisation}", group.currency): found.gross,
            **{
                (f"{'escrow' if group.escrow else 'payable'}:{payee}", group.currency): -amount
                for payee, amount in found.parts(group.payee).items()
            },
            (FEE, group.currency): -found.fee,
        }
        expected = {place: amount for place, amount in expected.items() if amount}
        if expected != dict(amounts) or transfer.at != found.posted_at:
            raise VerificationError(
                f"{transfer.transfer}: expected {expected} at {found.posted_at}, got {dict(amounts)} at {transfer.at}"
            )


def _posted(audit: Audit) -> Iterator[tuple[TransferRow, list[LedgerRow]]]:
    """Yield each transfer with its entries; both tables are in the same order."""
    with checking("double-entry", layout.TRANSFERS):
        transfers = iter(tables.TRANSFERS.from_csv(audit.container.chunks(layout.TRANSFERS)))
    entries = tables.ENTRIES.from_csv(audit.container.chunks(layout.LEDGER_ENTRIES))
    waiting: LedgerRow | None = None
    while True:
        with checking("double-entry", layout.TRANSFERS):
            transfer = next(transfers, None)
        with checking("double-entry", layout.LEDGER_ENTRIES):
            own: list[LedgerRow] = [] if waiting is None else [waiting]
            waiting = None
            for entry in entries:
                if transfer is None or entry.transfer != transfer.transfer:
                    waiting = entry
                    break
                own.append(entry)
            if transfer is None:
                if own or waiting is not None:
                    raise MalformedError("expected entries of the transfers, got others")
                return
            if any(entry.transfer != transfer.transfer for entry in own):
                raise MalformedError(f"expected entries of {transfer.transfer}, got others")
        yield transfer, own


def _group(transfer: TransferRow) -> Group | None:
    """The key of a transfer for uses says who is credited, or by which split, also where the fee leaves nothing."""
    source, slash, rest = transfer.key.partition("/")
    side, colon, payee = rest.partition("/")[0].partition(":")
    if not slash or not colon or source != transfer.source or side not in ("payable", "escrow"):
        return None
    return Group(source, payee, rest.partition("/")[2], side == "escrow")


def _in_balance(transfer: TransferRow, entries: Sequence[LedgerRow]) -> dict[Place, int]:
    amounts: dict[Place, int] = {}
    sums: Counter[str] = Counter()
    for entry in entries:
        if entry.amount == 0 or (entry.account, entry.currency) in amounts:
            raise VerificationError(f"{transfer.transfer}: expected one amount per account and currency, none of zero")
        amounts[entry.account, entry.currency] = entry.amount
        sums[entry.currency] += entry.amount
    if any(sums.values()) or not amounts:
        raise VerificationError(f"{transfer.transfer}: expected entries that add up to nothing, got {dict(sums)}")
    return amounts


def _balanced(audit: Audit, balances: Sequence[BalanceRow], moved: Mapping[Place, Counter[str]]) -> None:
    places = [(row.account, row.currency) for row in balances]
    if places != sorted(set(places)):
        raise VerificationError("expected each account and currency once, in order")
    account = audit.manifest.account
    own = {f"{side}:{account}" for side in ("payable", "escrow", "receivable")}
    if not audit.whole and not {row.account for row in balances} <= own:
        raise VerificationError(f"expected only accounts of {account}, got others")
    opened: Counter[str] = Counter()
    for row in balances:
        sums = moved.get((row.account, row.currency), Counter())
        if (row.accrued, row.reversed, row.settled) != (sums["accrued"], sums["reversed"], sums["settled"]):
            raise VerificationError(f"{row.account} {row.currency}: expected what was posted, {dict(sums)}, got {row}")
        if row.closing != row.opening + row.accrued + row.reversed + row.settled:
            raise VerificationError(f"{row.account} {row.currency}: expected its columns to add up, got {row}")
        opened[row.currency] += row.opening
    missing = sorted(place for place in moved.keys() - set(places) if audit.whole or place[0] in own)
    if missing:
        raise VerificationError(f"expected a balance of {missing[0]}, got none")
    if audit.whole and any(opened.values()):
        raise VerificationError(f"expected opening balances that add up to nothing, got {dict(opened)}")


def _report(audit: Audit, report: PeriodReport, opening: Checkpoint, closing: Checkpoint) -> None:
    manifest = audit.manifest
    expected = PeriodReport(
        period=manifest.period,
        state=manifest.state,
        account=manifest.account,
        uses=manifest.uses,
        opening_size=opening.size,
        closing_size=closing.size,
        nothing_happened=audit.tally.nothing_happened,
        counts=dict(audit.tally.counts),
        totals=audit.tally.totals,
    )
    if report != expected:
        odd = next(name for name in expected.__struct_fields__ if getattr(report, name) != getattr(expected, name))
        raise refused("period-report", layout.PERIOD, f"expected {odd} as counted here, got {getattr(report, odd)}")
    what = "nothing happened" if report.nothing_happened else "its figures are those counted here"
    audit.passed("period-report", f"{report.period} is {report.state}; {what}")
    page = render(report, audit.keys.ref.origin, manifest.made_at).encode()
    if audit.container.read(layout.README, max(len(page), 1 << 20)) != page:
        raise refused("readme", layout.README, "expected the page that follows from the figures, got another")
    audit.passed("readme", "the page for people says the same")


def _into(digest: Any) -> Any:
    return lambda text: digest.update(text.encode())
