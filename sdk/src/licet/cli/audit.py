"""``licet audit``: take the books home, and check them without asking anybody."""

from __future__ import annotations

import re
import zipfile
from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

from licet import money
from licet.cli.output import COMMON, Common, progress, show
from licet.errors import InputError, ServiceError

app = App(name="audit", help="Pull an evidence bundle, or verify one offline.")
_PERIOD = re.compile(r"\d{4}-(0[1-9]|1[0-2])", re.ASCII)


@app.command
def pull(
    *,
    period: Annotated[str, Parameter(help="A month, such as 2026-11.")],
    output: Annotated[Path, Parameter(name=["-o", "--output"], help="Where to keep the bundle.")],
    organisation: Annotated[str | None, Parameter(help="Only this organisation's part (org_…).")] = None,
    common: Common = COMMON,
) -> None:
    """Fetch the evidence of a period: statements, proofs, usage and ledger, in one file."""
    if not _PERIOD.fullmatch(period):
        raise InputError.field("--period", "a month such as 2026-11", period)
    query = f"?period={period}" + (f"&organisation={organisation}" if organisation else "")
    part = output.with_name(f".{output.name}.part")
    with common.client() as client:
        client.trust()
        try:
            with (
                client.transport.stream(f"/v1/audit/bundle{query}") as chunks,
                part.open("wb") as file,
                progress("bytes", None) as advance,
            ):
                for chunk in chunks:
                    file.write(chunk)
                    advance(len(chunk))
            with zipfile.ZipFile(part) as bundle:
                members = len(bundle.namelist())
            part.replace(output)
        except zipfile.BadZipFile:
            raise ServiceError("expected an evidence bundle from the service, got other bytes") from None
        except OSError as error:
            raise InputError(f"{output}: cannot be written: {error.strerror or error}") from None
        finally:
            part.unlink(missing_ok=True)
    size = output.stat().st_size
    document = {"file": str(output), "period": period, "members": members, "bytes": size}
    show(common, document, [f"{output}: {members} files, {size:,} bytes. `licet audit verify {output}` checks them."])


@app.command
def verify(bundle: Path, /, *, common: Common = COMMON) -> int:
    """Verify an evidence bundle offline: every signature, proof, price, posting and sum. Exit 1 without a pin."""
    from licet.audit.verifying import verify_bundle
    from licet.home import Home
    from licet.statements.trust import Trust

    pinned = Home().profile(common.profile).trust
    report = verify_bundle(bundle, Trust(pinned.origin, pinned.root) if pinned else None)
    document = {
        "verified": report.anchored,
        "period": report.period,
        "state": report.state,
        "account": report.account,
        "log": {"origin": report.origin, "size": report.size, "root": report.root},
        "counts": report.counts,
        "accrued": report.accrued,
        "checks": [check.name for check in report.checks],
        "details": report.checks,
    }
    verdict = "verified" if report.anchored else "self-consistent, not anchored: no registry is pinned here"
    lines = [f"{report.period} ({report.state}) of {report.origin}: {verdict}"]
    lines += [f"  {check.name}: {check.detail}" for check in report.checks]
    for total in report.accrued:
        lines.append(f"Uses of {total.works} works came to {money.to_decimal(total.amount)} {total.currency}, gross.")
    show(common, document, lines)
    return 0 if report.anchored else 1
