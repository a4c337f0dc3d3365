"""``licet works``: what is registered."""

from __future__ import annotations

from typing import Annotated

from cyclopts import App, Parameter

from licet.cli.output import COMMON, Common, many, show
from licet.wire.works import Work

app = App(name="works", help="List, show and withdraw your works.")


def _line(work: Work) -> str:
    marks = [mark for mark in ("contested", "challenged", "withdrawn") if getattr(work, mark)]
    return "  ".join([work.work, work.title or "(untitled)", work.mode, *marks])


@app.command(name="list")
def list_works(
    *,
    q: Annotated[str | None, Parameter(help="Part of a title, tag or external id.")] = None,
    common: Common = COMMON,
) -> None:
    """List your works, newest first."""
    with common.client() as client:
        works = list(client.works(**({"q": q} if q else {})))
    show(common, {"works": works}, [_line(work) for work in works] or ["No works yet: `licet register` makes them."])


@app.command(name="show")
def show_work(work: str, /, *, common: Common = COMMON) -> None:
    """Show one work: keys, statement, state."""
    with common.client() as client:
        found = client.work(work)
    lines = [
        _line(found),
        f"file      {found.sha256}",
        f"pixels    {found.pixels or '-'}",
        f"pdq       {found.pdq or '-'} (quality {found.quality})",
        *(f"address   {url}" for url in found.urls),
        f"statement {found.statement}, entry {found.log_index} of the log"
        if found.statement
        else "statement none: nothing is consented to, nothing is denied",
    ]
    show(common, {"work": found}, lines)


@app.command
def withdraw(works: list[str], /, *, common: Common = COMMON) -> None:
    """Withdraw works: every use is denied from now on; licences already issued run to their end."""
    from licet.catalogue.consent import digest_of, sign_withdrawal

    with common.client() as client:
        account = client.need_account().account
        assert account is not None
        digests = [digest_of(client.work(work), account.account) for work in works]
        accepted = sign_withdrawal(client, digests)
    document = {"statement": accepted.statement, "log_index": accepted.log_index, "works": works}
    show(common, document, [f"{many(len(works), 'work')} withdrawn, entry {accepted.log_index} of the log."])
