"""``licet register``: pictures in, one signature for all of them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from licet.cli.output import COMMON, Common, many, progress, show
from licet.cli.wording import terms_from
from licet.errors import InputError


def register(
    paths: Annotated[list[Path], Parameter(help="Pictures, or folders of them.")],
    /,
    *,
    preset: Annotated[Literal["no-ai", "research", "paid"] | None, Parameter(help="Default: no-ai.")] = None,
    price: Annotated[str | None, Parameter(help="For --preset paid: the price of one work, such as 0.05.")] = None,
    currency: Annotated[str | None, Parameter(help="ISO 4217, such as USD.")] = None,
    price_model: Annotated[str | None, Parameter(help="Such as per-training-run (default) or per-work.")] = None,
    terms: Annotated[Path | None, Parameter(help="Your own terms, a TOML file.")] = None,
    fingerprint_only: Annotated[
        bool, Parameter(negative="", help="The pictures never leave this machine; such works can only deny.")
    ] = False,
    url: Annotated[str | None, Parameter(help="Where the (one) picture is published.")] = None,
    lang: Annotated[Literal["en", "zh-Hans"], Parameter(help="The language of the text that you sign.")] = "en",
    dry_run: Annotated[bool, Parameter(negative="", help="Say what would be registered; send nothing.")] = False,
    common: Common = COMMON,
) -> int:
    """Register pictures and sign one consent statement for all of them."""
    from licet.catalogue.pictures import collect
    from licet.catalogue.register import Registered
    from licet.catalogue.register import register as send
    from licet.terms import plain_text

    chosen = terms_from(preset, price, currency, price_model, terms)
    pictures = collect(paths)
    if url is not None and len(pictures) != 1:
        raise InputError.field("--url", "one picture for one address", f"{len(pictures)} pictures")
    if dry_run:
        text = plain_text(chosen, lang, count=len(pictures))
        document = {"dry_run": True, "pictures": [str(path) for path in pictures], "text": text}
        show(common, document, [*map(str, pictures), "", text])
        return 0
    with common.client() as client, progress("registering", len(pictures)) as advance:
        done = send(client, pictures, chosen, fingerprint_only=fingerprint_only, url=url, lang=lang, advance=advance)

    def lines(done: Registered) -> Iterator[str]:
        if done.statement is not None:
            count = many(len(done.works), "work")
            yield f"{count} registered under {done.statement}, entry {done.log_index} of the log."
        elif not done.duplicates:
            yield "Nothing was registered."
        else:
            yield "Nothing is new: no signature was needed."
        if done.pending_until:
            yield f"What they permit takes effect at {done.pending_until}; until then they deny it."
        if fingerprint_only and done.works and (terms or preset not in (None, "no-ai")):
            yield "Without the pictures these works can only deny: what the terms offer is left to a look (review)."
        if done.duplicates and (terms or preset or url):
            yield "What was registered before keeps its terms and addresses; `licet terms set` signs other terms."
        for entry in done.duplicates:
            yield f"already registered: {entry.path} ({entry.work})"
        for entry in done.contested:
            yield f"also claimed by somebody else: {entry.path} ({entry.work}); the strictest terms apply meanwhile"
        for refusal in done.refused:
            yield f"refused: {refusal.path}: {refusal.reason}"

    document = {
        "works": done.works,
        "statement": done.statement,
        "log_index": done.log_index,
        "effect": done.effect,
        "pending_until": done.pending_until,
        "duplicates": done.duplicates,
        "contested": done.contested,
        "refused": done.refused,
    }
    show(common, document, list(lines(done)))
    return 2 if done.refused and not done.works and not done.duplicates else 0
