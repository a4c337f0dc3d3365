"""``licet remittances`` and ``licet payout``: what was paid to the account, line by line, and where to."""

from __future__ import annotations

from typing import Annotated

from cyclopts import App, Parameter

from licet import money
from licet.cli.output import COMMON, Common, show
from licet.counted import many
from licet.errors import InputError
from licet.wire.settlement import LocalAccount, Payout, RemittanceInfo

app = App(name="remittances", help="List and show what you were paid.")
payout = App(name="payout", help="Say where you are paid, or show it.")


@app.command(name="list")
def list_remittances(*, common: Common = COMMON) -> None:
    """List what you were paid or is on its way to you, newest first."""
    with common.client() as client:
        found = list(client.remittances())
    show(common, {"remittances": found}, [_line(each) for each in found] or ["No remittances."])


@app.command(name="show")
def show_remittance(remittance: str, /, *, common: Common = COMMON) -> None:
    """Show the lines that a remittance paid, each with what it comes from."""
    with common.client() as client:
        lines = list(client.remittance_lines(remittance))
    said = [f"{each.at[:10]}  {each.source}  {each.amount}  {each.kind}  {each.transfer}" for each in lines]
    show(common, {"remittance": remittance, "lines": lines}, said)


@payout.command(name="set")
def set_payout(
    *,
    name: Annotated[str, Parameter(help="Your name as your bank has it, in any script.")],
    country: Annotated[str, Parameter(help="Where you live, such as CN or DE.")],
    iban: Annotated[str | None, Parameter(help="The account, such as DE89 3704 0044 0532 0130 00.")] = None,
    account: Annotated[str | None, Parameter(help="Its number, where the bank's country has no IBANs.")] = None,
    bank: Annotated[str | None, Parameter(help="The bank's country, where it is not the one you live in.")] = None,
    bic: Annotated[str | None, Parameter(help="The bank's BIC, such as BKCHCNBJ.")] = None,
    clearing: Annotated[
        str | None, Parameter(help="What the country calls the bank: CNAPS code, ABA routing number, BSB.")
    ] = None,
    common: Common = COMMON,
) -> None:
    """Say where you are paid; your root key signs for it. Nothing is paid there before some days have passed.

    In China it takes --account and --bic, in the United States --account and --clearing; elsewhere mostly --iban.
    """
    from licet.client import account as accounts

    local = None
    if account is not None:
        local = LocalAccount(bank or country, account, bic, clearing)
    elif bank is not None or clearing is not None:
        raise InputError("--bank and --clearing: expected with --account, got none")
    with common.client() as client:
        client.transport.token = accounts.stepped_up(client, ["payout"]).token
        done = client.set_payout(name, country, iban=iban, bic=None if local else bic, account=local)
    show(common, {"payout": done}, [_payout(done)])


@payout.command(name="show")
def show_payout(*, common: Common = COMMON) -> None:
    """Show where you are paid; of the account number only how it ends."""
    with common.client() as client:
        found = client.payout().payout
    show(common, {"payout": found}, ["No payout details were given."] if found is None else [_payout(found)])


def _payout(each: Payout) -> str:
    bank = f" at {each.bic}" if each.bic else ""
    return (
        f"{each.name}, {each.country}, account in {each.bank}{bank} ending in {each.ends}, "
        f"from {each.usable_at[:16]} on"
    )


def _line(each: RemittanceInfo) -> str:
    booked = f" on {each.booked_on}" if each.booked_on else ""
    return (
        f"{each.remittance}  {each.period}: {money.written(each.amount, each.currency)}, {each.state}{booked}, "
        f"{many(each.lines, 'line')}"
    )
