"""Works that others registered and this account has a share in: what it states for them, which can only restrict.

What is signed for such a work is the digest in the split's document, which this account has signed itself, or the one
that this home signed for last. Where the registry has another by now, nothing is signed on its word alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from licet.catalogue.consent import Covered, revoked, sign_covered, stated_by
from licet.catalogue.held import signed_here
from licet.catalogue.sharing import document_of
from licet.client import Client
from licet.errors import InputError, VerificationError
from licet.terms import Terms, preset
from licet.wire.splits import Restriction, SharedWork
from licet.wire.works import StatementAccepted


class CoOwned(NamedTuple):
    """A work of another account, the split by which this one has a share in it, and what it has said of it so far."""

    work: SharedWork
    split: str
    registered_by: str
    own: Restriction | None
    signed: str  # the digest in the document


def coowned(client: Client, work: str | None = None) -> Iterator[CoOwned]:
    """Yield the works of others that the account has a share in by the split in force, or ``work`` if it is one.

    Raises ``VerificationError`` for a document that does not say what the registry tells of it.
    """
    profile = client.need_account()
    assert profile.account is not None
    own = profile.account.account
    splits = client.splits(state="in-force") if work is None else client.splits(state="in-force", work=work)
    for info in splits:
        if info.account == own or not any(each.account == own and each.bps for each in info.parties):
            continue
        shown = client.split(info.split)
        digests = {each.work: each.digest for each in document_of(client, shown).works}
        for each in shown.works:
            if (work is None or each.work == work) and each.registered is not None and each.work in digests:
                said = next((one for one in each.restricted if one.account == own and one.state == "in-force"), None)
                yield CoOwned(each, info.split, info.account, said, digests[each.work])


def state_coowned(
    client: Client, works: Sequence[CoOwned], terms: Terms, *, lang: str = "en", as_registered: bool = False
) -> StatementAccepted:
    """Return once a consent with ``terms`` for ``works`` is signed, accepted and in the log.

    Raises ``VerificationError`` that names the works which the registry has changed since this account signed.
    """
    held = signed_here(client.need_account())
    covered = []
    for each in sorted(works, key=lambda one: one.work.work):
        name, now = each.work.work, each.work.registered
        known = {each.signed} | ({held[name].digest} if name in held else set())
        if now is None or (now not in known and not as_registered):
            raise VerificationError(
                f"expected {name} to be what its co-owners signed ({each.signed}), got {now} from the registry: "
                f"nothing was signed. Where {each.registered_by} updated it, --as-registered signs for it as it is now"
            )
        covered.append(Covered(name, bytes.fromhex(now)))
    return sign_covered(client, covered, terms, old_terms=stated_for(client, works), lang=lang)


def stated_for(client: Client, works: Sequence[CoOwned]) -> list[Terms]:
    """Return the distinct terms that the account has stated for these very works."""
    spoken = sorted({each.own.statement for each in works if each.own is not None and each.own.stated is not None})
    found = {terms.hash: terms for terms in (stated_by(client, statement) for statement in spoken)}
    return [found[each] for each in sorted(found)]


def undo_coowned(
    client: Client, works: Sequence[CoOwned], *, lang: str = "en", as_registered: bool = False
) -> list[StatementAccepted]:
    """Return once nothing that the account stated waits on ``works``: its terms in force are signed again."""
    groups: dict[str, list[CoOwned]] = {}
    for each in works:
        if each.own is None or each.own.waiting is None:
            continue
        if each.own.stated is None:
            raise InputError.field("works", "works under a statement of their own", each.work.work)
        groups.setdefault(each.own.statement, []).append(each)
    return [
        state_coowned(client, group, stated_by(client, statement), lang=lang, as_registered=as_registered)
        for statement, group in sorted(groups.items())
    ]


def revoke_coowned(
    client: Client, works: Sequence[CoOwned], *, lang: str = "en", as_registered: bool = False
) -> list[StatementAccepted]:
    """Return once the account's word on each of ``works`` denies every use but ``search``, of which it says no more.

    Works of which it says so already, with nothing waiting, are left alone.
    """
    groups: dict[str, tuple[Terms, list[CoOwned]]] = {}
    for each in works:
        own = each.own if each.own is not None and each.own.stated is not None else None
        strict = preset("no-ai") if own is None else revoked(stated_by(client, own.statement))
        if own is None or own.waiting is not None or strict.hash != own.stated:
            groups.setdefault(strict.hash, (strict, []))[1].append(each)
    return [
        state_coowned(client, group, strict, lang=lang, as_registered=as_registered)
        for _, (strict, group) in sorted(groups.items())
    ]
