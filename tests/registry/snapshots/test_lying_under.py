"""What goes on top of a snapshot's segments leaves no near segment behind that speaks for another exact one."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from licet.statements.kinds import SegmentRef
from registry.snapshots.building import lying_under


def ref(name: str) -> SegmentRef:
    return SegmentRef("exact" if name[0] == "e" else "near", name, 1, {})


def under(names: str, top: str) -> str:
    return " ".join(each.digest for each in lying_under(map(ref, names.split()), top.split()))


def test_new_terms_take_the_vectors_along_and_leave_the_older_states():
    assert under("e1 n1 e2 n2", "e3 n2") == "e1 n1 e2"


def test_an_exact_segment_that_is_on_top_takes_its_near_ones_along_though_they_are_others():
    assert under("e0 e1 n1 e2 n2", "e1 n3") == "e0 e2 n2"


@given(st.lists(st.sampled_from(["e1", "e2", "e3", "n1", "n2", "n3"]), max_size=12), st.sets(st.sampled_from("en")))
def test_every_near_segment_that_stays_follows_the_exact_one_that_it_followed(names, kinds):
    names = ["e0", *names]
    top = {f"{kind}{number}" for kind in kinds for number in (1, 2)}
    kept = [each.digest for each in lying_under(map(ref, names), top)]

    def owners(some: list[str]) -> set[tuple[str, str]]:
        found, owner = set(), ""
        for name in some:
            owner = name if name[0] == "e" else owner
            found.add((owner, name))
        return found

    assert owners(kept) <= owners(names)
    assert not set(kept) & top
