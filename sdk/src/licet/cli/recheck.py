"""``licet recheck``: an earlier result against the newest snapshot."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

from cyclopts import Parameter

from licet.cli import workflow
from licet.cli.output import COMMON, Common, note, printable, progress, show
from licet.cli.wording import refuse_existing, refuse_result
from licet.counted import many
from licet.errors import InputError

if TYPE_CHECKING:
    from licet.datasets.usage.findings import Finding
    from licet.datasets.usage.recheck import Rechecked

# What XML 1.0 cannot hold, and line breaks, which have no business in an attribute.
_NO_XML: Final = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")


def recheck(
    given: Annotated[
        list[Path], Parameter(help="OUT.decisions.parquet, OUT.manifest.json, or OUT; several if need be.")
    ],
    /,
    *,
    out: Annotated[Path | None, Parameter(name=["--out", "-o"], help="Write the rows to drop as Parquet.")] = None,
    overwrite: Annotated[bool, Parameter(negative="", help="Replace the file of -o if it is there.")] = False,
    format: Annotated[  # noqa: A002 - it is the name of the option
        Literal["table", "json", "github", "junit"], Parameter(help="How to print what is found.")
    ] = "table",
    workers: Annotated[
        int | None, Parameter(help="Processes that do it (default: one a processor for millions of rows, else 1).")
    ] = None,
    offline: Annotated[bool, Parameter(negative="", help="Check against the snapshot that is here.")] = False,
    common: Common = COMMON,
) -> int:
    """Name the kept rows that must go now; exit 1 if there are any."""
    from licet.datasets.usage.findings import write_findings
    from licet.datasets.usage.recheck import recheck as check_again
    from licet.datasets.usage.recheck import steps

    if not given:
        raise InputError.field("input", "what `licet filter` wrote", "nothing")
    if out is not None and len(given) > 1:
        raise InputError.field("-o", "one input beside it", f"{len(given)} inputs")
    refuse_result("-o", out, given)
    if out is not None:
        refuse_existing(out, overwrite=overwrite)
    with common.client() as client, progress("checking", sum(map(steps, given))) as advance:
        found = [check_again(client, each, offline=offline, advance=advance, workers=workers) for each in given]
    results = list({each.dataset: each for each in found}.values())  # its manifest and its decisions are one dataset
    if out is not None:
        write_findings(out, results[0].drop)
    for remark in dict.fromkeys(remark for each in results for remark in each.notes):
        note(remark)
    if format == "github":
        workflow.summarise(line for each in results for line in _summary(each))
    as_json = Common(json=common.json or format == "json", profile=common.profile)
    show(as_json, _document(results) if as_json.json else {}, _lines(results, format))
    return 1 if any(each.drop for each in results) else 0


def _document(results: list[Rechecked]) -> dict[str, Any]:
    """Return what ``--json`` prints: of one dataset what was found, of several a list of that."""
    documents = [{name: getattr(each, name) for name in each.__struct_fields__} for each in results]
    return documents[0] if len(documents) == 1 else {"results": documents}


def _lines(results: list[Rechecked], format: str) -> Iterator[str]:  # noqa: A002 - as it is called outside
    if format == "junit":
        yield from _junit(results)
        return
    for each in results:
        if len(results) > 1 and format == "table":
            yield f"{each.dataset}:"
        yield from (_github if format == "github" else _table)(each)


def _name(row: Finding) -> str:
    return row.path or row.url or row.key or f"{row.part} row {row.row}"


def _headline(found: Rechecked) -> str:
    if not found.kept:
        return f"No row was kept, so none must go; checked at log size {found.log_size}."
    fresh = f", {len(found.new_matches):,} with new matches" if found.new_matches else ""
    must = "must go" if found.drop else "must go: all that was kept may stay"
    rows = f"{len(found.drop):,} of {found.kept:,} kept rows"
    return f"{rows} {must}{fresh}; checked at log size {found.log_size}."


def _table(found: Rechecked) -> Iterator[str]:
    for row in found.drop:
        yield f"drop  {printable(_name(row))}  {row.verdict}: {row.reason}  {row.work or ''}".rstrip()
    for licence in found.ended_licences:
        until = f" on {licence.valid_until}" if licence.valid_until else ""
        yield f"ended {licence.licence}  {licence.reason}{until}  {many(licence.rows, 'row')}"
    yield from _due(found)
    yield from _models(found)
    yield _headline(found)
    if any(row.reason == "licence-not-here" for row in found.drop):
        yield "Some rows were kept under a licence that this profile does not hold: is it the one that filtered?"


def _models(found: Rechecked) -> Iterator[str]:
    for model in found.models:
        yield f"trained on it: {model['model']}@{model['version']}, run {model['run']}, reported {model['reported_at']}"


def _due(found: Rechecked) -> Iterator[str]:
    for licence in found.ended_licences:
        for each in licence.duties:
            yield f"due   {each.duty}  {each.effect} since {each.due_at}: `licet duties done` states that it was done"


def _github(found: Rechecked) -> Iterator[str]:
    lines = (
        workflow.annotation("error", f"{_name(row)} must go: {row.verdict}, {row.reason}", file=row.path)
        for row in found.drop
    )
    yield from workflow.listed(lines, len(found.drop))
    for model in _models(found):
        yield workflow.annotation("warning", model)
    yield workflow.annotation("notice", _headline(found))


def _summary(found: Rechecked) -> Iterator[str]:
    yield "### licet recheck"
    yield ""
    yield _headline(found)
    for model in _models(found):
        yield f"- {workflow.cell(model)}"
    if found.drop:
        yield ""
        yield "| row | verdict | reason | work |"
        yield "|---|---|---|---|"
        for row in found.drop[: workflow.ROWS]:
            yield f"| {' | '.join(map(workflow.cell, (_name(row), row.verdict, row.reason, row.work)))} |"
    if len(found.drop) > workflow.ROWS:
        yield ""
        yield f"{len(found.drop) - workflow.ROWS:,} more are in the output file."


def _junit(results: list[Rechecked]) -> Iterator[str]:
    total = sum(len(each.drop) or 1 for each in results)
    yield '<?xml version="1.0" encoding="UTF-8"?>'
    yield f'<testsuites tests="{total}" failures="{sum(len(each.drop) for each in results)}" errors="0">'
    for each in results:
        yield from _suite(each)
    yield "</testsuites>"


def _suite(found: Rechecked) -> Iterator[str]:
    """One test case a row to drop, in the shape that test reporters share; without any, one that passes."""
    total = len(found.drop) or 1
    yield f'<testsuite name="licet recheck" tests="{total}" failures="{len(found.drop)}" errors="0" skipped="0">'
    yield "  <properties>"
    for name in ("dataset", "kept", "snapshot", "log_size", "checked_at"):
        yield f'    <property name="{name}" value="{_xml(str(getattr(found, name)))}"/>'
    yield "  </properties>"
    if not found.drop:
        yield f'  <testcase classname="{_xml(found.dataset)}" name="every kept row may stay"/>'
    for row in found.drop:
        yield f'  <testcase classname="{_xml(row.part)}" name="{_xml(_name(row))}">'
        yield f'    <failure type="{_xml(row.verdict)}" message="{_xml(row.reason)}">{_xml(row.work or "")}</failure>'
        yield "  </testcase>"
    yield "</testsuite>"


def _xml(text: str) -> str:
    return escape(_NO_XML.sub("\ufffd", text))
