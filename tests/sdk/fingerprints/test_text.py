"""Texts: what is one, by what it is known, and that no bytes are more than refused."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from licet.errors import PictureError
from licet.fingerprints.iscc import distance, instance_code, parse, text_code
from licet.fingerprints.text import LEAST, content_code, fingerprint_text, fingerprint_text_file, is_text_name

WORDS = "Among the words that nobody registers there are some that somebody has written down before. " * 4


def test_a_text_is_known_by_its_bytes_and_by_what_it_says() -> None:
    data = WORDS.encode()
    found = fingerprint_text(data)
    assert (found.sha256, found.format) == (hashlib.sha256(data).hexdigest(), "text")
    assert (found.pixels, found.pdq, found.width) == (None, None, None)
    assert found.iscc == f"{text_code(WORDS, 256)} {instance_code(data)}"


@pytest.mark.parametrize(
    "same",
    ["\ufeff" + WORDS, WORDS.upper(), WORDS.replace(" ", "\r\n"), f"# {WORDS}\n\n---\n", "*" + WORDS.replace(".", "!")],
)
def test_marks_case_and_white_space_change_nothing_of_what_it_says(same: str) -> None:
    assert content_code(same) == content_code(WORDS)
    assert fingerprint_text(same.encode()).sha256 != fingerprint_text(WORDS.encode()).sha256


def test_an_edited_text_is_near_and_another_one_is_not() -> None:
    story = " ".join(f"Sentence {number} of many that follow one another." for number in range(100))
    one, edited = content_code(story), content_code(story.replace("Sentence 7 ", "The seventh line "))
    other = content_code(" ".join(f"Quite different matters come up in line {number * 7}!" for number in range(100)))
    assert one is not None
    assert edited is not None
    assert other is not None
    assert 0 < distance(one, edited) <= 40 < distance(one, other)


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "too-short"),
        (b"a" * (LEAST - 1) + b" .,;-" * 9, "too-short"),
        (WORDS.encode("utf-16"), "not-a-text"),
        ("Ä".encode("latin-1") + WORDS.encode(), "not-a-text"),
        (WORDS.encode() + b"\x00", "not-a-text"),
        (WORDS.encode() + b"\x1b[31m", "not-a-text"),
        (b"a" * ((1 << 20) + 1), "too-large"),
    ],
)
def test_what_is_no_text_or_says_too_little_is_refused_by_name(data: bytes, why: str, tmp_path: Path) -> None:
    with pytest.raises(PictureError) as refused:
        fingerprint_text(data)
    assert refused.value.details["why"] == why
    assert why == "too-large" or refused.value.details["sha256"] == hashlib.sha256(data).hexdigest()
    place = tmp_path / "a.txt"
    place.write_bytes(data)
    with pytest.raises(PictureError) as again:
        fingerprint_text_file(place)
    assert again.value.details["why"] == why


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    for place in (tmp_path, tmp_path / "none.txt"):
        with pytest.raises(PictureError) as refused:
            fingerprint_text_file(place)
        assert refused.value.details["why"] == "unreadable"


def test_names_say_what_is_a_text() -> None:
    assert [name for name in ("a.txt", "b.MD", "c.markdown", "d.png", "txt", "e.html") if is_text_name(name)] == [
        "a.txt",
        "b.MD",
        "c.markdown",
    ]


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_any_bytes_are_fingerprinted_or_refused(data: bytes) -> None:
    try:
        found = fingerprint_text(data)
    except PictureError as error:
        why = error.details["why"]
    else:
        content, instance = (found.iscc or "").split()
        why = f"{parse(content).kind}, {parse(instance).kind}"
    assert why in {"too-short", "not-a-text", "text, instance"}
