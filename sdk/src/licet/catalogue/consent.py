"""One signature over terms for many works: built here, shown here, signed with the artist's own key."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple, cast

import msgspec

from licet import times
from licet.catalogue.held import held
from licet.client import Client
from licet.errors import InputError
from licet.identifiers import new_uuid
from licet.statements import envelope as envelopes
from licet.statements.consent import draft_consent
from licet.statements.keys import SigningKey
from licet.statements.kinds import Consent, WorkDigest, WorksScope, WorkUpdate
from licet.statements.works import work_digest, works_root
from licet.terms import ATOMS, Terms
from licet.terms.rules import DENY
from licet.wire.common import StatementFile
from licet.wire.works import StatementAccepted, Work

LANGUAGES = ("en", "zh-Hans")


class Covered(NamedTuple):
    """A work under a signature: its digest, and the hash of the terms that were stated for it before, if any."""

    work: str
    digest: bytes
    stated: str | None = None


def sign_terms(
    client: Client,
    works: Sequence[WorkDigest],
    terms: Terms,
    *,
    old_terms: Sequence[Terms] = (),
    lang: str = "en",
) -> StatementAccepted:
    """Return once a consent with ``terms`` for ``works`` is signed, accepted and in the log.

    ``old_terms`` are the distinct terms that these works had: they decide whether this tightens or loosens.
    """
    covered = sorted(Covered(work.work, work_digest(work)) for work in works)
    return sign_covered(client, covered, terms, old_terms=old_terms, lang=lang)


def sign_covered(
    client: Client, covered: Sequence[Covered], terms: Terms, *, old_terms: Sequence[Terms] = (), lang: str = "en"
) -> StatementAccepted:
    """Return as `sign_terms`, for works (by rising id) whose digests are computed already."""
    if lang not in LANGUAGES:
        raise InputError.field("lang", " or ".join(LANGUAGES), lang)
    profile = client.need_account()
    me = client.me()
    if me.genesis is None:
        raise InputError(f"expected an account that can sign, got one of kind {me.kind}")
    payload, _ = draft_consent(
        registry=client.registry_ref(),
        account=me.account,
        genesis=me.genesis,
        head_seq=me.head.seq,
        head_digest=me.head.digest,
        works=WorksScope(len(covered), works_root(each.digest for each in covered)),
        terms=terms,
        old_terms=list(old_terms),
        lang=cast("Literal['en', 'zh-Hans']", lang),
        who=me.name,
    )
    envelope = envelopes.seal(payload, SigningKey.load(profile.key_path))
    return client.submit_statement(envelope, [each.work for each in covered], digests=[each.digest for each in covered])


def stated_by(client: Client, statement: str) -> Terms:
    """Return the terms that the consent ``statement`` states."""
    file = msgspec.json.decode(client.statement_file(statement), type=StatementFile)
    consent = envelopes.read_as(Consent, file.envelope)
    return Terms.parse({"vocab": consent.vocab, "terms": consent.terms})


def terms_of(client: Client, works: Sequence[Work]) -> list[Terms]:
    """Return the distinct terms that were signed for ``works``, fetched statement by statement."""
    found = {}
    for statement in sorted({work.statement for work in works if work.statement}):
        terms = stated_by(client, statement)
        found[terms.hash] = terms
    return [found[terms_hash] for terms_hash in sorted(found)]


def undo(
    client: Client, works: Sequence[Work], *, lang: str = "en", as_registered: bool = False
) -> list[StatementAccepted]:
    """Return once nothing waits on ``works`` any more: the terms in force are signed again, a statement for each.

    Works on which nothing waits are left alone. Raises ``InputError`` for one whose first terms wait, because it
    matches a work of another account: nothing looser was in force there.
    """
    groups: dict[str, list[Work]] = {}
    for work in works:
        if work.waiting is None:
            continue
        if work.stated is None or work.stated == work.waiting.terms_hash:
            raise InputError(
                f"{work.work}: expected terms in force to go back to, got a work whose first terms wait; "
                f"`licet terms set` signs others",
                field="works",
            )
        groups.setdefault(work.stated, []).append(work)
    done = []
    for stated, group in sorted(groups.items()):
        known = {terms.hash: terms for terms in terms_of(client, group)}
        if stated not in known:
            raise InputError.field("works", "works under a statement of their own", group[0].work)
        forms = held(client, group, as_registered=as_registered)
        covered = sorted(Covered(form.work, work_digest(form), stated) for form in forms)
        done.append(sign_covered(client, covered, known[stated], old_terms=[known[stated]], lang=lang))
    return done


def revoked(terms: Terms) -> Terms:
    """Return ``terms`` with every use denied but ``search``, which stays as it is: at least as strict in everything."""
    return Terms(dict.fromkeys(ATOMS, DENY) | {"search": terms.rules["search"]})


def revoke(
    client: Client, works: Sequence[Work], *, lang: str = "en", as_registered: bool = False
) -> list[StatementAccepted]:
    """Return once every use of ``works`` but ``search`` is denied, a statement for each way of saying ``search``.

    What waits to take effect is cancelled by that. Works that permit nothing else, now or later, are left alone.
    """
    known = {terms.hash: terms for terms in terms_of(client, works)}
    groups: dict[str, tuple[Terms, list[Work]]] = {}
    for work in works:
        if work.stated not in known:
            raise InputError.field("works", "works under a statement of their own", work.work)
        strict = revoked(known[work.stated])
        coming = work.stated if work.waiting is None else work.waiting.terms_hash
        if not work.stated == coming == strict.hash:
            groups.setdefault(strict.hash, (strict, []))[1].append(work)
    done = []
    for _, (strict, group) in sorted(groups.items()):
        forms = held(client, group, as_registered=as_registered)
        old_terms = [known[each] for each in sorted({str(work.stated) for work in group})]
        done.append(sign_terms(client, forms, strict, old_terms=old_terms, lang=lang))
    return done


def sign_withdrawal(client: Client, works: Sequence[WorkDigest]) -> StatementAccepted:
    """Return once the withdrawal of ``works`` is signed, accepted and in the log."""
    profile = client.need_account()
    me = client.me()
    if me.genesis is None:
        raise InputError(f"expected an account that can sign, got one of kind {me.kind}")
    ordered = sorted(works, key=lambda work: work.work)
    digests = [work_digest(work) for work in ordered]
    payload = WorkUpdate(
        registry=client.registry_ref(),
        account=me.account,
        genesis=me.genesis,
        scope=WorksScope(len(ordered), works_root(digests)),
        change="withdraw",
        issued_at=times.to_text(times.now()),
        nonce=new_uuid().hex,
    )
    envelope = envelopes.seal(payload, SigningKey.load(profile.key_path))
    return client.submit_statement(envelope, [work.work for work in ordered], digests=digests)
