"""``licet usage``: what was used and is still to be sent."""

from __future__ import annotations

from cyclopts import App

from licet.cli.output import COMMON, Common, progress, show

app = App(name="usage", help="Send spooled usage, or show what is still to be sent.")


@app.command
def push(*, common: Common = COMMON) -> None:
    """Send everything that waits; what was sent before has no second effect."""
    from licet.datasets.spool import Spool

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
    line = (
        f"{len(done.batches)} batches and {done.statements} statements sent: {new} uses posted, {known} known before."
    )
    show(common, document, [line])


@app.command
def status(*, common: Common = COMMON) -> None:
    """Show what waits, what was sent, and what the registry refuses."""
    from licet.datasets.spool import Spool

    with common.client() as client, Spool(client.home.spool) as spool:
        found = spool.status()
    waiting = f"{found.waiting_events} uses and {found.waiting_statements} statements wait to be sent."
    sent = f"{found.sent_events} uses in {found.sent_batches} batches were sent, the last at {found.last_sent_at}."
    lines = [waiting, *([sent] if found.sent_batches else [])]
    lines += [f"refused: {each['kind']} {each['subject']}: {each['problem']}" for each in found.refused]
    show(common, {name: getattr(found, name) for name in found.__struct_fields__}, lines)
