"""What agreements are owed at the close of the month: computed again from their lines, uses and splits, not believed.

How much of it waits in escrow is the office's judgement of claims, as with uses; whose it is and how much are not.

A work is taken back by whoever registered it, or by whom a dispute decided it to be of. That decision is in bundles of
everything and in those of its two parties; for others it is the registry's word, and the check says so.
"""

from __future__ import annotations

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
from licet.audit.report import checking
from licet.audit.tables import TransferRow
from licet.counted import many
from licet.errors import InputError, VerificationError
from licet.pricing import Owed
from licet.statements.agreed import REPORTED
from licet.statements.closes import Divided, Report, Term, month_number, owed_at_close
from licet.statements.kinds import DisputeStep, LicenceLine, LicenceRevoke, RevenueReport
from licet.statements.owed import allocated, fee_of
from licet.statements.revoking import condition, over_at
from licet.statements.splits import Agreed

FEE: Final = "fee:registry"
_CHECK: Final = "allocations"

Place = tuple[str, str]  # ledger account, currency
Named = tuple[str, str]  # payee or split, currency
Posted = tuple[TransferRow, Mapping[Place, int]]
Uses = Mapping[str, Mapping[str, Mapping[str, int]]]
"""Licence → work → month (2026-11) → outputs or uses posted in it, less those that corrections take back."""


class _Charge(NamedTuple):
    """One transfer at a close, as its key says: for whom, on which side, how much."""

    transfer: str
    licence: str
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
    with checking(_CHECK, layout.TRANSFERS):
        for transfer, amounts in posted:
            charge = _charge(audit, transfer, amounts)
            charges[charge.licence].append(charge)
        own = _Allotted(audit, log, statements, granting, uses)
        for licence in sorted(charges.keys() | statements.licences.keys()):
            own.hold(licence, charges.get(licence, []))
    counted = many(own.works, "work")
    told = f"{many(own.held, 'agreement')} charged for {counted} what lines and uses come to at the close"
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
        self.taken_on_word = 0  # agreements of which a revocation counts by a decision that is not here
        self._audit: Final = audit
        self._won: Final = _decided(statements)
        self._statements: Final = statements
        self._granting: Final = granting
        self._uses: Final = uses
        closes = [each.index for each in statements.closes.values() if each.payload.period == audit.period.name]
        before = [each.index for each in statements.closes.values() if each.payload.period < audit.period.name]
        self._closed: Final = bool(closes)
        self._before: Final = max(before, default=-1)
        self._from: Final = log.end
        self._until: Final = closes[0] if closes else log.closing.size

    def hold(self, licence: str, charges: list[_Charge]) -> None:
        """Return once ``charges`` are all that ``licence`` owes at the close; raises ``VerificationError``."""
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
        if not charges and not self._closed:
            return  # it may come yet
        self.reported += bool(charges and self._divided(granted))
        proven, told = self._revoked(granted)
        owed = self._owed(granted, proven)
        refusal = self._refusal(licence, granted, owed, charges)
        if refusal is not None and told:
            owed = self._owed(granted, {**told, **proven})
            self.taken_on_word += 1
            refusal = self._refusal(licence, granted, owed, charges)
        if refusal is not None:
            raise VerificationError(refusal)
        self.held += bool(charges)
        self.works += len(owed) if charges else 0

    def _refusal(self, licence: str, granted: Granted, owed: Sequence[Owed], charges: Sequence[_Charge]) -> str | None:
        """Return what does not hold, at whichever moment the charge was made; None where all does at one of them."""
        works = {each.work for each in owed} | {line.work for line in self._divided(granted)}
        refusals = [self._wrong(licence, granted, owed, charges, index) for index in self._moments(works)]
        return next(filter(None, refusals)) if all(refusals) else None

    def _owed(self, granted: Granted, revoked: Mapping[str, datetime]) -> list[Owed]:
        """What the lines that are here are owed; nothing where that cannot be computed, which nobody charges."""
        signed, payload = self._statements.licences[granted.payload.licence], granted.payload
        if signed.time >= self._audit.period.end:
            return []
        since = times.from_text(payload.agreement.since)  # type: ignore[union-attr] # what is allocated was agreed
        until = None if payload.valid_until is None else times.from_text(payload.valid_until)
        month = month_number(since, self._audit.period.name)
        used = {
            work: {month_number(since, name): count for name, count in months.items()}
            for work, months in self._used(granted).items()
        }
        term = Term(since, times.from_text(signed.time), until, revoked)
        divided = Divided(self._reports(payload.licence, since, month), used, payload.agreement.weigh)  # type: ignore[union-attr]
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
                agreed = condition(line, self._granting.prices.terms(line), granted.payload.use.atoms)
                if agreed is not None:
                    over = over_at(times.from_text(signed.time), agreed.notice_days)
                    to = found if own else told
                    to[work] = min(over, to.get(work, over))
        return found, told

    def _reports(self, licence: str, since: datetime, month: int) -> list[Report]:
        """The reports of an agreement in the order of the log, each with the close at which it counts first.

        That is the first one behind it in the log, and not before that of its own month.
        """
        found = []
        for signed in sorted(self._statements.all["revenue-report"].values(), key=lambda each: each.index):
            said: RevenueReport = signed.payload
            if said.licence == licence and signed.index < self._until:
                own = month_number(since, said.period)
                close = max(own, month if signed.index > self._before else month - 1)
                revenue, pool = ({each.currency: each.amount for each in some} for some in (said.revenue, said.pool))
                found.append(Report(own, close, revenue, pool, {each.work: each.weight for each in said.weights}))
        return found

    def _moments(self, works: Iterable[str]) -> list[int]:
        """The places in the log at which the charge may have been made: behind the month, and behind each split."""
        splits = self._statements.splits
        return splits.moments(works, self._from, self._until)

    def _wrong(
        self, licence: str, granted: Granted, owed: Iterable[Owed], charges: Iterable[_Charge], index: int
    ) -> str | None:
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
            expected = sums[named]
            if named in told or (named[0], "") in told:
                continue
            if found[named] != expected and (named in found or self._shown(granted, named, expected, shared)):
                name, currency = named
                return (
                    f"{licence}: expected {expected} micro-units of {currency} for {name} at the close, "
                    f"got {found[named]}"
                )
        return None

    def _shown(self, granted: Granted, named: Named, gross: int, shared: Mapping[str, Agreed]) -> bool:
        """Whether a charge belongs into the bundle: whose part it is pays it or gets of it."""
        account, name = self._audit.manifest.account, named[0]
        if account in (None, granted.payload.organisation, name):
            return gross != 0
        net = gross - fee_of(gross, granted.payload.fee_bps)
        return name in shared and bool(shared[name].divide(net).get(account))


def _decided(statements: Statements) -> dict[str, tuple[int, str]]:
    """Return works that disputes decided to be somebody else's: since which log entry, and whose they are."""
    steps = statements.all["dispute-step"].values()
    opened: dict[str, DisputeStep] = {each.document: each.payload for each in steps if each.payload.step == "open"}
    return {
        each.payload.subject: (each.index, opened[each.payload.document].account)
        for each in steps
        if each.payload.outcome == "upheld" and each.payload.document in opened
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
    """Return the charge that a transfer is: ``LICENCE/MONTH/SIDE:NAME/CURRENCY``, in the month's last moment."""
    source, month, credited, currency = (*transfer.key.split("/"), "", "", "")[:4]
    side, _, name = credited.partition(":")
    # What is trued up may be less than nothing: then the licensee is owed.
    charged = [
        (account, amount)
        for (account, each), amount in amounts.items()
        if account.startswith("receivable:") and each == currency
    ]
    if (
        len(charged) != 1
        or (source, month, transfer.memo) != (transfer.source, audit.period.name, audit.period.name)
        or side not in ("payable", "escrow")
        or transfer.key != f"{source}/{month}/{side}:{name}/{currency}"
        or transfer.at != _last_moment(audit)
    ):
        raise VerificationError(
            f"{transfer.transfer}: expected the charge of {transfer.source} at the close of {audit.period.name}, "
            f"got {transfer.key} of {dict(amounts)}"
        )
    account, gross = charged[0]
    return _Charge(transfer.transfer, source, account.partition(":")[2], side, name, currency, gross, dict(amounts))
