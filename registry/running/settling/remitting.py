"""``licet-registry remittances``: what artists are paid."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

from licet import identifiers, money
from registry.errors import Invalid
from registry.running.office import DataFolder, Json, attached, show
from registry.running.settling.asked import last_month

remittances = App(name="remittances", help="Pay artists: orders for the bank.")


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

    chosen = period or last_month()

    async def run() -> None:
        with _writing(output) as write:
            async with attached(data) as services:
                prepared = await remitting.prepare(services, chosen)
                if prepared.file is not None:
                    content = await remitting.order(services, prepared.file)
                    write(content, f"order {prepared.file.hex} is prepared all the same")
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
        lines = [f"{each['remittance']}  {each['account']}  {_sum(each, 'amount')}" for each in paid]
        lines += [f"waits: {each['account']}  {_sum(each, 'payable')}  {each['why']}" for each in waiting]
        name = prepared.file and prepared.file.hex
        lines.append(f"{len(paid)} prepared, order {name} in {output}" if paid else _nothing_to_pay(chosen))
        show(as_json, "\n".join(lines), period=chosen, order=name, prepared=paid, waiting=waiting)

    asyncio.run(run())


def _sum(each: dict[str, str], name: str) -> str:
    return money.written(each[name], each["currency"])


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

    try:
        number = UUID(order)
    except ValueError:
        raise Invalid.field("order", "32 hexadecimal digits", order) from None

    async def run() -> None:
        with _writing(output) as write:
            async with attached(data) as services:
                write(await remitting.order(services, number), f"order {number.hex} is as it was")
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


@contextmanager
def _writing(output: Path) -> Iterator[Callable[[bytes, str], None]]:
    """Give what writes the file, made before anything is prepared and gone again if nothing is written.

    Whoever pays by the file must be able to read it, and nobody else. Raises ``Invalid`` naming the file.
    """
    try:
        file = os.fdopen(os.open(output, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")
    except FileExistsError:
        raise Invalid(f"{output}: expected a file that is not there yet") from None
    except OSError as error:
        raise Invalid(f"{output}: expected a place for a new file, got {error.strerror or error}") from None
    written = False

    def write(content: bytes, so_far: str) -> None:
        nonlocal written
        try:
            file.write(content)
            file.flush()
        except OSError as error:
            again = f"{so_far}: `licet-registry remittances order` writes it once there is room"
            raise Invalid(f"{output}: expected to write there, got {error.strerror or error}; {again}") from None
        written = True

    try:
        yield write
    finally:
        with suppress(OSError):  # what could not be written was said
            file.close()
        if not written:
            output.unlink(missing_ok=True)
