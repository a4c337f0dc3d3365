"""The strictest of all signals counts, in whatever order they come; another one never loosens."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from licet.decisions.verdicts import CODES
from licet.signals import combine, combined_mask, verdicts_of
from licet.signals.combining import NO_SIGNAL, PUBLISHER_ALLOWS, VERDICT_OF, with_policy
from licet.signals.dialects import AIPREF, CAWG, PLUS, RSL, TDMREP
from licet.signals.readers.odrl import read_odrl
from licet.signals.readers.tdmrep import reservation
from licet.signals.strictness import PERMISSIONS, Permission, mask, permission_on, permissions, spoken_of
from licet.signals.types import Carrier, Signal
from licet.terms.atoms import ATOMS

USES = st.sets(st.sampled_from(ATOMS))
SAID = st.dictionaries(st.sampled_from(ATOMS), st.sampled_from(PERMISSIONS))
CARRIERS: st.SearchStrategy[Carrier] = st.sampled_from(["robots.txt", "tdmrep.json", "header", "html", "xmp", "epub"])


def _masked(said: dict[str, Permission]) -> int:
    found = 0
    for use, permission in said.items():
        found |= mask(permission, (use,))
    return found


@st.composite
def some(draw: st.DrawFn, standards: tuple[str, ...] = ("aipref", "rsl", "plus", "cawg", "robots")) -> Signal:
    found = _masked(draw(SAID))
    carrier: Carrier = draw(CARRIERS)
    standard = draw(st.sampled_from(standards))
    return Signal(standard, "1", carrier, draw(st.sampled_from("ab")), "said", found, draw(st.sampled_from("xy")))


@given(SAID)
def test_a_mask_says_what_went_into_it(said: dict[str, Permission]) -> None:
    found = _masked(said)
    assert permissions(found) == {use: said.get(use, "unset") for use in ATOMS}
    assert spoken_of(found) == [use for use in ATOMS if said.get(use, "unset") != "unset"]


@given(SAID, SAID)
def test_the_or_of_two_masks_is_the_stricter_of_both(one: dict[str, Permission], other: dict[str, Permission]) -> None:
    both = _masked(one) | _masked(other)
    for use in ATOMS:
        rank = max(PERMISSIONS.index(each.get(use, "unset")) for each in (one, other))
        assert permission_on(both, use) == PERMISSIONS[rank]


@given(st.lists(some(), max_size=6), some())
def test_another_signal_never_loosens(signals: list[Signal], more: Signal) -> None:
    before, after = combine(signals), combine([*signals, more])
    for one, other in zip(before.uses, after.uses, strict=True):
        # ``unknown`` covers both nothing said and only permissions; neither is looser than the other.
        assert CODES[other.verdict] >= CODES[one.verdict]


@given(st.lists(some(("aipref", "tdmrep", "cawg")), max_size=6), st.randoms(use_true_random=False))
def test_the_order_does_not_matter_nor_does_saying_it_twice(signals: list[Signal], random: object) -> None:
    shuffled = [*signals, *signals[:2]]
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert combine(shuffled) == combine(signals)
    assert combined_mask(shuffled) == combined_mask(signals)


@given(st.lists(some(("aipref", "tdmrep", "cawg")), max_size=6))
def test_the_mask_for_many_comes_to_the_same(signals: list[Signal]) -> None:
    found = combine(signals)
    assert {each.use: each.verdict for each in found.uses} == verdicts_of(combined_mask(signals))


@given(st.lists(some(), max_size=5))
def test_nothing_that_others_publish_permits(signals: list[Signal]) -> None:
    assert all(each.verdict != "allow" for each in combine(signals).uses)


@given(st.lists(some(), max_size=5))
def test_each_verdict_names_a_signal_that_says_it(signals: list[Signal]) -> None:
    found = combine(signals)
    for each in found.uses:
        if each.signal is None:
            assert (each.verdict, each.reason) == ("unknown", NO_SIGNAL)
            continue
        deciding = found.signals[each.signal]
        said = permission_on(deciding.mask, each.use)
        assert VERDICT_OF[said] == each.verdict
        assert each.reason == (PUBLISHER_ALLOWS if said == "allow" else deciding.reason)


def test_a_repost_that_permits_does_not_lift_what_the_file_denies() -> None:
    repost = AIPREF.signal("header", "Content-Usage", "train-ai=y", mask("allow", ["train-gen"]), "allowed")
    inside = PLUS.signal("xmp", "XMP", "DMI-PROHIBITED", mask("deny", ["train-gen"]), "denied")
    verdict = combine([repost, inside]).verdict(["train-gen"])
    assert (verdict.verdict, verdict.reason) == ("deny", "denied")
    alone = combine([repost]).verdict(["train-gen"])
    assert (alone.verdict, alone.reason) == ("unknown", PUBLISHER_ALLOWS)


def test_deny_before_review_before_license() -> None:
    said: dict[Permission, Signal] = {
        each: CAWG.signal("c2pa", each, each, mask(each, ["mine"]), each) for each in PERMISSIONS
    }
    for one, other in itertools.combinations(PERMISSIONS, 2):
        assert combine([said[other], said[one]]).verdict(["mine"]).verdict == VERDICT_OF[other]
    assert combine(said.values()).verdict(["search", "mine"]).use == "mine"


def _reserved(value: str, carrier: str, policy: str | None = None) -> Signal:
    return next(reservation(value, policy, carrier, carrier, "https://a.example/x"))  # type: ignore[arg-type]


def test_within_tdmrep_the_nearest_statement_counts_and_absence_resets_nothing() -> None:
    carriers = ["tdmrep.json", "header", "html", "epub"]
    for near, far in itertools.combinations(reversed(carriers), 2):
        assert combine([_reserved("1", far), _reserved("0", near)]).verdict(["mine"]).reason == PUBLISHER_ALLOWS
        assert combine([_reserved("0", far), _reserved("1", near)]).verdict(["mine"]).verdict == "deny"
        # A nearer one that cannot be read takes the place of nothing.
        assert combine([_reserved("1", far), _reserved("yes", near)]).verdict(["mine"]).verdict == "deny"


POLICY = b"""{"@context": ["http://www.w3.org/ns/odrl.jsonld", {"tdm": "http://www.w3.org/ns/tdmrep#"}],
 "@type": "Offer", "profile": "http://www.w3.org/ns/tdmrep", "uid": "https://a.example/policy",
 "permission": [{"target": "https://a.example/", "action": "tdm:mine", "duty": [{"action": "tdm:obtainConsent"}]}]}"""


def test_a_reservation_stands_until_its_policy_has_been_read() -> None:
    waiting = _reserved("1", "header", "/policy.json")
    assert waiting.awaits == "https://a.example/policy.json"
    assert combine([waiting]).verdict(["mine"]).verdict == "deny"
    read = combine(with_policy(waiting, read_odrl(POLICY, at=waiting.awaits or "")))
    assert read.verdict(["mine"]).verdict == "license"
    assert read.verdict(["train-gen"]).verdict == "deny", "a policy on mining offers no training"
    for unread in (b"<html>", b"{}", b'{"permission": [{"action": "odrl:unheardOf"}]}'):
        left = combine(with_policy(waiting, read_odrl(unread, at="")))
        assert left.verdict(["mine"]).verdict == "deny"


def test_what_is_not_fetched_is_not_licensed() -> None:
    found = combine([RSL.pointer("robots.txt", "line 1", "/rsl.xml", "https://a.example/rsl.xml")])
    assert {each.verdict for each in found.uses} == {"deny"}
    assert {each.reason for each in found.uses} == {"not-fetched"}
    assert TDMREP.unreadable("tdmrep.json", "file", "").unreadable
