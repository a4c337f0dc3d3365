"""Every test that the page about bad input names exists, and every row of it names one."""

from __future__ import annotations

import re

from tests.documentation.test_semantics import ROOT, names_in

PAGE = (ROOT / "docs" / "internals" / "bad-input.md").read_text("utf-8")
ROWS = [line for line in PAGE.splitlines() if line.startswith("| ") and not line.startswith("| what |")]
NAMED = re.findall(r"`(tests/[^`:]+\.py)::(test_\w+)`", PAGE)


def test_every_row_names_a_test():
    assert len(ROWS) > 30
    assert [row for row in ROWS if not re.search(r"`tests/[^`:]+\.py::test_\w+` \|$", row)] == []


def test_every_test_that_is_named_exists():
    found = {path: names_in(ROOT / path) for path in {path for path, _ in NAMED}}
    assert [f"{path}::{test}" for path, test in NAMED if test not in found[path]] == []


def test_what_is_promised_of_every_machine_is_on_the_page():
    promised = (
        "disk is full", "home that cannot be written", "proxy that resets", "service of another version", "clock a day",
        "100,000 tiny files", "larger than the memory", "newlines, emoji", "symlink loop", "token without the scope",
        "two filters on one output at once",
    )  # fmt: skip
    assert [words for words in promised if words not in PAGE] == []
