"""``licet usage``: what was used and is still to be sent."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

from licet import money
from licet.cli.output import COMMON, Common, progress, show
from licet.counted import many

app = App(name="usage", help="Send spooled usage, show what is still to be sent, or correct what was.")


@app.command
def push(*, common: Common = COMMON) -> None:
    """Send everything that waits; what was sent before has no second effect."""
    from licet.datasets.usage.spool import Spool

    with common.client() as client, Spool(client.home.spool) as spool:
        waiting = spool.status().waiting_events
        with progress("sending", waiting) as advance:
            done = spool.push(client, advance)
    new, known = sum(sent.new for sent in done.batches), sum(sent.known for sent in done.batches)
    document = {
        "new": new,
        "known": known,
        "memorandum": sum(sent.memorandum for sent in done.batches),
        "batches": done.batches,
        "statements": done.statements,
        "left": done.left,
    }
    went = f"{many(len(done.batches), 'batch', 'batches')} and {many(done.statements, 'statement')}"
    line = f"{went} sent: {many(new, 'use')} posted, {known} known before."
    show(common, document, [line])


@app.command
def correct(
    *,
    model: Annotated[str, Parameter(help="ORG/NAME@VERSION, as the run was reported.")],
    dataset: Annotated[Path, Parameter(help="The manifest of the dataset.")],
    run: Annotated[str, Parameter(help="Your name for the run.")],
    outputs: Annotated[int, Parameter(help="How many outputs there really were; 0 for none.")],
    seq: Annotated[int, Parameter(help="Which report of outputs of this run it is.")] = 0,
    common: Common = COMMON,
) -> None:
    """Set right how many outputs a run made: the difference is owed, or given back, in the month that is open."""
    from licet.datasets.usage.corrections import correct_outputs

    with common.client() as client:
        done = correct_outputs(client, dataset, model, run, outputs, seq)
    owed = ", ".join(money.written(total["amount"], total["currency"]) for total in done.totals) or "nothing"
    line = f"{many(done.corrected, 'use')} of run {run} corrected to {outputs:,} outputs. The difference is {owed}."
    lines = [line] if done.corrected else [f"It stands at {outputs:,} outputs already: nothing is changed."]
    show(common, {name: getattr(done, name) for name in done.__struct_fields__}, lines)


@app.command
def status(*, common: Common = COMMON) -> None:
    """Show what waits, what was sent, and what the registry refuses."""
    from licet.datasets.usage.spool import Spool

    with common.client() as client, Spool(client.home.spool) as spool:
        found = spool.status()
    waiting = f"{many(found.waiting_events, 'use')} and {many(found.waiting_statements, 'statement')} wait to be sent."
    batches = many(found.sent_batches, "batch", "batches")
    sent = f"Sent: {many(found.sent_events, 'use')} in {batches}, the last at {found.last_sent_at}."
    lines = [waiting, *([sent] if found.sent_batches else [])]
    lines += [f"refused: {each['kind']} {each['subject']}: {each['problem']}" for each in found.refused]
    show(common, {name: getattr(found, name) for name in found.__struct_fields__}, lines)
