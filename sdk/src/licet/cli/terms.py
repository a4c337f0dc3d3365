"""``licet terms``: what is consented to, and changing it."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import App, Parameter

from licet.cli.output import COMMON, Common, progress, show
from licet.cli.wording import AS_REGISTERED, apart, terms_from
from licet.counted import many
from licet.errors import InputError, LicetError

if TYPE_CHECKING:
    from licet.catalogue.coowned import CoOwned
    from licet.client import Client
    from licet.wire.works import Work

app = App(name="terms", help="Show, change, take back and undo what you consent to.")


@app.command(name="show")
def show_terms(work: str, /, *, lang: Literal["en", "zh-Hans"] = "en", common: Common = COMMON) -> None:
    """Show the terms that you signed for a work, in plain words, and those that wait to take effect."""
    from licet.catalogue.consent import stated_by, terms_of
    from licet.catalogue.coowned import stated_for
    from licet.terms import plain_text

    waiting: tuple[str, str | None] | None = None
    with common.client() as client:
        mine, shared = _sorted(client, [work])
        signed = terms_of(client, mine) if mine else stated_for(client, shared)
        for each in mine:
            waiting = None if each.waiting is None else (each.waiting.statement, each.waiting.until)
        for one in shared:
            if one.own is not None and one.own.waiting is not None:
                waiting = (one.own.waiting, one.own.until)
        coming = stated_by(client, waiting[0]) if waiting is not None else None
    in_force = mine[0].terms_hash if mine else shared[0].work.terms_hash
    if not signed:
        raise InputError(f"{work}: expected a work under a signed statement, got one that nothing is signed for")
    document = {
        "work": work,
        "terms": signed[0].to_json(),
        "terms_hash": signed[0].hash,
        "in_force": in_force,
        "waiting": None
        if waiting is None or coming is None
        else {
            "statement": waiting[0],
            "until": waiting[1],
            "terms": coming.to_json(),
            "terms_hash": coming.hash,
        },
    }
    lines = [plain_text(signed[0], lang, count=1)]
    if shared or (mine and mine[0].restricted):
        lines += ["", "It is shared: the strictest of this and of what the others say counts, use by use."]
    if waiting is not None and coming is not None:
        until = waiting[1] or "a day after its statement is in the log"
        if coming.hash == signed[0].hash:
            lines += ["", f"What this permits takes effect at {until} at the earliest; until then it is denied."]
        else:
            lines += ["", f"From {until} on, unless you undo it (`licet terms undo {work}`):", ""]
            lines.append(plain_text(coming, lang, count=1))
    show(common, document, lines)


def _sorted(client: Client, works: list[str]) -> tuple[list[Work], list[CoOwned]]:
    """Return those of ``works`` that are the account's own, or those of others that it shares, never both."""
    from licet.catalogue.coowned import coowned

    mine: list[Work] = []
    shared: list[CoOwned] = []
    for work in dict.fromkeys(works):
        try:
            mine.append(client.work(work))
        except LicetError as error:
            found = list(coowned(client, work)) if error.details.get("status") == 404 else []
            if not found:
                raise
            shared += found[:1]
    if mine and shared:
        got = f"{mine[0].work} of your own and {shared[0].work} of {shared[0].registered_by}"
        raise InputError.field("works", "works of your own or works of others that you share, one statement each", got)
    return mine, shared


@app.command(name="undo")
def undo_terms(
    works: Annotated[list[str] | None, Parameter(help="Works (wrk_…), or --all.")] = None,
    /,
    *,
    all_works: Annotated[bool, Parameter(name="--all", negative="", help="Every work on which terms wait.")] = False,
    lang: Annotated[Literal["en", "zh-Hans"], Parameter(help="The language of the text that you sign.")] = "en",
    as_registered: Annotated[bool, Parameter(negative="", help=AS_REGISTERED)] = False,
    common: Common = COMMON,
) -> None:
    """Cancel looser terms that wait to take effect, by signing the terms in force once more."""
    from licet.catalogue.consent import undo
    from licet.catalogue.coowned import coowned, undo_coowned

    if bool(works) == all_works:
        raise InputError(f"works: expected either works or --all, got {'both' if works else 'neither'}", field="works")
    with common.client() as client:
        if all_works:
            found, shared = list(client.works(state="pending")), list(coowned(client))
        else:
            found, shared = _sorted(client, works or [])
        done = undo(client, found, lang=lang, as_registered=as_registered)
        done += undo_coowned(client, shared, lang=lang, as_registered=as_registered)
    statements = [{"statement": each.statement, "log_index": each.log_index, "works": each.works} for each in done]
    lines = [
        f"{many(each.works, 'work')} under {each.statement}, entry {each.log_index} of the log: nothing waits now."
        for each in done
    ]
    show(common, {"statements": statements}, lines or ["Nothing waits: nothing to undo."])


@app.command(name="revoke")
def revoke_terms(
    works: Annotated[list[str] | None, Parameter(help="Works (wrk_…), or --all.")] = None,
    /,
    *,
    all_works: Annotated[bool, Parameter(name="--all", negative="", help="Every work of yours.")] = False,
    lang: Annotated[Literal["en", "zh-Hans"], Parameter(help="The language of the text that you sign.")] = "en",
    as_registered: Annotated[bool, Parameter(negative="", help=AS_REGISTERED)] = False,
    common: Common = COMMON,
) -> None:
    """Take back what you permit: every use but search is denied at once; issued licences run to their end.

    What search is stays as you signed it, and looser terms that wait are cancelled.
    """
    from licet.catalogue.consent import revoke
    from licet.catalogue.coowned import revoke_coowned

    if bool(works) == all_works:
        raise InputError(f"works: expected either works or --all, got {'both' if works else 'neither'}", field="works")
    with common.client() as client:
        client.need_account()
        mine, shared = (list(client.works()), []) if all_works else _sorted(client, works or [])
        covered = [work for work in mine if not work.withdrawn and (work.statement or not all_works)]
        if not covered and not shared:
            raise InputError("works: expected one work or more that is not withdrawn, got none", field="works")
        done = revoke(client, covered, lang=lang, as_registered=as_registered)
        done += revoke_coowned(client, shared, lang=lang, as_registered=as_registered)
    statements = [
        {"statement": each.statement, "log_index": each.log_index, "effect": each.effect, "works": each.works}
        for each in done
    ]
    lines = [
        f"{many(each.works, 'work')} under {each.statement}, entry {each.log_index} of the log: denied from now on."
        for each in done
    ]
    if done:
        lines.append(
            "Licences already issued run to their end; `licet licences revoke` ends one where its terms say so."
        )
    show(common, {"statements": statements}, lines or ["Nothing but search is permitted: nothing to take back."])


@app.command(name="set")
def set_terms(
    works: Annotated[list[str] | None, Parameter(help="Works (wrk_…), or --all.")] = None,
    /,
    *,
    all_works: Annotated[bool, Parameter(name="--all", negative="", help="Every work of yours.")] = False,
    preset: Annotated[Literal["no-ai", "research", "paid"] | None, Parameter(help="A preset.")] = None,
    price: Annotated[str | None, Parameter(help="For --preset paid.")] = None,
    currency: Annotated[str | None, Parameter(help="ISO 4217, such as USD.")] = None,
    price_model: Annotated[str | None, Parameter(help="Such as per-training-run (default).")] = None,
    terms: Annotated[Path | None, Parameter(help="Your own terms, a TOML file.")] = None,
    lang: Annotated[Literal["en", "zh-Hans"], Parameter(help="The language of the text that you sign.")] = "en",
    as_registered: Annotated[bool, Parameter(negative="", help=AS_REGISTERED)] = False,
    common: Common = COMMON,
) -> None:
    """Sign new terms. What tightens is in force at once; what loosens waits a day and can be undone."""
    from licet.catalogue.consent import sign_terms, terms_of
    from licet.catalogue.coowned import state_coowned
    from licet.catalogue.held import held

    if bool(works) == all_works:
        raise InputError(f"works: expected either works or --all, got {'both' if works else 'neither'}", field="works")
    if preset is None and terms is None:
        raise InputError("--preset: expected a preset, or --terms FILE, got neither", field="--preset")
    chosen = terms_from(preset, price, currency, price_model, terms)
    with common.client() as client:
        client.need_account()
        mine, shared = (list(client.works()), []) if all_works else _sorted(client, works or [])
        covered = [work for work in mine if not work.withdrawn]
        if not covered and not shared:
            raise InputError("works: expected one work or more that is not withdrawn, got none", field="works")
        if shared:
            accepted = state_coowned(client, shared, chosen, lang=lang, as_registered=as_registered)
        else:
            digests = held(client, covered, as_registered=as_registered)
            accepted = sign_terms(client, digests, chosen, old_terms=terms_of(client, covered), lang=lang)
    count = len(covered) + len(shared)
    document = {
        "statement": accepted.statement,
        "log_index": accepted.log_index,
        "effect": accepted.effect,
        "pending_until": accepted.pending_until,
        "works": count,
        "shared": bool(shared),
    }
    lines = [f"{many(count, 'work')} under {accepted.statement}, entry {accepted.log_index} of the log."]
    if accepted.pending_until and accepted.effect == "tighten":
        lines.append("What they deny is in force now. Where somebody else claims a picture too,")
        lines.append(f"what they permit takes effect at {accepted.pending_until} at the earliest.")
    elif accepted.pending_until:
        lines.append(f"This loosens: it takes effect at {accepted.pending_until}; until then the terms before hold.")
        lines.append("Signing other terms before that cancels it.")
    else:
        lines.append("In force now." if accepted.effect != "tighten" else "This tightens: in force now.")
    if shared:
        lines.append("Of what you say and what its account and other co-owners say, the strictest counts, use by use.")
    show(common, document, lines)


@app.command(name="export")
def export_terms(
    work: Annotated[str | None, Parameter(help="A work of yours (wrk_…), for what you signed for it.")] = None,
    /,
    *,
    dialects: Annotated[
        list[str] | None, Parameter(name="--as", negative="", consume_multiple=True, help="Dialects; default all.")
    ] = None,
    output: Annotated[Path | None, Parameter(name=["--output", "-o"], help="A folder; made if need be.")] = None,
    embed: Annotated[
        list[Path] | None,
        Parameter(negative="", consume_multiple=True, help="Files of the work: copies with the terms go there."),
    ] = None,
    terms: Annotated[Path | None, Parameter(help="Instead of a work: a terms file, offline.")] = None,
    preset: Annotated[Literal["no-ai", "research", "paid"] | None, Parameter(help="Instead: a preset.")] = None,
    price: Annotated[str | None, Parameter(help="For --preset paid.")] = None,
    currency: Annotated[str | None, Parameter(help="ISO 4217, such as USD.")] = None,
    price_model: Annotated[str | None, Parameter(help="Such as per-training-run (default).")] = None,
    address: Annotated[str | None, Parameter(help="Where people read the terms.")] = None,
    at: Annotated[str | None, Parameter(help="Where the folder will lie on the web.")] = None,
    url: Annotated[str, Parameter(help="What the documents speak of: an address, or a pattern of paths.")] = "/",
    iscc: Annotated[str | None, Parameter(help="The ISCC, for tdmai (default: the work's).")] = None,
    kit: Annotated[
        Path | None, Parameter(help="Instead of a folder: a zip for a whole site, whose address --at is then.")
    ] = None,
    common: Common = COMMON,
) -> None:
    """Write your terms in the dialects of others, and say what each of them cannot say.

    No dialect comes out looser than your terms. Nothing is written over: a file that is there and
    says something else stops the command; one that is just what would be written stays, so stopped exports go on.
    """
    from licet.catalogue.publishing import export, write_kit

    if (work is None) == (terms is None and preset is None):
        got = "neither" if work is None else "both"
        raise InputError(f"work: expected a work, or --terms or --preset, got {got}", field="work")
    if embed and output is None:
        raise InputError.field("--output", "a folder for the copies", "none")
    if kit is not None and (output is not None or dialects):
        raise InputError.field("--kit", "no --output and no --as beside it: a kit has files of its own", "one")
    title = artist = None
    if work is None:
        chosen = terms_from(preset, price, currency, price_model, terms)
    else:
        from licet.catalogue.consent import terms_of

        with common.client() as client:
            found = client.work(work)
            signed = terms_of(client, [found])
            address = address or f"{client.url.rstrip('/')}/en/work/{found.work}"
        if not signed or found.withdrawn:
            got = "a withdrawn one" if found.withdrawn else "one that nothing is signed for"
            raise InputError.field("work", "a work under terms in force", got)
        if found.restricted:
            expected = "a work whose own terms are all that counts (--terms FILE exports the strictest of them)"
            raise InputError.field("work", expected, "one that co-owners or a statement on your catalogue restrict")
        chosen, title, artist, iscc = signed[0], found.title, found.creator, iscc or _one_of(found.iscc)
        _only_of(found, embed or ())
    if kit is not None:
        packed = write_kit(chosen, kit, at=at, artist=artist)
        show(common, {"file": str(kit), "terms_hash": chosen.hash, "files": packed}, [f"wrote {kit}", *packed])
        return
    with progress("embedding", len(embed or ())) as advance:
        done = export(
            chosen,
            dialects=apart(dialects or ()),
            folder=output,
            pictures=embed or (),
            address=address,
            at=at,
            url=url,
            iscc=iscc,
            title=title,
            artist=artist,
            advance=advance,
        )
    if dialects and len(done.written) == 1 and output is None and not common.json:
        lines = done.written[0].body.decode().splitlines()
    else:
        lines = list(done.lines())
    show(common, done.document(), lines)


def _one_of(iscc: str | None) -> str | None:
    """Return the content code of a work's codes: a declaration is bound to one."""
    return iscc.partition(" ")[0] if iscc else None


def _only_of(work: Work, pictures: Iterable[Path]) -> None:
    """Raise ``InputError`` naming the first of ``pictures`` that is no file of ``work``."""
    from licet.fingerprints.exact import file_digest

    known = {work.sha256, *(each.sha256 for each in work.files)}
    for picture in pictures:
        if file_digest(picture) not in known:
            expected = f"a picture that {work.work} was registered with, unchanged (--terms FILE embeds in any picture)"
            raise InputError.field("--embed", expected, str(picture))


@app.command(name="compare")
def compare_terms(
    works: Annotated[list[str] | None, Parameter(help="Works (wrk_…), or --all.")] = None,
    /,
    *,
    all_works: Annotated[bool, Parameter(name="--all", negative="", help="Every work of yours.")] = False,
    also: Annotated[
        Path | None, Parameter(help="A list of more addresses, a line each: URL, or URL,wrk_… where there are several.")
    ] = None,
    csv: Annotated[Path | None, Parameter(help="Where to write a table of what differs.")] = None,
    fresh: Annotated[bool, Parameter(negative="", help="Fetch everything anew, also what was fetched lately.")] = False,
    common: Common = COMMON,
) -> int:
    """Show where the web says less about your works than you signed: at the addresses you registered, and others.

    Their sites are asked as politely as `licet signals` does, and nobody is told what you signed. Exit status 1 says
    that something is looser. Stopped half way it goes on where it was.
    """
    import os

    from licet.catalogue.comparing import Place, compare, listed, write_csv
    from licet.catalogue.consent import terms_of
    from licet.home import Home
    from licet.signals.cache import Cache

    if bool(works) == all_works:
        raise InputError(f"works: expected either works or --all, got {'both' if works else 'neither'}", field="works")
    with common.client() as client:
        found = list(client.works()) if all_works else [client.work(each) for each in dict.fromkeys(works or ())]
        found = [each for each in found if not each.withdrawn and each.statement]
        known = {each.hash: each for each in terms_of(client, found)}
    terms = {each.work: known[each.terms_hash] for each in found if each.terms_hash in known}
    if not terms:
        raise InputError("works: expected works under terms that you signed, got none", field="works")
    places = [Place(each.work, url) for each in found if each.work in terms for url in each.urls]
    places += listed(also, list(terms)) if also is not None else []
    places = list(dict.fromkeys(places))
    if not places:
        raise InputError("works: expected works with addresses, or --also FILE, got neither", field="works")
    if csv is not None and csv.exists():
        raise InputError(f"{csv}: expected no file there, because nothing is written over, got one", field="--csv")
    with (
        Cache(None if fresh else Home().folder / "signals.sqlite") as cache,
        progress("looking", len({each.url for each in places})) as advance,
    ):
        # For tests: a server on this machine, and no other host.
        loopback = os.environ.get("LICET_SIGNALS_LOOPBACK") == "1"
        done = compare(places, terms, cache, loopback=loopback, advance=advance)
    if csv is not None:
        write_csv(csv, done.differences)
    lines = [*done.lines(), *([] if csv is None else ["", f"wrote {csv}"])]
    show(common, done.document(), lines)
    return 1 if any(each.kind == "looser" for each in done.differences) else 0
