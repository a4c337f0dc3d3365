"""What a licence owes: one arithmetic for whoever signs the figures and whoever posts them (semantics 18 to 20).

============================  ========  =====================================================================
price model                   unit      an event is owed for
============================  ========  =====================================================================
``free``, ``attribution``     work      nothing: one event of zero per work and licence
``per-work``                  work      the amount, once per work and licence
``per-training-run``          run       the amount, once per work and run
``per-output``                output    the amount times the reported quantity, per run and ``seq``
agreed, and not by the unit   run       nothing: units are counted, amounts allocated when the month closes
============================  ========  =====================================================================

By the unit are the first four without a least, a most or a period. Outputs within such bounds are counted as outputs.

What is owed once per licence carries the licence's own run in its id, whichever run reports it: so it is the same
event every time, and has one effect. Accepting a licence reports its first run; nothing is owed for outputs yet.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Final

from msgspec import UNSET

from licet import money
from licet.errors import InputError
from licet.statements.kinds import Event, LicenceLine, Total
from licet.statements.licences import event_id
from licet.terms import NEEDS_AGREEMENT, UNITS

BPS: Final = 10_000
ONCE: Final = frozenset({"work", "run"})
"""Units of which there is one per event."""
_CLOCKS: Final = timedelta(days=1)


def begins(issued_at: datetime) -> datetime:
    """Return from when on uses are under a licence of ``issued_at``: a day earlier, as clocks and their zones differ.

    What is said to have been used before, nobody had licensed, and no licence is for it.
    """
    return issued_at - _CLOCKS


def allocated(line: LicenceLine) -> bool:
    """Whether what ``line`` is owed follows from no single use: it is allocated when a month closes."""
    if line.agreed is UNSET:
        return False
    bounds = (line.agreed.minimum, line.agreed.cap, line.agreed.period)
    return line.model in NEEDS_AGREEMENT or any(each is not None for each in bounds)


def unit_of(line: LicenceLine) -> str:
    """Return what one ``amount`` of ``line`` pays for: ``work``, ``run`` or ``output``; else ``InputError``."""
    unit = UNITS.get(line.model, "")
    if unit not in ONCE and unit != "output":
        if allocated(line):
            return "run"
        raise InputError.field("model", "a price model that is priced at accept", line.model)
    return unit


def due_at_accept(line: LicenceLine) -> int:
    """Return the micro-units that accepting the licence makes owed for ``line``: its price, or nothing per output."""
    return line.amount if unit_of(line) in ONCE and not allocated(line) else 0


def run_events(
    *,
    organisation: str,
    licence: str,
    first_run: str,
    run: str,
    lines: Sequence[LicenceLine],
    at: str,
    outputs: int = 0,
    seq: int = 0,
) -> list[Event]:
    """Return the events of training run ``run`` on the works in ``lines`` of ``licence``, sorted by id.

    ``first_run`` is the run that the licence names; ``outputs`` is how many the model made under ``seq`` (reported
    once per ``seq``). Works priced per output have an event only if there are outputs.
    """
    events = []
    for line in lines:
        unit = unit_of(line)
        if unit == "output" and not outputs:
            continue
        named, number = (run, seq) if unit == "output" else (first_run if unit == "work" else run, 0)
        events.append(
            Event(
                id=event_id(organisation, licence, line.work, named, line.atom, unit, number),
                licence=licence,
                statement=None,
                work=line.work,
                atom=line.atom,
                run=named,
                unit=unit,
                seq=number,
                quantity=outputs if unit == "output" else 1,
                at=at,
                match=line.match,
            )
        )
    events.sort(key=lambda event: event.id)
    return events


def fee_of(gross: int, bps: int) -> int:
    """Return the fee of ``gross`` micro-units in whole ones; what is given back of a sum is what was taken of it."""
    fee = abs(gross) * bps // BPS
    return fee if gross >= 0 else -fee


def owed(line: LicenceLine, event: Event, first_run: str) -> int | None:
    """Return the micro-units that ``event`` is owed under ``line``; None if it is not in the line's own atom and unit:
    a licence for several uses is paid by one of them, and a run is not reported by calling it another.

    Whether the same event was reported before is not asked: then it is owed nothing more. What is owed once per
    licence is owed in the licence's own run, in any other nothing. A correction is owed the difference, which may be
    negative.
    """
    unit = unit_of(line)
    if (event.work, event.atom, event.unit) != (line.work, line.atom, unit):
        return None
    if allocated(line) or (unit == "work" and event.run != first_run):
        return 0
    return line.amount * (event.quantity - (0 if event.was is UNSET else event.was))


def totals(owed_for: Iterable[tuple[str | None, str, int]]) -> list[Total]:
    """Return (currency, work, micro-units) added up per currency, in the order of currencies; without one, left out.

    ``works`` counts distinct works, also those owed nothing in their currency. Raises ``InputError`` for a sum beyond
    what canonical JSON can hold.
    """
    amounts: dict[str, int] = {}
    works: dict[str, set[str]] = {}
    for currency, work, amount in owed_for:
        if currency is not None:
            amounts[currency] = amounts.get(currency, 0) + amount
            works.setdefault(currency, set()).add(work)
    for currency, amount in amounts.items():
        if abs(amount) > money.LARGEST:
            raise InputError.field("totals", f"at most {money.to_decimal(money.LARGEST)} {currency}", amount)
    return [Total(currency, amounts[currency], len(works[currency])) for currency in sorted(amounts)]
