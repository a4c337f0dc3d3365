"""Lists stand in columns on a terminal, whatever the titles are written in."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from licet.cli.columns import aligned, cut, width

CELLS = st.text(st.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp")), max_size=20)


def test_chinese_takes_two_places_and_what_combines_none() -> None:
    assert [width(each) for each in ("goldfish", "金鱼", "e\u0301te\u0301", "")] == [8, 4, 3, 0]


def test_every_column_begins_at_one_place() -> None:
    rows = [("work", "title", "state"), ("wrk_1", "金鱼与猫", "in-force"), ("wrk_22", "cat", "withdrawn")]
    assert aligned(rows) == [
        "work    title     state",
        "wrk_1   金鱼与猫  in-force",
        "wrk_22  cat       withdrawn",
    ]


@given(st.lists(st.tuples(CELLS, CELLS, CELLS), min_size=1), st.integers(1, 12))
def test_the_last_column_begins_where_it_does_in_every_line(rows: list[tuple[str, str, str]], widest: int) -> None:
    lines = aligned([(*row[:2], "|") for row in rows], widest=widest)
    assert len({width(line[: line.rindex("|")]) for line in lines}) == 1


@given(CELLS, st.integers(1, 12))
def test_what_is_cut_fits_and_what_fits_is_not_cut(text: str, places: int) -> None:
    shown = cut(text, places)
    assert width(shown) <= places
    assert shown == text or shown.endswith("…")
    assert (shown == text) == (width(text) <= places) or text.endswith("…")
