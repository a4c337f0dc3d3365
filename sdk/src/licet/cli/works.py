"""``licet works``: what is registered."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import App, Parameter

from licet.cli.output import COMMON, Common, many, progress, show
from licet.errors import InputError, NotAllowedError

if TYPE_CHECKING:
    from licet.wire.works import Work

app = App(name="works", help="List, show, change, withdraw and export your works.")


def _line(work: Work) -> str:
    known_by = work.mode if work.sha256 else "address-only"
    return "  ".join([work.work, _printable(work.title or _first_address(work) or "(untitled)"), known_by, work.state])


@app.command(name="list")
def list_works(
    *,
    q: Annotated[str | None, Parameter(help="Part of a title, creator, tag or external id.")] = None,
    external_id: Annotated[str | None, Parameter(help="Exactly this external id.")] = None,
    tag: Annotated[str | None, Parameter(help="Exactly this tag.")] = None,
    state: Annotated[
        Literal["withdrawn", "unsigned", "challenged", "contested", "pending", "frozen", "in-force"] | None,
        Parameter(help="Only works in this state."),
    ] = None,
    sort: Annotated[
        Literal["-registered", "registered", "title", "-title"], Parameter(help="Default: newest first.")
    ] = "-registered",
    limit: Annotated[int | None, Parameter(help="At most so many.")] = None,
    common: Common = COMMON,
) -> None:
    """List your works, newest first."""
    if limit is not None and limit < 1:
        raise InputError.field("--limit", "one or more", limit)
    asked: dict[str, Any] = {"q": q, "external_id": external_id, "tag": tag, "state": state, "sort": sort}
    with common.client() as client:
        chosen = {name: value for name, value in asked.items() if value is not None}
        works = list(client.works(limit=limit, **chosen))
    nothing = (
        "No works yet: `licet register` makes them." if not (q or external_id or tag or state) else "No such works."
    )
    show(common, {"works": works}, [_line(work) for work in works] or [nothing])


@app.command(name="show")
def show_work(
    work: str,
    /,
    *,
    thumbnail: Annotated[Path | None, Parameter(help="Write the small picture of it (WEBP) into this file.")] = None,
    common: Common = COMMON,
) -> None:
    """Show one work: keys, statement, state."""
    from licet.home import write_whole

    with common.client() as client:
        found = client.work(work)
        if thumbnail is not None:
            content = client.thumbnail(found.work)
            with write_whole(thumbnail) as file:
                file.write(content)
    document = {"work": found, "thumbnail": str(thumbnail) if thumbnail else None}
    lines = [*_shown(found, hint=thumbnail is None), *([f"Its small picture is in {thumbnail}."] if thumbnail else [])]
    show(common, document, lines)


@app.command
def update(
    work: str,
    /,
    *,
    title: Annotated[str | None, Parameter(help="Empty text clears it, here and below.")] = None,
    creator: Annotated[str | None, Parameter(help="Who made it.")] = None,
    created: Annotated[str | None, Parameter(help="A year, month or day, such as 2019-04.")] = None,
    tags: Annotated[str | None, Parameter(help="All tags, between commas.")] = None,
    external_id: Annotated[str | None, Parameter(help="Your own identifier of it.")] = None,
    common: Common = COMMON,
) -> None:
    """Change what a work is called. What it is matched by never changes, and terms are `licet terms set`."""
    said: dict[str, Any] = {"title": title, "creator": creator, "created": created, "external_id": external_id}
    said = {name: value or None for name, value in said.items() if value is not None}
    if tags is not None:
        said["tags"] = [tag.strip() for tag in tags.split(",") if tag.strip()]
    if not said:
        raise InputError("expected --title, --creator, --created, --tags or --external-id, got none", field="--title")
    from licet.wire.works import WorkChange

    with common.client() as client:
        found = client.work(work)
        (outcome,) = client.change_works([WorkChange(work=found.work, revision=found.revision, **said)])
        if outcome.status == "refused":
            reason = outcome.reason or "refused"
            raise InputError(reason, field=reason.partition(":")[0])
        found = client.work(work)
    words = "Changed." if outcome.status == "updated" else "It said so already."
    show(common, {"work": found, "changed": outcome.status == "updated"}, [words, *_shown(found)])


@app.command
def withdraw(
    works: list[str],
    /,
    *,
    yes: Annotated[bool, Parameter(negative="", help="Do not ask.")] = False,
    common: Common = COMMON,
) -> None:
    """Withdraw works: every use is denied from now on, for good; licences already issued run to their end."""
    from licet.catalogue.batch import digest_form
    from licet.catalogue.consent import sign_withdrawal

    with common.client() as client:
        account = client.need_account().account
        assert account is not None
        found = [client.work(work) for work in dict.fromkeys(works)]
        if not yes and not common.json and sys.stdin.isatty() and sys.stderr.isatty():
            _confirm(found)
        accepted = sign_withdrawal(client, [digest_form(work, account.account) for work in found])
    document = {
        "statement": accepted.statement,
        "log_index": accepted.log_index,
        "works": [work.work for work in found],
    }
    lines = [
        f"{many(len(found), 'work')} withdrawn, entry {accepted.log_index} of the log.",
        "Every use is denied from now on. Licences already issued run to their end, and what they owe is still paid.",
    ]
    show(common, document, lines)


@app.command
def export(
    *,
    output: Annotated[Path, Parameter(name=["-o", "--output"], help="A folder, or a file that ends in .zip.")],
    overwrite: Annotated[bool, Parameter(negative="", help="Replace what is there.")] = False,
    thumbnails: Annotated[bool, Parameter(negative="", help="With the small pictures, a request for each.")] = False,
    common: Common = COMMON,
) -> None:
    """Export everything that is yours here: works, statements with their proofs, terms. `register --from` reads it."""
    from licet.catalogue.export import export_works

    with common.client() as client, progress("exporting", None) as advance:
        made = export_works(client, output, overwrite=overwrite, thumbnails=thumbnails, advance=advance)
    document = {"output": str(output), "works": made.works, "statements": made.statements, "terms": made.terms}
    document["thumbnails"] = made.thumbnails
    counts = f"{many(made.works, 'work')}, {many(made.statements, 'statement')}, {many(made.terms, 'set')} of terms"
    if thumbnails:
        counts = f"{counts} and {many(made.thumbnails, 'small picture')}"
    show(common, document, [f"{counts} are in {output}."])


def _shown(work: Work, *, hint: bool = True) -> Iterator[str]:
    yield _line(work)
    for name in ("creator", "created", "external_id"):
        if value := getattr(work, name):
            yield f"{name.replace('external_id', 'your id'):<9} {_printable(value)}"
    if work.tags:
        yield f"tags      {_printable(', '.join(work.tags))}"
    if work.sha256:
        yield f"file      {work.sha256}"
        yield f"pixels    {work.pixels or '-'}"
        yield f"pdq       {work.pdq} (quality {work.quality})" if work.pdq else "pdq       -"
    for url in work.urls:
        yield f"address   {url}"
    if hint and _has_thumbnail(work):
        yield f"picture   `licet works show {work.work} --thumbnail FILE.webp` fetches a small one"
    if work.statement is None:
        yield "statement none: nothing is consented to, nothing is denied"
    else:
        where = f"entry {work.log_index} of the log" if work.log_index is not None else "not in the log yet"
        yield f"statement {work.statement}, {where}"
        yield f"terms     {work.terms_hash} in force; `licet terms show {work.work}` says them in words"
    if work.waiting is not None:
        until = work.waiting.until or "a day after it is in the log"
        yield f"waiting   {work.waiting.statement} takes effect at {until}; `licet terms undo {work.work}` cancels it"
    yield f"claim     level {work.level}" + (
        "" if work.level >= 2 else ": what is offered for free counts from level 2 on, and money waits until then"
    )
    for other in work.similar:
        yield f"like      {other} of another account"
    if work.statement is not None:
        yield f"snapshot  {'says so' if work.in_snapshot else 'does not say so yet; the next one will'}"


def _has_thumbnail(work: Work) -> bool:
    return work.mode == "upload" and not work.withdrawn


def _first_address(work: Work) -> str | None:
    return work.urls[0] if work.urls and not work.sha256 else None


def _confirm(works: list[Work]) -> None:
    for work in works[:20]:
        print(f"  {_line(work)}", file=sys.stderr)
    if len(works) > 20:
        print(f"  … and {len(works) - 20:,} more", file=sys.stderr)
    print(
        "Withdrawn works deny every use from now on, and cannot be put back: the picture would have to be registered "
        "anew.\nLicences already issued run to their end.",
        file=sys.stderr,
    )
    print(f"Withdraw {many(len(works), 'work')}? [y/N] ", end="", file=sys.stderr, flush=True)
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        raise NotAllowedError("not confirmed: nothing was withdrawn")


def _printable(text: str) -> str:
    return "".join(each if each.isprintable() else " " for each in text)
