"""``licet-registry disputes``: read, and decided by an operator who is no party."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated, Literal

import msgspec
from cyclopts import App, Parameter

from licet import identifiers
from registry.running.office import DataFolder, Json, attached, show
from registry.running.sequencing import sequencing
from registry.running.settling.asked import PAGE

if TYPE_CHECKING:
    from licet.wire.disputes import DisputeInfo

disputes = App(name="disputes", help="List disputes, show what their parties say, and decide.")


@disputes.command(name="list")
def list_disputes(
    *,
    state: Literal["open", "answered", "upheld", "dismissed", "withdrawn"] | None = None,
    data: DataFolder = None,
    as_json: Json = False,
) -> None:
    """List disputes, the newest first.

    Parameters
    ----------
    state
        Only those in this state.
    """
    from registry.disputes import service
    from registry.http.paging import Asked

    async def run() -> None:
        found: list[DisputeInfo] = []
        async with attached(data) as services, services.database.acquire() as conn:
            asked = Asked("disputes", "-opened", PAGE)
            while True:
                page = await service.listed(conn, None, asked, state=state)
                found += page.items
                if page.next is None:
                    break
                asked = asked._replace(cursor=page.next)
        lines = [_line(each) for each in found] or ["no disputes"]
        show(as_json, "\n".join(lines), disputes=[msgspec.to_builtins(each) for each in found])

    asyncio.run(run())


@disputes.command(name="show")
def show_dispute(dispute: str, /, *, data: DataFolder = None, as_json: Json = False) -> None:
    """Show one dispute with what each party says.

    Parameters
    ----------
    dispute
        The dispute, dsp_…
    """
    from licet.statements import envelope as envelopes
    from licet.statements.kinds import DisputeStep
    from registry.disputes import service

    number = identifiers.to_uuid(dispute, "dsp", field="dispute")

    async def run() -> None:
        async with attached(data) as services:
            found = await service.shown(services, None, number)
        lines, steps = [_line(found.dispute)], []
        for each in found.steps:
            if each.document is None:
                lines.append(f"{each.step}: erased, or not in the published log yet")
                continue
            said = envelopes.read_as(DisputeStep, each.document.envelope)
            steps.append(msgspec.to_builtins(said))
            word = said.position or said.outcome
            lines.append(f"{each.step}{f', {word}' if word else ''}: {said.account} on {said.issued_at[:10]}")
            lines += [f"  {line}" for line in said.text.split("\n")]  # printable, or it could not be signed
            lines += [f"  evidence: {reference}" for reference in said.evidence]
        show(as_json, "\n".join(lines), dispute=msgspec.to_builtins(found.dispute), steps=steps)

    asyncio.run(run())


@disputes.command(name="decide")
def decide_dispute(
    dispute: str,
    /,
    *,
    outcome: Literal["upheld", "dismissed"],
    by: str,
    reason: str,
    evidence: Annotated[list[str] | None, Parameter(consume_multiple=True, negative="")] = None,
    data: DataFolder = None,
    as_json: Json = False,
) -> None:
    """Decide a dispute, as a statement of the registry's office in the log: whose signature controls the record.

    A work is its opener's from then on, and so is what it earned in escrow; a charge is taken back. Or all stands.

    Parameters
    ----------
    dispute
        The dispute, dsp_…
    outcome
        For whoever opened it, or against.
    by
        Who decides and is no party: an operator's account, opr_…
    reason
        Why, in words that both parties will read.
    evidence
        Works, statements, transfers, or entries of the log (log:123) that it rests on.
    """
    from registry.app import connect_domains
    from registry.disputes import deciding

    async def run() -> None:
        async with attached(data) as services:
            connect_domains(services)
            async with sequencing(services):
                receipt = await deciding.decide(services, dispute, by, outcome, reason, evidence or ())
        index = receipt.log_index
        show(as_json, f"{dispute}: {outcome}, log index {index}", dispute=dispute, outcome=outcome, log_index=index)

    asyncio.run(run())


def _line(each: DisputeInfo) -> str:
    held = "" if each.holds or each.ended_at is not None else ", holds nothing"
    return (
        f"{each.dispute}  {each.state}{held}  {each.account} against {each.against} about {each.subject}, opened "
        f"{each.opened_at[:10]}"
    )
