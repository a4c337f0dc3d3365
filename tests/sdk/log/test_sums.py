"""A period's total counts every line, and no line can be left out, made smaller or taken back without it showing."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from licet.errors import InputError, MalformedError, VerificationError
from licet.log.sums import COLUMNS, EMPTY, LARGEST, SumLine, SumNode, SumTree, joined, line_node, verify_line

SALT = bytes(range(32))
MICRO = st.integers(0, 10**9)


def line(before: int, accrued: int, reversed_: int, settled: int, payee: str = "art_x") -> SumLine:
    after = before + accrued - reversed_ - settled
    return SumLine(
        payee, "USD", max(before, 0), max(-before, 0), accrued, reversed_, settled, max(after, 0), max(-after, 0)
    )


LINES = st.builds(line, st.integers(-(10**9), 10**9), MICRO, MICRO, MICRO)


def tree_of(lines: list[SumLine]) -> SumTree:
    return SumTree([line_node(each, SALT) for each in lines])


@given(st.lists(LINES, min_size=1, max_size=40))
def test_every_line_is_proven_in_a_root_that_has_all_sums(lines):
    tree = tree_of(lines)
    assert tree.root.sums == (len(lines), *(sum(each.sums[place] for each in lines) for place in range(len(COLUMNS))))
    _, before, over, accrued, reversed_, settled, owed, overpaid = tree.root.sums
    assert before - over + accrued - reversed_ - settled == owed - overpaid
    for index, each in enumerate(lines):
        verify_line(each, SALT, index, len(lines), tree.proof(index), tree.root)


@given(st.lists(LINES, min_size=2, max_size=12), st.data())
def test_a_line_that_was_left_out_or_changed_cannot_be_proven(lines, data):
    index = data.draw(st.integers(0, len(lines) - 1))
    honest, mine = tree_of(lines), lines[index]
    name = data.draw(st.sampled_from(("accrued", "settled", "reversed")))
    changed = line(
        mine.owed_before - mine.overpaid_before,
        *(getattr(mine, each) + (each == name) for each in ("accrued", "reversed", "settled")),
    )
    lying = tree_of([*lines[:index], changed, *lines[index + 1 :]])
    for proof in (honest.proof(index), lying.proof(index)):
        with pytest.raises(VerificationError):
            verify_line(mine, SALT, index, len(lines), proof, lying.root)
    short = tree_of([*lines[:index], *lines[index + 1 :]])
    with pytest.raises((VerificationError, MalformedError)):
        verify_line(mine, SALT, index, len(lines), honest.proof(index), short.root)


MINE, OTHERS = line(5, 10, 1, 4), [line(0, 7, 0, 0, f"art_{place}") for place in range(4)]
TREE = tree_of([MINE, *OTHERS])


def taken_back() -> SumNode:
    """A neighbour that owes less than nothing, which would make the total smaller."""
    first, *_ = TREE.proof(0)
    return SumNode(first.hash, (1, 0, 0, -7, 0, 0, -7, 0))


LIES: dict[str, tuple[dict[str, Any], type[Exception], str]] = {
    "another salt": ({"salt": bytes(32)}, VerificationError, "another total"),
    "another place": ({"index": 1}, VerificationError, "another total"),
    "a place beyond": ({"index": 5}, MalformedError, "a place in a tree of 5 lines, got 5"),
    "more lines": ({"size": 6}, VerificationError, "another total"),
    "a shorter proof": ({"proof": TREE.proof(0)[:-1]}, MalformedError, "a proof of 3 nodes, got 2"),
    "a negative neighbour": (
        {"proof": [taken_back(), *TREE.proof(0)[1:]]}, VerificationError, "sums of 0 to",
    ),
    "sums beyond what fits": (
        {"proof": [SumNode(TREE.proof(0)[0].hash, (LARGEST,) * 8), *TREE.proof(0)[1:]]}, VerificationError, "at most",
    ),
    "too few sums": ({"proof": [SumNode(TREE.proof(0)[0].hash, (1,)), *TREE.proof(0)[1:]]}, MalformedError, "8 sums"),
    "a cut hash": ({"proof": [SumNode(b"x", (0,) * 8), *TREE.proof(0)[1:]]}, MalformedError, "nodes of 32 bytes"),
    "the same hash, a smaller total": (
        {"root": SumNode(TREE.root.hash, (*TREE.root.sums[:-2], 0, 0))}, VerificationError, "another total",
    ),
    "a line that does not add up": (
        {"line": msgspec.structs.replace(MINE, settled=3)}, VerificationError, "a line that adds up",
    ),
    "owed and overpaid at once": (
        {"line": msgspec.structs.replace(MINE, owed=MINE.owed + 1, overpaid=1)},
        VerificationError,
        "a line that adds up",
    ),
    "a negative line": (
        {"line": SumLine("art_x", "USD", 0, 0, -5, 0, -5, 0, 0)}, VerificationError, "a line of 0 to",
    ),
    "a short salt": ({"salt": b"x"}, InputError, "salt: expected 32 bytes, got '1 bytes'"),
}  # fmt: skip


@pytest.mark.parametrize("lie", LIES)
def test_every_way_to_lie_is_told(lie):
    told: dict[str, Any] = {
        "line": MINE,
        "salt": SALT,
        "index": 0,
        "size": 5,
        "proof": TREE.proof(0),
        "root": TREE.root,
    }
    verify_line(**told)
    change, error, words = LIES[lie]
    with pytest.raises(error) as caught:
        verify_line(**told | change)
    assert words in str(caught.value)


def test_a_leaf_is_never_taken_for_a_node_and_the_order_counts():
    left, right = line_node(MINE, SALT), line_node(OTHERS[0], SALT)
    assert joined(left, right).hash != joined(right, left).hash
    assert joined(left, right).sums == joined(right, left).sums
    assert joined(left, right).hash not in {left.hash, right.hash}


def test_no_lines_have_a_root_too():
    assert SumTree([]).root == EMPTY
    with pytest.raises(InputError):
        SumTree([]).proof(0)
