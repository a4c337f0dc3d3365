"""``licet run``: say that a model was trained on a dataset, and owe what that costs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import App, Parameter

from licet import money
from licet.cli.asking import confirm
from licet.cli.output import COMMON, Common, note, show
from licet.counted import many

if TYPE_CHECKING:
    from licet.datasets.usage.runs import RunReported

app = App(name="run", help="Report a training run.")


@app.command
def report(
    *,
    model: Annotated[str, Parameter(help="ORG/NAME@VERSION that was trained.")],
    dataset: Annotated[Path, Parameter(help="The manifest of the dataset.")],
    run: Annotated[str, Parameter(help="Your name for the run; reporting it again costs nothing.")],
    outputs: Annotated[int, Parameter(help="What the model made, for works priced per output.")] = 0,
    seq: Annotated[int, Parameter(help="Which report of outputs of this run it is.")] = 0,
    offline: Annotated[bool, Parameter(negative="", help="Re-check against the snapshot that is here.")] = False,
    yes: Annotated[bool, Parameter(negative="", help="Do not ask.")] = False,
    common: Common = COMMON,
) -> None:
    """Re-check the dataset, state the run, and report the use of every licensed work in it."""
    from licet.datasets.usage.runs import report_run

    def sure(others: Mapping[str, str]) -> None:
        told = [f"{licence} is for {of}." for licence, of in others.items()]
        told.append(f"A run of {model} is outside of that: signed, public in the register, and not covered.")
        confirm(told, f"Report it all the same, as {model}? [y/N]", yes=yes, nothing="nothing was reported")

    with common.client() as client:
        done = report_run(client, dataset, model, run, outputs=outputs, seq=seq, offline=offline, sure=sure)
    for remark in done.notes:
        note(remark)
    document = {name: getattr(done, name) for name in done.__struct_fields__}
    show(common, document, list(_lines(done)))


def _lines(done: RunReported) -> Iterator[str]:
    owed = ", ".join(money.written(total["amount"], total["currency"]) for total in done.totals) or "nothing"
    posted = f"{many(done.new, 'use')} posted, {done.known} known before"
    yield f"Run {done.run} of {done.model}: {posted}. You owe {owed} for them."
    if done.known and not done.new:
        yield "That was owed already: nothing is added."
    if done.memorandum:
        yield f"{many(done.memorandum, 'use')} outside a licence: recorded, not charged."
    if done.dropped:
        yield f"{many(done.dropped, 'row')} must be left out of it:"
        yield from (f"  {row.path or row.url or f'{row.part} {row.row}'}  {row.reason}" for row in done.drop[:20])
        if done.dropped > 20:
            yield "  …; `licet recheck` lists all of them"
