"""``licet works``: what is registered."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import App, Parameter

from licet.cli.asking import confirm
from licet.cli.columns import aligned
from licet.cli.output import COMMON, Common, progress, show
from licet.cli.wording import AS_REGISTERED
from licet.counted import many
from licet.errors import InputError, LicetError

if TYPE_CHECKING:
    from licet.catalogue.coowned import CoOwned
    from licet.wire.splits import Restriction
    from licet.wire.works import Work

app = App(name="works", help="List, show, change, share, withdraw and export your works.")
app.command("licet.cli.splits:app", name="split", help="Share what works earn between co-owners.")


#: Cells of a title that a list shows; `licet works show` and --json say all of it.
_TITLE = 48
_HEADER = ("work", "title", "known by", "state", "parts")
#: What a list says of `parts`, and what a single work's page does.
_COVERED = {
    "found": "covered",
    "too-plain": "too plain",
    "not-sent": "not sent",
    "not-looked-at": "not looked at",
}
_PARTS = {
    "found": "crops, frames and collages of it are looked for, too",
    "too-plain": "only found whole: too plain for its crops, frames and collages to be recognised",
    "not-sent": "only found whole: for its crops and collages to be recognised the picture would have to be sent",
    "not-looked-at": "only found whole: `licet register` with its picture again lets its parts be found as well",
}


def _cells(work: Work) -> tuple[str, ...]:
    known_by = work.mode if work.sha256 else "address-only"
    title = _printable(work.title or _first_address(work) or "(untitled)")
    return work.work, title, known_by, work.state, _COVERED.get(work.parts or "", "-")


@app.command(name="list")
def list_works(
    *,
    q: Annotated[str | None, Parameter(help="Part of a title, creator, tag or external id.")] = None,
    external_id: Annotated[str | None, Parameter(help="Exactly this external id.")] = None,
    tag: Annotated[str | None, Parameter(help="Exactly this tag.")] = None,
    state: Annotated[
        Literal["withdrawn", "unsigned", "challenged", "contested", "pending", "frozen", "disputed", "in-force"] | None,
        Parameter(help="Only works in this state."),
    ] = None,
    sort: Annotated[
        Literal["-registered", "registered", "title", "-title"], Parameter(help="Default: newest first.")
    ] = "-registered",
    limit: Annotated[int | None, Parameter(help="At most so many.")] = None,
    shared: Annotated[bool, Parameter(negative="", help="Those of others that you have a share in, instead.")] = False,
    common: Common = COMMON,
) -> None:
    """List your works, newest first."""
    if limit is not None and limit < 1:
        raise InputError.field("--limit", "one or more", limit)
    asked: dict[str, Any] = {"q": q, "external_id": external_id, "tag": tag, "state": state, "sort": sort}
    if shared:
        named = [name for name, value in asked.items() if value is not None and value != "-registered"]
        if named or limit is not None:
            raise InputError.field("--shared", "no filter beside it", ", ".join(named or ["limit"]))
        _list_shared(common)
        return
    with common.client() as client:
        chosen = {name: value for name, value in asked.items() if value is not None}
        works = list(client.works(limit=limit, **chosen))
    nothing = (
        "No works yet: `licet register` makes them." if not (q or external_id or tag or state) else "No such works."
    )
    show(common, {"works": works}, aligned([_HEADER, *map(_cells, works)], widest=_TITLE) if works else [nothing])


def _list_shared(common: Common) -> None:
    from licet.catalogue.coowned import coowned

    with common.client() as client:
        found = sorted(coowned(client), key=lambda each: each.work.work)
    lines = [
        f"{each.work.work}  {_printable(each.work.title or '(untitled)')}  by {each.registered_by}  "
        f"{'restricted by you' if each.own is not None else 'nothing said by you'}"
        f"{', frozen' if each.work.frozen else ''}"
        for each in found
    ]
    works = [
        {"work": each.work, "registered_by": each.registered_by, "split": each.split, "own": each.own} for each in found
    ]
    show(common, {"works": works}, lines or ["You have no share in works of others."])


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
        try:
            found = client.work(work)
        except LicetError as error:
            if error.details.get("status") != 404:
                raise
            from licet.catalogue.coowned import coowned  # brings terms

            shared = list(coowned(client, work))
            if not shared:
                raise error from None
            show(common, {"work": shared[0].work, "thumbnail": None}, _shared(shared[0]))
            return
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
    file: Annotated[Path | None, Parameter(help="The picture as it is now, or another copy; signed.")] = None,
    url: Annotated[
        list[str] | None, Parameter(consume_multiple=True, negative="", help="Further addresses of it; signed.")
    ] = None,
    as_registered: Annotated[bool, Parameter(negative="", help=AS_REGISTERED)] = False,
    common: Common = COMMON,
) -> None:
    """Change what a work is called, or sign what else it is recognised by: what it was before goes on matching."""
    said: dict[str, Any] = {"title": title, "creator": creator, "created": created, "external_id": external_id}
    said = {name: value or None for name, value in said.items() if value is not None}
    if tags is not None:
        said["tags"] = [tag.strip() for tag in tags.split(",") if tag.strip()]
    if not (said or file or url):
        names = "--title, --creator, --created, --tags, --external-id, --file or --url"
        raise InputError(f"expected {names}, got none", field="--title")
    from licet.wire.works import WorkChange

    lines, changed, signed = [], False, None
    with common.client() as client:
        found = client.work(work)
        if file or url:
            from licet.catalogue.updating import update_work

            signed = update_work(client, found, file, url or [], as_registered=as_registered)
            lines.append(f"Signed as {signed.statement}, entry {signed.log_index} of the log.")
            lines.append("It is found by what is new and by what it was before, under the same terms.")
            if signed.pending_until:
                lines.append(f"It is like somebody else's: what it permits waits until {signed.pending_until}.")
            elif found.waiting is not None and found.waiting.terms_hash != found.stated:
                lines.append("Looser terms waited, signed over what it was; they are cancelled. `licet terms set`")
                lines.append("signs them again.")
        if said:
            revision = found.revision if signed is None else client.work(work).revision
            (outcome,) = client.change_works([WorkChange(work=found.work, revision=revision, **said)])
            if outcome.status == "refused":
                reason = outcome.reason or "refused"
                raise InputError(reason, field=reason.partition(":")[0])
            changed = outcome.status == "updated"
            lines.append("Changed." if changed else "It said so already.")
        found = client.work(work)
    document = {
        "work": found,
        "changed": changed or signed is not None,
        "statement": None if signed is None else signed.statement,
        "log_index": None if signed is None else signed.log_index,
    }
    show(common, document, [*lines, *_shown(found)])


@app.command
def withdraw(
    works: list[str],
    /,
    *,
    yes: Annotated[bool, Parameter(negative="", help="Do not ask.")] = False,
    as_registered: Annotated[bool, Parameter(negative="", help=AS_REGISTERED)] = False,
    common: Common = COMMON,
) -> None:
    """Withdraw works: every use is denied from now on, for good; licences already issued run to their end."""
    from licet.catalogue.consent import sign_withdrawal
    from licet.catalogue.held import held

    with common.client() as client:
        client.need_account()
        found = [client.work(work) for work in dict.fromkeys(works)]
        confirm(_withdrawing(found), f"Withdraw {many(len(found), 'work')}? [y/N]", yes=yes, nothing=_NOTHING)
        accepted = sign_withdrawal(client, held(client, found, as_registered=as_registered))
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
    yield "  ".join(_cells(work))
    for name in ("creator", "created", "external_id"):
        if value := getattr(work, name):
            yield f"{name.replace('external_id', 'your id'):<9} {_printable(value)}"
    if work.tags:
        yield f"tags      {_printable(', '.join(work.tags))}"
    if work.sha256:
        yield f"file      {work.sha256}"
    if work.sha256 and not _is_text(work):
        yield f"pixels    {work.pixels or '-'}"
        yield f"pdq       {work.pdq} (quality {work.quality})" if work.pdq else "pdq       -"
    if work.pdq and work.quality is not None:
        from licet.fingerprints.pdq import MIN_QUALITY  # brings numpy

        if work.quality < MIN_QUALITY:
            yield f"          below quality {MIN_QUALITY} it finds no copies with other pixels, such as smaller ones"
    for file in work.files:
        yield f"before    {file.sha256}"
    for url in work.urls:
        yield f"address   {url}"
    if work.site is not None:
        yield f"site      {work.site}, with all below it" + (
            "" if work.site_proven else ": without effect while you have not proven the domain (`licet claim check`)"
        )
    for code in (work.iscc or "").split():
        yield f"iscc      {code}"
    if work.parts is not None:
        yield f"parts     {_PARTS[work.parts]}"
    if hint and _has_thumbnail(work):
        yield f"picture   `licet works show {work.work} --thumbnail FILE.webp` fetches a small one"
    if work.statement is None:
        yield "statement none: nothing is consented to, nothing is denied"
    else:
        where = f"entry {work.log_index} of the log" if work.log_index is not None else "not in the log yet"
        yield f"statement {work.statement}, {where}"
        yield f"terms     {work.terms_hash} in force; `licet terms show {work.work}` says them in words"
    if work.changed_by is not None:
        where = f"entry {work.changed_index} of the log" if work.changed_index is not None else "not in the log yet"
        yield f"changed   by {work.changed_by}, {where}: what it is recognised by now"
    if work.waiting is not None:
        until = work.waiting.until or "a day after it is in the log"
        yield f"waiting   {work.waiting.statement} takes effect at {until}; `licet terms undo {work.work}` cancels it"
    yield f"claim     level {work.level}" + (
        "" if work.level >= 2 else ": what is offered for free counts from level 2 on, and money waits until then"
    )
    if work.challenge is not None and work.challenge.lapsed:
        yield f"challenge lapsed: without effect until you sign for it anew, `licet terms set {work.work}`"
    elif work.challenge is not None:
        by = work.challenge.until or "14 days after it is in the log"
        yield f"challenge like a verified claimant's: without effect; reach claim level {work.challenge.level} by {by}"
    if work.split is not None:
        yield f"shared    by {work.split.split}; `licet works split show {work.split.split}` says between whom"
    for said in work.restricted:
        if said.state != "ended":
            yield f"co-owner  {_restricts(said)}"
    for other in work.similar:
        left = ", which was erased and left a deny: it stands beside what you say" if other in work.denied_by else ""
        yield f"like      {other} of another account{left}"
    if work.statement is not None:
        yield f"snapshot  {'says so' if work.in_snapshot else 'does not say so yet; the next one will'}"


def _shared(found: CoOwned) -> Iterator[str]:
    yield f"{found.work.work}  {_printable(found.work.title or '(untitled)')}  by {found.registered_by}"
    yield f"shared    by {found.split}; `licet works split show {found.split}` says between whom"
    yield f"terms     {found.work.terms_hash or 'none'} in force, the strictest of what all owners say"
    if found.work.frozen:
        yield "frozen    denies since the registry lost what may have been a last word, until each owner signs again"
    for said in found.work.restricted:
        if said.state != "ended":
            yield f"co-owner  {_restricts(said)}"
    if found.own is None:
        yield f"          you say nothing of it so far; `licet terms set {found.work.work}` can only restrict it"


def _restricts(said: Restriction) -> str:
    ending = ", until a day after it left the split" if said.state == "ending" else ""
    return f"{said.account} restricts it by {said.statement}, terms {said.terms_hash}{ending}"


def _has_thumbnail(work: Work) -> bool:
    return work.mode == "upload" and not work.withdrawn and not _is_text(work)


def _is_text(work: Work) -> bool:
    return work.pixels is None and (work.iscc or "").startswith("ISCC:EA")


def _first_address(work: Work) -> str | None:
    return work.site or (work.urls[0] if work.urls and not work.sha256 else None)


_NOTHING = "nothing was withdrawn"


def _withdrawing(works: list[Work]) -> Iterator[str]:
    yield from (f"  {line}" for line in aligned(map(_cells, works[:20])))
    if len(works) > 20:
        yield f"  … and {len(works) - 20:,} more"
    yield "Withdrawn works deny every use from now on, and cannot be put back: the picture would have to be registered"
    yield "anew. Licences already issued run to their end."


def _printable(text: str) -> str:
    return "".join(each if each.isprintable() else " " for each in text)
