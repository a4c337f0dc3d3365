"""Consents of an account whose effect is not what they say: a loosening under another name would not wait."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from licet.catalogue.replays import Taken
from licet.errors import VerificationError
from licet.statements import envelope as envelopes
from licet.statements.kinds import Consent
from licet.statements.recomputed import Standing, hold_to_effect


def false_effects(taken: Iterable[Taken], works: Mapping[int, Sequence[str]]) -> Iterator[tuple[Taken, str]]:
    """Yield each consent whose effect cannot follow from those in front of it in the log, and what is wrong with it.

    ``taken`` are statements of one account, verified, in any order; ``works`` are those under a consent, by log index,
    as far as they are known. Where a consent is missing, nothing behind it is judged.
    """
    standing = Standing()
    for each in sorted({one.index: one for one in taken}.values(), key=lambda one: one.index):
        if each.envelope.kind != "consent":
            continue
        consent = envelopes.read_as(Consent, each.envelope)
        try:
            hold_to_effect(consent, standing.take(consent, works.get(each.index)))
        except VerificationError as error:
            yield each, error.message
