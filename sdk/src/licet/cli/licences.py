"""``licet licences``: what is held, or holds one's works."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cyclopts import App

from licet import money
from licet.cli.levels import says_what_is_hidden
from licet.cli.output import COMMON, Common, show
from licet.cli.pricing import price_words
from licet.counted import many

if TYPE_CHECKING:
    from licet.wire.licensing import LicenceEnding

app = App(name="licences", help="List and show licences, ask for them, offer, accept and revoke them.")
app.command("licet.cli.agreeing:request", name="request", help="Ask artists for licences that have no stated price.")
app.command("licet.cli.agreeing:agree", name="agree", help="Take licences whose prices no single use fixes.")
app.command(
    "licet.cli.duties:revoke", name="revoke", help="Revoke a licence on your works, where its terms allow that."
)
app.command("licet.cli.requests:app", name="requests", help="Requests: list and show, offer, refuse, withdraw, accept.")


@app.command(name="list")
def list_licences(*, common: Common = COMMON) -> None:
    """List licences, newest first. Artists see those on their works from claim level 2 on.

    Below it `licet charges list` names the licence of whatever was charged for them.
    """
    with common.client() as client:
        found = list(client.licences())
        hidden = says_what_is_hidden(client, common, "licences on your works are listed")
    lines = [
        f"{licence.licence}  {licence.model}@{licence.version}  {many(licence.works, 'work')}  "
        + " ".join(money.written(total.amount, total.currency) for total in licence.totals)
        + ("  agreement" if licence.agreement else "")
        + "".join(f"  {_ending(each)}" for each in licence.revoked)
        for licence in found
    ]
    show(common, {"licences": found}, lines or ["None is shown." if hidden else "No licences."])


def _ending(each: LicenceEnding) -> str:
    until = "once the log has it" if each.at is None else f"held until {each.at[:10]}"
    return f"{many(each.works, 'work')} revoked, {until}"


@app.command(name="show")
def show_licence(licence: str, /, *, common: Common = COMMON) -> None:
    """Show one licence with its works, prices and log entry."""
    with common.client() as client:
        found = client.licence(licence)
    from licet.statements.agreed import line_price  # only where there is something to show

    lines = [f"{found.licence}, entry {found.receipt.log_index} of the log, {many(len(found.lines), 'work')}"]
    lines += [f"  {line.work}  {line.account}  {price_words(line_price(line).to_json())}" for line in found.lines]
    show(common, {"licence": found}, lines)
