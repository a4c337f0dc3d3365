"""``licet licences``: what is held, or holds one's works."""

from __future__ import annotations

from cyclopts import App

from licet import money
from licet.cli.output import COMMON, Common, show
from licet.counted import many

app = App(name="licences", help="List and show the licences that you hold, or that hold your works.")


@app.command(name="list")
def list_licences(*, common: Common = COMMON) -> None:
    """List licences, newest first. Artists see those on their works from claim level 2 on."""
    with common.client() as client:
        found = list(client.licences())
    lines = [
        f"{licence.licence}  {licence.model}@{licence.version}  {many(licence.works, 'work')}  "
        + " ".join(f"{money.to_decimal(total.amount)} {total.currency}" for total in licence.totals)
        for licence in found
    ]
    show(common, {"licences": found}, lines or ["No licences (those on your works show from claim level 2 on)."])


@app.command(name="show")
def show_licence(licence: str, /, *, common: Common = COMMON) -> None:
    """Show one licence with its works, prices and log entry."""
    with common.client() as client:
        found = client.licence(licence)
    lines = [f"{found.licence}, entry {found.receipt.log_index} of the log, {many(len(found.lines), 'work')}"]
    lines += [
        f"  {line.work}  {line.account}  {line.model}  {money.to_decimal(line.amount)} {line.currency or ''}"
        for line in found.lines
    ]
    show(common, {"licence": found}, lines)
