"""One signature over terms for many works: built here, shown here, signed with the artist's own key."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, cast

import msgspec

from licet import times
from licet.client import Client
from licet.errors import InputError
from licet.identifiers import new_uuid
from licet.statements import envelope as envelopes
from licet.statements.consent import draft_consent
from licet.statements.keys import SigningKey
from licet.statements.kinds import Consent, Withdraw, WorkDigest, WorksScope
from licet.statements.works import work_digest, works_root
from licet.terms import Terms
from licet.wire.common import StatementFile
from licet.wire.works import StatementAccepted, Work

LANGUAGES = ("en", "zh-Hans")


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
        works=list(works),
        terms=terms,
        old_terms=list(old_terms),
        lang=cast("Literal['en', 'zh-Hans']", lang),
        who=me.name,
    )
    envelope = envelopes.seal(payload, SigningKey.load(profile.key_path))
    return client.submit_statement(envelope, sorted(work.work for work in works))


def terms_of(client: Client, works: Sequence[Work]) -> list[Terms]:
    """Return the distinct terms that were signed for ``works``, fetched statement by statement."""
    found: dict[str, Terms] = {}
    for statement in sorted({work.statement for work in works if work.statement}):
        file = msgspec.json.decode(client.statement_file(statement), type=StatementFile)
        consent = envelopes.read_as(Consent, file.envelope)
        found[consent.terms_hash] = Terms.parse({"vocab": consent.vocab, "terms": consent.terms})
    return [found[terms_hash] for terms_hash in sorted(found)]


def digest_of(work: Work, account: str) -> WorkDigest:
    """Return what the account signs for a work that is registered already."""
    return WorkDigest(
        work=work.work,
        account=account,
        sha256=work.sha256,
        pixels=work.pixels,
        pdq=work.pdq,
        iscc=None,
        url=sorted(work.urls),
        mode="fingerprint-only" if work.mode == "fingerprint-only" else "upload",
    )


def sign_withdrawal(client: Client, works: Sequence[WorkDigest]) -> StatementAccepted:
    """Return once the withdrawal of ``works`` is signed, accepted and in the log."""
    profile = client.need_account()
    me = client.me()
    if me.genesis is None:
        raise InputError(f"expected an account that can sign, got one of kind {me.kind}")
    ordered = sorted(works, key=lambda work: work.work)
    payload = Withdraw(
        registry=client.registry_ref(),
        account=me.account,
        genesis=me.genesis,
        scope=WorksScope(len(ordered), works_root([work_digest(work) for work in ordered])),
        change="withdraw",
        issued_at=times.to_text(times.now()),
        nonce=new_uuid().hex,
    )
    envelope = envelopes.seal(payload, SigningKey.load(profile.key_path))
    return client.submit_statement(envelope, [work.work for work in ordered])
