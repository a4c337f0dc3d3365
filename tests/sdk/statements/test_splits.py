"""Splits between co-owners: amounts that add up, and nothing in force until everybody has signed the same document."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from licet import canonical
from licet.errors import InputError, MalformedError, VerificationError
from licet.statements import envelope as envelopes
from licet.statements.kinds import Erase, RegistryRef, Split, SplitAnswer, SplitShare
from licet.statements.kinds.sharing import WHOLE
from licet.statements.splits import Splits, divide, draft_answer, draft_split, needed
from tests.sdk.statements.world import identifier

REF = RegistryRef("registry.example/one", "0" * 64)
ADA, BEN, CAY = (identifier("art", each) for each in (1, 2, 3))
GENESES = {ADA: "a" * 64, BEN: "b" * 64, CAY: "c" * 64}
WORKS = {identifier("wrk", 1): "1" * 64, identifier("wrk", 2): "2" * 64}
FIRST = identifier("wrk", 1)


def at(minute: int) -> str:
    return f"2026-12-{1 + minute // 1440:02d}T{minute % 1440 // 60:02d}:{minute % 60:02d}:00.000Z"


def proposal(shares: dict[str, int], replaces: str | None = None, by: str = ADA) -> Split:
    named = {each: (GENESES[each], bps) for each, bps in shares.items()}
    return draft_split(registry=REF, account=by, genesis=GENESES[by], works=WORKS, shares=named, replaces=replaces)


def digest(payload: Split) -> str:
    return canonical.digest(payload)


class Told:
    """A log of splits and answers, an entry a minute."""

    def __init__(self) -> None:
        self.splits = Splits()
        self.size = 0

    def take(self, payload: Split | SplitAnswer | Erase, minute: int | None = None) -> Any:
        self.size += 1
        document = digest(payload) if isinstance(payload, Split) else ""
        return self.splits.take(payload, document, self.size, at(self.size if minute is None else minute))

    def answer(self, split: Split, by: str, said: Any = "accept", minute: int | None = None) -> Any:
        return self.take(draft_answer(split, digest(split), account=by, genesis=GENESES[by], answer=said), minute)

    def shares(self) -> dict[str, int] | None:
        found = self.splits.in_force(FIRST, self.size + 1)
        return None if found is None else {each.account: each.bps for each in found.shares}


def test_rule_21_a_split_is_in_force_once_everybody_with_a_share_has_signed_and_not_before():
    told, split = Told(), proposal({ADA: 5000, BEN: 3000, CAY: 2000})
    told.take(split)
    assert told.answer(split, BEN) is None
    assert told.shares() is None
    agreed = told.answer(split, CAY)
    assert agreed.since == told.size
    assert told.shares() == {ADA: 5000, BEN: 3000, CAY: 2000}
    assert told.splits.in_force(FIRST, agreed.since) is None  # what the log took before is not shared
    assert told.splits.state(digest(split), at(9)) == "agreed"


def test_rule_21_whoever_proposes_cannot_cut_the_others():
    told, split = Told(), proposal({ADA: 5000, BEN: 5000})
    told.take(split)
    told.answer(split, BEN)
    alone = proposal({ADA: 10_000}, digest(split))
    told.take(alone)
    with pytest.raises(VerificationError, match="expected an answer of who has a share"):
        told.answer(alone, ADA)
    assert told.shares() == {ADA: 5000, BEN: 5000}
    without = proposal({ADA: 5000, CAY: 5000}, digest(split))
    told.take(without)
    told.answer(without, CAY)
    assert told.shares() == {ADA: 5000, BEN: 5000}
    told.answer(without, BEN)  # gives up the share
    assert told.shares() == {ADA: 5000, CAY: 5000}
    told.answer(alone, BEN)  # that one replaces what is in force no more
    assert told.shares() == {ADA: 5000, CAY: 5000}
    assert told.splits.state(digest(alone), at(9)) == "overtaken"


def test_rule_21_one_no_ends_it():
    for who in (ADA, BEN):
        told, split = Told(), proposal({ADA: 5000, BEN: 3000, CAY: 2000})
        told.take(split)
        told.answer(split, who, "decline")
        told.answer(split, BEN)
        told.answer(split, CAY)
        assert told.shares() is None
        assert told.splits.state(digest(split), at(9)) == "declined"


def test_rule_21_a_proposal_lapses_by_the_times_of_the_log():
    for minute, shares in ((1 + 30 * 1440, {ADA: 5000, BEN: 5000}), (2 + 30 * 1440, None)):
        told, split = Told(), proposal({ADA: 5000, BEN: 5000})
        told.take(split, 1)
        told.answer(split, BEN, minute=minute - 1440)
        told, split = Told(), proposal({ADA: 5000, BEN: 5000})
        told.take(split, 1 - 1)
        told.answer(split, BEN, minute=minute - 1)
        assert told.shares() == shares


@pytest.mark.parametrize(
    ("shares", "message"),
    [
        ({}, "shares: expected 1 to 100 co-owners, got 0"),
        ({ADA: 5000, BEN: 4999}, "shares: expected 10000 basis points in sum, got 9999"),
        ({ADA: 5000, BEN: 5001}, "shares: expected 10000 basis points in sum, got 10001"),
        ({ADA: 10_000, BEN: 0}, r"shares\[1\].bps: expected 1 to 10000 basis points, got 0"),
        ({ADA: 11_000, BEN: -1000}, r"shares\[0\].bps: expected 1 to 10000 basis points, got 11000"),
    ],
)
def test_shares_that_are_not_a_whole_are_refused_naming_the_field(shares: dict[str, int], message: str):
    with pytest.raises(InputError, match=message):
        proposal(shares)


def test_a_signed_document_whose_shares_are_not_a_whole_does_not_parse():
    good = msgspec.to_builtins(proposal({ADA: 5000, BEN: 5000}))
    share = good["shares"]
    for shares, message in (
        ([share[0], share[0]], f"shares: expected each account once, got {ADA} twice"),
        (share[::-1], "shares: expected accounts in rising order"),
        ([share[0]], "shares: expected 10000 basis points in sum, got 5000"),
        ([{**share[0], "bps": 5000.5}, share[1]], "float"),
    ):
        body = canonical.encode if all(isinstance(each["bps"], int) for each in shares) else msgspec.json.encode
        envelope = envelopes.Envelope(
            canonical.to_base64(body({**good, "shares": shares})), "application/vnd.licet.split+json", []
        )
        with pytest.raises(MalformedError, match=message):
            envelopes.read_as(Split, envelope)


def test_nobody_answers_for_another_nor_for_another_document():
    told, split = Told(), proposal({ADA: 5000, BEN: 5000})
    told.take(split)
    for change in ({"account": CAY}, {"genesis": "d" * 64}, {"document": "e" * 64}, {"split": identifier("spl", 9)}):
        answer = draft_answer(split, digest(split), account=BEN, genesis=GENESES[BEN], answer="accept")
        with pytest.raises(VerificationError):
            told.take(msgspec.structs.replace(answer, **change))
    assert told.shares() is None


def test_a_split_with_oneself_alone_is_none():
    with pytest.raises(VerificationError, match="expected somebody to share with"):
        needed(proposal({ADA: 10_000}), [])
    with pytest.raises(VerificationError, match="with the genesis that it had"):
        needed(proposal({ADA: 5000, BEN: 5000}), [SplitShare(BEN, "d" * 64, 10_000)])


def test_a_proposal_that_can_no_longer_come_into_force_says_that_it_was_overtaken():
    told, first, late = Told(), proposal({ADA: 5000, BEN: 5000}), proposal({ADA: 4000, BEN: 6000})
    told.take(late)
    told.take(first)
    assert told.splits.state(digest(late), at(3)) == "open"
    told.answer(first, BEN)
    assert told.splits.state(digest(late), at(4)) == told.splits.state(digest(late), at(40 * 1440)) == "overtaken"
    assert told.splits.state(digest(first), at(40 * 1440)) == "agreed"


def erasure(account: str) -> Erase:
    return Erase(REF, account, GENESES[account], "account", 0, None, 0, None, at(0))


def test_rule_21_of_who_was_erased_nobody_asks_an_answer_to_a_split_that_leaves_it_what_it_has():
    told, first = Told(), proposal({ADA: 3000, BEN: 4000, CAY: 3000})
    told.take(first)
    told.answer(first, BEN)
    told.answer(first, CAY)
    before = proposal({ADA: 2000, BEN: 4000, CAY: 4000}, digest(first))
    told.take(before)
    told.take(erasure(BEN))
    assert told.answer(before, CAY) is None, "it was asked before, and never answered"
    without = proposal({ADA: 7000, CAY: 3000}, digest(first))
    less = proposal({ADA: 3001, BEN: 3999, CAY: 3000}, digest(first))
    for each in (without, less):
        told.take(each)
        assert told.answer(each, CAY) is None
    kept = proposal({ADA: 1000, BEN: 4000, CAY: 5000}, digest(first))
    told.take(kept)
    assert told.answer(kept, CAY) is not None
    assert told.shares() == {ADA: 1000, BEN: 4000, CAY: 5000}


SHARES = st.lists(st.integers(1, WHOLE - 1), min_size=0, max_size=12, unique=True).map(
    lambda cuts: [b - a for a, b in zip([0, *sorted(cuts)], [*sorted(cuts), WHOLE], strict=True)]
)


@given(amount=st.integers(0, 2**53), parts=SHARES)
def test_rule_21_what_is_divided_adds_up_and_nobody_is_off_by_a_micro_unit(amount: int, parts: list[int]):
    shares = {identifier("art", place): bps for place, bps in enumerate(parts)}
    found = divide(amount, shares)
    assert sum(found.values()) == amount
    assert found.keys() == shares.keys()
    for account, got in found.items():
        assert abs(Fraction(got) - Fraction(amount * shares[account], WHOLE)) < 1
    # Largest remainder: nobody who was rounded down had a larger remainder than somebody who was rounded up.
    rest = {account: amount * bps % WHOLE for account, bps in shares.items()}
    up = [rest[each] for each in shares if found[each] * WHOLE > amount * shares[each]]
    down = [rest[each] for each in shares if found[each] * WHOLE <= amount * shares[each]]
    assert not up or not down or min(up) >= max(down)
    assert divide(amount, dict(reversed(shares.items()))) == found


@given(st.data())
def test_rule_21_no_order_of_answers_brings_a_split_into_force_without_every_signature(data: st.DataObject):
    """Against a model that only counts who has said yes to what, over any statements in any order."""
    accounts = [ADA, BEN, CAY]
    told, documents = Told(), list[tuple[Split, set[str], set[str]]]()
    current: Split | None = None
    for _ in range(data.draw(st.integers(1, 12))):
        if not documents or data.draw(st.booleans()):
            cut = sorted(data.draw(st.sets(st.sampled_from(accounts), min_size=1)))
            size = len(cut)
            shares = {each: WHOLE // size + (WHOLE % size if each == cut[0] else 0) for each in cut}
            split = proposal(shares, None if current is None else digest(current))
            before = set[str]() if current is None else {each.account for each in current.shares}
            wanted = (before | set(cut)) - {ADA}
            if not wanted:
                with pytest.raises(VerificationError):
                    told.take(split)
                continue
            told.take(split)
            documents.append((split, wanted, set()))
        else:
            split, wanted, signed = data.draw(st.sampled_from(documents))
            who = data.draw(st.sampled_from(sorted(wanted)))
            told.answer(split, who)
            signed.add(who)
            replaces = None if current is None else digest(current)
            if signed == wanted and split.replaces == replaces and current is not split:
                current = split
        expected = None if current is None else {each.account: each.bps for each in current.shares}
        assert told.shares() == expected


def test_the_answers_of_a_log_are_taken_in_its_order():
    told, split = Told(), proposal({ADA: 5000, BEN: 5000})
    told.take(split)
    answer = draft_answer(split, digest(split), account=BEN, genesis=GENESES[BEN], answer="accept")
    with pytest.raises(VerificationError, match="in the order of the log"):
        told.splits.take(answer, "", 0, at(2))
    with pytest.raises(VerificationError, match="got two"):
        told.take(split)
    with pytest.raises(VerificationError, match="got none of digest"):
        told.take(proposal({BEN: 10_000}, "f" * 64))
