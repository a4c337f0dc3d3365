"""``licet signals``: what the web and the file itself say about uses, in any dialect, and what it comes to."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

from cyclopts import Parameter

from licet.cli.columns import aligned
from licet.cli.output import COMMON, Common, show
from licet.cli.wording import apart, verdicts_from
from licet.errors import InputError

if TYPE_CHECKING:
    from licet.signals import Combined, Signal
    from licet.signals.gathering import Gathered

MAX_INPUTS: Final = 10_000
_SCHEMES: Final = ("http://", "https://")
_LIST: Final = Parameter(consume_multiple=True, negative="")


def signals(
    inputs: Annotated[list[str], Parameter(help="Addresses, and files: pictures, books, pages, policies.")],
    /,
    *,
    use: Annotated[list[str] | None, _LIST] = None,
    fresh: Annotated[bool, Parameter(negative="", help="Fetch everything anew, also what was fetched lately.")] = False,
    fail_on: Annotated[list[str] | None, _LIST] = None,
    common: Common = COMMON,
) -> int:
    """Show what robots.txt, headers, pages and files say about uses, and what it comes to; nobody is told of it.

    Of an address, its site's files and its answer are fetched, as robots.txt allows, and kept for a day: a job that was
    stopped goes on where it was. Nothing that others publish is consent: where they permit, the verdict is unknown.
    """
    from licet.signals import combine

    if len(inputs) > MAX_INPUTS:
        raise InputError.field("input", f"at most {MAX_INPUTS:,}", len(inputs))
    failing = verdicts_from("--fail-on", fail_on)
    wanted = _uses(use)
    addresses = [each for each in inputs if each.lower().startswith(_SCHEMES)]
    fetched = dict(zip(addresses, _gathered(addresses, fresh), strict=True)) if addresses else {}
    results: list[dict[str, Any]] = []
    lines: list[str] = []
    failed = False
    for each in inputs:
        gathered = fetched.get(each)
        found = gathered.combined if gathered else combine(_of_file(each))
        deciding = found.verdict(wanted)
        failed = failed or deciding.verdict in failing
        document = gathered.document() if gathered else found.document()
        results.append({"input": each, "verdict": deciding.verdict, "reason": deciding.reason, **document})
        lines += [*([""] if lines else []), *_lines(each, found, wanted)]
        if gathered:
            lines += _asked(gathered)
    show(common, {"results": results}, lines)
    return 1 if failed else 0


def _lines(name: str, found: Combined, wanted: Sequence[str]) -> Iterator[str]:
    from licet.signals import permissions

    deciding = found.verdict(wanted)
    yield f"{deciding.verdict:8} {name}  ({deciding.reason}, {deciding.use})"
    rows: list[tuple[str, ...]] = [("", "use", "verdict", "reason", "said by")]
    for each in found.uses:
        signal = None if each.signal is None else found.signals[each.signal]
        by = "" if signal is None else f"{signal.standard} in {signal.carrier}"
        rows.append(("", each.use, each.verdict, each.reason, by))
    yield from aligned(rows)
    if not found.signals:
        return
    yield ""
    rows = [("", "standard", "where", "said", "means", "binds")]
    for signal in found.signals:
        said: dict[str, list[str]] = {}
        for use, permission in permissions(signal.mask).items():
            if permission != "unset":
                said.setdefault(permission, []).append(use)
        means = "; ".join(f"{permission} {', '.join(uses)}" for permission, uses in said.items()) or "nothing by itself"
        where = f"{signal.carrier}, {signal.place}" if signal.place else signal.carrier
        rows.append(("", signal.standard, where, signal.said, means, "work" if signal.asset else "copy"))
    yield from aligned(rows, widest=60)


def _asked(gathered: Gathered) -> Iterator[str]:
    yield ""
    seen = {each.url: each for each in gathered.seen}
    yield from aligned(
        [("", each.problem or str(each.status), each.at, each.url) for each in seen.values()], widest=100
    )


def _gathered(addresses: Sequence[str], fresh: bool) -> list[Gathered]:
    import asyncio

    from licet.home import Home
    from licet.signals.cache import Cache
    from licet.signals.gathering import gather_all

    # For tests: a server on this machine, and no other host.
    loopback = os.environ.get("LICET_SIGNALS_LOOPBACK") == "1"
    with Cache(None if fresh else Home().folder / "signals.sqlite") as cache:
        return asyncio.run(gather_all(addresses, cache, loopback=loopback))


def _of_file(name: str) -> tuple[Signal, ...]:
    """Return what a file says of itself, and what lies beside it."""
    from licet.signals.files import read_file
    from licet.signals.sidecars import read_beside

    data = _content(name)
    return (*read_file(data), *read_beside(data, Path(name)))


def _content(name: str) -> bytes:
    from licet.signals.files import MAX_BYTES

    path = Path(name)
    try:
        if path.is_file() and path.stat().st_size <= MAX_BYTES:
            return path.read_bytes()
    except (OSError, ValueError) as error:
        raise InputError(f"{name}: expected a file that can be read, got {error}") from None
    if path.is_file():
        raise InputError.field(name, f"a file of at most {MAX_BYTES:,} bytes", path.stat().st_size)
    raise InputError.field("input", "an address of http or https, or a file", name)


def _uses(given: Sequence[str] | None) -> tuple[str, ...]:
    from licet.terms import ATOMS

    wanted = apart(given or ())
    for each in wanted:
        if each not in ATOMS:
            raise InputError.field("--use", f"any of {', '.join(ATOMS)}", each)
    return tuple(wanted or ATOMS)
