"""``licet audit``: the books of a month, taken home and checked without asking anybody."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated, Any, Final, Literal
from urllib.parse import urlencode

import msgspec
from cyclopts import App, Parameter

from licet import money
from licet.cli.findings import finding, findings, of_sample
from licet.cli.output import COMMON, Common, note, printable, progress, show
from licet.cli.wording import refuse_existing, refuse_result
from licet.counted import many
from licet.errors import InputError
from licet.misfits import unlike

if TYPE_CHECKING:
    from licet.audit.drawing.figures import Group
    from licet.audit.report import Report
    from licet.client import Client
    from licet.datasets.licensing.held import HeldLicence
    from licet.datasets.usage.sampling import Sampled
    from licet.statements.trust import Trust

app = App(name="audit", help="Pull evidence and verify it offline, and decide rows of a dataset again.")
app.command(finding)
app.command(findings)
_SHOWN: Final = 20  # rows that are printed
WAIT: Final = 900.0  # seconds: the service puts a large bundle together before its first byte


@app.command
def pull(
    *,
    period: Annotated[str, Parameter(help="A month, such as 2026-11.")],
    organisation: Annotated[str | None, Parameter(help="Only the part of this organisation.")] = None,
    artist: Annotated[str | None, Parameter(help="Only the part of this artist.")] = None,
    output: Annotated[Path, Parameter(name=["-o", "--output"], help="Where to keep the bundle (FILE.zip).")],
    overwrite: Annotated[bool, Parameter(negative="", help="Replace the file that is there.")] = False,
    common: Common = COMMON,
) -> None:
    """Download the evidence of a month: all that an auditor may see, else the part of the account itself."""
    from licet.audit.container import Container

    asked = _part(period, organisation, artist)
    refuse_existing(output, overwrite=overwrite)
    members = 0

    def bundled(partial: Path) -> None:
        nonlocal members
        with Container(partial) as container:
            members = len(container.members)

    with common.client() as client:
        client.trust()  # pinned now if this is the first contact: what `verify` goes by
        size = downloaded(client, f"/v1/audit/bundle?{urlencode(asked)}", output, bundled)
    document = {"file": str(output), "period": period, "members": members, "bytes": size}
    show(common, document, [f"{many(members, 'file')} of evidence for {period} are in {output} ({size:,} bytes)."])


@app.command
def export(
    *,
    period: Annotated[str, Parameter(help="A month, such as 2026-11.")],
    table: Annotated[
        Literal["events", "transfers", "entries"], Parameter(help="Uses, transfers of the ledger, or their entries.")
    ] = "events",
    format: Annotated[  # noqa: A002 - it is the name of the option
        Literal["parquet", "csv", "jsonl"] | None, Parameter(help="What to write; default: as FILE is called.")
    ] = None,
    organisation: Annotated[str | None, Parameter(help="Only the part of this organisation.")] = None,
    artist: Annotated[str | None, Parameter(help="Only the part of this artist.")] = None,
    output: Annotated[Path, Parameter(name=["-o", "--output"], help="Where to keep it (FILE.parquet, .csv, .jsonl).")],
    overwrite: Annotated[bool, Parameter(negative="", help="Replace the file that is there.")] = False,
    common: Common = COMMON,
) -> None:
    """Download the uses or postings of a month as one table; cut off, it begins anew and leaves nothing behind."""
    asked = _part(period, organisation, artist)
    asked["table"] = table
    form = format or output.suffix.removeprefix(".")
    if form not in ("parquet", "csv", "jsonl"):
        raise InputError.field("--format", "parquet, csv or jsonl, or a file that ends so", form or "nothing")
    asked["format"] = form
    refuse_existing(output, overwrite=overwrite)
    with common.client() as client:
        size = downloaded(client, f"/v1/audit/export?{urlencode(asked)}", output)
    document = {"file": str(output), "period": asked["period"], "table": table, "format": form, "bytes": size}
    show(common, document, [f"The {table} of {asked['period']} are in {output} ({size:,} bytes)."])


@app.command
def verify(
    file: Path,
    /,
    *,
    policy: Annotated[Path | None, Parameter(help="A trust file (origin and root) instead of the pinned one.")] = None,
    common: Common = COMMON,
) -> int:
    """Verify an evidence bundle offline: compute every figure again. Exit 1 without a pinned registry."""
    from licet.audit.verifying import verify_bundle

    report = verify_bundle(file, pinned(policy, common.profile))
    document = {
        "verified": report.anchored,
        "registry": report.origin,
        "period": report.period,
        "state": report.state,
        "account": report.account,
        "checks": [check.name for check in report.checks],
        "details": report.checks,
        "counts": report.counts,
        "accrued": [
            {
                "currency": total.currency,
                "amount": money.to_decimal(total.amount),
                "reversed": money.to_decimal(report.reversed.get(total.currency, 0)),
                "works": total.works,
            }
            for total in report.accrued
        ],
        "log": {"size": report.size, "root": report.root},
    }
    show(common, document, _lines(report))
    return 0 if report.anchored else 1


def _lines(report: Report) -> list[str]:
    verdict = "verified" if report.anchored else "self-consistent, not anchored: no registry is pinned here"
    lines = [f"{report.origin}, {report.period} ({report.state}): {verdict}"]
    lines += [f"  {check.name}: {check.detail}" for check in report.checks]
    for total in report.accrued:
        whose = f"for {many(total.works, 'work')}" if total.works else "(the works are not shown to this account)"
        lines.append(f"{money.written(total.amount, total.currency)} accrued {whose}, gross")
        back = report.reversed.get(total.currency, 0)
        if back:
            lines.append(f"  before reversals: {money.written(back, total.currency)} was taken back in the month")
    return lines


def pinned(policy: Path | None, profile: str | None) -> Trust | None:
    """Return the registry to go by: that of the trust file ``policy``, else the pinned one, if any is."""
    from licet.home import Home, TrustFile
    from licet.statements.trust import Trust

    try:
        pinned = (
            Home().profile(profile).trust
            if policy is None
            else msgspec.json.decode(policy.read_bytes(), type=TrustFile)
        )
    except OSError as error:
        raise InputError(f"{error.filename}: cannot be read: {error.strerror}") from None
    except msgspec.MsgspecError as error:
        raise InputError(f"--policy: expected a trust file with origin and root, got {unlike(error)}") from None
    return None if pinned is None else Trust(pinned.origin, pinned.root)


@app.command
def report(
    file: Path,
    /,
    *,
    output: Annotated[Path, Parameter(name=["-o", "--output"], help="Where to keep the page (FILE.html).")],
    policy: Annotated[Path | None, Parameter(help="A trust file (origin and root) instead of the pinned one.")] = None,
    overwrite: Annotated[bool, Parameter(negative="", help="Replace the file that is there.")] = False,
    common: Common = COMMON,
) -> int:
    """Verify a bundle and draw it as one page, in English and Chinese, that opens without a network.

    Exit 1 without a pinned registry; the page says so as well.
    """
    from licet.audit.drawing import pages
    from licet.audit.drawing.figures import figures
    from licet.home import write_private

    refuse_result("-o", output, [file])
    refuse_existing(output, overwrite=overwrite)
    with progress("reading uses", None) as advance:
        found = figures(file, pinned(policy, common.profile), advance)
    page = pages.report(found)
    write_private(output, page.encode())
    document = {
        "file": str(output),
        "verified": found.anchored,
        "period": found.report.period,
        "account": found.report.account,
        "checks": found.checks,
        "uses": sum(day.uses for day in found.days),
        **{name: _counted(getattr(found, name)) for name in ("licensees", "terms", "artists")},
    }
    verdict = "verified" if found.anchored else "self-consistent, not anchored: no registry is pinned here"
    show(common, document, [f"{found.report.period} is drawn in {output}; {found.checks} checks hold, {verdict}."])
    return 0 if found.anchored else 1


def _counted(groups: list[Group]) -> list[dict[str, Any]]:
    return [
        {
            "name": group.name,
            "uses": group.uses,
            "works": len(group.works),
            "amounts": {currency: money.to_decimal(micro) for currency, micro in sorted(group.amounts.items())},
        }
        for group in groups
    ]


@app.command
def sample(
    given: Annotated[
        Path, Parameter(help="OUT.decisions.parquet with its manifest beside it, or rows that were opened with -o.")
    ],
    /,
    *,
    count: Annotated[int, Parameter(name=["-k", "--count"], help="How many rows to draw.")],
    seed: Annotated[str | None, Parameter(help="Draw by this seed again: 64 hexadecimal digits.")] = None,
    nonce: Annotated[
        str | None, Parameter(help="The auditor's word, which goes into the seed beside the log's newest checkpoint.")
    ] = None,
    evidence: Annotated[
        list[Path] | None,
        Parameter(negative="", help="Evidence bundles that show the licences which rows were kept under."),
    ] = None,
    snapshots: Annotated[
        list[Path] | None,
        Parameter(negative="", help="Folders of snapshots, as LICET_CACHE has them, to look for the one of then."),
    ] = None,
    output: Annotated[
        Path | None, Parameter(name=["-o", "--output"], help="Write the opened rows: others can check them alone.")
    ] = None,
    overwrite: Annotated[bool, Parameter(negative="", help="Replace the file of -o if it is there.")] = False,
    offline: Annotated[bool, Parameter(negative="", help="Ask nobody; needs --seed, or opened rows.")] = False,
    report: Annotated[
        str | None, Parameter(help="State rows that do not hold as a finding in the books of this month.")
    ] = None,
    common: Common = COMMON,
) -> int:
    """Open random rows of a dataset and decide them again; exit 1 unless all of them hold.

    Each is proven under the manifest that the organisation signed, and decided against the manifest's snapshot.
    """
    from licet.datasets.results.decisions_file import DecisionsFile
    from licet.datasets.usage.opened import encode_opened
    from licet.datasets.usage.sampling import Draw
    from licet.datasets.usage.sampling import sample as sample_rows
    from licet.home import write_private

    if report is not None and offline:
        raise InputError.field("--report", "a registry to report to, without --offline", report)
    if output is not None:
        refuse_result("-o", output, [given])
        refuse_existing(output, overwrite=overwrite)
    opened_before = given.name.endswith(".json") and not given.name.endswith(".manifest.json")
    total = None if opened_before else DecisionsFile.find(given.expanduser()).rows
    licences = _licences(evidence or [], common.profile)
    with common.client() as client, progress("reading rows", total) as advance:
        found, opened = sample_rows(
            client,
            given,
            Draw(count=count, seed=seed, nonce=nonce),
            evidence=licences,
            snapshots=snapshots or (),
            offline=offline,
            advance=advance,
        )
    if output is not None:
        write_private(output, encode_opened(opened))
    stated = None
    if report is not None and found.failed:
        with common.client() as client:
            stated = of_sample(client, found, report, output)
    document = {name: getattr(found, name) for name in found.__struct_fields__}
    document["file"] = None if output is None else str(output)
    document["finding"] = None if stated is None else stated.finding
    show(common, document, list(_sampled(found, output, document["finding"])))
    for remark in found.notes:
        note(remark)
    return 0 if found.holds else 1


def _licences(evidence: list[Path], profile: str | None) -> dict[str, HeldLicence]:
    from licet.audit.verifying import licences_in
    from licet.datasets.licensing.held import HeldLicence

    if not evidence:
        return {}
    trust = pinned(None, profile)
    if trust is None:
        raise InputError("--evidence: no registry is pinned in this profile: `licet snapshot pull` pins one")
    return {
        name: HeldLicence(granted.payload, dict(granted.lines))
        for path in evidence
        for name, granted in licences_in(path, trust).items()
    }


def _sampled(found: Sampled, output: Path | None, stated: str | None) -> Iterator[str]:
    by = "with its fingerprints" if found.proven == "row_root" else "by its verdict alone"
    yield f"{many(found.sampled, 'row')} of {found.size:,} drawn from {found.dataset} by the seed {found.seed.value}"
    if found.seed.nonce is not None:
        yield f"  made of the manifest, the log's checkpoint and the word {printable(found.seed.nonce)}"
    yield f"  each proven {by} under the manifest {found.manifest}, decided at {found.decided_at}"
    for row in found.rows[:_SHOWN]:
        name = printable(row.path or row.url or f"{row.part} row {row.row}")
        yield f"{row.state}  {name}  recorded {row.recorded}; decided {row.decided}: {row.why}"
    if len(found.rows) > _SHOWN:
        yield f"… and {len(found.rows) - _SHOWN:,} more; --json lists all of them"
    yield f"{found.held:,} hold, {found.failed:,} do not, {found.open:,} cannot be decided here."
    if found.failed:
        kept = f"{output} shows it to others" if output else "-o FILE.json writes what shows it to others"
        logged = "" if stated is None else f" {stated}, which is in the log"
        yield f"That is a finding{logged}: {kept}, who run `licet audit sample` on it."


def _part(period: str, organisation: str | None, artist: str | None) -> dict[str, str]:
    """Return what is asked of the service: the month, and whose part of it."""
    from licet.audit.layout import period_of
    from licet.identifiers import to_uuid

    asked = {"period": period_of(period, "--period").name}
    if organisation is not None and artist is not None:
        raise InputError.field("--artist", "either an organisation or an artist", "both")
    for name, kind, given in (("organisation", "org", organisation), ("artist", "art", artist)):
        if given is not None:
            to_uuid(given, kind, field=f"--{name}")
            asked[name] = given
    return asked


def downloaded(client: Client, path: str, output: Path, hold: Callable[[Path], None] = lambda _: None) -> int:
    """Return the size of ``path`` once it is in ``output`` as a whole; ``hold`` raises for what is no such file."""
    from licet.transport import Transport

    size = 0
    with (
        Transport(client.url, client.transport.token, timeout=WAIT) as transport,
        _replacing(output) as (file, partial),
        transport.stream(path) as chunks,
        progress("bytes", None) as advance,
    ):
        for chunk in chunks:
            size += file.write(chunk)
            advance(len(chunk))
        file.flush()
        hold(partial)
    return size


@contextlib.contextmanager
def _replacing(path: Path) -> Iterator[tuple[IO[bytes], Path]]:
    """Give a file and its name for now; it takes the place of ``path`` when the block ends well, and goes otherwise."""
    try:
        descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    except OSError as error:
        raise InputError(f"{path.parent}: expected a folder to write to, got {error.strerror}") from None
    partial = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file, partial
            file.flush()
            os.fsync(file.fileno())
        partial.chmod(0o600)
        partial.replace(path)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            partial.unlink()
        raise
