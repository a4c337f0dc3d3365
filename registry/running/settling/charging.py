"""``licet-registry charges``: taken back, or held because somebody contests them."""

from __future__ import annotations

import asyncio
from typing import Literal

from cyclopts import App

from registry.running.office import DataFolder, Json, attached, show

charges = App(name="charges", help="Refund a charge, or hold one that its licensee contests.")


@charges.command(name="refund")
def refund_charge(transfer: str, /, *, reason: str, data: DataFolder = None, as_json: Json = False) -> None:
    """Negate a charge, once, with a credit note if it was invoiced.

    Parameters
    ----------
    transfer
        The charge, tra_…
    reason
        Why, in a sentence.
    """
    from registry.settlement import refunding

    async def run() -> None:
        async with attached(data) as services:
            issued = await refunding.refund(services, transfer, reason)
        notes = [each.number for each in issued]
        said = "".join(f", credit note {each}" for each in notes)
        show(as_json, f"{transfer} is refunded{said}", refunded=transfer, credit_notes=notes)

    asyncio.run(run())


@charges.command(name="contest")
def contest_charge(transfer: str, /, *, reason: str, data: DataFolder = None, as_json: Json = False) -> None:
    """Hold in escrow what a charge credited, because its licensee contests it.

    Parameters
    ----------
    transfer
        The charge, tra_…
    reason
        What the licensee says, in a sentence.
    """
    from registry.settlement import refunding

    async def run() -> None:
        async with attached(data) as services:
            await refunding.contest(services, transfer, reason)
        show(as_json, f"{transfer} is contested", contested=transfer)

    asyncio.run(run())


@charges.command(name="decide")
def decide_charge(
    transfer: str, /, *, outcome: Literal["stands", "refunded"], data: DataFolder = None, as_json: Json = False
) -> None:
    """Decide on a contested charge.

    Parameters
    ----------
    transfer
        The charge, tra_…
    outcome
        It stands, or is refunded.
    """
    from registry.settlement import refunding

    async def run() -> None:
        async with attached(data) as services:
            issued = await refunding.decide(services, transfer, refunded=outcome == "refunded")
        notes = [each.number for each in issued]
        show(as_json, f"{transfer}: {outcome}", transfer=transfer, outcome=outcome, credit_notes=notes)

    asyncio.run(run())
