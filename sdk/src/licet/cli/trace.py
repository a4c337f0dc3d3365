"""``licet trace``: where a picture went. Every licence, use, charge and log entry that concerns a work."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from urllib.parse import urlencode

from cyclopts import Parameter

from licet import money, times
from licet.cli.output import COMMON, Common, printable, show
from licet.counted import many
from licet.errors import LicetError, ServiceError

if TYPE_CHECKING:
    from licet.audit.tracing import Trace
    from licet.client import Client
    from licet.statements.trust import Trust


def trace(
    given: Annotated[str, Parameter(help="A picture, or the identifier of a work (wrk_…).")],
    /,
    *,
    since: Annotated[
        str | None, Parameter(help="The first month to look at; default: that of the registration.")
    ] = None,
    evidence: Annotated[
        list[Path] | None, Parameter(negative="", help="Evidence bundles to look in, instead of asking for the months.")
    ] = None,
    common: Common = COMMON,
) -> None:
    """Show who took a work of yours, for what, what was owed for it, and where the log has each statement of that.

    All of it is read from your own evidence of each month, which is verified first.
    """
    from licet.audit.layout import period_of
    from licet.audit.tracing import months_between
    from licet.cli.audit import pinned

    if since is not None:
        period_of(since, "--since")
    found: list[Trace] = []
    if evidence and given.startswith("wrk_"):
        works = own = [given]
        found = [_of(path, given, pinned(None, common.profile)) for path in evidence]
    else:
        with _naming_evidence(evidence), common.client() as client:
            works = [given] if given.startswith("wrk_") else _works(client, given)
            registered = {work: _registered(client, work) for work in works}
            own = [work for work in works if registered[work] is not None]
            for work in own:
                if evidence:
                    found += [_of(path, work, client.trust()) for path in evidence]
                    continue
                begun = registered[work] if since is None else f"{since}-01T00:00:00.000Z"
                months = months_between(str(begun), times.to_text(times.now()))
                found += [_pulled(client, month, work) for month in months]
    document = {"works": works, "months": found}
    show(common, document, list(_lines(given, works, own, found)))


@contextlib.contextmanager
def _naming_evidence(evidence: list[Path] | None) -> Iterator[None]:
    """Say, where nobody answers or knows who asks, that evidence which is here can be looked into instead."""
    try:
        yield
    except LicetError as error:
        if isinstance(error, ServiceError) or error.details.get("status") == 401:
            without = (
                "a work's identifier (wrk_…) " if evidence else "--evidence FILE.zip and a work's identifier (wrk_…) "
            )
            error.message = f"{error.message.partition(' (--offline')[0]}; with {without}nobody is asked"
        raise


def _of(path: Path, work: str, trust: Trust | None) -> Trace:
    """Return what the bundle ``path`` says of ``work``; errors name the option that it was given by."""
    from licet.audit.tracing import trace as traced

    try:
        return traced(path, work, trust)
    except LicetError as error:
        named = error.message.startswith(str(path))
        error.message = f"--evidence {error.message if named else f'{path}: {error.message}'}"
        raise


def _works(client: Client, given: str) -> list[str]:
    """Return the registered works that the picture ``given`` is found to show, as the snapshot has them."""
    from licet.datasets.checking import check
    from licet.decisions import Request

    (result,) = check(client, [given], Request(uses="train-gen")).results
    return list(dict.fromkeys(str(match["work"]) for match in result.matches if match["work"]))


def _registered(client: Client, work: str) -> str | None:
    """Return when ``work`` was registered; None for one that is not the caller's."""
    try:
        return client.work(work).registered_at
    except LicetError as error:
        if error.details.get("status") == 404:
            return None
        raise


def _pulled(client: Client, month: str, work: str) -> Trace:
    from licet.audit.tracing import trace
    from licet.cli.audit import downloaded

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "evidence.zip"
        downloaded(client, f"/v1/audit/bundle?{urlencode({'period': month})}", path)
        return trace(path, work, client.trust())


def _lines(given: str, works: list[str], own: list[str], found: list[Trace]) -> Iterator[str]:
    if not works:
        yield f"{printable(given)}: no registered work is like it, so nothing of it is known here."
        return
    for work in works:
        if work not in own:
            yield f"{work}: a work of somebody else; its uses are shown to who registered it."
            continue
        months = [each for each in found if each.work == work]
        hidden = [each for each in months if not (each.shown or each.uses)]
        told, seen = many(len(months), "month"), len(months) - len(hidden)
        if seen or not months:
            told = f"{many(sum(len(each.uses) for each in months), 'use')} in {many(seen, 'month')}"
            told += f", of {many(len(months), 'month')}" if hidden else ""
        why = "; uses are not shown below claim level 2 (`licet claim`)" if hidden else ""
        yield f"{work}: {told} of evidence{why}"
        for month in months:
            yield from _month(month)


def _month(month: Trace) -> Iterator[str]:
    if not (month.licences or month.uses or month.charges):
        yield f"  {month.period}: {'nothing' if month.shown else 'not shown'}"
        return
    yield f"  {month.period}, verified to log size {month.size:,}:"
    for licence in month.licences:
        price = licence.line.model
        if licence.line.currency is not None:
            price += f" {money.written(licence.line.amount, licence.line.currency)}"
        until = f", until {licence.valid_until}" if licence.valid_until else ""
        uses, purposes = ", ".join(licence.atoms), ", ".join(licence.purpose)
        yield (
            f"    licensed to {licence.organisation} for {printable(licence.model)} ({uses}; {purposes}): "
            f"{price}{until}  {licence.licence}, entry {licence.index}"
        )
    for use in month.uses:
        row = use.row
        owed = "nothing owed" if row.currency is None else money.written(row.amount, row.currency)
        why = f", recorded only: {row.memorandum}" if row.memorandum else ", in escrow" if row.escrow else ""
        dataset = f", dataset {use.dataset}" if use.dataset else ""
        yield (
            f"    {row.at[:10]} {row.atom} by {use.organisation}, run {printable(row.run)}{dataset}: {owed}{why}"
            f"  {row.source}, entry {use.index}" + (f", {use.transfer}" if use.transfer else "")
        )
    for charge in month.charges:
        yield f"    charged at the close with the other works of {charge.licence}: {charge.transfer}"
    for entry in month.entries:
        yield f"    log entry {entry.index} at {entry.time}: {entry.kind} {entry.id}"
