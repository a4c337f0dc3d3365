"""Statements that name one in front of them: it is the one that is meant, it came before, and none is left out between.

A chain may begin before the month. Then its first statement here names one that is not here, where `LINKS` allows it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from itertools import pairwise
from typing import Any, Final, NamedTuple

from msgspec import UNSET

from licet.audit.checks.opening import Audit
from licet.audit.checks.signed import Signed, Statements
from licet.audit.report import checking
from licet.counted import many
from licet.errors import VerificationError

_CHECK: Final = "chains"


class Link(NamedTuple):
    """How statements of a kind name one of kind ``before``: by its digest in ``field``, about the ``same`` things.

    ``here``: the bundle must have it. ``one``: of those about the same things each names the last one before it.
    """

    before: str
    field: str
    same: tuple[str, ...] = ()
    here: bool = False
    one: bool = False


LINKS: Final[dict[str, Link]] = {
    "licence-answer": Link("licence-request", "document", ("request",), here=True),
    "licence-reply": Link("licence-request", "document", ("request", "organisation"), here=True),
    "dataset-manifest": Link("dataset-manifest", "after", ("organisation",)),
    "run": Link("dataset-manifest", "manifest", ("organisation", "dataset"), here=True),
    "revenue-report": Link("revenue-report", "supersedes", ("organisation", "licence", "period"), one=True),
    "duty-done": Link("licence-revoke", "document", ("duty",)),
    "dispute-step": Link("dispute-step", "document", ("dispute",)),
    "audit-finding": Link("dataset-manifest", "document"),
    "split": Link("split", "replaces", ("account",), here=True),
}


def check_chains(audit: Audit, statements: Statements) -> None:
    """Hold every statement to the one that it names in front of it, and consents to their order."""
    held = outside = 0
    documents = {
        kind: {each.document: each for each in found.values()} for kind, found in statements.all.items() if found
    }
    for kind, link in LINKS.items():
        with checking(_CHECK, f"statements/{kind}"):
            last: dict[tuple[Any, ...], Signed] = {}
            for signed in _in_order(statements.all[kind].values()):
                about = tuple(getattr(signed.payload, name) for name in link.same)
                named = getattr(signed.payload, link.field)
                if link.one and about in last and named != last[about].document:
                    raise VerificationError(
                        f"expected entry {signed.index} to go on from entry {last[about].index}, got another before it"
                    )
                last[about] = signed
                if named in (None, UNSET):
                    continue
                before = documents.get(link.before, {}).get(named)
                held += before is not None
                outside += before is None
                _hold(signed, before, link)
    with checking(_CHECK, "statements/consent"):
        followed = _consents(statements.all["consent"].values())
    begun = f", {many(outside, 'chain')} begun before the month" if outside else ""
    audit.passed(_CHECK, f"{many(held, 'statement')} behind the one named, {many(followed, 'consent')} in order{begun}")


def _hold(signed: Signed, before: Signed | None, link: Link) -> None:
    if before is None:
        if link.here:
            raise VerificationError(f"expected the {link.before} that entry {signed.index} names, got none")
        return
    if before.index >= signed.index:
        raise VerificationError(f"expected what entry {signed.index} names before it, got entry {before.index}")
    for name in link.same:
        if getattr(before.payload, name) != getattr(signed.payload, name):
            raise VerificationError(
                f"expected entry {signed.index} and entry {before.index} to be of one {name}, got two"
            )


def _consents(consents: Iterable[Signed]) -> int:
    """Return how many consents stand behind another of their account: their numbers rise, and none is signed twice."""
    behind = 0
    accounts: dict[str, list[Signed]] = defaultdict(list)
    for signed in _in_order(consents):
        accounts[signed.payload.account].append(signed)
    for account, own in accounts.items():
        for before, after in pairwise(own):
            if after.payload.seq <= before.payload.seq:
                raise VerificationError(
                    f"{account}: expected a consent behind number {before.payload.seq}, got number {after.payload.seq}"
                )
            if after.payload.seq == before.payload.seq + 1 and after.payload.prev != before.document:
                raise VerificationError(f"{account}: expected consent {after.payload.seq} to name the one before it")
            behind += 1
    return behind


def _in_order(statements: Iterable[Signed]) -> list[Signed]:
    return sorted(statements, key=lambda each: each.index)
