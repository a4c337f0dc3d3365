"""``licet check``: is this use of this picture permitted?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from licet import money
from licet.cli.output import COMMON, Common, note, show
from licet.cli.wording import request_from, verdicts_from
from licet.errors import InputError

if TYPE_CHECKING:
    from licet.datasets.checking import Checked, Checkup
    from licet.home import Profile

_LIST = Parameter(consume_multiple=True, negative="")


def check(
    inputs: Annotated[list[str], Parameter(help="Pictures, texts, addresses, SHA-256 digests or ISCCs.")],
    /,
    *,
    use: Annotated[list[str], _LIST],
    purpose: Annotated[list[str] | None, _LIST] = None,
    territory: Annotated[list[str] | None, _LIST] = None,
    open_weights: Annotated[str | None, Parameter(help="yes or no.")] = None,
    match: Annotated[
        Literal["exact", "near", "derivative"] | None,
        Parameter(help="How copies are found: exact, near (default), or derivative, which asks the service."),
    ] = None,
    offline: Annotated[bool, Parameter(negative="", help="Decide from the snapshot that is here.")] = False,
    private: Annotated[
        bool,
        Parameter(negative="", help="Fetch no snapshot: ask now, telling a few digits of each key, for exact copies."),
    ] = False,
    fail_on: Annotated[list[str] | None, _LIST] = None,
    common: Common = COMMON,
) -> int:
    """Ask whether a use of pictures, texts, addresses or digests is permitted; nothing is told to the registry.

    But with --match derivative: parts of works are found by the service, which is sent features of each picture.
    """
    from licet.datasets.checking import MAX_INPUTS, check_by_ranges
    from licet.datasets.checking import check as ask

    if len(inputs) > MAX_INPUTS:
        raise InputError.field("input", f"at most {MAX_INPUTS:,} (`licet filter` takes more)", len(inputs))
    if private and offline:
        raise InputError.field("--private", "either it or --offline: it asks the registry", "both")
    if private and match not in (None, "exact"):
        raise InputError.field("--match", "exact with --private, which looks for exact copies", match)
    request = request_from(use, purpose, territory, open_weights)
    failing = verdicts_from("--fail-on", fail_on)
    with common.client() as client:
        found = (
            check_by_ranges(client, inputs, request)
            if private
            else ask(client, inputs, request, match=match, offline=offline)
        )
        notes = [*found.notes, *(() if private else as_of(found, client.profile))]
    for text in notes:
        note(f"note: {text}")
    document = {
        "results": found.results,
        "snapshot": found.snapshot,
        "log_size": found.log_size,
        "expires_at": found.expires_at,
        "notes": notes,
    }
    show(common, document, [line(result) for result in found.results])
    return 1 if any(result.verdict in failing for result in found.results) else 0


def as_of(found: Checkup, profile: Profile) -> Iterator[str]:
    """Say how much of the log ``unknown`` speaks for, and what to do where one's own word is not in that yet."""
    if all(result.verdict != "unknown" for result in found.results):
        return
    from licet.catalogue.held import last_signed

    last, size = last_signed(profile), found.log_size
    if last is not None and last >= size:
        yield (
            f"unknown is what a snapshot of the first {size:,} log entries says; entry {last:,}, which you signed, "
            f"comes with the next one: `licet snapshot pull --covering {last}` waits for it, five minutes at most"
        )
    else:
        yield (
            f"unknown is what a snapshot of the first {size:,} log entries says; what is registered since then is "
            f"known from the next one on, after five minutes at most"
        )


def line(result: Checked) -> str:
    """Return one result as a line: verdict, input, why, and what it would cost."""
    where = f", {result.match} match {result.work}" if result.work else ""
    if result.match == "near":
        where += f" at {result.distance} bits"
    if result.match == "derivative":
        where += f" in {result.distance} places"
    price = ""
    if result.price and result.currency and result.verdict == "license":
        price = f", {money.written(result.price, result.currency)}"
    return f"{result.verdict:8} {result.input}  ({result.reason}{where}{price})"
