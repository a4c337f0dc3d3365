"""Key histories (semantics 1 to 3): who could sign for an account, and what, at each place in the log."""

from __future__ import annotations

import msgspec
import pytest

from licet.errors import VerificationError
from licet.statements import envelope as envelopes
from licet.statements.evidence import Logged
from licet.statements.history import KeyHistory
from licet.statements.trust import verify_registry_keys
from tests.sdk.statements.world import Account, Registry, key


class Story:
    """An artist with a second key, told statement by statement."""

    def __init__(self) -> None:
        self.registry = Registry()
        self.artist = Account(self.registry, "Su Tang")
        self.second = key("second")
        self.told = [self.artist.genesis_index]

    def tell(self, payload: msgspec.Struct, *signers) -> int:
        """Log a key statement and return its index."""
        self.told.append(self.registry.log.add(envelopes.seal(payload, *signers)))
        return self.told[-1]

    def add_second(self) -> int:
        """Register the second key in due form."""
        return self.tell(self.artist.register(self.second), self.second, self.artist.key)

    def history(self) -> KeyHistory:
        """Return what an outsider makes of it."""
        keys = verify_registry_keys(self.registry.trust, self.registry.keys())
        return KeyHistory.verify([self.registry.log.evidence(at) for at in self.told], self.registry.ref, keys.log)


UNSIGNED = envelopes.seal(Account(Registry(), "nobody").withdraw())


def _at(index: int) -> Logged:
    return Logged(UNSIGNED, index, "2026-12-01T00:30:00.000Z", index + 1)


def test_rule_01_the_genesis_is_the_account_and_signs_for_itself():
    story = Story()
    history = story.history()
    assert (history.account, history.genesis) == (story.artist.id, story.artist.genesis)
    standing = history.standing(story.artist.key.keyid, _at(story.told[0] + 1))
    assert not standing.only_tighten


def test_rule_01_a_later_key_needs_a_live_root_key_and_the_accounts_genesis():
    story = Story()
    at = story.add_second()
    assert not story.history().standing(story.second.keyid, _at(at + 1)).only_tighten
    other = Story()
    forged = msgspec.structs.replace(other.artist.register(other.second), genesis="0" * 64)
    other.tell(forged, other.second, other.artist.key)
    with pytest.raises(VerificationError, match="genesis: expected"):
        other.history()


@pytest.mark.parametrize(
    ("key_class", "minutes", "message"),
    [
        ("root", 0, None),
        ("delegate", 0, "expected a delegation"),
        ("recovered", 0, "expected a signature by a live root key"),
        ("recovered", 7 * 1440, None),
    ],
)
def test_rule_01_a_recovered_key_is_a_root_key_after_7_days_and_a_delegate_never(key_class, minutes, message):
    story = Story()
    story.tell(story.artist.register(story.second, key_class), story.second, story.artist.key)
    third = envelopes.seal(story.artist.register(key("third")), key("third"), story.second)
    story.told.append(story.registry.log.add(third, minute=story.told[-1] + 1 + minutes))
    if message is None:
        story.history()
        return
    with pytest.raises(VerificationError, match=message):
        story.history()


def test_rule_01_a_key_is_registered_once():
    story = Story()
    story.add_second()
    story.tell(story.artist.register(story.second), story.second, story.artist.key)
    with pytest.raises(VerificationError, match="expected each key to be registered once"):
        story.history()


def test_rule_03_a_signature_counts_by_the_keys_state_at_its_index():
    story = Story()
    added = story.add_second()
    revoked = story.tell(story.artist.revoke(story.second.keyid), story.artist.key)
    assert revoked == added + 1
    history = story.history()
    with pytest.raises(VerificationError, match="expected a key of art_"):
        history.standing(story.second.keyid, _at(added))
    assert history.standing(story.second.keyid, _at(revoked + 1)).only_tighten
    assert history.standing(story.second.keyid, _at(revoked + 1)).why == f"revoked from log index {revoked}"


@pytest.mark.parametrize(("offset", "effective"), [(None, 0), (-3, -3), (0, 0), (5, 0)])
def test_rule_03_a_revocation_can_reach_back_but_not_wait(offset, effective):
    story = Story()
    story.add_second()
    for _ in range(4):
        story.registry.log.add(envelopes.seal(story.artist.withdraw(), story.artist.key))
    own = story.told[-1] + 5
    start = None if offset is None else own + offset
    assert story.tell(story.artist.revoke(story.second.keyid, start), story.artist.key) == own
    history = story.history()
    assert not history.standing(story.second.keyid, _at(own + effective - 1)).only_tighten
    assert history.standing(story.second.keyid, _at(own + effective)).only_tighten


def test_rule_03_a_second_revocation_never_gives_a_key_back():
    story = Story()
    story.add_second()
    first = story.tell(story.artist.revoke(story.second.keyid), story.artist.key)
    story.tell(story.artist.revoke(story.second.keyid), story.artist.key)
    assert story.history().standing(story.second.keyid, _at(first)).only_tighten


@pytest.mark.parametrize("change", [{"genesis": "0" * 64}, {"keyid": "0" * 64}])
def test_rule_03_only_a_key_of_the_account_can_be_revoked(change):
    story = Story()
    story.add_second()
    story.tell(msgspec.structs.replace(story.artist.revoke(story.second.keyid), **change), story.artist.key)
    with pytest.raises(VerificationError, match="expected the revocation of a key of art_"):
        story.history()


def test_statements_of_another_account_or_registry_do_not_belong():
    story = Story()
    stranger = Account(story.registry, "stranger")
    story.tell(
        msgspec.structs.replace(stranger.register(story.second), genesis=story.artist.genesis),
        story.second,
        story.artist.key,
    )
    with pytest.raises(VerificationError, match="expected a key of art_"):
        story.history()
    abroad = Story()
    elsewhere = msgspec.structs.replace(abroad.artist.register(abroad.second), registry=Registry("two").ref)
    abroad.tell(elsewhere, abroad.second, abroad.artist.key)
    with pytest.raises(VerificationError, match=r"expected a key at the registry registry\.example/one"):
        abroad.history()
