"""Ranges: who looks its keys up in the ranges that came is told what a direct look-up says, and tells a few digits."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from licet.decisions import Request
from licet.errors import InputError, MalformedError, ServiceError
from licet.index import Answers, Index, Keys, WorkRecord, answer
from licet.index.ranges import (
    LEAST,
    MOST_DIGITS,
    STEP,
    KeyRange,
    digits_for,
    encoded,
    fingerprint,
    index_of,
    prefixes,
    within,
)
from tests.sdk.index import world

REQUEST = Request(uses=["train-gen"], purpose=["commercial"], at="2026-11-01T00:00:00Z")


def body(index: Index, prefix: str, version: int = 7, size: int = 9) -> bytes:
    return encoded(within(index, prefix), version, size)


def fetched(index: Index, keys: Keys, digits: int) -> Index:
    return index_of([KeyRange.parse(body(index, prefix), prefix) for prefix in prefixes(keys, digits)])


def told(answers: Answers) -> list[tuple[object, ...]]:
    """Everything that somebody sees of the answers, whatever number a work has."""
    matches = zip(
        answers.matches.row.tolist(),
        [work.tobytes() for work in answers.works.work],
        [account.tobytes() for account in answers.works.account],
        answers.matches.key.tolist(),
        [answers.decisions[number] for number in answers.decision],
        answers.payable.tolist(),
        strict=True,
    )
    reasons = [answers.reasons[number] for number in answers.reason]
    return [*zip(answers.verdict.tolist(), reasons, answers.deciding.tolist(), strict=True), *matches]


@settings(max_examples=15)
@given(st.lists(world.catalogues(), max_size=3), st.lists(world.rows, max_size=6), st.integers(0, MOST_DIGITS))
def test_what_ranges_say_is_what_a_direct_lookup_says(
    layers: list[list[WorkRecord]], batch: list[world.Row], digits: int
) -> None:
    index, keys = world.index_of(*layers), world.keys_of(batch)
    direct = answer(index, keys, REQUEST, match="exact")
    assert told(answer(fetched(index, keys, digits), keys, REQUEST, match="exact")) == told(direct)


@settings(max_examples=10)
@given(st.lists(world.catalogues(), max_size=2), st.text("0123456789abcdef", max_size=3))
def test_a_range_holds_no_other_key_and_whole_steps_of_bytes(layers: list[list[WorkRecord]], prefix: str) -> None:
    data = body(world.index_of(*layers), prefix)
    assert len(data) % STEP == 0
    found = KeyRange.parse(data, prefix)
    assert (found.consent_version, found.log_size) == (7, 9)
    for table in found.segment.keys.values():
        assert all(f"{hi:016x}".startswith(prefix) for hi in table.hi.tolist())


@settings(max_examples=10)
@given(st.lists(world.catalogues(), min_size=1, max_size=2))
def test_the_same_content_has_the_same_fingerprint_whenever_it_is_said(layers: list[list[WorkRecord]]) -> None:
    index = world.index_of(*layers)
    assert fingerprint(within(index, "3")) == fingerprint(within(index, "3"))
    assert body(index, "3", 7) != body(index, "3", 8)


def test_the_newest_of_two_states_of_a_work_counts() -> None:
    file, pixels = bytes(32), b"\xff" * 32
    states = [
        WorkRecord(work=world.uid(1, 1), account=world.uid(2, 1), terms=b"", level=level, sha256=file, pixels=pixels)
        for level in (1, 3)
    ]
    older = KeyRange.parse(body(Index(overlay=states[:1]), "0", version=1), "0")
    newer = KeyRange.parse(body(Index(overlay=states[1:]), "f", version=2), "f")
    for order in ([older, newer], [newer, older]):
        index = index_of(order)
        state = index.work(world.uid(1, 1))
        assert state is not None
        assert state.level == 3
        assert len(index.lookup(Keys(1, file=np.frombuffer(file[:16], np.uint8).reshape(1, 16)), "exact")) == 1


@given(st.integers(0, 10**9))
def test_enough_keys_begin_with_what_is_told(keys: int) -> None:
    digits = digits_for(keys)
    assert digits == 0 or keys / 16**digits >= LEAST
    assert digits == MOST_DIGITS or keys / 16 ** (digits + 1) < LEAST


def test_nobody_is_told_more_digits_than_the_client_knows_to_be_few() -> None:
    keys = Keys(1, file=np.zeros((1, 16), np.uint8))
    with pytest.raises(ServiceError, match="at most 5 digits of a key, got 6"):
        prefixes(keys, 6)
    assert prefixes(keys, 5) == ["00000"]


@pytest.mark.parametrize("prefix", ["123456", "G", "A", "0 ", "all"])
def test_what_is_no_prefix_is_refused(prefix: str) -> None:
    with pytest.raises(InputError, match="prefix: expected at most 5 hexadecimal digits"):
        within(Index(), prefix)


@given(world.catalogues(), st.data())
def test_a_range_that_was_changed_is_refused_or_still_one_of_its_prefix(
    catalogue: list[WorkRecord], data: st.DataObject
) -> None:
    whole = bytearray(body(world.index_of(catalogue), "1"))
    place = data.draw(st.integers(0, min(len(whole), 9000) - 1))
    whole[place] ^= data.draw(st.integers(1, 255))
    cut = data.draw(st.integers(0, len(whole)))
    for spoilt in (bytes(whole), bytes(whole[:cut])):
        try:
            found = KeyRange.parse(spoilt, "1")
        except MalformedError:
            continue
        assert all(f"{hi:016x}".startswith("1") for table in found.segment.keys.values() for hi in table.hi.tolist())


def test_a_range_of_another_prefix_and_one_without_its_moment_are_refused() -> None:
    record = WorkRecord(work=world.uid(1, 1), account=world.uid(2, 1), terms=b"", level=1, sha256=bytes(32))
    index = Index(overlay=[record])
    with pytest.raises(MalformedError, match="expected keys that begin with 1"):
        KeyRange.parse(body(index, "0"), "1")
    from licet.index import container

    bare = b"".join(container.encode("exact", within(index, "0")))
    with pytest.raises(MalformedError, match=r"aid\.as_of: expected consent version and log size"):
        KeyRange.parse(bare, "0")
