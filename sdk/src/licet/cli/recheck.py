"""``licet recheck``: an earlier result against the newest snapshot."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, Literal

from cyclopts import Parameter

from licet.cli.output import COMMON, Common, note, show

if TYPE_CHECKING:
    from licet.datasets.recheck import Finding, Rechecked

_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")


def recheck(
    given: Annotated[Path, Parameter(help="OUT.decisions.parquet, OUT.manifest.json, or OUT.")],
    /,
    *,
    out: Annotated[Path | None, Parameter(name=["--out", "-o"], help="Write the rows to drop as Parquet.")] = None,
    format: Annotated[  # noqa: A002 - it is the name of the option
        Literal["table", "json", "github", "junit"], Parameter(help="How to print what is found.")
    ] = "table",
    offline: Annotated[bool, Parameter(negative="", help="Check against the snapshot that is here.")] = False,
    common: Common = COMMON,
) -> int:
    """Name the kept rows that must go now; exit 1 if there are any."""
    from licet.datasets.recheck import recheck as check_again
    from licet.datasets.recheck import write_findings

    with common.client() as client:
        found = check_again(client, given, offline=offline)
    if out is not None:
        write_findings(out, found.drop)
    for remark in found.notes:
        note(remark)
    as_json = Common(json=common.json or format == "json", profile=common.profile)
    document = {name: getattr(found, name) for name in found.__struct_fields__}
    show(as_json, document, list(_FORMATS[format](found)))
    return 1 if found.drop else 0


def _name(row: Finding) -> str:
    return row.path or row.url or row.key or f"{row.part} row {row.row}"


def _table(found: Rechecked) -> Iterator[str]:
    for row in found.drop:
        yield f"drop  {_name(row)}  {row.verdict}: {row.reason}  {row.work or ''}"
    for licence in found.ended_licences:
        yield f"ended {licence.licence}  {licence.reason}  {licence.rows} rows"
    for model in found.models:
        yield f"trained on it: {model['model']}@{model['version']}, run {model['run']}, reported {model['reported_at']}"
    fresh = f", {len(found.new_matches)} with new matches" if found.new_matches else ""
    yield f"{len(found.drop)} of {found.kept} kept rows must go{fresh}; checked at log size {found.log_size}."
    if any(row.reason == "licence-not-here" for row in found.drop):
        yield "Some rows were kept under a licence that this profile does not hold: is it the one that filtered?"


def _github(found: Rechecked) -> Iterator[str]:
    for row in found.drop:
        place = f" file={_command(row.path, in_property=True)}" if row.path else ""
        yield f"::error{place}::{_command(f'{_name(row)} must go: {row.verdict}, {row.reason}')}"
    yield f"::notice::{len(found.drop)} of {found.kept} kept rows must go"


def _command(text: str, *, in_property: bool = False) -> str:
    # Workflow commands end at a line break, and their properties at a comma or colon.
    text = text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
    return text.replace(":", "%3A").replace(",", "%2C") if in_property else text


def _junit(found: Rechecked) -> Iterator[str]:
    yield '<?xml version="1.0" encoding="UTF-8"?>'
    yield f'<testsuite name="licet recheck" tests="{found.kept}" failures="{len(found.drop)}">'
    for row in found.drop:
        yield f'  <testcase classname="{_xml(row.part)}" name="{_xml(_name(row))}">'
        yield f'    <failure type="{_xml(row.verdict)}" message="{_xml(row.reason)}">{_xml(row.work or "")}</failure>'
        yield "  </testcase>"
    yield "</testsuite>"


def _xml(text: str) -> str:
    return escape(_CONTROL.sub("\ufffd", text))


_FORMATS: Final[dict[str, Callable[[Rechecked], Iterator[str]]]] = {
    "table": _table,
    "json": _table,
    "github": _github,
    "junit": _junit,
}
