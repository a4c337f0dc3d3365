"""Key histories (semantics 1 to 3): who could sign for an account, and what, at each place in the log."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from licet.errors import VerificationError
from licet.statements import envelope as envelopes
from licet.statements.authority import hold_to
from licet.statements.evidence import Logged
from licet.statements.history import KeyHistory
from licet.statements.keyring import Standing
from licet.statements.kinds import Budget, CatalogueScope, Limit, Total
from licet.statements.trust import verify_registry_keys
from licet.terms import preset
from tests.sdk.statements.passkey import Authenticator, sealed
from tests.sdk.statements.world import PAID, Account, Registry, key


class Story:
    """An artist with a second key, told statement by statement."""

    def __init__(self, registry: Registry | None = None, artist: Account | None = None) -> None:
        self.registry = registry or Registry()
        self.artist = artist or Account(self.registry, "Su Tang")
        self.office = self.registry.working["office"]
        self.second = key("second")
        self.told = [self.artist.genesis_index]

    def tell(self, payload: msgspec.Struct, *signers) -> int:
        """Log a key statement and return its index."""
        self.told.append(self.registry.log.add(sealed(payload, *signers)))
        return self.told[-1]

    def add_second(self) -> int:
        """Register the second key in due form."""
        return self.tell(self.artist.register(self.second), self.second, self.artist.key)

    def history(self) -> KeyHistory:
        """Return what an outsider makes of it."""
        keys = verify_registry_keys(self.registry.trust, self.registry.keys())
        return KeyHistory.verify([self.registry.log.evidence(at) for at in self.told], keys)


UNSIGNED = envelopes.seal(Account(Registry(), "nobody").withdraw())


def _at(index: int) -> Logged:
    return Logged(UNSIGNED, index, "2026-12-01T00:30:00.000Z", index + 1)


def test_rule_01_the_genesis_is_the_account_and_signs_for_itself():
    story = Story()
    history = story.history()
    assert (history.account, history.genesis) == (story.artist.id, story.artist.genesis)
    standing = history.standing_at(story.artist.key.keyid, _at(story.told[0] + 1))
    assert not standing.only_tighten


def test_rule_01_a_later_key_needs_a_live_root_key_and_the_accounts_genesis():
    story = Story()
    at = story.add_second()
    assert not story.history().standing_at(story.second.keyid, _at(at + 1)).only_tighten
    other = Story()
    forged = msgspec.structs.replace(other.artist.register(other.second), genesis="0" * 64)
    other.tell(forged, other.second, other.artist.key)
    with pytest.raises(VerificationError, match="genesis: expected"):
        other.history()


def linked(story: Story, count: int) -> None:
    """Add ``count`` keys, each statement naming the one in front of it."""
    for number in range(count):
        new = key(f"linked {number}")
        payload = msgspec.structs.replace(story.artist.register(new), prev=story.history().head)
        story.tell(payload, new, story.artist.key)


@given(st.integers(2, 6), st.data())
def test_nothing_can_be_left_out_of_a_linked_history_but_its_end(count, data):
    story = Story()
    linked(story, count)
    whole = list(story.told)
    assert story.history().links == f"{count + 1} statements, each naming the one before it"
    kept = data.draw(st.lists(st.booleans(), min_size=count, max_size=count), label="kept")
    story.told = [whole[0], *(at for at, keep in zip(whole[1:], kept, strict=True) if keep)]
    if kept == sorted(kept, reverse=True):
        assert story.history().taken == len(story.told)
    else:
        with pytest.raises(VerificationError, match="one is left out between them"):
            story.history()


def test_statements_of_before_say_nothing_of_what_is_in_front_of_them():
    story = Story()
    story.add_second()
    linked(story, 1)
    assert story.history().links == "3 statements, 1 of them without naming the one before"
    story.told.pop(1)
    with pytest.raises(VerificationError, match="one is left out between them"):
        story.history()


def test_rule_02_a_delegate_signs_for_no_key():
    story = Story()
    story.tell(story.artist.register(story.second, "delegate"), story.second, story.artist.key)
    story.tell(story.artist.register(key("third")), key("third"), story.second)
    with pytest.raises(VerificationError, match="expected a signature by a live root key"):
        story.history()


@pytest.mark.parametrize(
    ("minutes", "message"), [(0, "expected a signature by a live root key"), (7 * 1440, None), (-1, "root key")]
)
def test_rule_01_a_recovered_key_may_only_tighten_for_7_days_and_is_then_a_root_key(minutes, message):
    story = Story()
    at = story.tell(story.artist.register(story.second, "recovered"), story.second, story.office)
    third = envelopes.seal(story.artist.register(key("third")), key("third"), story.second)
    story.told.append(story.registry.log.add(third, minute=story.told[-1] + minutes))
    if message is None:
        standing = story.history().standing(story.second.keyid, at + 2, "2026-12-09T00:00:00.000Z")
        assert not standing.only_tighten
        assert "recovery" in standing.why
        return
    with pytest.raises(VerificationError, match=message):
        story.history()


@pytest.mark.parametrize("signer", ["artist", "stranger", "licence"])
def test_rule_01_only_the_registrys_office_recovers(signer):
    story = Story()
    signers = {"artist": story.artist.key, "stranger": key("x"), "licence": story.registry.working["licence"]}
    story.tell(story.artist.register(story.second, "recovered"), story.second, signers[signer])
    with pytest.raises(VerificationError, match="expected a recovery that the registry's office has signed"):
        story.history()


def test_rule_01_recovery_needs_the_new_key_too():
    story = Story()
    story.tell(story.artist.register(story.second, "recovered"), story.office, story.office)
    with pytest.raises(VerificationError, match="signatures: expected keys"):
        story.history()


def test_rule_01_a_passkey_is_a_key_like_any_other():
    registry = Registry()
    hers, second = Authenticator("hers"), Authenticator("her phone")
    story = Story(registry, Account(registry, "Su Tang", first=hers))
    at = story.tell(story.artist.register(second), second, hers)
    assert not story.history().standing_at(second.keyid, _at(at + 1)).only_tighten
    revoked = story.tell(story.artist.revoke(hers.keyid), second)
    assert story.history().standing_at(hers.keyid, _at(revoked + 1)).only_tighten


def test_rule_01_possession_of_a_passkey_is_proven_by_that_passkey():
    story = Story()
    hers = Authenticator("hers")
    forged = sealed(story.artist.register(hers), hers, story.artist.key, flags=0x01)
    story.told.append(story.registry.log.add(forged))
    with pytest.raises(VerificationError, match="flag UV"):
        story.history()


def test_a_rotated_key_is_replaced_at_once():
    story = Story()
    story.registry.log.add(envelopes.seal(story.artist.withdraw(), story.artist.key))
    at = story.tell(story.artist.rotate(story.artist.key.keyid, story.second), story.second, story.artist.key)
    assert not story.history().standing_at(story.artist.key.keyid, _at(at - 1)).only_tighten
    history = story.history()
    assert not history.standing_at(story.second.keyid, _at(at + 1)).only_tighten
    assert history.standing_at(story.artist.key.keyid, _at(at + 1)).why == f"revoked from log index {at}"


@pytest.mark.parametrize(
    ("case", "message"),
    [
        ("no possession", "signatures: expected keys"),
        ("by a stranger", "expected a signature by a live root key"),
        ("of a stranger", "replaces: expected a key of art_"),
        ("of a delegate", "replaces: expected a live root key"),
        ("of a revoked", "replaces: expected a live root key"),
        ("by a key it has", "registered once"),
    ],
)
def test_a_rotation_takes_both_keys_and_a_live_root_key_to_replace(case, message):
    story = Story()
    first, third, replaces = story.artist.key, key("third"), story.artist.key.keyid
    if case in {"of a delegate", "of a revoked"}:
        key_class = "delegate" if "delegate" in case else "root"
        story.tell(story.artist.register(story.second, key_class), story.second, first)
        replaces = story.second.keyid
    if case == "of a revoked":
        story.tell(story.artist.revoke(story.second.keyid), first)
    if case == "of a stranger":
        replaces = key("x").keyid
    if case == "by a key it has":
        third = first
    signers = {"no possession": (first, first), "by a stranger": (third, key("x"))}
    story.tell(story.artist.rotate(replaces, third), *signers.get(case, (third, first)))
    with pytest.raises(VerificationError, match=message):
        story.history()


def test_rule_02_a_delegate_acts_inside_its_delegation_while_it_lasts():
    story = Story()
    added = story.tell(story.artist.register(story.second, "delegate"), story.second, story.artist.key)
    with pytest.raises(VerificationError, match="expected a delegation beside the delegate key"):
        story.history().standing_at(story.second.keyid, _at(added + 1))
    given = story.tell(story.artist.delegate(story.second.keyid, "consent"), story.artist.key)
    history = story.history()
    standing = history.standing_at(story.second.keyid, _at(given + 1))
    assert not standing.only_tighten
    assert hold_to(standing, story.artist.consent())
    with pytest.raises(VerificationError, match="kind that was delegated"):
        hold_to(standing, story.artist.withdraw())
    with pytest.raises(VerificationError, match="in force at 2026-12-31"):
        history.standing(story.second.keyid, given + 1, "2026-12-31T00:00:00.000Z")
    revoked = story.tell(story.artist.revoke(story.second.keyid), story.artist.key)
    after = story.history().standing_at(story.second.keyid, _at(revoked + 1))
    with pytest.raises(VerificationError, match="may only tighten"):
        hold_to(after, story.artist.consent())
    assert hold_to(after, story.artist.consent(preset("no-ai"), effect="tighten"))


def test_rule_02_the_last_delegation_counts():
    story = Story()
    story.tell(story.artist.register(story.second, "delegate"), story.second, story.artist.key)
    story.tell(story.artist.delegate(story.second.keyid, "consent"), story.artist.key)
    at = story.tell(story.artist.delegate(story.second.keyid, "work-update", limit=Limit(2, [])), story.artist.key)
    standing = story.history().standing_at(story.second.keyid, _at(at + 1))
    with pytest.raises(VerificationError, match="kind that was delegated"):
        hold_to(standing, story.artist.consent())
    with pytest.raises(VerificationError, match="at most 2 works, as was delegated, got 3"):
        hold_to(standing, story.artist.withdraw())


def test_rule_02_a_delegation_limits_works_and_money():
    story = Story()
    delegation = story.artist.delegate("0" * 64, "consent", "licence", limit=Limit(3, [Budget("EUR", 5_000_000)]))
    standing = Standing("0" * 64, only_tighten=False, why="", delegation=delegation)
    assert hold_to(standing, story.artist.consent())
    with pytest.raises(VerificationError, match="got the whole catalogue"):
        hold_to(standing, story.artist.consent(scope=CatalogueScope()))
    for totals, within in (
        ([], True),
        ([Total("EUR", 5_000_000, 1)], True),
        ([Total("EUR", 5_000_001, 1)], False),
        ([Total("EUR", 1, 1), Total("USD", 1, 1)], False),
        ([Total("USD", 0, 1)], True),
        ([Total("EUR", 4_000_000, 1), Total("EUR", 4_000_000, 1)], False),
        ([Total("EUR", 5_000_001, 1), Total("EUR", -1, 1)], False),
    ):
        licence = msgspec.structs.replace(story.artist.licence(), totals=totals)
        if within:
            assert hold_to(standing, licence)
        else:
            with pytest.raises(VerificationError, match="a licence, as was delegated"):
                hold_to(standing, licence)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"valid_until": "2027-03-02T00:00:00.000Z"}, "at most 90 days"),
        ({"valid_until": "2026-11-30T00:00:00.000Z"}, "at most 90 days"),
        ({"valid_until": "tomorrow"}, "valid_until: expected RFC 3339"),
        ({"scope": []}, "scope: expected some of"),
        ({"scope": ["delegation"]}, "scope: expected some of"),
        ({"scope": ["key-register"]}, "scope: expected some of"),
        ({"scope": ["work-update", "consent"]}, "sorted, each once"),
        ({"scope": ["consent", "consent"]}, "sorted, each once"),
        ({"limit": Limit(-1, [])}, r"limit\.works"),
        ({"limit": Limit(None, [Budget("EUR", 1), Budget("EUR", 2)])}, r"limit\.budget"),
        ({"limit": Limit(None, [Budget("EUR", -1)])}, r"limit\.budget"),
        ({"genesis": "0" * 64}, "genesis: expected"),
    ],
)
def test_rule_02_a_delegation_has_bounds(changes, message):
    story = Story()
    story.tell(story.artist.register(story.second, "delegate"), story.second, story.artist.key)
    delegation = msgspec.structs.replace(story.artist.delegate(story.second.keyid), **changes)
    story.tell(delegation, story.artist.key)
    with pytest.raises(VerificationError, match=message):
        story.history()


@pytest.mark.parametrize(
    ("case", "message"),
    [
        ("a root key", "expected a live delegate key"),
        ("a stranger", "keyid: expected a key of art_"),
        ("a revoked delegate", "expected a live delegate key"),
        ("by the delegate itself", "expected a signature by a live root key"),
    ],
)
def test_rule_02_only_a_live_delegate_key_gets_a_delegation_and_only_from_a_root_key(case, message):
    story = Story()
    key_class = "root" if "root" in case else "delegate"
    story.tell(story.artist.register(story.second, key_class), story.second, story.artist.key)
    if "revoked" in case:
        story.tell(story.artist.revoke(story.second.keyid), story.artist.key)
    keyid = key("x").keyid if "stranger" in case else story.second.keyid
    story.tell(story.artist.delegate(keyid), story.second if "itself" in case else story.artist.key)
    with pytest.raises(VerificationError, match=message):
        story.history()


def test_rule_02_what_the_registry_attests_may_only_tighten():
    story = Story()
    standing = story.history().standing_at(story.office.keyid, _at(story.told[0] + 1))
    assert standing.only_tighten
    assert "attested by the registry" in standing.why
    assert hold_to(standing, story.artist.consent(preset("no-ai")))
    assert hold_to(standing, story.artist.withdraw())
    with pytest.raises(VerificationError, match="may only tighten"):
        hold_to(standing, story.artist.consent(PAID))
    story.tell(story.artist.register(story.second), story.second, story.office)
    with pytest.raises(VerificationError, match="expected a signature by a live root key"):
        story.history()


def test_rule_02_an_account_without_a_key_of_its_own_is_attested_until_it_recovers_one():
    registry = Registry()
    artist = Account(registry, "Su Tang")
    artist.genesis = ""
    office = registry.working["office"]
    founded = envelopes.seal(artist.register(office, "attested"), office)
    artist.genesis, artist.genesis_index = founded.payload_digest, registry.log.add(founded)
    story = Story(registry, artist)
    assert story.history().standing_at(office.keyid, _at(artist.genesis_index + 1)).only_tighten
    at = story.tell(artist.register(story.second, "recovered"), story.second, office)
    assert not story.history().standing(story.second.keyid, at + 1, "2026-12-09T00:00:00.000Z").only_tighten
    for other in (registry.working["licence"], key("x")):
        artist.genesis = ""
        false = envelopes.seal(artist.register(other, "attested"), other)
        story.told = [registry.log.add(false)]
        with pytest.raises(VerificationError, match="the registry's office key"):
            story.history()


def test_rule_02_no_later_key_is_attested_and_no_key_of_the_registry_is_an_accounts():
    story = Story()
    story.tell(story.artist.register(story.second, "attested"), story.second, story.artist.key)
    with pytest.raises(VerificationError, match="got class attested"):
        story.history()
    for working in story.registry.working.values():
        other = Story()
        other.tell(other.artist.register(working), working, other.artist.key)
        with pytest.raises(VerificationError, match="got one of the registry"):
            other.history()


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
        history.standing_at(story.second.keyid, _at(added))
    assert history.standing_at(story.second.keyid, _at(revoked + 1)).only_tighten
    assert history.standing_at(story.second.keyid, _at(revoked + 1)).why == f"revoked from log index {revoked}"


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
    assert not history.standing_at(story.second.keyid, _at(own + effective - 1)).only_tighten
    assert history.standing_at(story.second.keyid, _at(own + effective)).only_tighten


def test_rule_03_a_second_revocation_never_gives_a_key_back():
    story = Story()
    story.add_second()
    first = story.tell(story.artist.revoke(story.second.keyid), story.artist.key)
    story.tell(story.artist.revoke(story.second.keyid), story.artist.key)
    assert story.history().standing_at(story.second.keyid, _at(first)).only_tighten


@pytest.mark.parametrize(
    ("change", "message"),
    [({"genesis": "0" * 64}, "genesis: expected"), ({"keyid": "0" * 64}, "keyid: expected a key")],
)
def test_rule_03_only_a_key_of_the_account_can_be_revoked(change, message):
    story = Story()
    story.add_second()
    story.tell(msgspec.structs.replace(story.artist.revoke(story.second.keyid), **change), story.artist.key)
    with pytest.raises(VerificationError, match=message):
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
