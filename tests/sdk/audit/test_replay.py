"""What shows that a log took a consent again: it holds for a registry that did, and for no honest one."""

from __future__ import annotations

import msgspec
import pytest

from licet.audit.misconduct import encode
from licet.audit.omission import verify_misconduct
from licet.audit.replay import Replay, verify_replay
from licet.errors import LicetError, VerificationError
from licet.statements import envelope as envelopes
from licet.statements.kinds import Consent
from licet.statements.trust import verify_registry_keys
from tests.sdk.statements.world import Account, Registry

REGISTRY = Registry()
ARTIST = Account(REGISTRY, "Su Tang")


def logged(seq: int, who: Account = ARTIST, **changes: object) -> int:
    consent = msgspec.structs.replace(who.consent(), seq=seq, **changes)
    return REGISTRY.log.add(envelopes.seal(consent, who.key))


OFFER = logged(1)
DENIAL = logged(2, effect="tighten", prev="ab" * 32)
OFFER_AGAIN = logged(1)
SECOND = logged(2, nonce="another")
STRANGERS = logged(1, Account(REGISTRY, "Bo Lin"))
WITHDRAWN = REGISTRY.log.add(envelopes.seal(ARTIST.withdraw(), ARTIST.key))
KEYS = verify_registry_keys(REGISTRY.trust, REGISTRY.keys())


def replay(first: int, again: int) -> Replay:
    return Replay(REGISTRY.log.evidence(first), REGISTRY.log.evidence(again))


def test_one_payload_at_two_places_is_shown() -> None:
    shown = verify_misconduct(encode(replay(OFFER, OFFER_AGAIN)), KEYS)
    assert (
        shown.sentence == f"one consent of {ARTIST.id} is in the log twice, as entry {OFFER} and as entry {OFFER_AGAIN}"
    )
    assert shown.unless is None


@pytest.mark.parametrize(("first", "again"), [(DENIAL, OFFER_AGAIN), (DENIAL, SECOND)])
def test_a_consent_behind_a_later_one_is_shown(first: int, again: int) -> None:
    assert f"behind consent 2 at entry {first}" in verify_replay(replay(first, again), KEYS)


@pytest.mark.parametrize(
    ("first", "again", "told"),
    [
        (OFFER, DENIAL, "got number 2"),  # as it should be
        (OFFER_AGAIN, OFFER, "behind log entry"),
        (OFFER, OFFER, "behind log entry"),
        (OFFER, STRANGERS, "of one account"),
        (OFFER, WITHDRAWN, "expected two consents, got a work-update"),
        (ARTIST.genesis_index, OFFER, "expected two consents, got a key-register"),
    ],
)
def test_an_honest_log_shows_nothing(first: int, again: int, told: str) -> None:
    with pytest.raises(VerificationError, match=told):
        verify_replay(replay(first, again), KEYS)


def test_what_the_log_does_not_hold_shows_nothing() -> None:
    found = replay(OFFER, OFFER_AGAIN)
    forged = envelopes.seal(
        msgspec.structs.replace(envelopes.read_as(Consent, found.again.envelope), seq=0), ARTIST.key
    )
    for again in (
        msgspec.structs.replace(found.again, envelope=forged),
        msgspec.structs.replace(found.again, proof=found.first.proof.replace(f"index {OFFER}\n", "index 0\n")),
        msgspec.structs.replace(found.again, salt=found.first.salt),
    ):
        with pytest.raises(LicetError):
            verify_replay(Replay(found.first, again), KEYS)
    other = Registry("two")
    with pytest.raises(LicetError):
        verify_replay(found, verify_registry_keys(other.trust, other.keys()))
