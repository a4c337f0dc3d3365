"""What is in an evidence bundle: every member by name, and the records in them.

::

    period.json                     the figures of the period (`PeriodReport`); says so when nothing happened
    registry/keys.json              the registry's working keys, each named by its root in a logged statement
    log/opening.checkpoint          the log before the period
    log/closing.checkpoint          the log that everything here is in
    log/consistency.json            that the second extends the first (`Consistency`)
    log/frontier.bin                the tree in front of the first entry that is here: size as uint64, then hashes
    log/entries.bin                 every entry from the last before the period on, behind its length as uint16
    statements/<kind>/<id>.json     one statement file each, as `licet statement verify` takes it
    licences/<lic_…>.jsonl          the lines of a licence (`BundleLine`), by work
    works.jsonl                     that a consent covers the works relied upon (`BundleWork`)
    duties.jsonl                    revocations' effects that were due in the month, or are yet to be (`BundleDuty`)
    agreements/left-out.jsonl       only where there are any: charges that closes left out, and what became of them here
    usage/events.csv, .parquet      every use (`licet.audit.tables`), by source and id
    usage/proofs.jsonl              for events shown without the rest of their batch (`EventProof`)
    ledger/transfers.csv            double entry: what was posted …
    ledger/entries.csv              … to which accounts; debit positive, credit negative
    ledger/balances.csv             opening, accrued, reversed, settled, closing per account and currency
    ledger/lines.jsonl              only of a closed month: its lines in the sum trees of its close (`ClosedLine`)
    ledger.journal                  the same for hledger and ledger …
    ledger.beancount                … and for beancount
    README.html                     for people, in English and Chinese
    MANIFEST.json                   the last one: all of the others, signed by the registry's office

A bundle of one account's part holds what that account may see; what would be incomplete for it is proven piece by
piece instead.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Final, Literal, NamedTuple

import msgspec

from licet import times
from licet.errors import InputError
from licet.statements.kinds import LicenceLine, WorkDigest
from licet.statements.periods import Side
from licet.terms.atoms import RevocationEffect

MANIFEST: Final = "MANIFEST.json"
PERIOD: Final = "period.json"
REGISTRY_KEYS: Final = "registry/keys.json"
OPENING: Final = "log/opening.checkpoint"
CLOSING: Final = "log/closing.checkpoint"
CONSISTENCY: Final = "log/consistency.json"
FRONTIER: Final = "log/frontier.bin"
ENTRIES: Final = "log/entries.bin"
WORKS: Final = "works.jsonl"
DUTIES: Final = "duties.jsonl"
LEFT_OUT: Final = "agreements/left-out.jsonl"
EVENTS_CSV: Final = "usage/events.csv"
EVENTS_PARQUET: Final = "usage/events.parquet"
EVENT_PROOFS: Final = "usage/proofs.jsonl"
LINES: Final = "ledger/lines.jsonl"
TRANSFERS: Final = "ledger/transfers.csv"
LEDGER_ENTRIES: Final = "ledger/entries.csv"
BALANCES: Final = "ledger/balances.csv"
HLEDGER: Final = "ledger.journal"
BEANCOUNT: Final = "ledger.beancount"
README: Final = "README.html"

SINGLE: Final = frozenset(
    {PERIOD, REGISTRY_KEYS, OPENING, CLOSING, CONSISTENCY, FRONTIER, ENTRIES, WORKS, EVENTS_CSV, EVENTS_PARQUET}
    | {EVENT_PROOFS, TRANSFERS, LEDGER_ENTRIES, BALANCES, HLEDGER, BEANCOUNT, README}
)
"""Members that every bundle has, beside its manifest; that of a closed month has `LINES` too, all but the first
bundles `DUTIES`, and those of months around a charge that was left out `LEFT_OUT`."""

CLOSE: Final = "period-close"


class Kind(NamedTuple):
    """A kind of statement in bundles: how its identifiers begin, and the field of the payload that is one.

    ``covered``: a bundle of everything holds each of them that the log took in its period. ``always``: so did the first
    bundles, whose manifests do not say what they cover.
    """

    prefix: str
    named: str | None = None
    covered: bool = True
    always: bool = True


KINDS: Final[dict[str, Kind]] = {
    "licence": Kind("lic", "licence"),
    "usage-batch": Kind("bat", "batch"),
    "run": Kind("run"),
    "dataset-manifest": Kind("dst", "dataset"),
    "consent": Kind("stm", covered=False),
    "split": Kind("spl", "split"),
    "split-answer": Kind("stm"),
    "erase": Kind("stm", covered=False),
    "licence-request": Kind("ask", "request"),
    "licence-answer": Kind("stm"),
    "licence-reply": Kind("stm", always=False),
    CLOSE: Kind("stm", covered=False),
    "revenue-report": Kind("rpt", "report", always=False),
    "licence-revoke": Kind("dut", "duty", always=False),
    "duty-done": Kind("stm", always=False),
    "dispute-step": Kind("stm", always=False),
    "model-card": Kind("crd", always=False),
    "audit-finding": Kind("fnd", "finding", always=False),
}
COVERED_KINDS: Final = tuple(name for name, kind in KINDS.items() if kind.covered)
STATEMENT_KINDS: Final = {name: kind.prefix for name, kind in KINDS.items()}
_PREFIXES: Final = "|".join(sorted(set(STATEMENT_KINDS.values())))
_STATEMENT: Final = re.compile(
    rf"statements/({'|'.join(STATEMENT_KINDS)})/(({_PREFIXES})_[0-9a-z]{{26}})\.json", re.ASCII
)
_LINES: Final = re.compile(r"licences/(lic_[0-9a-z]{26})\.jsonl", re.ASCII)
_PERIOD: Final = re.compile(r"(\d{4})-(0[1-9]|1[0-2])", re.ASCII)


class Consistency(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """RFC 6962 consistency proof between two sizes of the log; hashes in base64. None from size 0: nothing to prove."""

    old: int
    new: int
    hashes: list[str]


class BundleLine(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One line of a licence. ``index`` and ``path`` (base64) prove it where the others are not shown."""

    line: LicenceLine
    index: int | None = None
    path: list[str] | None = None


class BundleWork(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A work with the proof that consent ``statement`` covers it: its place in the scope, hashes in base64."""

    statement: str
    work: WorkDigest
    index: int
    path: list[str]


class BundleDuty(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A duty of ``organisation`` towards ``account``, which revoked ``licence`` for so many ``works`` by the statement
    of SHA-256 ``document``. ``done_at`` is null where nothing was stated by the end of the month."""

    duty: str
    document: str
    licence: str
    organisation: str
    account: str
    works: int
    notice_days: int
    effect: RevocationEffect
    revoked_at: str
    due_at: str
    done_at: str | None


class BundleLeftOut(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What ``licence`` owes for the month ``period`` was not charged at its close, and is left out since then.

    ``posted`` is the month of the bundle where its close charged it, null where it had not by then.
    """

    licence: str
    period: str
    since: str
    posted: str | None


class EventProof(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """That event ``event`` is under the event root of batch ``source``; hashes in base64."""

    source: str
    event: str
    index: int
    path: list[str]


class ClosedNode(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A node of a sum tree: its hash in base64, and its sums as texts, because they may be beyond JSON's integers."""

    hash: str
    sums: list[str]


class ClosedLine(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A line of a closed month: its columns as texts, its salt in base64. ``place`` and ``proof`` say where it is in
    its tree where the others are not shown."""

    side: Side
    payee: str
    currency: str
    columns: list[str]
    salt: str
    place: int | None = None
    proof: list[ClosedNode] | None = None


class PeriodTotal(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What uses came to in one currency, as decimals: gross = payable + escrow + fee; ``reversed`` is gross too."""

    currency: str
    gross: str
    payable: str
    escrow: str
    fee: str
    reversed: str


class PeriodReport(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The period in figures. ``opening_size``: log entries before it; ``nothing_happened``: an explicit nil report."""

    period: str
    state: Literal["open", "closed"]
    account: str | None
    uses: bool
    opening_size: int
    closing_size: int
    nothing_happened: bool
    counts: dict[str, int]
    totals: list[PeriodTotal]
    v: int = 1


class Period(NamedTuple):
    """A calendar month in UTC: from ``start``, before ``end`` (``licet.times`` text)."""

    name: str
    start: str
    end: str

    def holds(self, time: str) -> bool:
        """Whether ``time`` is in it."""
        return self.start <= time < self.end


def period_of(name: str, field: str = "period") -> Period:
    """Return the month called ``2026-11``; raises ``InputError`` that names ``field``."""
    match = _PERIOD.fullmatch(name) if isinstance(name, str) else None
    if match is None or not 1 <= int(match[1]) <= 9998:
        raise InputError.field(field, "a month such as 2026-11", name)
    year, month = int(match[1]), int(match[2])
    start = datetime(year, month, 1, tzinfo=UTC)
    end = datetime(year + month // 12, month % 12 + 1, 1, tzinfo=UTC)
    return Period(name, times.to_text(start), times.to_text(end))


def statement_member(kind: str, identifier: str) -> str:
    """Return where the statement file of ``identifier`` is."""
    return f"statements/{kind}/{identifier}.json"


def lines_member(licence: str) -> str:
    """Return where the lines of ``licence`` are."""
    return f"licences/{licence}.jsonl"


def statement_of(member: str) -> tuple[str, str] | None:
    """Return (kind, identifier) of a statement file by its name, None for another member."""
    match = _STATEMENT.fullmatch(member)
    return (match[1], match[2]) if match and STATEMENT_KINDS[match[1]] == match[3] else None


def licence_of(member: str) -> str | None:
    """Return the licence whose lines are in ``member``, None for another member."""
    match = _LINES.fullmatch(member)
    return match[1] if match else None
