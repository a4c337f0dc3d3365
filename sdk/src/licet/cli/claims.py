"""``licet claim`` and ``licet claims``: domains that stand behind an account."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from cyclopts import App

from licet.cli.levels import VERIFIED, level_words
from licet.cli.output import COMMON, Common, note, printable, show
from licet.errors import InputError
from licet.wire.claims import ClaimInfo

if TYPE_CHECKING:
    from licet.client import Client

app = App(name="claim", help="Claim a domain, and have it looked at: what it proves raises your claim level.")


@app.command
def domain(domain: str, /, *, common: Common = COMMON) -> None:
    """Claim a domain, such as example.org: prints what to put up there, one of two ways.

    Parameters
    ----------
    domain
        The domain alone, without https:// and without a path.
    """
    with common.client() as client:
        claim = client.create_claim(domain)
    show(common, _document(claim), _instructions(claim))


@app.command
def check(domain: str | None = None, /, *, common: Common = COMMON) -> int:
    """Have a claimed domain looked at now; exit 1 if its proof is not there.

    Parameters
    ----------
    domain
        Which of the claimed domains; default: all of them.
    """
    missing, documents, lines = 0, [], []
    level = 0
    with common.client() as client:
        for known in _claimed(client, domain):
            checked = client.check_claim(known.claim)
            claim, level = checked.claim, checked.level
            missing += claim.state != "proven"
            documents.append(_document(claim))
            lines += _found(claim)
        if not documents:
            level = client.me().level
    if not documents:
        lines.append("You claim no domain: `licet claim domain example.org` begins.")
    lines.append(f"Your claim level is {level_words(level)}.")
    show(common, {"claims": documents, "level": level}, lines)
    return 1 if missing else 0


@app.command
def drop(domain: str, /, *, common: Common = COMMON) -> None:
    """Claim a domain no longer; your claim level falls if it stood on that.

    Parameters
    ----------
    domain
        One of the claimed domains.
    """
    with common.client() as client:
        (known,) = _claimed(client, domain)
        dropped = client.drop_claim(known.claim)
    lines = [f"You no longer claim {dropped.domain}; your claim level is {level_words(dropped.level)}."]
    show(common, {"domain": dropped.domain, "level": dropped.level}, lines)


def claims(*, common: Common = COMMON) -> None:
    """List the domains that you claim, newest first."""
    with common.client() as client:
        found = list(client.claims())
    lines = []
    for claim in found:
        when = claim.proven_at or claim.asked_at
        lines.append(f"{claim.domain}  {claim.state} since {(claim.failing_since or when)[:10]}  {claim.claim}")
    if any(claim.state != "proven" for claim in found) and not common.json:
        note("`licet claim domain DOMAIN` says again what to put up; `licet claim check` has it looked at.")
    show(common, {"claims": [_document(claim) for claim in found]}, lines or ["You claim no domain."])


def _claimed(client: Client, domain: str | None) -> list[ClaimInfo]:
    found = list(client.claims() if domain is None else client.claims(domain=domain))
    if domain is not None and not found:
        raise InputError(f"you do not claim {printable(domain)}: `licet claim domain {printable(domain)}` does")
    return found


def _document(claim: ClaimInfo) -> dict[str, Any]:
    document: dict[str, Any] = msgspec.to_builtins(claim)
    return document


def _instructions(claim: ClaimInfo) -> list[str]:
    if claim.state in ("proven", "failing"):
        return _found(claim)
    return [
        f"Put this up at {claim.domain}, one way or the other, and leave it there:",
        "",
        "  a TXT record in DNS",
        f"    name   {claim.record}",
        f"    value  {claim.value}",
        "",
        "  or a text file on the web, with this as one of its lines",
        f"    at     {claim.file}",
        f"    line   {claim.value}",
        "",
        f"Then `licet claim check {claim.domain}`; the registry also looks by itself from time to time.",
        f"Once it is found you are a verified claimant, level {VERIFIED}: what waits in escrow is released.",
    ]


def _found(claim: ClaimInfo) -> list[str]:
    if claim.state == "proven":
        where = claim.record if claim.method == "dns" else claim.file
        entry = "" if claim.log_index is None else f", entry {claim.log_index} of the log"
        lines = [f"{claim.domain} is proven by {where}{entry}."]
        if claim.others:
            lines.append(f"  It is proven by {', '.join(claim.others)} too.")
        return lines
    lines = [f"{claim.domain} is not proven: {printable(claim.problem or 'nobody has looked yet')}."]
    if claim.state == "failing":
        lines.append(f"  Its proof was there until {claim.failing_since}; the claim lapses on {claim.lapses_at}.")
    if claim.state == "lapsed":
        lines.append("  Its claim has lapsed; put the proof up again to renew it.")
    return [*lines, f"  Expected there: {claim.value}"]
