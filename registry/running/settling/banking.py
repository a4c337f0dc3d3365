"""``licet-registry bank`` and ``payments``: what the bank booked, and what was paid without it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

from cyclopts import App

from licet import identifiers, money
from registry.errors import Invalid
from registry.running.office import DataFolder, Json, attached, show
from registry.running.settling.asked import Named

bank = App(name="bank", help="Record the bank's statements, and match what they leave open.")
payments = App(name="payments", help="Record a payment without a bank's statement.")


@bank.command
def record(file: Path, /, *, data: DataFolder = None, as_json: Json = False) -> None:
    """Record a bank's statement (ISO 20022 camt.053.001.08): payments in, and those that were taken back.

    The same file again has no effect. What nobody can tell is in suspense: `licet-registry bank list --suspense`.

    Parameters
    ----------
    file
        The XML file.
    """
    from registry.settlement import banking
    from registry.settlement.documents import LARGEST

    try:
        with file.open("rb") as opened:
            content = opened.read(LARGEST + 1)
    except OSError as error:
        raise Invalid(f"{file}: expected a readable file, got {error.strerror}") from None

    async def run() -> None:
        async with attached(data) as services:
            recorded = await banking.record(services, content, str(file))
        documents = [
            {
                "statement": each.statement.name,
                "account": each.statement.account,
                "page": each.statement.page,
                "new": each.new,
                "known": each.known,
                "not_booked": each.statement.passed_over,
                "suspense": each.suspense,
            }
            for each in recorded
        ]
        lines = [
            f"statement {each['statement']} of {each['account']}: {each['new']} new, {each['known']} known, "
            f"{each['not_booked']} not booked, {each['suspense']} in suspense"
            for each in documents
        ]
        show(as_json, "\n".join(lines) or "no statements in the file", statements=documents)

    asyncio.run(run())


@bank.command(name="list")
def list_entries(
    *,
    suspense: bool = False,
    account: str | None = None,
    organisation: str | None = None,
    limit: int = 1000,
    data: DataFolder = None,
    as_json: Json = False,
) -> None:
    """List what the bank booked, the newest first.

    Parameters
    ----------
    suspense
        Only what nobody could tell, all of it.
    account
        Only this account of the registry's.
    organisation
        Only payments of this organisation.
    limit
        At most so many.
    """
    from registry.settlement import service

    only = None if organisation is None else identifiers.to_uuid(organisation, "org", field="organisation")

    async def run() -> None:
        async with attached(data) as services, services.database.acquire() as conn:
            found = await service.entries(conn, suspense=suspense, account=account, organisation=only, limit=limit)
        lines = [_entry(each) for each in found] or ["nothing in suspense" if suspense else "nothing booked"]
        show(as_json, "\n".join(lines), entries=found)

    asyncio.run(run())


@bank.command
def match(
    entry: str,
    /,
    *,
    invoice: Named = None,
    organisation: str | None = None,
    returns: str | None = None,
    remittance: str | None = None,
    charges: bool = False,
    data: DataFolder = None,
    as_json: Json = False,
) -> None:
    """Say what an entry in suspense is.

    Parameters
    ----------
    entry
        The entry, pay_…
    invoice
        It pays these invoices: inv_…, a number, or a reference.
    organisation
        It is this organisation's money, org_…
    returns
        It takes this payment back, pay_…
    remittance
        It pays this remittance, or brings it back, rem_…; the difference is what the bank kept for its services, which
        the registry bears.
    charges
        It is what the bank takes for its services, or gives.
    """
    from registry.settlement import banking

    async def run() -> None:
        async with attached(data) as services:
            kept = await banking.match(
                services,
                entry,
                invoices=invoice or (),
                organisation=organisation,
                returns=returns,
                remittance=remittance,
                charges=charges,
            )
        also = f"; the bank kept {money.to_decimal(kept)}" if kept else ""
        show(as_json, f"{entry} is matched{also}", matched=entry, kept=money.to_decimal(kept))

    asyncio.run(run())


@payments.command(name="record")
def record_payment(
    *,
    organisation: str,
    amount: str,
    reference: str,
    reason: str,
    invoice: Named = None,
    account: str = "MANUAL",
    on: str | None = None,
    data: DataFolder = None,
    as_json: Json = False,
) -> None:
    """Record a payment that no bank's statement tells of; once for each reference.

    Parameters
    ----------
    organisation
        Who paid, org_…
    amount
        How much, such as 100USD.
    reference
        What the payment is called where it is proven: recorded again under it, it has no further effect.
    reason
        Why it is recorded by hand, in a sentence.
    invoice
        The invoices that it pays: inv_…, a number, or a reference; default: the oldest.
    account
        The account of the registry's that it came to.
    on
        The day on which it came, such as 2026-11-30; default: today.
    """
    from registry.settlement import banking

    value = money.parse(amount)
    try:
        day = None if on is None else date.fromisoformat(on)
    except ValueError:
        raise Invalid.field("on", "a date such as 2026-11-30", on) from None

    async def run() -> None:
        async with attached(data) as services:
            payment = await banking.record_by_hand(
                services,
                organisation,
                value.micro,
                value.currency,
                reference=reference,
                reason=reason,
                invoices=invoice or (),
                account=account,
                booked_on=day,
            )
        name = identifiers.from_uuid("pay", payment)
        show(as_json, f"recorded {name}: {value} of {organisation}", payment=name)

    asyncio.run(run())


def _entry(each: dict[str, Any]) -> str:
    what: Sequence[str | None] = (
        each["entry"],
        each["booked_on"],
        money.written(each["amount"], each["currency"]),
        each["suspense"] and f"in suspense: {each['suspense']}",
        None if each["suspense"] else each["against"],
        each["party"],
        " ".join(each["references"]) or None,
        each["about"] or each["reason"] or None,
    )
    return "  ".join(part for part in what if part)
