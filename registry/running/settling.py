"""The commands of ``licet-registry`` by which the office settles: invoices out, the bank's statements in.

With ``--json`` each prints one document on stdout.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import msgspec
from cyclopts import App, Parameter

from licet import identifiers, money, times
from registry.errors import Invalid
from registry.running.office import DataFolder, Json, attached, show

if TYPE_CHECKING:
    from licet.wire.settlement import InvoiceInfo

invoices = App(name="invoices", help="Issue invoices to organisations, and list them.")
bank = App(name="bank", help="Record the bank's statements, and match what they leave open.")
payments = App(name="payments", help="Record a payment without a bank's statement.")
remittances = App(name="remittances", help="Pay artists: orders for the bank.")
charges = App(name="charges", help="Refund a charge, or hold one that its licensee contests.")

Named = Annotated[list[str] | None, Parameter(name="--invoice", consume_multiple=True, negative="")]
_PAGE = 200


@invoices.command
def issue(
    *,
    period: str | None = None,
    organisation: str | None = None,
    small: bool = False,
    data: DataFolder = None,
    as_json: Json = False,
) -> None:
    """Invoice everything that organisations owe up to the end of a month and that is on no invoice yet.

    Doing it again issues nothing.

    Parameters
    ----------
    period
        The month, such as 2026-11; default: the last one that has ended.
    organisation
        The one organisation to invoice, org_…; default: all.
    small
        Also amounts below LICET_REGISTRY_INVOICE_MINIMUM.
    """
    from registry.settlement import billing

    chosen = period or times.to_text(times.now().replace(day=1) - timedelta(days=1))[:7]
    only = None if organisation is None else identifiers.to_uuid(organisation, "org", field="organisation")

    async def run() -> None:
        async with attached(data) as services:
            issued = await billing.issue(services, chosen, organisation=only, small=small)
        documents = [
            {
                "invoice": identifiers.from_uuid("inv", each.id),
                "number": each.number,
                "kind": each.kind,
                "organisation": identifiers.from_uuid("org", each.organisation),
                "due": money.to_decimal(each.due),
                "currency": each.currency,
                "reference": each.reference,
            }
            for each in issued
        ]
        lines = [
            f"{each['number']}  {each['kind']}  {each['organisation']}  {each['due']} {each['currency']}  "
            f"{each['reference']}"
            for each in documents
        ]
        lines.append(f"{len(issued)} issued for the time up to the end of {chosen}")
        show(as_json, "\n".join(lines), period=chosen, issued=documents)

    asyncio.run(run())


@invoices.command(name="list")
def list_invoices(
    *,
    organisation: str | None = None,
    currency: str | None = None,
    period: str | None = None,
    state: str | None = None,
    data: DataFolder = None,
    as_json: Json = False,
) -> None:
    """List invoices and credit notes, the newest first.

    Parameters
    ----------
    organisation
        Only those to this one, org_…
    currency
        Only those in this currency.
    period
        Only those of this month.
    state
        Only those that are open, partly-paid, overdue, paid, credit or used.
    """
    from registry.http.paging import Asked
    from registry.settlement import service

    only = None if organisation is None else identifiers.to_uuid(organisation, "org", field="organisation")

    async def run() -> None:
        found: list[InvoiceInfo] = []
        async with attached(data) as services, services.database.acquire() as conn:
            asked = Asked("invoices", "-issued", _PAGE)
            while True:
                page = await service.listed(conn, only, asked, currency=currency, period=period, state=state)
                found += page.items
                if page.next is None:
                    break
                asked = asked._replace(cursor=page.next)
        lines = [_shown(each) for each in found] or ["no invoices"]
        show(as_json, "\n".join(lines), invoices=[msgspec.to_builtins(each) for each in found])

    asyncio.run(run())


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
    charges
        It is what the bank takes for its services, or gives.
    """
    from registry.settlement import banking

    async def run() -> None:
        async with attached(data) as services:
            await banking.match(
                services,
                entry,
                invoices=invoice or (),
                organisation=organisation,
                returns=returns,
                charges=charges,
            )
        show(as_json, f"{entry} is matched", matched=entry)

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


@remittances.command
def prepare(
    *,
    output: Annotated[Path, Parameter(name=["--output", "-o"])],
    period: str | None = None,
    data: DataFolder = None,
    as_json: Json = False,
) -> None:
    """Put what is payable to artists on its way: an order for the bank (ISO 20022 pain.001.001.09).

    Parameters
    ----------
    output
        The file to write; one that is there is not overwritten.
    period
        What is paid was credited up to the end of this month; default: the last one that has ended.
    """
    from registry.settlement import remitting

    chosen = period or times.to_text(times.now().replace(day=1) - timedelta(days=1))[:7]
    if output.exists():
        raise Invalid(f"{output}: expected a file that is not there yet")

    async def run() -> None:
        async with attached(data) as services:
            prepared = await remitting.prepare(services, chosen)
            if prepared.file is not None:
                _write(output, await remitting.order(services, prepared.file))
        paid = [
            {
                "remittance": identifiers.from_uuid("rem", number),
                "account": account,
                "amount": money.to_decimal(amount),
                "currency": currency,
            }
            for number, account, currency, amount in prepared.paid
        ]
        waiting = [
            {"account": account, "currency": currency, "payable": money.to_decimal(amount), "why": why}
            for account, currency, amount, why in prepared.waiting
        ]
        lines = [f"{each['remittance']}  {each['account']}  {each['amount']} {each['currency']}" for each in paid]
        lines += [f"waits: {each['account']}  {each['payable']} {each['currency']}  {each['why']}" for each in waiting]
        name = prepared.file and prepared.file.hex
        lines.append(f"{len(paid)} prepared, order {name} in {output}" if paid else _nothing_to_pay(chosen))
        show(as_json, "\n".join(lines), period=chosen, order=name, prepared=paid, waiting=waiting)

    asyncio.run(run())


def _nothing_to_pay(period: str) -> str:
    return f"nothing to pay of what was credited up to the end of {period}"


@remittances.command(name="order")
def write_order(
    order: str,
    /,
    *,
    output: Annotated[Path, Parameter(name=["--output", "-o"])],
    data: DataFolder = None,
    as_json: Json = False,
) -> None:
    """Write an order again, without what was cancelled meanwhile.

    Parameters
    ----------
    order
        The order that `prepare` named.
    output
        The file to write; one that is there is not overwritten.
    """
    from uuid import UUID

    from registry.settlement import remitting

    if output.exists():
        raise Invalid(f"{output}: expected a file that is not there yet")
    try:
        number = UUID(order)
    except ValueError:
        raise Invalid.field("order", "32 hexadecimal digits", order) from None

    async def run() -> None:
        async with attached(data) as services:
            _write(output, await remitting.order(services, number))
        show(as_json, f"order {number.hex} in {output}", order=number.hex)

    asyncio.run(run())


@remittances.command(name="cancel")
def cancel_remittance(remittance: str, /, *, reason: str, data: DataFolder = None, as_json: Json = False) -> None:
    """Take back a remittance that the bank never booked: it is payable again.

    Parameters
    ----------
    remittance
        The remittance, rem_…
    reason
        Why, in a sentence.
    """
    from registry.settlement import remitting

    async def run() -> None:
        async with attached(data) as services:
            await remitting.cancel(services, remittance, reason)
        show(as_json, f"{remittance} is cancelled", cancelled=remittance)

    asyncio.run(run())


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


def _write(output: Path, content: bytes) -> None:
    """Whoever pays by the file must be able to read it, and nobody else."""
    with os.fdopen(os.open(output, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)


def _shown(each: InvoiceInfo) -> str:
    return (
        f"{each.number}  {each.invoice}  {each.organisation}  {each.kind} {each.period}  {each.due} {each.currency}  "
        f"{each.state}, {each.paid} paid  {each.reference}"
    )


def _entry(each: dict[str, Any]) -> str:
    what: Sequence[str | None] = (
        each["entry"],
        each["booked_on"],
        f"{each['amount']} {each['currency']}",
        each["suspense"] and f"in suspense: {each['suspense']}",
        None if each["suspense"] else each["against"],
        each["party"],
        " ".join(each["references"]) or None,
        each["about"] or each["reason"] or None,
    )
    return "  ".join(part for part in what if part)
