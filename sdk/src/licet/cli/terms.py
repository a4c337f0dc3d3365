"""``licet terms``: what is consented to, and changing it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from cyclopts import App, Parameter

from licet.cli.output import COMMON, Common, many, show
from licet.cli.wording import terms_from
from licet.errors import InputError

app = App(name="terms", help="Show and change what you consent to.")


@app.command(name="show")
def show_terms(work: str, /, *, lang: Literal["en", "zh-Hans"] = "en", common: Common = COMMON) -> None:
    """Show the terms that you signed for a work, in plain words."""
    from licet.catalogue.consent import terms_of
    from licet.terms import plain_text

    with common.client() as client:
        signed = terms_of(client, [client.work(work)])
    if not signed:
        raise InputError(f"{work}: expected a work under a signed statement, got one that nothing is signed for")
    document = {"work": work, "terms": signed[0].to_json(), "terms_hash": signed[0].hash}
    show(common, document, [plain_text(signed[0], lang, count=1)])


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
    common: Common = COMMON,
) -> None:
    """Sign new terms. What tightens is in force at once; what loosens waits a day and can be undone."""
    from licet.catalogue.consent import digest_of, sign_terms, terms_of

    if bool(works) == all_works:
        raise InputError(f"works: expected either works or --all, got {'both' if works else 'neither'}", field="works")
    if preset is None and terms is None:
        raise InputError("--preset: expected a preset, or --terms FILE, got neither", field="--preset")
    chosen = terms_from(preset, price, currency, price_model, terms)
    with common.client() as client:
        account = client.need_account().account
        assert account is not None
        covered = list(client.works()) if all_works else [client.work(work) for work in works or []]
        covered = [work for work in covered if not work.withdrawn]
        if not covered:
            raise InputError("works: expected one work or more that is not withdrawn, got none", field="works")
        digests = [digest_of(work, account.account) for work in covered]
        accepted = sign_terms(client, digests, chosen, old_terms=terms_of(client, covered), lang=lang)
    document = {
        "statement": accepted.statement,
        "log_index": accepted.log_index,
        "effect": accepted.effect,
        "pending_until": accepted.pending_until,
        "works": len(covered),
    }
    lines = [f"{many(len(covered), 'work')} under {accepted.statement}, entry {accepted.log_index} of the log."]
    if accepted.pending_until and accepted.effect == "tighten":
        lines.append("What they deny is in force now; another claim on such a picture is open.")
        lines.append(f"What they permit takes effect at {accepted.pending_until} at the earliest.")
    elif accepted.pending_until:
        lines.append(f"This loosens: it takes effect at {accepted.pending_until}; until then the terms before hold.")
        lines.append("Signing other terms before that cancels it.")
    else:
        lines.append("In force now." if accepted.effect != "tighten" else "This tightens: in force now.")
    show(common, document, lines)
