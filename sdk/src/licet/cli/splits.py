"""``licet works split``: how what a work earns is shared between its co-owners."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Annotated, Any, Literal

import msgspec
from cyclopts import App, Parameter

from licet.cli.asking import confirm
from licet.cli.output import COMMON, Common, note, printable, show
from licet.cli.wording import AS_REGISTERED
from licet.counted import many
from licet.errors import InputError

if TYPE_CHECKING:
    from licet.client import Client
    from licet.wire.splits import SplitAccepted, SplitInfo, SplitShown

app = App(name="split", help="Share what works earn between co-owners: proposed, signed by everybody, in force.")

_STATES = {
    "open": "waits for signatures; nothing has changed",
    "in-force": "in force",
    "replaced": "was in force; another one is now",
    "declined": "was declined; nothing has changed",
    "lapsed": "was not signed by everybody in time; nothing has changed",
    "overtaken": "another one came into force first; propose it again if it is still meant",
}
_YES = Annotated[bool, Parameter(negative="", help="Do not ask.")]


@app.default
def propose(
    works: list[str],
    /,
    *,
    share: Annotated[
        list[str],
        Parameter(name=["--with", "--share"], negative="", help="ACCOUNT=SHARE, such as art_…=40%; once a co-owner."),
    ],
    yes: _YES = False,
    as_registered: Annotated[bool, Parameter(negative="", help=AS_REGISTERED)] = False,
    common: Common = COMMON,
) -> None:
    """Propose how what works earn is shared; what is left of 100% is yours. In force once everybody has signed.

    Parameters
    ----------
    works
        Works that you registered, such as wrk_….
    """
    from licet.catalogue.sharing import propose as proposed
    from licet.catalogue.sharing import share as read

    shares: dict[str, int] = {}
    for text in share:
        account, bps = read(text, "--with")
        if account in shares:
            raise InputError.field("--with", "each account once", account)
        shares[account] = bps
    with common.client() as client:
        profile = client.need_account()
        assert profile.account is not None
        own, rest = profile.account.account, 10_000 - sum(shares.values())
        if rest < 0 or (own in shares and rest):
            raise InputError.field("--with", "shares that add up to 100%", _percent(sum(shares.values())))
        if own not in shares and rest:
            shares[own] = rest
        found = [client.work(work) for work in dict.fromkeys(works)]
        _confirm(
            [f"  {work.work}  {printable(work.title or '')}".rstrip() for work in found],
            shares,
            "Sign and propose this split?",
            yes=yes,
        )
        accepted = proposed(client, found, shares, as_registered=as_registered)
    show(
        common, _document(accepted), [*_told(accepted.split), f"Signed, entry {accepted.receipt.log_index} of the log."]
    )


@app.command
def accept(split: str, /, *, yes: _YES = False, common: Common = COMMON) -> None:
    """Sign a split that somebody proposed: it is in force once everybody whose signature it needs has signed.

    Parameters
    ----------
    split
        The split, such as spl_…; `licet works split list --state open` names those that wait.
    """
    _answer(split, "accept", yes=yes, common=common)


@app.command
def decline(split: str, /, *, yes: _YES = False, common: Common = COMMON) -> None:
    """Decline a split, or take back one that you proposed: it will not come into force.

    Parameters
    ----------
    split
        The split, such as spl_….
    """
    _answer(split, "decline", yes=yes, common=common)


@app.command(name="list")
def list_splits(
    *,
    state: Annotated[
        Literal["open", "in-force", "replaced", "declined", "lapsed", "overtaken"] | None,
        Parameter(help="Only those in this state."),
    ] = None,
    work: Annotated[str | None, Parameter(help="Only those of this work.")] = None,
    common: Common = COMMON,
) -> None:
    """List the splits that you proposed, have a share in, or are asked to sign; newest first."""
    wanted: dict[str, Any] = {"state": state, "work": work}
    asked = {name: value for name, value in wanted.items() if value is not None}
    with common.client() as client:
        found = list(client.splits(**asked))
        own = _own(client)
    lines = [f"{each.split}  {each.state}  {_shares(each)}" for each in found]
    waiting = [each for each in found if each.state == "open" and _asks(each, own)]
    if waiting and not common.json:
        note(f"{many(len(waiting), 'split')} wait for you: `licet works split show SPLIT`, then accept or decline.")
    show(common, {"splits": msgspec.to_builtins(found)}, lines or ["No such splits."])


@app.command(name="show")
def show_split(split: str, /, *, common: Common = COMMON) -> None:
    """Show one split: who gets what of which works, who has signed, since when it is in force.

    Parameters
    ----------
    split
        The split, such as spl_….
    """
    with common.client() as client:
        found = client.split(split)
        own = _own(client)
    show(common, msgspec.to_builtins(found), [*_told(found.split), *_works(found), *_next(found.split, own)])


def _answer(name: str, said: Literal["accept", "decline"], *, yes: bool, common: Common) -> None:
    from licet.catalogue.sharing import answer, document_of

    with common.client() as client:
        found = client.split(name)
        split = document_of(client, found)
        shares = {each.account: each.bps for each in split.shares}
        leaving = [each.account for each in found.split.parties if not each.bps]
        lines = [*_works(found), *(f"  {account} gives up its share" for account in leaving)]
        _confirm(lines, shares, f"{said.capitalize()} this split?", yes=yes)
        accepted = answer(client, found, said)
    show(
        common, _document(accepted), [*_told(accepted.split), f"Signed, entry {accepted.receipt.log_index} of the log."]
    )


def _told(split: SplitInfo) -> Iterator[str]:
    yield f"{split.split}  {_STATES[split.state]}"
    for each in split.parties:
        part = _percent(each.bps) if each.bps else "gives up its share"
        waits = "" if each.signed else "  not signed yet"
        yield f"  {each.account}  {part}{waits if split.state == 'open' else ''}"
    if split.state == "open" and split.lapses_at is not None:
        yield f"  It lapses unless everybody has signed by {split.lapses_at}."
    if split.agreed_index is not None:
        yield f"  In force from entry {split.agreed_index} of the log on, and for what is in escrow by then."


def _works(found: SplitShown) -> Iterator[str]:
    for work in found.works:
        yield f"  {work.work}  {printable(work.title or '')}".rstrip()
        for said in work.restricted:
            if said.state != "ended":
                ending = ", until a day after it left" if said.state == "ending" else ""
                yield f"    restricted by {said.account} in {said.statement}{ending}"


def _next(split: SplitInfo, own: str) -> Iterator[str]:
    if split.state == "in-force" and split.account != own:
        yield "`licet terms set WORK` states terms of your own for a work of it: they can only restrict."
    if split.state == "open" and _asks(split, own):
        yield f"`licet works split accept {split.split}` signs it, `licet works split decline {split.split}` ends it."


def _asks(split: SplitInfo, own: str) -> bool:
    return any(each.account == own and not each.signed for each in split.parties)


def _own(client: Client) -> str:
    account = client.profile.account
    return "" if account is None else account.account


def _shares(split: SplitInfo) -> str:
    return ", ".join(f"{each.account} {_percent(each.bps)}" for each in split.parties if each.bps)


def _percent(bps: int) -> str:
    return f"{bps // 100}.{bps % 100:02d}".rstrip("0").rstrip(".") + "%"


def _document(accepted: SplitAccepted) -> dict[str, Any]:
    return {
        "split": msgspec.to_builtins(accepted.split),
        "statement": accepted.statement,
        "log_index": accepted.receipt.log_index,
    }


def _confirm(lines: Sequence[str], shares: dict[str, int], question: str, *, yes: bool) -> None:
    parts = (f"  {account}  {_percent(bps)}" for account, bps in sorted(shares.items()))
    confirm([*lines, *parts], f"{question} [y/N]", yes=yes, nothing="nothing was signed")
