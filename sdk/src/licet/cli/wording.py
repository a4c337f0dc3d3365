"""What a person wrote on the command line, as terms, requests and budgets."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from licet.errors import InputError

if TYPE_CHECKING:
    from licet.datasets.licensing.budgets import Budget
    from licet.decisions import Request
    from licet.terms import Terms


#: What the option says that takes the registry's word for what a work is.
AS_REGISTERED = "Sign for works as the registry has them, also where that is not what was signed for here."


def terms_from(
    preset: str | None,
    price: str | None,
    currency: str | None,
    price_model: str | None,
    file: Path | None,
) -> Terms:
    """Return the terms that these options name: a file's, or a preset's (default ``no-ai``, the strictest).

    Raises ``InputError`` that names the option which is missing, superfluous or wrong.
    """
    from licet.catalogue.stating import chosen_terms

    return chosen_terms(preset, price, currency, price_model, file, option="--{}")


def request_from(
    use: Sequence[str],
    purpose: Sequence[str] | None = None,
    territory: Sequence[str] | None = None,
    open_weights: str | None = None,
    model: str | None = None,
    model_scope: str | None = None,
) -> Request:
    """Return the request that these options make; lists may be given as ``a b``, ``a,b`` or by repeating the option.

    Raises ``InputError`` that names the option.
    """
    from licet.decisions import Request

    named = {"uses": "--use", "purpose": "--purpose", "territory": "--territory", "model": "--model"}
    try:
        return Request(
            uses=apart(use),
            purpose=apart(purpose or ()),
            territory=apart(territory) if territory else None,
            open_weights=_yes_or_no("--open-weights", open_weights),
            model=model,
            model_scope=model_scope or "one-version",
        )
    except InputError as error:
        field = str(error.details.get("field", ""))
        if field not in named:
            raise
        given = {"uses": apart(use), "purpose": apart(purpose or ()), "territory": apart(territory or ())}
        got = ", ".join(given[field]) if field in given else model
        raise InputError.field(named[field], str(error.details.get("expected")), got) from None


def budgets_from(budget: Sequence[str] | None) -> Budget:
    """Return the budget of ``--budget 100USD --budget 50EUR``; none is a budget of nothing."""
    from licet.datasets.licensing.budgets import Budget

    try:
        return Budget(*apart(budget or ()))
    except InputError as error:
        raise InputError.field("--budget", str(error.details.get("expected")), ", ".join(apart(budget or ()))) from None


def columns_from(columns: Sequence[str] | None) -> dict[str, str]:
    """Return the mapping of ``--columns url=IMAGE_URL sha256=HASH``: our name → the table's."""
    found: dict[str, str] = {}
    for pair in columns or ():
        name, equals, own = pair.partition("=")
        if not (name and equals and own) or name.lower() in found:
            raise InputError.field("--columns", "pairs such as url=IMAGE_URL, each name once", pair)
        found[name.lower()] = own
    return found


def verdicts_from(option: str, given: Sequence[str] | None) -> frozenset[str]:
    """Return the verdicts that ``deny,review`` names; raises ``InputError`` that names ``option``."""
    from licet.decisions import VERDICTS

    wanted = apart(given or ())
    for verdict in wanted:
        if verdict not in VERDICTS:
            raise InputError.field(option, f"any of {', '.join(VERDICTS)}", verdict)
    return frozenset(wanted)


def refuse_result(option: str, out: Path | None, given: Sequence[Path]) -> None:
    """Raise ``InputError`` where a report would be written over a folder, or over a result of ``licet filter``."""
    if out is None:
        return
    results = (".decisions.parquet", ".manifest.json", ".credits.jsonl", ".after.jsonl")
    same = {path.resolve() for path in given}
    if out.is_dir() or out.name.endswith(results) or out.resolve() in same:
        raise InputError.field(option, "another file than a result of `licet filter`", str(out))


def refuse_existing(output: Path, *, overwrite: bool) -> None:
    """Raise ``InputError`` where ``-o`` names what is there already, which only ``overwrite`` replaces."""
    if output.is_dir():
        raise InputError.field("-o", "a file, not a folder", str(output))
    if not overwrite and (output.exists() or output.is_symlink()):
        raise InputError.field("-o", "a file that is not there yet, or --overwrite", str(output))


def apart(given: Sequence[str]) -> list[str]:
    """Return the words of a list that was given with spaces, with commas, or both."""
    return [word.strip() for text in given for word in text.split(",") if word.strip()]


def _yes_or_no(option: str, given: str | None) -> bool | None:
    if given is None:
        return None
    if given not in ("yes", "no"):
        raise InputError.field(option, "yes or no", given)
    return given == "yes"


def moment_from(text: str | None, option: str) -> str | None:
    """Return the moment of ``2027-06-30`` or of a time as `licet.times` writes it; raises ``InputError``."""
    from licet import times

    if text is None:
        return None
    whole = f"{text}T00:00:00.000Z" if len(text) == 10 else text
    return times.to_text(times.from_text(whole, option))
