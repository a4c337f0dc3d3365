"""``licet register``: pictures, texts or a table of works in, one signature for each of the terms."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import Parameter

from licet.cli.output import COMMON, Common, progress, show
from licet.cli.wording import terms_from
from licet.counted import many
from licet.errors import InputError

if TYPE_CHECKING:
    from licet.catalogue.batch import Changed
    from licet.catalogue.items import Item, Refused
    from licet.catalogue.outcomes import Registered
    from licet.catalogue.sheet import Sheet
    from licet.terms import Terms

SHOWN = 20  # of a kind, for people; --json has all
NAMED = 3  # of what is as it was: more of them are counted


def register(
    paths: Annotated[list[Path] | None, Parameter(help="Pictures, or folders of them; texts (.txt, .md).")] = None,
    /,
    *,
    table: Annotated[Path | None, Parameter(name="--from", help="A CSV file, a row a work.")] = None,
    preset: Annotated[Literal["no-ai", "research", "paid"] | None, Parameter(help="Default: no-ai.")] = None,
    price: Annotated[str | None, Parameter(help="For --preset paid: the price of one work, such as 0.05.")] = None,
    currency: Annotated[str | None, Parameter(help="ISO 4217, such as USD.")] = None,
    price_model: Annotated[str | None, Parameter(help="Such as per-training-run (default) or per-work.")] = None,
    terms: Annotated[Path | None, Parameter(help="Your own terms, a TOML file.")] = None,
    fingerprint_only: Annotated[
        bool, Parameter(negative="", help="The pictures never leave this machine; such works can only deny.")
    ] = False,
    url: Annotated[str | None, Parameter(help="Where the (one) work is published.")] = None,
    site: Annotated[
        list[str] | None,
        Parameter(negative="", help="All below a host and path of a domain you have proven: example.org/gallery."),
    ] = None,
    lang: Annotated[Literal["en", "zh-Hans"], Parameter(help="The language of the text that you sign.")] = "en",
    replace: Annotated[
        bool, Parameter(negative="", help="A picture that changed under its name or path is what that work is now.")
    ] = False,
    separate: Annotated[
        bool, Parameter(negative="", help="A picture that changed in its place is a new work.")
    ] = False,
    dry_run: Annotated[
        bool, Parameter(negative="", help="Say what would be done; send no picture and sign nothing.")
    ] = False,
    common: Common = COMMON,
) -> int:
    """Register pictures and texts, and sign one consent statement for all, or one for each of the terms in a table."""
    from licet.catalogue.items import Rows, Stated, items_of, items_of_sites
    from licet.catalogue.pictures import Pictures
    from licet.catalogue.sheet import Sheet, write_errors
    from licet.fingerprints.sites import site_of
    from licet.fingerprints.urls import canonical_url
    from licet.home import Home

    if [bool(paths), table is not None, bool(site)].count(True) != 1:
        message = "expected pictures, folders, --from FILE.csv, or --site HOST/PATH, and one kind of them"
        raise InputError(message, field="paths")
    if replace and separate:
        raise InputError("--separate: expected it or --replace, got both", field="--separate")
    changed: Changed = "replace" if replace else "separate" if separate else "refuse"
    sheet: Sheet | None = None
    items: Iterable[Item | Refused]
    if table is not None:
        if url is not None:
            raise InputError.field("--url", "a column url in the table", url)
        # A price may be meant for rows that say `paid`: only what names no terms at all falls back to these.
        whole = preset is not None or terms is not None
        default = terms_from(preset, price, currency, price_model, terms) if whole else terms_from(*[None] * 5)
        sheet = Sheet(table)
        stated, mine = Stated(preset, price, currency, price_model, terms), Home().profile(common.profile).account
        items = Rows(sheet, stated, account=mine.account if mine else None, fingerprint_only=fingerprint_only)
        total = sheet.rows
    elif site:
        if url is not None:
            raise InputError.field("--url", "none beside --site", url)
        default = terms_from(preset, price, currency, price_model, terms)
        items, total = items_of_sites([site_of(each) for each in site]), len(site)
    else:
        default = terms_from(preset, price, currency, price_model, terms)
        pictures = Pictures(paths or [])
        if url is not None and len(pictures) != 1:
            raise InputError.field("--url", "one picture for one address", f"{len(pictures)} pictures")
        urls = [canonical_url(url)] if url else []
        items, total = items_of(pictures, urls=urls, fingerprint_only=fingerprint_only), len(pictures)
    done, said, fee = _run(common, items, default, lang, total, changed=changed, dry_run=dry_run)
    errors = None
    if sheet is not None and done.refused and not dry_run:
        errors = sheet.path.with_name(f"{sheet.path.stem}.errors.csv")
        rows = {each.row: (each.field or "", each.reason) for each in done.refused if each.row is not None}
        write_errors(sheet, errors, rows)
    if dry_run:
        show(common, _planned(done, said, fee), list(_plan_lines(done, said, fee)))
    else:
        explicit = bool(terms or preset or url)
        lines = _lines(done, errors, explicit=explicit, offers=bool(terms or preset not in (None, "no-ai")))
        show(common, _document(done, errors), list(lines))
    if not done.refused:
        return 0
    return 1 if done.works or done.updated or done.unchanged or done.duplicates or done.replaced else 2


def _run(
    common: Common,
    items: Iterable[Item | Refused],
    default: Terms,
    lang: str,
    total: int,
    *,
    changed: Changed,
    dry_run: bool,
) -> tuple[Registered, dict[str, str], int | None]:
    """Return what was done (or would be), the plain text of each of the terms by hash, and the registry's fee."""
    from licet.catalogue.items import Refused
    from licet.catalogue.register import register_items as send
    from licet.terms import plain_text

    named: dict[str, Terms] = {default.hash: default}

    def noted() -> Iterator[Item | Refused]:
        for item in items:
            if not isinstance(item, Refused) and item.terms is not None:
                named.setdefault(item.terms.hash, item.terms)
            yield item

    with common.client() as client, progress("looking" if dry_run else "registering", total) as advance:
        done = send(client, noted(), default, lang=lang, changed=changed, dry_run=dry_run, advance=advance)
        fee = client.registry().fee_bps if dry_run else None
        who = client.need_account().account
        name = who.name if who is not None else ""
    texts = {
        key: plain_text(named[key], "zh-Hans" if lang == "zh-Hans" else "en", name, count)
        for key, count in done.would.items()
    }
    return done, texts, fee


def _document(done: Registered, errors: Path | None) -> dict[str, Any]:
    first = done.first
    return {
        "works": done.works,
        "statement": first.statement if first else None,
        "log_index": first.log_index if first else None,
        "effect": first.effect if first else None,
        "pending_until": first.pending_until if first else None,
        "statements": done.statements,
        "updated": done.updated,
        "replaced": done.replaced,
        "unchanged": done.unchanged,
        "duplicates": done.duplicates,
        "contested": done.contested,
        "whole": done.whole,
        "refused": done.refused,
        "errors_file": str(errors) if errors else None,
    }


def _lines(done: Registered, errors: Path | None, *, explicit: bool, offers: bool) -> Iterator[str]:
    for signed in done.statements:
        count = many(signed.works, "work")
        if signed.terms_hash is None:
            yield f"{count} changed under {signed.statement}, entry {signed.log_index} of the log: found by the new"
            yield "picture and by what each was before, under the same terms."
            if signed.pending_until:
                yield f"Where it is like somebody else's, what they permit waits until {signed.pending_until}."
            continue
        # A statement may be for works that were known: they are counted beside.
        what = "registered under" if signed.effect == "initial" else "under"
        yield f"{count} {what} {signed.statement}, entry {signed.log_index} of the log."
        if signed.effect == "loosen" and signed.pending_until:
            yield f"Where it loosens, it takes effect at {signed.pending_until}; until then the terms before hold."
        elif signed.pending_until and len(done.statements) == 1 and len(done.contested) >= signed.works:
            yield f"What they permit takes effect at {signed.pending_until}; until then they deny it."
        elif signed.pending_until:
            yield "What they permit is in force. Where somebody else claims the picture too, it takes effect at"
            yield f"{signed.pending_until}; until then such a work denies it."
    if not done.statements:
        if done.duplicates or done.unchanged or done.updated:
            yield "Nothing is new: no signature was needed."
        else:
            yield "Nothing was registered."
    if done.cancelled:
        yield f"On {many(done.cancelled, 'work')} looser terms waited; they were signed over the picture before and are"
        yield "cancelled: `licet terms set` signs them again."
    if done.updated:
        yield f"{many(len(done.updated), 'work')} updated."
    if done.unchanged:
        yield f"{many(len(done.unchanged), 'work')} unchanged."
    if done.bare and offers:
        yield "Without the pictures these works can only deny: what the terms offer is left to a look (review)."
    elif done.bare:
        yield f"{many(done.bare, 'work')} without a picture: a fingerprint, address or site alone can only deny."
    if done.duplicates and explicit:
        yield "What was registered before keeps its terms and addresses; `licet terms set` signs other terms."
    if len(done.duplicates) > NAMED:
        yield f"{many(len(done.duplicates), 'picture')} registered before (--json names them)."
    else:
        yield from _some(f"already registered: {entry.path} ({entry.work})" for entry in done.duplicates)
    yield from _some(
        f"also claimed by somebody else: {entry.path} ({entry.work}); the strictest terms apply meanwhile"
        for entry in done.contested
    )
    yield from _wholes(done)
    yield from _refusals(done)
    if errors is not None:
        yield f"The refused rows are in {errors}: correct them there and run `licet register --from {errors}`."


def _wholes(done: Registered) -> Iterator[str]:
    plain = [each for each in done.whole if each.parts == "too-plain"]
    yield from _some(
        f"only found whole: {each.path} ({each.work}): too plain for its crops, frames and collages to be recognised"
        for each in plain
    )
    if rest := len(done.whole) - len(plain):
        yield f"{many(rest, 'work')} only found whole: crops and collages are recognised of pictures that are sent."


def _planned(done: Registered, texts: dict[str, str], fee: int | None) -> dict[str, Any]:
    return {
        "dry_run": True,
        "pictures": [entry.path for entry in done.works],
        "updated": done.updated,
        "replaced": done.replaced,
        "unchanged": done.unchanged,
        "duplicates": done.duplicates,
        "refused": done.refused,
        "statements": [{"terms_hash": key, "works": done.would[key], "text": text} for key, text in texts.items()],
        "text": "\n\n".join(texts.values()),
        "fee_bps": fee,
    }


def _plan_lines(done: Registered, texts: dict[str, str], fee: int | None) -> Iterator[str]:
    kinds = (
        ("would be registered", done.works),
        ("would be updated", done.updated),
        ("would have another file, and be found by the one before too", done.replaced),
        ("would stay as they are", [*done.unchanged, *done.duplicates]),
        ("would be refused", done.refused),
    )
    yield "A dry run: no file was sent and nothing was signed."
    for words, entries in kinds:
        if entries:
            yield f"{many(len(entries), 'work')} {words}."
    yield from _some(f"  {entry.path}" for entry in done.works)
    yield from _refusals(done)
    for text in texts.values():
        yield from ("", text)
    if fee is not None and texts:
        yield from ("", f"Of what licensees pay, the registry keeps {fee / 100:g}%.")


def _refusals(done: Registered) -> Iterator[str]:
    yield from _some(
        f"refused: {each.path}{f' (row {each.row})' if each.row and not each.path.startswith('row ') else ''}: "
        f"{each.reason}"
        for each in done.refused
    )
    if done.refused:
        rest = sum(map(len, (done.works, done.updated, done.unchanged, done.duplicates, done.replaced)))
        yield f"{many(len(done.refused), 'picture or row', 'pictures or rows')} refused, {rest:,} done."


def _some(lines: Iterable[str]) -> Iterator[str]:
    """Yield the first of ``lines``, each in one line, and how many more there are."""
    left = 0
    for number, line in enumerate(lines):
        if number < SHOWN:
            yield _one_line(line)
        else:
            left += 1
    if left:
        yield f"… and {left:,} more (--json lists all)"


def _one_line(text: str) -> str:
    return "".join(each if each.isprintable() else repr(each)[1:-1] for each in text)
