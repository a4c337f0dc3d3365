"""``licet balance --statement``: a month of the account, for people: pulled, verified, and drawn as page or PDF."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Literal

from licet import money
from licet.cli.output import Common, show
from licet.cli.wording import refuse_existing
from licet.counted import many
from licet.errors import InputError


def statement_of(
    period: str, output: Path, language: Literal["en", "zh"], common: Common, *, overwrite: bool = False
) -> int:
    """Write the statement of ``period`` into ``output``; the exit code says whether a pinned registry vouches."""
    from licet.audit.drawing import pages, paper
    from licet.audit.drawing.figures import figures
    from licet.audit.layout import period_of
    from licet.cli.audit import downloaded
    from licet.home import write_private
    from licet.statements.trust import Trust

    period_of(period, "--statement")
    form = output.suffix.lower()
    if form not in (".html", ".pdf"):
        raise InputError.field("-o", "a FILE.html or FILE.pdf", str(output))
    refuse_existing(output, overwrite=overwrite)
    with common.client() as client, tempfile.TemporaryDirectory() as folder:
        pinned = client.trust()
        bundle = Path(folder) / "evidence.zip"
        downloaded(client, f"/v1/audit/bundle?period={period}", bundle)
        trust = Trust(pinned.origin, pinned.root)
        found = figures(bundle, trust)
        if found.report.account is None:
            raise InputError("a statement is of one account: `licet audit report` draws what an auditor may see")
        data = pages.statement(found).encode() if form == ".html" else paper.statement(found, language)
    write_private(output, data)
    document = {
        "file": str(output),
        "account": found.report.account,
        "period": period,
        "verified": found.anchored,
        "state": found.report.state,
        "closed_by": found.closed_by,
        "placed": found.placed,
        "postings": len(found.postings),
        "nothing_happened": found.report.nothing_happened,
        "balances": [
            {"account": row.account, "currency": row.currency, "closing": money.to_decimal(row.closing)}
            for row in found.balances
        ],
    }
    told = [f"The statement for {period} is in {output}: {many(len(found.postings), 'posting')}."]
    if found.closed_by is not None:
        told.append(f"The month is closed, by entry {found.closed_by} of the log.")
    told += [
        f"  {each.currency}: line {each.place + 1} of {each.lines} under its signed total" for each in found.placed
    ]
    show(common, document, told)
    return 0 if found.anchored else 1
