"""From a work to everything that concerns it in evidence: licences, uses, charges, and the entries of the log.

Nothing is told here of a bundle that does not verify.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from licet import canonical, times
from licet.audit import layout, tables
from licet.audit.checks.opening import MAX_JSON, MAX_LINE
from licet.audit.container import Container
from licet.audit.layout import BundleLine, BundleWork, PeriodReport
from licet.audit.tables import EventRow, TransferRow, lines_of
from licet.audit.verifying import verify_bundle
from licet.canonical import from_base64
from licet.errors import InputError
from licet.log import entry as entries
from licet.log import proof as proofs
from licet.statements.kinds import LicenceLine
from licet.statements.periods import ALLOCATION
from licet.statements.statement_file import SCHEMAS
from licet.statements.trust import Trust
from licet.wire.common import StatementFile


class TracedEntry(msgspec.Struct, frozen=True):
    """A statement about the work, and where the log has it; ``member`` is its file in the bundle, ``document`` the
    SHA-256 of its payload."""

    kind: str
    id: str
    index: int
    time: str
    member: str
    document: str


class TracedLicence(msgspec.Struct, frozen=True):
    """A licence that has the work: to whom, for what, and at which price for one unit (micro-units)."""

    licence: str
    organisation: str
    model: str
    atoms: list[str]
    purpose: list[str]
    dataset: str | None
    valid_until: str | None
    line: LicenceLine
    index: int


class TracedUse(msgspec.Struct, frozen=True):
    """A use of the work, by whom, and the transfer by which what it is owed was posted (null: it is owed nothing)."""

    organisation: str
    dataset: str | None
    row: EventRow
    index: int
    transfer: str | None


class TracedCharge(msgspec.Struct, frozen=True):
    """What an agreement that has the work was charged at the close, for all of its works that one payee earns from."""

    licence: str
    transfer: str
    at: str


class Trace(msgspec.Struct, frozen=True):
    """What a month's evidence says of one work, in the order of the log and of posting; nothing of single uses where
    ``shown`` is false, to an account below claim level 2."""

    work: str
    period: str
    anchored: bool
    shown: bool
    size: int
    root: str
    licences: list[TracedLicence]
    uses: list[TracedUse]
    charges: list[TracedCharge]
    entries: list[TracedEntry]


def trace(path: Path, work: str, trust: Trust | None) -> Trace:
    """Return what the bundle ``path`` says of ``work``, once every check of it holds; raises as `verify_bundle` does.

    Of a bundle of one account's part this is what that account may see. Raises ``InputError`` for what is no work.
    """
    from licet.identifiers import to_uuid

    to_uuid(work, "wrk", field="work")
    report = verify_bundle(path, trust)
    with Container(path) as container:
        shown = canonical.decode_as(PeriodReport, container.read(layout.PERIOD, MAX_JSON), MAX_JSON).uses
        stated = dict(_statements(container))
        licences = list(_licences(container, work, stated))
        transfers = list(tables.TRANSFERS.from_csv(container.chunks(layout.TRANSFERS)))
        uses = list(_uses(container, work, stated, {each.key: each.transfer for each in transfers}))
        charges = list(_charges(transfers, {each.licence for each in licences}))
        about = {each.licence for each in licences} | {each.row.source for each in uses}
        about |= set(_consents(container, work))
        about |= {name for name, (_, payload) in stated.items() if _names(payload, work)}
        documents = {each.document for each in (stated[name][0] for name in about if name in stated)}
        about |= {name for name, (_, payload) in stated.items() if getattr(payload, "document", None) in documents}
    found = [stated[name][0] for name in about if name in stated]
    return Trace(
        work=work,
        period=report.period,
        anchored=report.anchored,
        shown=shown,
        size=report.size,
        root=report.root,
        licences=sorted(licences, key=lambda each: each.index),
        uses=uses,
        charges=charges,
        entries=sorted(found, key=lambda each: each.index),
    )


def months_between(since: str, until: str) -> list[str]:
    """Return the months from that of the time ``since`` to that of ``until``; raises ``InputError`` for none."""
    from licet.statements.periods import month_after

    first, last = times.to_text(times.from_text(since))[:7], times.to_text(times.from_text(until))[:7]
    if first > last:
        raise InputError.field("since", f"a month up to {last}", first)
    found = [first]
    while found[-1] < last:
        found.append(month_after(found[-1]))
    return found


def _statements(container: Container) -> Iterator[tuple[str, tuple[TracedEntry, Any]]]:
    for member in container.members:
        named = layout.statement_of(member)
        if named is not None:
            file = canonical.decode_as(StatementFile, container.read(member, MAX_JSON), MAX_JSON)
            kind, name = named
            payload = msgspec.json.decode(file.envelope.body, type=SCHEMAS[kind])
            index = proofs.parse(file.proof).index
            time = entries.parse(from_base64(file.entry, "entry")).time
            yield name, (TracedEntry(kind, name, index, time, member, file.envelope.payload_digest), payload)


def _licences(container: Container, work: str, stated: dict[str, tuple[TracedEntry, Any]]) -> Iterator[TracedLicence]:
    for member in container.members:
        licence = layout.licence_of(member)
        if licence is None:
            continue
        for text in lines_of(container.chunks(member), MAX_LINE):
            line = canonical.decode_as(BundleLine, text, MAX_LINE).line
            if line.work == work:
                entry, payload = stated[licence]
                use = payload.use
                yield TracedLicence(
                    licence=licence,
                    organisation=payload.organisation,
                    model=f"{use.model}@{use.version}",
                    atoms=use.atoms,
                    purpose=use.purpose,
                    dataset=payload.dataset,
                    valid_until=payload.valid_until,
                    line=line,
                    index=entry.index,
                )


def _uses(
    container: Container, work: str, stated: dict[str, tuple[TracedEntry, Any]], transfers: dict[str, str]
) -> Iterator[TracedUse]:
    for row in tables.EVENTS.from_csv(container.chunks(layout.EVENTS_CSV)):
        if row.work == work and row.effect in ("new", "memorandum"):
            entry, payload = stated[row.source]
            side = "escrow" if row.escrow else "payable"
            key = f"{row.source}/{side}:{row.split or row.payee}/{row.currency}"
            transfer = transfers.get(key) if row.amount else None
            yield TracedUse(payload.organisation, payload.dataset, row, entry.index, transfer)


def _charges(transfers: list[TransferRow], licences: set[str]) -> Iterator[TracedCharge]:
    for each in transfers:
        if each.kind == ALLOCATION and each.source in licences:
            yield TracedCharge(each.source, each.transfer, each.at)


def _consents(container: Container, work: str) -> Iterator[str]:
    for text in lines_of(container.chunks(layout.WORKS), MAX_LINE):
        found = canonical.decode_as(BundleWork, text, MAX_LINE)
        if found.work.work == work:
            yield found.statement


def _names(payload: Any, work: str) -> bool:
    """Whether a statement names the work itself: a request for it, a split of it, a revocation, a dispute."""
    works = getattr(payload, "works", ())
    return getattr(payload, "subject", None) == work or any(
        work in (each, getattr(each, "work", None)) for each in works
    )
