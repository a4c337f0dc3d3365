"""``licet filter``: a dataset in, what may be kept of it out."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import Parameter

from licet import money
from licet.cli.output import COMMON, Common, note, progress, show
from licet.cli.wording import budgets_from, columns_from, request_from, verdicts_from
from licet.counted import many
from licet.errors import BudgetError, InputError

if TYPE_CHECKING:
    from licet.datasets.filtering.build import Filtered
    from licet.datasets.filtering.first_stage import After
    from licet.datasets.forms.opening import Input
    from licet.datasets.licensing.accepting import Acceptance

Several = Parameter(consume_multiple=True, negative="")


def filter_dataset(
    inputs: Annotated[list[str], Parameter(help="Paths, globs or addresses (s3:// gs:// az:// hf:// https://).")],
    /,
    *,
    out: Annotated[str, Parameter(name=["--out", "-o"], help="Where what is kept goes, in the same form.")],
    use: Annotated[list[str], Several, Parameter(help="What the data is for, such as train-gen.")],
    purpose: Annotated[list[str] | None, Several, Parameter(help="commercial (default), research, …")] = None,
    territory: Annotated[list[str] | None, Several, Parameter(help="Countries of the use, such as DE,FR.")] = None,
    open_weights: Annotated[Literal["yes", "no"] | None, Parameter(help="Whether weights are published.")] = None,
    unknown: Annotated[Literal["exclude", "keep"], Parameter(help="What becomes of rows nobody consented to.")] = (
        "exclude"
    ),
    match: Annotated[
        Literal["exact", "near", "derivative"] | None,
        Parameter(help="How copies are found: exact, near (default), or derivative, which asks the service."),
    ] = None,
    min_claim_level: Annotated[int, Parameter(help="Count only consent of claimants at or above it, 0 to 4.")] = 0,
    accept: Annotated[bool, Parameter(negative="", help="Take the licences that are needed, within the budget.")] = (
        False
    ),
    model: Annotated[str | None, Parameter(help="ORG/NAME@VERSION that is trained.")] = None,
    model_scope: Annotated[Literal["one-version", "family"] | None, Parameter(help="What a licence covers.")] = None,
    dataset: Annotated[str | None, Parameter(help="The name of the dataset.")] = None,
    budget: Annotated[list[str] | None, Several, Parameter(help="The most to take, such as 100USD.")] = None,
    fit_budget: Annotated[bool, Parameter(negative="", help="Take the cheapest first, as far as it goes.")] = False,
    run: Annotated[str | None, Parameter(help="The first training run (default 1).")] = None,
    columns: Annotated[
        list[str] | None, Several, Parameter(help="Columns by our names: url=IMAGE_URL, path=- for none.")
    ] = None,
    after: Annotated[
        Path | None, Parameter(help="The manifest of the stage before: the addresses, filtered before downloading.")
    ] = None,
    decisions: Annotated[Literal["all", "matched"], Parameter(help="Which rows are listed with their decision.")] = (
        "all"
    ),
    unlisted: Annotated[
        bool, Parameter(negative="", help="Keep it out of the public register until a listed model is trained on it.")
    ] = False,
    workers: Annotated[
        int | None, Parameter(help="Processes that do it (default: one a processor for millions of rows, else 1).")
    ] = None,
    fail_on: Annotated[list[str] | None, Several, Parameter(help="Exit 1 if a row gets such a verdict.")] = None,
    signals: Annotated[
        bool,
        Parameter(negative="", help="Heed what others say: robots.txt, headers, pages, metadata of the files."),
    ] = False,
    offline: Annotated[bool, Parameter(negative="", help="Decide from the snapshot that is here.")] = False,
    overwrite: Annotated[bool, Parameter(negative="", help="Replace an earlier result.")] = False,
    common: Common = COMMON,
) -> int:
    """Filter a dataset: keep what is permitted, take licences if asked, write decisions and a signed manifest."""
    from licet.datasets.filtering.build import Wish
    from licet.datasets.filtering.build import filter_dataset as run_filter
    from licet.datasets.forms.opening import open_input

    request = request_from(use, purpose, territory, open_weights, model, model_scope)
    stops = verdicts_from("--fail-on", fail_on)
    if not 0 <= min_claim_level <= 4:
        raise InputError.field("--min-claim-level", "0 to 4", min_claim_level)
    wish = Wish(
        match=match,
        unknown=unknown,
        min_claim_level=min_claim_level,
        accept=_acceptance(accept, model, dataset, budget, run, fit=fit_budget),
        name=dataset,
        offline=offline,
        overwrite=overwrite,
        only_matched=decisions == "matched",
        unlisted=unlisted,
        after=after,
        workers=workers,
        signals=signals,
    )
    opened = open_input(inputs, columns_from(columns), offline=offline)
    with common.client() as client, progress("filtering", _steps(opened)) as advance:
        try:
            done = run_filter(client, opened, out, request, wish, advance)
        except BudgetError as error:
            if fit_budget:
                raise
            way = "--fit-budget takes the cheapest first, as far as it goes"
            raise BudgetError(f"{error.message}; {way}", **error.details) from None
    for remark in done.notes:
        note(remark)
    show(common, document(done), list(lines(done)))
    return 1 if any(done.counts[verdict] for verdict in stops) else 0


def _steps(opened: Input) -> int | None:
    rows = opened.rows
    return None if rows is None else 2 * rows  # each is examined, and later written


def _acceptance(
    accept: bool, model: str | None, dataset: str | None, budget: list[str] | None, run: str | None, *, fit: bool
) -> Acceptance | None:
    if not accept:
        for option, value in (("--budget", budget), ("--fit-budget", fit), ("--run", run)):
            if value:
                got = ", ".join(value) if isinstance(value, list) else value
                raise InputError.field(option, "--accept beside it", got)
        return None
    for option, value in (("--model", model), ("--dataset", dataset)):
        if not value:
            raise InputError.field(option, "a value, because --accept takes a licence for it", "nothing")
    from licet.datasets.licensing.accepting import Acceptance

    return Acceptance(dataset=dataset or "", budget=budgets_from(budget), fit=fit, run=run or "1")


def _stages(after: After) -> Iterator[str]:
    yield (
        f"After {after.dataset}: {many(after.matched, 'row')} found in it, {after.held:,} kept out then and now;"
        f" {after.new:,} new; of the {after.kept:,} that were kept, {after.missing:,} without a file here."
    )
    if after.listed is not None:
        yield f"  New and missing rows: {after.listed}"


def document(done: Filtered) -> dict[str, Any]:
    """Return what ``--json`` prints of a filter job."""
    return {name: getattr(done, name) for name in done.__struct_fields__}


def lines(done: Filtered) -> Iterator[str]:
    """Yield what a person reads of a filter job."""
    yield f"Kept {done.kept:,} of {many(done.rows, 'row')} in {done.out}."
    if done.rows:
        yield "  " + ", ".join(f"{count:,} {verdict}" for verdict, count in done.counts.items() if count)
    else:
        yield "  The input has no rows."
    cost = ", ".join(money.written(total["amount"], total["currency"]) for total in done.quote.totals)
    if done.taken:
        yield f"Licensed: {', '.join(done.taken)} for {cost or 'nothing'} ({many(done.quote.works, 'work')})."
    elif done.quote.works:
        whose = f"{many(done.quote.works, 'work')} of {many(done.quote.artists, 'artist')}"
        yield f"Licences would cost {cost or 'nothing'}: {whose}."
    if (done.taken or done.quote.works) and done.quote.totals and done.quote.fee_bps:
        yield f"  Of that the registry keeps {done.quote.fee_bps / 100:g}%; the rest is the artists'."
    held = [licence for licence in done.licences if licence not in done.taken]
    if held:
        yield f"Kept under licences that you held before: {', '.join(held)}."
    if done.after is not None:
        yield from _stages(done.after)
    if done.signals is not None:
        from licet.datasets.filtering.heard import sentences

        yield from sentences(done.signals)
    yield from done.hints
    if done.recheck is not None and done.recheck.drop:
        yield f"{done.recheck.drop:,} kept rows were denied meanwhile: `licet recheck {done.manifest}` lists them."
    who = "the organisation's key" if done.registered else "a local key: unregistered"
    yield f"Decisions: {done.decisions}. Manifest: {done.manifest} (signed with {who})."
