"""``licet audit finding`` and ``findings``: what does not hold, stated by an auditor for whom it concerns to read."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from licet.cli.asking import confirm
from licet.cli.output import COMMON, Common, printable, show
from licet.counted import many
from licet.errors import InputError

if TYPE_CHECKING:
    from licet.client import Client
    from licet.datasets.usage.sampling import Sampled
    from licet.wire.auditing import FindingInfo, FindingLogged


def finding(
    summary: Annotated[str, Parameter(help="What does not hold, in words.")],
    /,
    *,
    concerns: Annotated[str, Parameter(help="Whose books they are: org_… or art_….")],
    period: Annotated[str, Parameter(help="A month, such as 2026-11.")],
    check: Annotated[str, Parameter(help="The check that failed, as `licet audit verify` names it.")],
    about: Annotated[str | None, Parameter(help="The statement that does not hold: dst_…, bat_…, lic_….")] = None,
    document: Annotated[str | None, Parameter(help="The SHA-256 of its payload.")] = None,
    evidence: Annotated[Path | None, Parameter(help="The file that shows it: its SHA-256 is signed.")] = None,
    examined: Annotated[int, Parameter(help="How many things were examined.")] = 1,
    failed: Annotated[int, Parameter(help="How many of them do not hold.")] = 1,
    yes: Annotated[bool, Parameter(negative="", help="Do not ask.")] = False,
    common: Common = COMMON,
) -> None:
    """State a finding: sign it with a key of your own and put it into the log, where those concerned read it."""
    from licet.audit.layout import period_of
    from licet.client.findings import state_finding

    month = period_of(period, "--period").name
    told = [
        f"{concerns}, {month}: {check}{f' in {about}' if about else ''}, {failed:,} of {examined:,}",
        f"  {printable(summary)}",
        f"  {'no file shows it' if evidence is None else f'shown by {evidence}'}",
        "It is signed with your key and stays in the log; they, operators and auditors of that month read it.",
    ]
    with common.client() as client:
        done = state_finding(
            client,
            concerns=concerns,
            period=month,
            check=check,
            summary=summary,
            about=about,
            document=document,
            shown_by=evidence,
            examined=examined,
            failed=failed,
            sure=lambda: confirm(told, "State this finding? [y/N]", yes=yes, nothing="nothing was stated"),
        )
    document_ = {"finding": done.finding, "log_index": done.receipt.log_index, "concerns": concerns}
    show(common, document_, [_said(done, concerns)])


def findings(
    *,
    concerns: Annotated[str | None, Parameter(help="Only those about this account.")] = None,
    period: Annotated[str | None, Parameter(help="Only those of this month.")] = None,
    limit: Annotated[int | None, Parameter(help="At most this many; default: all.")] = None,
    common: Common = COMMON,
) -> None:
    """List the findings that you stated, or that are about your own books, the newest first."""
    asked = {name: value for name, value in (("concerns", concerns), ("period", period)) if value is not None}
    with common.client() as client:
        found = list(client.findings(limit=limit, **asked))
    lines = [line for each in found for line in _told(each)] or ["No auditor has found anything."]
    show(common, {"findings": found}, lines)


def of_sample(client: Client, found: Sampled, period: str, shown_by: Path | None) -> FindingLogged:
    """Return once the rows of ``found`` that do not hold are a finding in the log; raises ``InputError`` if all do."""
    from licet.audit.layout import period_of
    from licet.client.findings import state_finding
    from licet.statements.kinds import FoundRow

    if found.organisation is None:
        raise InputError("--report: expected a manifest that an organisation signed, got an unregistered one")
    rows = [
        FoundRow(each.part, each.row, each.recorded, each.decided, each.why or "")
        for each in found.rows
        if each.state == "fails"
    ]
    return state_finding(
        client,
        concerns=found.organisation,
        period=period_of(period, "--report").name,
        check="sample",
        summary=f"{many(found.failed, 'row')} of {found.sampled:,} that were drawn from {found.dataset} by the seed "
        f"{found.seed.value} are recorded otherwise than they are decided",
        about=found.dataset,
        document=found.manifest,
        shown_by=shown_by,
        rows=rows,
        examined=found.sampled,
        failed=found.failed,
    )


def _said(done: FindingLogged, concerns: str) -> str:
    return f"{done.finding} is in the log, entry {done.receipt.log_index}; {concerns} is told of it."


def _told(found: FindingInfo) -> Iterator[str]:
    entry = "not in the log yet" if found.log_index is None else f"entry {found.log_index} of the log"
    about = "" if found.about is None else f" in {printable(found.about)}"
    yield f"{found.finding}  {found.period}  {found.concerns}: {found.check}{about}, by {found.auditor}, {entry}"
    yield f"  {found.failed:,} of {found.examined:,}: {printable(found.summary)}"
