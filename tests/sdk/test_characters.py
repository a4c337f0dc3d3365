"""Characters that nobody sees: found by name, left out, and kept from what stands beside them."""

from __future__ import annotations

import sys
import unicodedata

import pytest

from licet.characters import apart, hidden, without_hidden
from licet.cli.output import harmless
from licet.errors import InputError
from licet.wire.metadata import creator_of, external_id_of, tags_of, title_from, title_of

SEEN = (
    "允许", "Ünlü", "👩‍🎨 at work", "👩🏽‍🎨", "❤️‍🔥", "می‌خواهم", "क्‍ष", "שלום", "مرحبا 2019", "葛\U000e0100城", "e\u0301",
    "a\u00a0b", "\u3000", "٪\u0600١",
)  # fmt: skip
UNSEEN = (
    ("a\u202eb", "U+202E RIGHT-TO-LEFT OVERRIDE"), ("\u2066x", "U+2066 LEFT-TO-RIGHT ISOLATE"),
    ("x\u061c", "U+061C ARABIC LETTER MARK"), ("a\u200fb", "U+200F RIGHT-TO-LEFT MARK"),
    ("ad\u200bmin", "U+200B ZERO WIDTH SPACE"), ("ad\u200dmin", "U+200D ZERO WIDTH JOINER"),
    ("允\u200c", "U+200C ZERO WIDTH NON-JOINER"), ("允\u200d\u200d许", "U+200D ZERO WIDTH JOINER"),
    ("a\u00adb", "U+00AD SOFT HYPHEN"), ("\ufeffa", "U+FEFF ZERO WIDTH NO-BREAK SPACE"),
    ("\u3164", "U+3164 HANGUL FILLER"), ("a\U000e0041", "U+E0041 TAG LATIN CAPITAL LETTER A"), ("a\x1bb", "U+001B"),
)  # fmt: skip


@pytest.mark.parametrize("text", SEEN)
def test_what_people_write_is_seen(text: str) -> None:
    assert hidden(text) is None
    assert without_hidden(text) == text


@pytest.mark.parametrize(("text", "named"), UNSEEN)
def test_what_nobody_sees_is_named_and_refused_wherever_a_work_is_described(text: str, named: str) -> None:
    assert hidden(text) == named
    assert hidden(without_hidden(text)) is None
    if text.strip() == text:
        for field, take in (("title", title_of), ("creator", creator_of), ("external_id", external_id_of)):
            with pytest.raises(
                InputError,
                match=rf"^{field}: expected one line without hidden characters such as {named.replace('+', '.')}, got",
            ):
                take(text)
        with pytest.raises(InputError, match=r"^tags: "):
            tags_of(["seen", text])


def test_a_title_made_of_a_files_name_is_one_that_is_taken() -> None:
    assert title_from("\u202egpj.a\u200b\x1b[2J") == "gpj.a [2J"
    assert title_from("\u200b\u3164") is None
    for name in ("允" * 299 + "\u200d许", *(text for text, _ in UNSEEN), *SEEN):
        made = title_from(name)
        assert made == title_of(made)


def test_everything_that_unicode_lets_be_ignored_or_steer_is_hidden() -> None:
    steering = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}
    for code in range(sys.maxunicode + 1):
        each = chr(code)
        if unicodedata.bidirectional(each) in steering or unicodedata.category(each) in {"Cc", "Cs", "Co", "Zl", "Zp"}:
            assert hidden(f"允{each}许"), hex(code)
        elif unicodedata.category(each)[0] in "LN" and unicodedata.name(each, "").find("FILLER") < 0:
            assert hidden(each) is None, hex(code)


def test_a_strangers_line_turns_round_nothing_beside_it() -> None:
    assert apart("O'Neill") == "O'Neill"
    assert apart("允许 – Søn") == "允许 – Søn"
    assert apart("שלום 3") == "\u2068שלום 3\u2069"
    assert apart("\u202eevil \u2069שלום\u2066") == "\u2068evil שלום\u2069"  # taken by an older release
    assert apart("a\u202eb") == "ab"
    assert harmless("a\u061cb") == "a\ufffdb"
