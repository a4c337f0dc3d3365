"""What agreements are owed at the close of the month: computed again from their lines, uses and splits, not believed.

How much of it waits in escrow is the office's judgement of claims, as with uses; whose it is and how much are not.

What a close left out is listed, and charged by the first close that can: computed by what counted at the close of the
month that it is for, at the standing and by the splits of the one that charges it. So the closes between are here.

A work is taken back by whoever registered it, or by whom a dispute decided it to be of. That decision is in bundles of
everything and in those of its two parties; for others it is the registry's word, and the check says so.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from licet import times
from licet.audit import layout
from licet.audit.checks.granted import Granted, Granting
from licet.audit.checks.opening import Audit
from licet.audit.checks.signed import Statements
from licet.audit.checks.the_log import LogFacts
from licet.audit.layout import BundleLeftOut
from licet.audit.report import checking
from licet.audit.tables import TransferRow
from licet.counted import many
from licet.errors import InputError, VerificationError
from licet.pricing import Owed
from licet.statements.agreed import REPORTED
from licet.statements.closes import Divided, Report, Term, month_number, owed_at_close
from licet.statements.kinds import DisputeStep, LicenceLine, LicenceRevoke, RevenueReport
from licet.statements.owed import allocated, fee_of
from licet.statements.periods import LESS, month_after, month_before
from licet.statements.revoking import condition, over_at
from licet.statements.splits import Agreed

FEE: Final = "fee:registry"
_MONTH: Final = re.compile(r"[0-9]{4}-(0[1-9]|1[0-2])", re.ASCII)
_CHECK: Final = "allocations"

Place = tuple[str, str]  # ledger account, currency
Named = tuple[str, str]  # payee or split, currency
Posted = tuple[TransferRow, Mapping[Place, int]]
Uses = Mapping[str, Mapping[str, Mapping[str, int]]]
"""Licence → work → month (2026-11) → outputs or uses posted in it, less those that corrections take back."""


class _Charge(NamedTuple):
    """One transfer at a close, as its key says: for which month, for whom, on which side, how much."""

    transfer: str
    licence: str
    month: str
    licensee: str
    side: str
    name: str
    currency: str
    gross: int
    amounts: Mapping[Place, int]


def check_allotted(
    audit: Audit, log: LogFacts, statements: Statements, granting: Granting, uses: Uses, posted: Iterable[Posted]
) -> None:
    """Hold each charge at the close of the month to what its agreement comes to, and each agreement to its charge."""
    charges: dict[str, list[_Charge]] = defaultdict(list)
    with checking(_CHECK, layout.LEFT_OUT):
        late = _late(audit, statements)
    with checking(_CHECK, layout.TRANSFERS):
        for transfer, amounts in posted:
            charge = _charge(audit, transfer, amounts)
            charges[charge.licence].append(charge)
        own = _Allotted(audit, log, statements, granting, uses)
        for licence in sorted(charges.keys() | statements.licences.keys()):
            own.hold(licence, charges.get(licence, []), late.get(licence, {}))
    counted = many(own.works, "work")
    told = f"{many(own.held, 'agreement')} charged for {counted} what lines and uses come to at the close"
    if own.late:
        told += f"; {many(own.late, 'charge')} of months before that their closes had left out"
    if own.waiting:
        told += f"; {many(own.waiting, 'charge')} were left out when the month closed, and are not yet computed"
    if own.reported:
        told += f"; of {own.reported} that divide a sum with others, fees and parts alone are computed here"
    if own.taken_on_word:
        told += f"; in {own.taken_on_word} somebody took back works of others, by a decision that is not shown"
    audit.passed(_CHECK, told)


class _Allotted:
    """The agreements of a bundle, each held to what was charged for it."""

    def __init__(self, audit: Audit, log: LogFacts, statements: Statements, granting: Granting, uses: Uses) -> None:
        self.held = 0
        self.works = 0
        self.reported = 0  # agreements of which a sum is divided among works that are not all here
        self.late = 0  # charges of months before
        self.waiting = 0  # charges of this month and of those before that were left out
        self.taken_on_word = 0  # agreements of which a revocation counts by a decision that is not here
        self._audit: Final = audit
        self._won: Final = _decided(statements)
        self._statements: Final = statements
        self._granting: Final = granting
        self._uses: Final = uses
        self._closes: Final = {each.payload.period: each.index for each in statements.closes.values()}
        self._closed: Final = audit.period.name in self._closes
        self._from: Final = log.end
        self._until: Final = self._closes.get(audit.period.name, log.closing.size)

    def hold(self, licence: str, charges: list[_Charge], late: Mapping[str, bool]) -> None:
        """Return once ``charges`` are all that ``licence`` owes at the close; raises ``VerificationError``.

        ``late``: the months that were left out, and whether this close charged each.
        """
        granted = self._granting.get(licence)
        if granted is None:
            if self._audit.manifest.uses or charges[0].licensee == self._audit.manifest.account:
                raise VerificationError(f"expected the licence {licence} that was charged in the bundle, got none")
            return  # to whom uses are not shown the ledger alone is
        if not any(allocated(line) for line in granted.lines.values()):
            if charges:
                raise VerificationError(
                    f"{licence}: expected a charge of an agreement alone, got {charges[0].transfer}"
                )
            return
        for month in sorted({self._audit.period.name, *late, *(each.month for each in charges)}):
            own = [each for each in charges if each.month == month]
            if month not in late and month < self._audit.period.name:
                raise VerificationError(
                    f"{own[0].transfer}: expected a charge at the close of {self._audit.period.name}, or for a month "
                    f"that was left out, got one for {month}"
                )
            if month in late and not late[month]:
                if own:
                    raise VerificationError(f"{own[0].transfer}: expected no charge of what was left out, got one")
                self.waiting += 1
            elif own or self._closed:  # else it may come yet
                self._hold(granted, month, own)
                self.late += month in late

    def _hold(self, granted: Granted, month: str, charges: list[_Charge]) -> None:
        self.reported += bool(charges and self._divided(granted))
        proven, told = self._revoked(granted)
        owed = self._owed(granted, month, proven)
        refusal = self._refusal(granted, owed, charges)
        if refusal is not None and told:
            owed = self._owed(granted, month, {**told, **proven})
            self.taken_on_word += 1
            refusal = self._refusal(granted, owed, charges)
        if refusal is not None:
            raise VerificationError(refusal)
        self.held += bool(charges)
        self.works += len(owed) if charges else 0

    def _refusal(self, granted: Granted, owed: Sequence[Owed], charges: Sequence[_Charge]) -> str | None:
        """Return what does not hold, at whichever moment the charge was made; None where all does at one of them."""
        works = {each.work for each in owed} | {line.work for line in self._divided(granted)}
        refusals = [self._wrong(granted, owed, charges, index) for index in self._moments(works)]
        return next(filter(None, refusals)) if all(refusals) else None

    def _owed(self, granted: Granted, period: str, revoked: Mapping[str, datetime]) -> list[Owed]:
        """What the lines that are here are owed for a month; nothing where that cannot be computed, nor charged."""
        signed, payload = self._statements.licences[granted.payload.licence], granted.payload
        if signed.time >= layout.period_of(period).end:
            return []
        since = times.from_text(payload.agreement.since)  # type: ignore[union-attr] # what is allocated was agreed
        until = None if payload.valid_until is None else times.from_text(payload.valid_until)
        month = month_number(since, period)
        used = {
            work: {month_number(since, name): count for name, count in months.items()}
            for work, months in self._used(granted).items()
        }
        term = Term(since, times.from_text(signed.time), until, revoked)
        divided = Divided(self._reports(payload.licence, since), used, payload.agreement.weigh)  # type: ignore[union-attr]
        apart = {line.work for line in self._divided(granted)}
        try:
            owed = owed_at_close(
                [line for line in granted.lines.values() if line.work not in apart], term, month, used, divided
            )
        except InputError:
            return []
        return [each for each in owed if each.amount]

    def _divided(self, granted: Granted) -> list[LicenceLine]:
        """The lines whose sum is divided among works that may not all be here: of a pool, and of other payees."""
        if granted.whole:
            return []
        account = self._audit.manifest.account
        reported = [line for line in granted.lines.values() if line.model in REPORTED]
        return [line for line in reported if line.model == "pool" or line.account != account]

    def _used(self, granted: Granted) -> Mapping[str, Mapping[str, int]]:
        """Uses by work and month; those that its grant reported before the month follow from its lines."""
        licence = granted.payload.licence
        found, granted_in = self._uses.get(licence, {}), self._statements.licences[licence].time[:7]
        if granted_in == self._audit.period.name:
            return found
        begun: dict[str, Counter[str]] = {work: Counter(months) for work, months in found.items()}
        for line in granted.lines.values():
            if line.model in REPORTED:
                begun.setdefault(line.work, Counter())[granted_in] += 1
        return begun

    def _revoked(self, granted: Granted) -> tuple[dict[str, datetime], dict[str, datetime]]:
        """When the notice is over of works that were taken back: by whose they are, where their terms allow it.

        Beside it the same of those that somebody else took back, where whose they are may have been decided unseen.
        """
        found: dict[str, datetime] = {}
        told: dict[str, datetime] = {}
        for signed in self._statements.all["licence-revoke"].values():
            said: LicenceRevoke = signed.payload
            if said.licence != granted.payload.licence:
                continue
            for work in said.works:
                line = granted.lines.get(work)
                if line is None:
                    continue
                since, winner = self._won.get(work, (0, line.account))
                own = said.account == (winner if signed.index > since else line.account)
                if not own and self._audit.manifest.account in (None, line.account, said.account):
                    continue
                agreed = condition(line.agreed, self._granting.prices.terms(line), granted.payload.use.atoms)
                if agreed is not None:
                    over = over_at(times.from_text(signed.time), agreed.notice_days)
                    to = found if own else told
                    to[work] = min(over, to.get(work, over))
        return found, told

    def _reports(self, licence: str, since: datetime) -> list[Report]:
        """The reports of an agreement in the order of the log, each with the close at which it counts first.

        That is the first one behind it in the log, and not before that of its own month.
        """
        found = []
        closes = sorted((month_number(since, name), index) for name, index in self._closes.items())
        month = month_number(since, self._audit.period.name)
        for signed in sorted(self._statements.all["revenue-report"].values(), key=lambda each: each.index):
            said: RevenueReport = signed.payload
            if said.licence == licence and signed.index < self._until:
                own = month_number(since, said.period)
                close = max(own, next((number for number, index in closes if index > signed.index), month))
                revenue, pool = ({each.currency: each.amount for each in some} for some in (said.revenue, said.pool))
                found.append(Report(own, close, revenue, pool, {each.work: each.weight for each in said.weights}))
        return found

    def _moments(self, works: Iterable[str]) -> list[int]:
        """The places in the log at which the charge may have been made: behind the month, and behind each split."""
        splits = self._statements.splits
        return splits.moments(works, self._from, self._until)

    def _wrong(self, granted: Granted, owed: Iterable[Owed], charges: Iterable[_Charge], index: int) -> str | None:
        """Return what does not hold if the charge was made at ``index`` of the log; None where all does."""
        sums: dict[Named, int] = defaultdict(int)
        shared: dict[str, Agreed] = {}
        for each in owed:
            split = self._statements.splits.in_force(each.work, index)
            if split is not None:
                shared[split.split] = split
            sums[each.payee if split is None else split.split, each.currency or ""] += each.amount
        told: set[Named] = set()  # whose sums follow from reports; without a currency: in any
        for line in self._divided(granted):
            split = self._statements.splits.in_force(line.work, index)
            if split is not None:
                shared[split.split] = split
            told.add((line.account if split is None else split.split, line.currency or ""))
        found: dict[Named, int] = defaultdict(int)
        for charge in charges:
            found[charge.name, charge.currency] += charge.gross
            parts = _parts(charge, shared.get(charge.name), granted.payload.fee_bps)
            if charge.licensee != granted.payload.organisation or parts != charge.amounts:
                return f"{charge.transfer}: expected {parts} of {granted.payload.organisation}, got {charge.amounts}"
        for named in sorted(sums.keys() | found.keys()):
            expected, got = sums[named], found.get(named, 0)
            if named in told or (named[0], "") in told:
                continue
            if got != expected and (named in found or self._shown(granted, named, expected, shared)):
                name, currency = named
                return (
                    f"{granted.payload.licence}: expected {expected} micro-units of {currency} for {name} at the "
                    f"close, got {got}"
                )
        return None

    def _shown(self, granted: Granted, named: Named, gross: int, shared: Mapping[str, Agreed]) -> bool:
        """Whether a charge belongs into the bundle: whose part it is pays it or gets of it."""
        account, name = self._audit.manifest.account, named[0]
        if account in (None, granted.payload.organisation, name):
            return gross != 0
        net = gross - fee_of(gross, granted.payload.fee_bps)
        return name in shared and bool(shared[name].divide(net).get(account))


def _late(audit: Audit, statements: Statements) -> dict[str, dict[str, bool]]:
    """Return licence → month that was left out → whether the close of the bundle's month charged it."""
    if layout.LEFT_OUT not in audit.container.members:
        return {}
    rows = list(audit.lines_as(BundleLeftOut, layout.LEFT_OUT))
    places = [(row.licence, row.period) for row in rows]
    if places != sorted(set(places)):
        raise VerificationError("expected each agreement and month once, in order, got another order")
    period, closes = audit.period.name, {each.payload.period: each.payload for each in statements.closes.values()}
    found: dict[str, dict[str, bool]] = defaultdict(dict)
    for row in rows:
        times.from_text(row.since, "since")
        posted = row.posted is not None
        if row.licence not in statements.licences or not _MONTH.fullmatch(row.period) or row.period > period:
            raise VerificationError(f"{row.licence}: expected an agreement that is here, and a month up to {period}")
        if posted and (row.posted != period or row.period == period):
            raise VerificationError(f"{row.licence}: expected it posted at the close of {period} or not yet, got {row}")
        found[row.licence][row.period] = posted
        before = month_before(row.period)
        while posted and before < period:  # by these it shows which reports counted at the close that left it out
            following = closes.get(month_after(before))
            if before not in closes and (following is None or following.previous is not None):
                raise VerificationError(f"{row.licence}: expected the close of {before}, got none")
            before = month_after(before)
    return found


def _decided(statements: Statements) -> dict[str, tuple[int, str]]:
    """Return works that disputes decided to be somebody else's: since which log entry, and whose they are."""
    steps = statements.all["dispute-step"].values()
    opened: dict[str, DisputeStep] = {each.document: each.payload for each in steps if each.payload.step == "open"}
    return {
        each.payload.subject: (each.index, opened[each.payload.document].account)
        for each in steps
        if each.payload.ends and each.payload.outcome == "upheld" and each.payload.document in opened
    }


def _parts(charge: _Charge, split: Agreed | None, fee_bps: int) -> dict[Place, int]:
    """Return the entries of a transfer of this gross, by the fee of the licence and the split of who shares it."""
    fee = fee_of(charge.gross, fee_bps)
    net = charge.gross - fee
    parts = {charge.name: net} if split is None else split.divide(net)
    entries = {
        (f"receivable:{charge.licensee}", charge.currency): charge.gross,
        **{(f"{charge.side}:{payee}", charge.currency): -amount for payee, amount in parts.items()},
        (FEE, charge.currency): -fee,
    }
    return {place: amount for place, amount in entries.items() if amount}


def _last_moment(audit: Audit) -> str:
    return times.to_text(times.from_text(audit.period.end) - timedelta(milliseconds=1))


def _charge(audit: Audit, transfer: TransferRow, amounts: Mapping[Place, int]) -> _Charge:
    """Return the charge that a transfer is: ``LICENCE/MONTH/SIDE:NAME/CURRENCY``, in the last moment of the bundle's.

    ``MONTH`` is that it is for: the same, or one before that its close had left out. ``/less`` behind it takes back in
    escrow what the one without it adds.
    """
    key = transfer.key.removesuffix(f"/{LESS}")
    source, month, credited, currency = (*key.split("/"), "", "", "")[:4]
    side, _, name = credited.partition(":")
    # What is trued up may be less than nothing: then the licensee is owed.
    charged = [
        (account, amount)
        for (account, each), amount in amounts.items()
        if account.startswith("receivable:") and each == currency
    ]
    if (
        len(charged) != 1
        or (source, month) != (transfer.source, transfer.memo)
        or not _MONTH.fullmatch(month)
        or month > audit.period.name
        or side not in ("payable", "escrow")
        or key != f"{source}/{month}/{side}:{name}/{currency}"
        or (key != transfer.key and (side != "escrow" or charged[0][1] >= 0))
        or transfer.at != _last_moment(audit)
    ):
        raise VerificationError(
            f"{transfer.transfer}: expected the charge of {transfer.source} at the close of {audit.period.name}, "
            f"got {transfer.key} of {dict(amounts)}"
        )
    account, gross = charged[0]
    return _Charge(
        transfer.transfer, source, month, account.partition(":")[2], side, name, currency, gross, dict(amounts)
    )
