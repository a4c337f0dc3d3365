"""``licet-registry disputes``: read, decided by an operator who is no party, and by another one after an appeal."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated, Any, Literal

import msgspec
from cyclopts import App, Parameter

from licet import identifiers, times
from licet.statements.disputes import REVIEWED_WITHIN
from registry.running.office import DataFolder, Json, attached, show
from registry.running.sequencing import sequencing
from registry.running.settling.asked import PAGE

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from licet.wire.common import Receipt
    from licet.wire.disputes import DisputeInfo

disputes = App(
    name="disputes", help="List disputes, show what their parties say, decide, and review what was appealed."
)


@disputes.command(name="list")
def list_disputes(
    *,
    state: Literal["open", "answered", "decided", "appealed", "upheld", "dismissed", "withdrawn"] | None = None,
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

    Whoever lost can appeal for 14 days, or accept it; until then nothing moves. Then a work is its opener's, and so is
    what it earned in escrow; a charge is taken back. Or all stands.

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
    from registry.disputes import deciding

    asyncio.run(_decides(deciding.decide, (dispute, by, outcome, reason, evidence or ()), data, as_json=as_json))


@disputes.command(name="review")
def review_dispute(
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
    """Decide again what was appealed, by another operator than who decided first: that is the end of the dispute.

    Parameters
    ----------
    dispute
        The dispute, dsp_…
    outcome
        For whoever opened it, or against, whatever was decided first.
    by
        Who decides, is no party and did not decide first: an operator's account, opr_…
    reason
        Why, in words that both parties will read.
    evidence
        Works, statements, transfers, or entries of the log (log:123) that it rests on.
    """
    from registry.disputes import deciding

    asyncio.run(_decides(deciding.review, (dispute, by, outcome, reason, evidence or ()), data, as_json=as_json))


async def _decides(
    decides: Callable[..., Awaitable[Receipt]], said: tuple[Any, ...], data: Path | None, *, as_json: bool
) -> None:
    from registry.app import connect_domains
    from registry.disputes import service

    dispute, _, outcome, *_ = said
    async with attached(data) as services:
        connect_domains(services)
        async with sequencing(services):
            index = (await decides(services, *said)).log_index
        info = (await service.shown(services, None, identifiers.to_uuid(dispute, "dsp", field="dispute"))).dispute
    until = None if info.ended_at else info.appeal_until
    next_ = "it is over" if until is None else f"whoever lost can appeal until {until}"
    show(
        as_json,
        f"{dispute}: {outcome}, log index {index}; {next_}",
        dispute=dispute,
        outcome=outcome,
        log_index=index,
        appeal_until=until,
    )


def _line(each: DisputeInfo) -> str:
    held = "" if each.holds or each.ended_at is not None else ", holds nothing"
    decided = ""
    if each.ended_at is None and each.decided is not None:
        decided = f" {each.decided} by {each.decided_by}, {_next(each)}"
    parties = f"{each.account} against {each.against}"
    return f"{each.dispute}  {each.state}{decided}{held}  {parties} about {each.subject}, opened {each.opened_at[:10]}"


def _next(each: DisputeInfo) -> str:
    if each.appealed_at is None:
        return f"appeal until {(each.appeal_until or '')[:10]}"
    by = times.from_text(each.appealed_at) + REVIEWED_WITHIN
    return f"review {'due by' if times.now() < by else 'late since'} {times.to_text(by)[:10]}"
