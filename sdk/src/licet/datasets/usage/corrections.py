"""Setting right what was reported of a run's outputs: the right number under a signature, and the difference owed.

Nothing that was reported is taken back or changed: a correction is an event of its own that names the one it corrects
and what was said of it last, so it has one effect however often it is sent.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import msgspec
from msgspec import UNSET

from licet.client import Client
from licet.datasets.licensing.wanted import shown_totals
from licet.datasets.results.decisions_file import DecisionsFile
from licet.datasets.usage.spool import Owed, Report, Spool
from licet.errors import InputError
from licet.statements.kinds import Event
from licet.statements.licences import correction_id
from licet.statements.owed import totals

_MOST: Final = 10**12


class Corrected(msgspec.Struct, frozen=True, kw_only=True):
    """What a correction came to. ``totals`` are what is owed more, or less where negative, by this call."""

    run: str
    model: str
    dataset: str
    corrected: int
    new: int
    known: int
    memorandum: int
    totals: list[dict[str, Any]]


def correct_outputs(client: Client, given: str | Path, model: str, run: str, outputs: int, seq: int = 0) -> Corrected:
    """Return once the registry has it that the run made ``outputs`` under ``seq``, whatever was reported from here.

    Raises ``InputError`` where no outputs of that run and ``seq`` were reported from here, ``ServiceError`` where the
    registry cannot be reached: the correction is in the spool then, and ``licet usage push`` sends it.
    """
    if not 0 <= outputs <= _MOST:
        raise InputError.field("outputs", f"0 to {_MOST}", outputs)
    manifest = DecisionsFile.find(Path(given).expanduser()).manifest
    if manifest is None:
        raise InputError(f"{given}: expected the manifest of the dataset beside it")
    account = client.need_account().account
    assert account is not None
    dataset = manifest.payload.dataset
    subject = f"{dataset}/{model}/{run}"
    corrections = f"{subject}/corrections"
    with Spool(client.home.spool) as spool:
        reported = [each for each in spool.reported(account.account, subject) if _is_of(each.event, seq)]
        if not reported:
            raise InputError.field(
                "run", f"a run of {model} on this dataset whose outputs were reported from here", run
            )
        due = _due(reported, spool.reported(account.account, corrections), outputs)
        spool.add(Report(account.account, corrections, dataset, None, [], due))
        mine = [sent for sent in spool.push(client).batches if sent.report == corrections]
    return Corrected(
        run=run,
        model=model,
        dataset=dataset,
        corrected=len(due),
        new=sum(sent.new for sent in mine),
        known=sum(sent.known for sent in mine),
        memorandum=sum(sent.memorandum for sent in mine),
        totals=shown_totals(totals((each.currency, each.event.work, each.amount) for each in due)),
    )


def _is_of(event: Event, seq: int) -> bool:
    return event.unit == "output" and event.seq == seq


def _due(reported: Sequence[Owed], corrected: Sequence[Owed], outputs: int) -> list[Owed]:
    """Return the corrections that lead from what was said last to ``outputs``."""
    last: dict[str, Event] = {}
    for each in sorted(corrected, key=lambda each: each.event.seq):
        if each.event.corrects is not UNSET:
            last[each.event.corrects] = each.event
    due = []
    for each in reported:
        event = each.event
        before = last.get(event.id)
        was, number = (event.quantity, 1) if before is None else (before.quantity, before.seq + 1)
        if was == outputs:
            continue
        fixed = msgspec.structs.replace(
            event,
            id=correction_id(event.id, number),
            seq=number,
            quantity=outputs,
            corrects=event.id,
            was=was,
        )
        due.append(Owed(fixed, each.currency, each.amount // event.quantity * (outputs - was)))
    return due
