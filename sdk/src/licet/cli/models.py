"""``licet models``: what an organisation trained, on what, and what it says of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

from cyclopts import App, Parameter

from licet.cli.columns import aligned
from licet.cli.output import COMMON, Common, printable, show
from licet.counted import many
from licet.errors import InputError

if TYPE_CHECKING:
    from licet.wire.register import ModelVersionInfo

app = App(name="models", help="List, show and describe the models that were trained, and on what.")
_PUBLIC = Annotated[bool, Parameter(negative="", help="Of the public register, which needs no account.")]
_YES_NO: Final = {"yes": True, "no": False}


@app.command(name="list")
def list_models(
    *,
    q: Annotated[str | None, Parameter(help="Part of the name (with --public also of the organisation's).")] = None,
    public: _PUBLIC = False,
    common: Common = COMMON,
) -> None:
    """List models, the newest first: your organisation's, or everybody's that are in the public register."""
    wanted: Any = {} if q is None else {"q": q}
    with common.client() as client:
        found = list(client.registered_models(**wanted) if public else client.models(**wanted))
    rows = [
        (
            each.model,
            printable(f"{each.name}@{each.version}"),
            each.status,
            f"{many(each.versions, 'version')}, {many(each.runs, 'run')}",
            printable(each.organisation.name or each.organisation.id) if public else "",
        )
        for each in found
    ]
    show(common, {"models": found}, aligned(rows) or ["No models: `licet run report` makes one known."])


@app.command(name="show")
def show_model(model: str, /, *, public: _PUBLIC = False, common: Common = COMMON) -> None:
    """Show a model with its versions, and the datasets that each was trained on.

    Parameters
    ----------
    model
        ORG/NAME, or mdl_….
    """
    from licet.datasets.usage.models import find

    with common.client() as client:
        found = find(client, model, public=public)
        pages = client.registered_versions if public else client.model_versions
        versions = list(pages(found.model))
    lines = [printable(f"{found.name}, {found.model}, of {found.organisation.name or found.organisation.id}")]
    for version in versions:
        lines += _version(version)
    show(common, {"model": found, "versions": versions}, lines)


@app.command
def describe(
    model: str,
    /,
    *,
    status: Annotated[
        Literal["in-training", "released", "retired"] | None, Parameter(help="How far this version is.")
    ] = None,
    dated: Annotated[str | None, Parameter(help="The day of that, such as 2026-11-28.")] = None,
    family: Annotated[str | None, Parameter(help="The family that the model is of.")] = None,
    summary: Annotated[str | None, Parameter(help="What it is, in a few sentences.")] = None,
    card_url: Annotated[str | None, Parameter(help="Where its model card is.")] = None,
    open_weights: Annotated[
        Literal["yes", "no"] | None, Parameter(help="Whether anybody may have its weights.")
    ] = None,
    base: Annotated[
        str | None,
        Parameter(help="What it was made from: 'ORG/NAME@VERSION of org_…' of this registry, or another's name."),
    ] = None,
    base_url: Annotated[str | None, Parameter(help="Where a base that is not in this registry is described.")] = None,
    unlisted: Annotated[
        bool, Parameter(negative="", help="Keep it out of the public register until it is released.")
    ] = False,
    common: Common = COMMON,
) -> None:
    """Sign what is said of a version of a model, and put it in the log; what is not given stays as it was said before.

    Parameters
    ----------
    model
        ORG/NAME@VERSION.
    """
    from licet.datasets.usage.models import base_of, describe_model

    if base_url is not None and base is None:
        raise InputError("--base-url: expected --base beside it, got none")
    given: dict[str, Any] = {
        "status": status,
        "dated": dated,
        "family": family,
        "summary": summary,
        "card_url": card_url,
        "open_weights": None if open_weights is None else _YES_NO[open_weights],
        "base": None if base is None else base_of(base, base_url),
        "listed": False if unlisted else None,
    }
    with common.client() as client:
        done = describe_model(client, model, **{name: value for name, value in given.items() if value is not None})
    card, receipt = done.card, done.logged.receipt
    where = "in the public register" if card.listed else "not in the public register"
    line = f"{card.model}@{card.version} is {card.status}, {where}: {done.logged.id}, entry {receipt.log_index}."
    show(common, {"id": done.logged.id, "log_index": receipt.log_index, "card": card}, [line])


def _version(version: ModelVersionInfo) -> Iterator[str]:
    dated = "" if version.card is None or version.card.dated is None else f" since {version.card.dated}"
    came = f" ({version.granted:,} came with a licence, not reported)" if version.granted else ""
    hidden = "" if version.listed else ", not in the public register"
    yield f"{version.version}  {version.status}{dated}, {many(version.runs, 'run')}{came}{hidden}"
    if version.card is not None:
        if version.card.base is not None:
            base = version.card.base
            yield printable(f"  made from {base.model}" + (f"@{base.version}" if base.version else ""))
        yield f"  card {version.card.card}, entry {version.card.log_index} of the log"
    for used in version.trained_on:
        counts = ", ".join(f"{count:,} {verdict}" for verdict, count in used.counts.items())
        unknown = "" if used.unknown_policy is None else f"; unknown rows: {_UNKNOWN[used.unknown_policy]}"
        yield printable(f"  trained on {used.name}, version {used.version} ({used.dataset}), {many(used.runs, 'run')}")
        yield f"    {used.kept:,} of {used.rows:,} rows kept: {counts}{unknown}"
    if version.datasets > len(version.trained_on):
        yield f"  …  {version.datasets - len(version.trained_on):,} more"


_UNKNOWN: Final = {"exclude": "left out", "keep": "kept"}
