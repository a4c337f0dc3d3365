"""``licet usage``: what was used and is still to be sent."""

from __future__ import annotations

from cyclopts import App

from licet.cli.output import COMMON, Common, progress, show
from licet.counted import many

app = App(name="usage", help="Send spooled usage, or show what is still to be sent.")


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
