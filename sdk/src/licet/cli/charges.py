"""``licet charges``: what an organisation was charged, what an artist was credited, charge by charge."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from cyclopts import App, Parameter

from licet import money
from licet.cli.output import COMMON, Common, show

app = App(name="charges", help="List what you were charged, or credited.")

_STATES = {
    "stands": "",
    "escrow": ", in escrow",
    "contested": ", contested",
    "refunded": ", taken back",
}


@app.command(name="list")
def list_charges(
    *,
    period: Annotated[str | None, Parameter(help="Only those of this month, such as 2026-11.")] = None,
    licence: Annotated[str | None, Parameter(help="Only those under this licence, lic_….")] = None,
    work: Annotated[str | None, Parameter(help="Only those for this work, wrk_….")] = None,
    currency: Annotated[str | None, Parameter(help="Only those in this currency.")] = None,
    common: Common = COMMON,
) -> None:
    """List charges, the newest first; one that is wrong can be disputed: `licet disputes open --charge`."""
    wanted: dict[str, Any] = {"period": period, "licence": licence, "work": work, "currency": currency}
    with common.client() as client:
        found = list(client.charges(**{name: value for name, value in wanted.items() if value is not None}))
    lines = [
        f"{each.charge}  {each.at[:10]}  {each.side} {money.written(each.amount, each.currency)}{_STATES[each.state]}"
        f"  {each.source}" + (f"  {each.dispute}" if each.dispute else "")
        for each in found
    ]
    show(common, {"charges": msgspec.to_builtins(found)}, lines or ["No charges."])
