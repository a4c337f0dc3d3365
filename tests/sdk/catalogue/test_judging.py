"""What a snapshot says of one's works, held to what was signed: nothing is told of an honest one, each lie is."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from licet.catalogue.judging import Finding, Judge, Own, changes, of_keys
from licet.index.state import State, StateLeaf
from licet.statements import envelope as envelopes
from licet.statements import kinds
from licet.terms import Terms, merge, preset
from licet.wire.accounts import KeyInfo
from licet.wire.works import StatementKept
from tests.sdk.statements.world import PAID, Account, Registry

REGISTRY = Registry()
ARTIST = Account(REGISTRY, "Su Tang")
WORKS = [each.work for each in ARTIST.works()]
WORK = WORKS[0]
PROMISED, BEFORE, AFTER = "2026-11-22T12:05:00.000Z", "2026-11-22T12:05:00.000Z", "2026-11-22T12:05:00.001Z"


def own(payload: Any, name: str = "stm_1") -> Own:
    envelope = envelopes.seal(payload, ARTIST.key)
    index = REGISTRY.log.add(envelope)
    receipt = msgspec.structs.replace(REGISTRY.log.receipt(index, name), in_snapshot_by=PROMISED)
    return Own(name, index, StatementKept(envelope, receipt, WORKS), frozenset(WORKS))


OFFER = own(ARTIST.consent())
WITHDRAWAL = own(ARTIST.withdraw(), "stm_2")


def snapshot(size: int, issued_at: str = BEFORE) -> kinds.Snapshot:
    return kinds.Snapshot(
        registry=REGISTRY.ref,
        sequence=7,
        previous=None,
        consent_version=1,
        log_size=size,
        log_root="00" * 32,
        issued_at=issued_at,
        expires_at="2026-11-23T12:00:00.000Z",
        segments=[],
        works=3,
        state_root="00" * 32,
    )


def judge(
    *signed: Own,
    size: int = 1000,
    issued_at: str = BEFORE,
    elsewhere: tuple[int, ...] = (),
    shared: dict[str, Terms | None] | None = None,
) -> Judge:
    return Judge(snapshot(size, issued_at), signed, elsewhere, lambda _signed, _work: None, shared)


def leaf(index: int, terms: str | None = PAID.hash, *flags: str) -> StateLeaf:
    return StateLeaf(WORK, terms, State(2, list(flags)), index)


def told(findings: Any) -> list[tuple[str, str | None]]:
    assert all(isinstance(each, Finding) and each.message for each in findings)
    return [(each.kind, each.work) for each in findings]


@pytest.mark.parametrize(
    ("signed", "seen"),
    [
        ([OFFER], leaf(OFFER.index)),
        ([OFFER], leaf(OFFER.index, "another while it waits", "pending")),
        ([OFFER, WITHDRAWAL], leaf(WITHDRAWAL.index, None, "withdrawn")),
        ([], None),
    ],
)
def test_a_snapshot_that_says_what_was_signed_is_not_accused(signed, seen):
    assert told(list(judge(*signed).of_work(WORK, seen))) == []


@pytest.mark.parametrize(
    ("signed", "seen", "kind"),
    [
        ([OFFER], None, "omitted"),
        ([OFFER, WITHDRAWAL], leaf(OFFER.index), "omitted"),
        ([OFFER], leaf(OFFER.index + 999), "unknown-statement"),
        ([OFFER], leaf(OFFER.index, preset("no-ai").hash), "terms"),
        ([OFFER], leaf(OFFER.index, None), "terms"),
        ([OFFER, WITHDRAWAL], leaf(WITHDRAWAL.index, None), "terms"),
        ([], leaf(3), "unknown-statement"),
    ],
)
def test_each_way_to_say_something_else_is_told(signed, seen, kind):
    assert told(list(judge(*signed).of_work(WORK, seen))) == [(kind, WORK)]


NO_AI, RESEARCH = preset("no-ai"), preset("research")


@pytest.mark.parametrize("index", [OFFER.index, OFFER.index + 999])  # of a co-owner's statement, which is not here
@pytest.mark.parametrize("effective", [PAID, NO_AI, merge([PAID, RESEARCH])])
def test_rule_08_a_shared_work_may_be_stricter_than_what_this_home_signed(index: int, effective: Terms):
    assert told(list(judge(OFFER, shared={WORK: effective}).of_work(WORK, leaf(index, effective.hash)))) == []


@pytest.mark.parametrize(
    ("signed", "effective", "seen", "kind"),
    [
        ([OFFER], RESEARCH, leaf(OFFER.index + 999, RESEARCH.hash), "terms"),  # free, where a price was signed
        ([OFFER], NO_AI, leaf(OFFER.index, RESEARCH.hash), "terms"),  # the state is not what the snapshot finds
        ([OFFER, WITHDRAWAL], NO_AI, leaf(WITHDRAWAL.index, NO_AI.hash), "terms"),  # taken back, and still there
        ([OFFER], NO_AI, leaf(OFFER.index - 1, NO_AI.hash), "omitted"),
        ([OFFER], NO_AI, None, "omitted"),
    ],
)
def test_rule_08_a_shared_work_is_never_looser_than_what_this_home_signed(signed, effective, seen, kind):
    assert told(list(judge(*signed, shared={WORK: effective}).of_work(WORK, seen))) == [(kind, WORK)]


def test_a_shared_work_is_not_judged_by_a_word_that_may_still_wait_nor_by_a_snapshot_that_is_not_here():
    looser = own(ARTIST.consent(RESEARCH, seq=2, effect="loosen"), "stm_3")
    assert looser.index > OFFER.index
    seen = leaf(OFFER.index + 999, RESEARCH.hash)
    assert told(list(judge(OFFER, looser, shared={WORK: RESEARCH}).of_work(WORK, seen))) == []
    assert told(list(judge(OFFER, shared={WORK: None}).of_work(WORK, seen))) == []
    assert told(list(judge(shared={WORK: RESEARCH}).of_work(WORK, seen))) == []


def test_a_shared_work_is_not_held_to_a_word_that_came_after_the_snapshot():
    seen = leaf(OFFER.index - 1, RESEARCH.hash)  # of another owner, and looser than what was signed since
    assert told(list(judge(OFFER, size=OFFER.index, shared={WORK: RESEARCH}).of_work(WORK, seen))) == []


def test_what_was_signed_in_another_home_is_known():
    assert told(list(judge(OFFER, elsewhere=(OFFER.index + 999,)).of_work(WORK, leaf(OFFER.index + 999)))) == []


def test_a_statement_behind_the_snapshot_is_late_only_after_its_promise():
    behind = judge(OFFER, size=OFFER.index)
    assert told(list(behind.of_work(WORK, None))) == []
    assert told(list(behind.of_promises())) == []
    (late,) = judge(OFFER, size=OFFER.index, issued_at=AFTER).of_promises()
    assert told([late]) == [("late", WORK)]
    assert f"promised in a snapshot by {PROMISED}" in late.message
    assert told(list(judge(OFFER, size=OFFER.index + 1, issued_at=AFTER).of_promises())) == []


def test_the_end_of_the_homes_own_key_and_keys_of_nobody_here_are_told():
    def listed(keyid: str, revoked_from: int | None = None) -> KeyInfo:
        return KeyInfo(keyid, "root", 4, revoked_from)

    home, other = "a" * 64, "b" * 64
    assert told(list(of_keys([listed(home), listed(other)], home, [other]))) == []
    revoked, unknown = of_keys([listed(home, 9), listed(other)], home, [])
    assert [revoked.kind, unknown.kind] == ["revoked-key", "unknown-key"]
    assert "revoked from log entry 9 on" in revoked.message
    assert f"--know {other}" in unknown.message
    assert told(list(of_keys([listed(other, 9)], home, [other]))) == [], "another's end is no news for this home"


def test_a_change_of_level_or_flags_is_noted_once():
    states: dict[str, list[str]] = {}
    assert list(changes(WORK, leaf(1), states)) == []
    assert list(changes(WORK, leaf(1), states)) == []
    assert list(changes(WORK, leaf(1, None, "contested"), states)) == [
        f"{WORK}: claim level 2 → claim level 2, contested"
    ]
    assert list(changes(WORK, None, states)) == [f"{WORK}: claim level 2, contested → absent"]
