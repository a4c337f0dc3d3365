"""Consent statements: drafted from terms and works, and held to what they say of themselves."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import Literal

from licet import times
from licet.errors import InputError, MalformedError, VerificationError
from licet.statements.effect import effect_over
from licet.statements.kinds import CatalogueScope, Consent, RegistryRef, Shown, WorkDigest, WorksScope
from licet.statements.works import works_scope
from licet.terms import Terms, plain_text, text_hash


def draft_consent(
    *,
    registry: RegistryRef,
    account: str,
    genesis: str,
    head_seq: int,
    head_digest: str | None,
    works: Sequence[WorkDigest] | WorksScope | None,
    terms: Terms,
    old_terms: Sequence[Terms],
    lang: Literal["en", "zh-Hans"] = "en",
    who: str = "",
) -> tuple[Consent, str]:
    """Return the payload to sign and the plain text to show: ``terms`` for ``works`` (or their scope), or for the
    catalogue (None).

    It follows the account's last consent (``head_seq`` 0 and ``head_digest`` None before the first). ``old_terms`` are
    the distinct terms of those works that have some. Raises ``InputError`` for no works and for one work twice.
    """
    if (head_seq == 0) != (head_digest is None) or head_seq < 0:
        raise InputError.field("head_digest", "a digest after the first consent, none before it", head_digest)
    scope = CatalogueScope() if works is None else works if isinstance(works, WorksScope) else works_scope(works)
    text = plain_text(terms, lang, who, scope.count if isinstance(scope, WorksScope) else None)
    consent = Consent(
        registry=registry,
        account=account,
        genesis=genesis,
        seq=head_seq + 1,
        prev=head_digest,
        issued_at=times.to_text(times.now()),
        effect=effect_over(old_terms, terms),
        scope=scope,
        terms=terms.to_json(),
        terms_hash=terms.hash,
        shown=Shown(lang, text_hash(text)),
        nonce=secrets.token_hex(16),
        vocab=terms.vocab,
    )
    return consent, text


def consent_terms(consent: Consent) -> Terms:
    """Return the terms that ``consent`` states; they are in canonical form and have the hash that it names.

    Raises ``MalformedError`` for terms that do not parse or have another canonical form (so one statement has one
    meaning), and ``VerificationError`` for another hash.
    """
    try:
        terms = Terms.parse({"vocab": consent.vocab, "terms": consent.terms})
    except InputError as error:
        raise MalformedError(f"terms: {error.message}", **error.details) from None
    if terms.to_json() != consent.terms:
        raise MalformedError("terms: expected their canonical form, got another spelling of the same terms")
    if terms.hash != consent.terms_hash:
        raise VerificationError(f"terms_hash: expected {terms.hash}, got {consent.terms_hash!r:.80}")
    return terms
