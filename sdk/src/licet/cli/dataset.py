"""``licet dataset``: two results of ``licet filter`` held against each other; those that are in the register."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

import msgspec
from cyclopts import App, Parameter

from licet.cli import describing, workflow
from licet.cli.columns import aligned
from licet.cli.output import COMMON, Common, note, printable, show
from licet.cli.wording import apart, refuse_existing, refuse_result
from licet.counted import many
from licet.errors import InputError

if TYPE_CHECKING:
    from licet.datasets.results.difference import Change, Difference
    from licet.wire.register import DatasetShown

app = App(name="dataset", help="Compare filtered datasets; list, show and describe those in the register.")
_LISTED: Final = 20


@app.command
def diff(
    before: Annotated[Path, Parameter(help="OUT.decisions.parquet, OUT.manifest.json, or OUT.")],
    after: Annotated[Path, Parameter(help="The same of another result.")],
    /,
    *,
    out: Annotated[Path | None, Parameter(name=["--out", "-o"], help="Write every change as a line of JSON.")] = None,
    overwrite: Annotated[bool, Parameter(negative="", help="Replace the file of -o if it is there.")] = False,
    fail_on: Annotated[
        list[str] | None,
        Parameter(
            consume_multiple=True,
            negative="",
            help="Exit 1 on any of added, removed, verdict, works, terms, licence, price, kept; or any.",
        ),
    ] = None,
    format: Annotated[  # noqa: A002 - it is the name of the option
        Literal["table", "json", "github"], Parameter(help="How to print what is found.")
    ] = "table",
    common: Common = COMMON,
) -> int:
    """Say which rows came, went, or are decided otherwise; a difference is a result, not a failure."""
    from licet.datasets.results.difference import KINDS, compare

    stops = set(apart(fail_on or ()))
    unknown = stops - {*KINDS, "any"}
    if unknown:
        raise InputError.field("--fail-on", f"any of {', '.join(KINDS)}, or any", ", ".join(sorted(unknown)))
    refuse_result("-o", out, (before, after))
    if out is not None:
        refuse_existing(out, overwrite=overwrite)
    found = compare(before, after, out)
    for remark in found.notes:
        note(remark)
    if format == "github":
        workflow.summarise(_summary(found))
    as_json = Common(json=common.json or format == "json", profile=common.profile)
    show(as_json, msgspec.structs.asdict(found), list(_FORMATS[format](found)))
    wanted = set(KINDS) if "any" in stops else stops
    return 1 if any(found.counts[kind] for kind in wanted) else 0


_PUBLIC = Annotated[bool, Parameter(negative="", help="Of the public register, which needs no account.")]


@app.command(name="list")
def list_datasets(
    *,
    q: Annotated[str | None, Parameter(help="Part of the name (with --public also of the organisation's).")] = None,
    public: _PUBLIC = False,
    common: Common = COMMON,
) -> None:
    """List versions of datasets, the newest first: your organisation's, or those in the public register."""
    wanted: Any = {} if q is None else {"q": q}
    with common.client() as client:
        found: list[Any] = list(client.registered_datasets(**wanted) if public else client.datasets(**wanted))
    rows = [
        (
            each.dataset,
            printable(each.name),
            f"version {each.version}",
            f"{each.kept:,} of {each.rows:,} rows kept",
            *([printable(each.organisation.name or each.organisation.id)] if public else []),
        )
        for each in found
    ]
    show(common, {"datasets": found}, aligned(rows) or ["No datasets: `licet run report` puts one into the register."])


@app.command(name="show")
def show_dataset(
    dataset: str,
    /,
    *,
    against: Annotated[str | None, Parameter(help="Another version, instead of the one before.")] = None,
    public: _PUBLIC = False,
    common: Common = COMMON,
) -> None:
    """Show one version of a dataset: its counts, what differs from the version before, what was trained on it.

    Parameters
    ----------
    dataset
        dst_….
    """
    with common.client() as client:
        asked = client.registered_dataset if public else client.dataset_version
        found = asked(dataset, against=against)
    show(common, {"dataset": found}, list(_told_of(found)))


app.command(describing.croissant)
app.command(describing.summary)


def _told_of(found: DatasetShown) -> Iterator[str]:
    whose = found.organisation.name or found.organisation.id
    yield printable(f"{found.name}, version {found.version}, {found.dataset}, of {whose}")
    counts = ", ".join(f"{count:,} {verdict}" for verdict, count in found.counts.items())
    yield f"{found.kept:,} of {found.rows:,} rows kept: {counts}"
    if found.unknown_policy is not None:
        yield f"rows that nobody speaks for: {'left out' if found.unknown_policy == 'exclude' else 'kept'}"
    for price, works in found.terms.items():
        yield f"{many(works, 'work')} licensed, {price}"
    if found.change is not None:
        moved = ", ".join(f"{count:+,} {verdict}" for verdict, count in found.change.counts.items() if count)
        yield f"against version {found.change.version}: {found.change.rows:+,} rows, {moved or 'counts as before'}"
    for model in found.models:
        yield printable(f"trained: {model.name}@{model.version} ({model.status}), {many(model.runs, 'run')}")
    if found.models_count > len(found.models):
        yield f"…  {found.models_count - len(found.models):,} more"
    for duty in found.duties:
        when = f"{'overdue since' if duty.overdue else 'due'} {duty.due_at}"
        yield f"open duty: {duty.effect}, {many(duty.works, 'work')} of a revoked licence, {when}"
    yield f"manifest {found.manifest}, entry {found.log_index} of the log; snapshot {found.snapshot}"
    if not found.listed:
        yield "not in the public register before a listed version of a model was trained on it"


def _headline(found: Difference) -> str:
    counts = ", ".join(f"{count:,} {_WORDS[kind]}" for kind, count in found.counts.items() if count)
    rows = f"{many(found.rows_before, 'row')} before, {found.rows_after:,} after"
    return f"{rows}: {counts or 'no difference'}; {found.same:,} the same."


_WORDS: Final = {
    "added": "added",
    "removed": "removed",
    "verdict": "decided otherwise",
    "works": "with other works",
    "terms": "under other terms",
    "licence": "under another licence",
    "price": "at another price",
    "kept": "kept or left out otherwise",
}


def _table(found: Difference) -> Iterator[str]:
    for name, (before, after) in found.asked.items():
        yield f"asked  {name}: {_shown(before)} → {_shown(after)}"
    for change in found.changes[:_LISTED]:
        yield f"{_SIGN[change.what]}  {printable(change.name)}  {_told(change)}"
    rest = found.more + max(len(found.changes) - _LISTED, 0)
    if rest:
        yield f"…  {rest:,} more (-o FILE lists all)"
    for pair, count in found.verdicts.items():
        yield f"{count:>8,} {pair}"
    yield _headline(found)


_SIGN: Final = {"added": "+", "removed": "-", "changed": "~"}


def _told(change: Change) -> str:
    if change.before is None or change.after is None:
        side = change.after or change.before or {}
        return f"{side['verdict']}: {side['reason']}"
    before, after = (f"{side['verdict']}: {side['reason']}" for side in (change.before, change.after))
    others = [field for field in change.fields if field not in ("verdict", "kept")]
    what = f"{before} → {after}" if before != after else before
    return what + (f"  (other {', '.join(others)})" if others else "")


def _shown(value: Any) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def _github(found: Difference) -> Iterator[str]:
    lines = (
        workflow.annotation("warning", f"{change.what}: {change.name}: {_told(change)}") for change in found.changes
    )
    yield from workflow.listed(lines, len(found.changes) + found.more)
    yield workflow.annotation("notice", _headline(found))


def _summary(found: Difference) -> Iterator[str]:
    yield "### licet dataset diff"
    yield ""
    yield _headline(found)
    if found.changes:
        yield ""
        yield "| | row | what |"
        yield "|---|---|---|"
        for change in found.changes[: workflow.ROWS]:
            yield f"| {change.what} | {workflow.cell(change.name)} | {workflow.cell(_told(change))} |"


_FORMATS: Final[dict[str, Callable[[Difference], Iterator[str]]]] = {
    "table": _table,
    "json": _table,
    "github": _github,
}
