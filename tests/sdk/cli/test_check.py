"""What ``licet check`` says of an answer of ``unknown``: how much of the log it speaks for, and what to wait for."""

from __future__ import annotations

import msgspec
import pytest

from licet.cli.check import as_of
from licet.datasets.checking import Checked, Checkup
from licet.home import Home, Profile
from licet.wire.common import Receipt


@pytest.fixture
def profile(tmp_path) -> Profile:
    return Home(tmp_path).profile()


def found(*verdicts: str) -> Checkup:
    results = [
        Checked("a.png", verdict, "", None, None, None, None, None, None, None, None, []) for verdict in verdicts
    ]
    return Checkup(results, "00", 12, "2026-11-28T00:00:00Z", [])


def signed(profile: Profile, log_index: int) -> None:
    receipt = Receipt("stm_1", "consent", log_index, "", None, "")
    profile.keep_statement("stm_1", msgspec.json.encode({"receipt": receipt, "envelope": None, "works": []}))


def test_a_verdict_that_is_known_needs_no_word(profile):
    assert list(as_of(found("allow", "deny"), profile)) == []


def test_unknown_says_of_how_much_of_the_log(profile):
    signed(profile, 11)
    (said,) = as_of(found("allow", "unknown"), profile)
    assert "a snapshot of the first 12 log entries" in said
    assert "--covering" not in said


def test_what_was_signed_here_and_is_not_in_the_snapshot_yet_is_said_with_what_waits_for_it(profile):
    signed(profile, 12)
    (said,) = as_of(found("unknown"), profile)
    assert "`licet snapshot pull --covering 12` waits for it" in said
