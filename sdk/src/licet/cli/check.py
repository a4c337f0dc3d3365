"""``licet check``: is this use of this picture permitted?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from licet.cli.output import COMMON, Common, note, show
from licet.cli.wording import request_from, verdicts_from
from licet.errors import InputError

if TYPE_CHECKING:
    from licet.datasets.checking import Checked

_LIST = Parameter(consume_multiple=True, negative="")


def check(
    inputs: Annotated[list[str], Parameter(help="Pictures, addresses or SHA-256 digests.")],
    /,
    *,
    use: Annotated[list[str], _LIST],
    purpose: Annotated[list[str] | None, _LIST] = None,
    territory: Annotated[list[str] | None, _LIST] = None,
    open_weights: Annotated[str | None, Parameter(help="yes or no.")] = None,
    offline: Annotated[bool, Parameter(negative="", help="Decide from the snapshot that is here.")] = False,
    fail_on: Annotated[list[str] | None, _LIST] = None,
    common: Common = COMMON,
) -> int:
    """Ask whether a use of pictures, addresses or digests is permitted; nothing is told to the registry."""
    from licet.datasets.checking import MAX_INPUTS
    from licet.datasets.checking import check as ask

    if len(inputs) > MAX_INPUTS:
        raise InputError.field("input", f"at most {MAX_INPUTS:,} (`licet filter` takes more)", len(inputs))
    request = request_from(use, purpose, territory, open_weights)
    failing = verdicts_from("--fail-on", fail_on)
    with common.client() as client:
        found = ask(client, inputs, request, offline=offline)
    for text in found.notes:
        note(f"note: {text}")
    document = {
        "results": found.results,
        "snapshot": found.snapshot,
        "log_size": found.log_size,
        "expires_at": found.expires_at,
        "notes": found.notes,
    }
    show(common, document, [line(result) for result in found.results])
    return 1 if any(result.verdict in failing for result in found.results) else 0


def line(result: Checked) -> str:
    """Return one result as a line: verdict, input, why, and what it would cost."""
    where = f", {result.match} match {result.work}" if result.work else ""
    if result.match == "near":
        where += f" at {result.distance} bits"
    price = f", {result.price} {result.currency}" if result.price and result.verdict == "license" else ""
    return f"{result.verdict:8} {result.input}  ({result.reason}{where}{price})"
