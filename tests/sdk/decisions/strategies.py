"""Requests and states out of the same small pools as the terms."""

from __future__ import annotations

from hypothesis import strategies as st

from licet.decisions import Request, State
from licet.terms import ATOMS, AUDIENCES
from tests.sdk.terms.strategies import COUNTRIES, MOMENTS

FACT = st.none() | st.booleans()


def requests(max_uses: int = 3) -> st.SearchStrategy[Request]:
    """Any request, answered in part or in full."""
    return st.builds(
        Request,
        uses=st.lists(st.sampled_from(ATOMS), min_size=1, max_size=max_uses),
        purpose=st.lists(st.sampled_from(AUDIENCES), max_size=2),
        model_scope=st.sampled_from(("one-version", "family")),
        open_weights=FACT,
        territory=st.none() | st.lists(st.sampled_from(COUNTRIES), min_size=1, max_size=3),
        sublicense=FACT,
        exclusive=FACT,
        at=st.none() | st.sampled_from(MOMENTS),
    )


def states() -> st.SearchStrategy[State]:
    """Any state of a work."""
    licences = st.sampled_from((frozenset[str](), frozenset({"lic_a"}), frozenset({"lic_a", "lic_b"})))
    rare = st.sampled_from((False, False, False, True))
    return st.builds(
        State,
        level=st.integers(0, 4),
        contested=st.booleans(),
        challenged=st.booleans(),
        pending=rare,
        withdrawn=rare,
        licences=licences,
    )
