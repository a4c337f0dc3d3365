"""A consent of the past that the log has taken again, shown to anybody.

Two forms. One payload at two places of the log: nobody signs the same bytes twice, for every consent has its own
number and nonce, and a registry takes each payload once. Or two consents of one account in the wrong order: the number
of the later one is not above that of the one in front of it. Either way the newest place speaks for the works.
"""

from __future__ import annotations

import msgspec

from licet.errors import VerificationError
from licet.statements import envelope as envelopes
from licet.statements.evidence import verify_logged
from licet.statements.kinds import Consent
from licet.statements.trust import RegistryKeys
from licet.wire.common import KeyEvidence


class Replay(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="type", tag="replay"):
    """Two logged consents of one account: ``again`` stands behind ``first``, and was signed no later."""

    first: KeyEvidence
    again: KeyEvidence


def verify_replay(found: Replay, keys: RegistryKeys) -> str:
    """Return, as a sentence, what ``found`` shows; raises ``VerificationError`` if it does not.

    Whether a key of the account signed is not asked: what is in the log is there by the registry's hand.
    """
    for each in (found.first, found.again):
        if each.envelope.kind != "consent":
            raise VerificationError(f"expected two consents, got a {each.envelope.kind}")
    first, again = verify_logged(found.first, keys.log), verify_logged(found.again, keys.log)
    before, after = envelopes.read_as(Consent, first.envelope), envelopes.read_as(Consent, again.envelope)
    for stated in (before, after):
        if stated.registry != keys.ref:
            raise VerificationError(f"expected consents for {keys.ref.origin}, got one for {stated.registry.origin}")
    if (before.account, before.genesis) != (after.account, after.genesis):
        raise VerificationError(f"expected two consents of one account, got {before.account} and {after.account}")
    if again.index <= first.index:
        raise VerificationError(f"expected a consent behind log entry {first.index}, got one at entry {again.index}")
    if after.seq > before.seq:
        raise VerificationError(
            f"expected a consent numbered {before.seq} or lower behind entry {first.index}, got number {after.seq}"
        )
    if first.envelope.payload_digest == again.envelope.payload_digest:
        return f"one consent of {before.account} is in the log twice, as entry {first.index} and as entry {again.index}"
    return (
        f"log entry {again.index} is consent {after.seq} of {after.account}, behind consent {before.seq} at entry "
        f"{first.index}"
    )
